//! Colours, and taming text that others wrote.
//!
//! Names, reasons and log lines come from strangers. On a terminal, control characters in them could move the cursor, set the
//! clipboard or hide a line, so they are replaced; colours of log lines stay.

use console::{Style, strip_ansi_codes};

/// Paints, or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    color: bool,
}

/// What a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    /// On the way, or in need of attention.
    Busy,
    /// Beside the point.
    Quiet,
    /// A heading.
    Strong,
    /// One of several sources, told apart by colour.
    Source(usize),
}

impl Paint {
    pub const fn new(color: bool) -> Self {
        Self { color }
    }

    pub const fn is_colored(self) -> bool {
        self.color
    }

    pub fn tone(self, tone: Tone, text: &str) -> String {
        let style = match tone {
            Tone::Good => Style::new().green(),
            Tone::Bad => Style::new().red(),
            Tone::Busy => Style::new().yellow(),
            Tone::Quiet => Style::new().dim(),
            Tone::Strong => Style::new().bold(),
            Tone::Source(number) => source(number),
        };
        style.force_styling(self.color).apply_to(text).to_string()
    }

    /// A state in the colour of its kind.
    pub fn state(self, state: &str) -> String {
        self.tone(tone_of(state), state)
    }
}

fn source(number: usize) -> Style {
    let plain = Style::new();
    match number % 6 {
        0 => plain.cyan(),
        1 => plain.magenta(),
        2 => plain.green(),
        3 => plain.yellow(),
        4 => plain.blue(),
        _ => plain.red(),
    }
}

/// How the states and stages of the API sound.
pub fn tone_of(state: &str) -> Tone {
    match state {
        "running" | "healthy" | "ready" | "funded" | "sealed" | "final" | "confirmed"
        | "update_finished" | "passed" | "payment_confirmed" => Tone::Good,
        "failed" | "lost" | "expired" | "unhealthy" | "refused" | "payment_refused"
        | "update_stopped" | "update_lapsed" | "not_ready" | "unreachable" | "node_lost"
        | "dos" => Tone::Bad,
        "cancelled" | "stopped" | "stopping" | "retired" => Tone::Quiet,
        _ => Tone::Busy,
    }
}

/// Text for one cell or line: no control characters, no escape sequences.
pub fn plain(text: &str) -> String {
    let stripped = strip_ansi_codes(text);
    stripped
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A log line for a terminal: tabs and colours stay, everything else that controls is replaced.
pub fn log_text(text: &str, color: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let length = color_sequence(from);
        let (sequence, after) = from.split_at(length.max(first_char(from)));
        if length == 0 {
            out.push('\u{fffd}');
        } else if color {
            out.push_str(sequence);
        }
        rest = after;
    }
    out.push_str(rest);
    // A colour must not leak into what follows.
    if color && text.contains('\u{1b}') {
        out.push_str("\u{1b}[0m");
    }
    out
}

fn first_char(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Bytes of a sequence that sets colours, at the beginning of a text; 0 when there is none.
fn color_sequence(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';');
    match end {
        Some(end) if parameters.as_bytes().get(end) == Some(&b'm') => 2 + end + 1,
        Some(_) | None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_stranger_writes_controls_the_terminal() {
        let hostile = "a\u{1b}]52;c;ZXZpbA==\u{7}b\u{1b}[2Jc\rd\u{9b}31me";
        let tame = plain(hostile);
        assert!(tame.chars().all(|c| !c.is_control()), "{tame:?}");
        for color in [true, false] {
            let line = log_text(hostile, color);
            let rest = line.replace("\u{1b}[0m", "");
            assert!(rest.chars().all(|c| !c.is_control()), "{line:?}");
        }
    }

    #[test]
    fn colours_and_tabs_of_a_log_line_stay() {
        let line = "\u{1b}[1;32mok\u{1b}[0m\tdone";
        assert_eq!(log_text(line, true), format!("{line}\u{1b}[0m"));
        assert_eq!(log_text(line, false), "ok\tdone");
        assert_eq!(log_text("plain ü", true), "plain ü");
    }

    #[test]
    fn without_colour_there_is_no_escape() {
        assert_eq!(Paint::new(false).state("running"), "running");
        assert!(Paint::new(true).state("running").contains("\u{1b}["));
    }
}
