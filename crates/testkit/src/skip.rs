//! Tests that cannot run on a machine say why, and are counted: a runner hides what passing tests print.

use std::{fs::OpenOptions, io::Write as _, path::Path};

/// Variable that names the file in which skipped tests are written down, a line each.
pub const SKIPPED_FILE: &str = "FLUXPLANE_SKIPPED_FILE";

/// Says that a test does not run, and why.
pub fn say(why: &str) {
    #[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
    {
        eprintln!("SKIPPED: {why}");
    }
    if let Some(file) = std::env::var_os(SKIPPED_FILE) {
        let opened = OpenOptions::new().create(true).append(true).open(file);
        // The test is skipped all the same.
        opened.and_then(|mut file| writeln!(file, "{why}")).ok();
    }
}

/// What was written down: each reason and how often.
pub fn count(file: &Path) -> Vec<(String, usize)> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut counted: Vec<(String, usize)> = Vec::new();
    for line in text.lines() {
        match counted.iter_mut().find(|(why, _)| why == line) {
            Some((_, times)) => *times += 1,
            None => counted.push((line.to_owned(), 1)),
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_in_the_order_they_came() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("skipped");
        assert!(count(&file).is_empty());
        std::fs::write(&file, "no root\nno docker\nno root\n").unwrap();
        assert_eq!(
            count(&file),
            [("no root".to_owned(), 2), ("no docker".to_owned(), 1)]
        );
    }
}
