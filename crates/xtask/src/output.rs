//! What the person who called sees.

/// A result, on stdout.
#[expect(clippy::print_stdout, reason = "a command line tool")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

/// What passes, on stderr.
#[expect(clippy::print_stderr, reason = "a command line tool")]
pub(crate) fn say_aside(text: &str) {
    eprintln!("{text}");
}
