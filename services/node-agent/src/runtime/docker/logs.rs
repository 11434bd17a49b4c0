//! Output of containers, line by line.

use bollard::{Docker, container::LogOutput, query_parameters::LogsOptionsBuilder};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;

use super::{
    super::{Channel, LogQuery, LogStream, OutputLine},
    failed,
};

/// Longest line passed on, in bytes; the rest of a longer one is cut off.
const MAX_LINE: usize = 16 * 1024;

pub(super) fn open(client: &Docker, name: &str, query: LogQuery) -> LogStream {
    let options = LogsOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .timestamps(true)
        .follow(query.follow)
        .tail(&query.tail.to_string())
        .build();
    client
        .logs(name, Some(options))
        .map(|output| output.map(line).map_err(|err| failed("read output", &err)))
        .boxed()
}

/// The engine sends one line per message, with its time in front.
fn line(output: LogOutput) -> OutputLine {
    let channel = match output {
        LogOutput::StdErr { .. } => Channel::Stderr,
        LogOutput::StdOut { .. } | LogOutput::StdIn { .. } | LogOutput::Console { .. } => {
            Channel::Stdout
        }
    };
    let bytes = output.into_bytes();
    let kept = bytes.get(..MAX_LINE).unwrap_or(&bytes);
    let text = String::from_utf8_lossy(kept);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text
        .split_once(' ')
        .map(|(time, rest)| (time.parse::<DateTime<Utc>>(), rest))
    {
        Some((Ok(at), rest)) => OutputLine {
            at: Some(at),
            channel,
            text: rest.to_owned(),
        },
        Some((Err(_), _)) | None => match text.parse() {
            // An empty line is a time and nothing else.
            Ok(at) => OutputLine {
                at: Some(at),
                channel,
                text: String::new(),
            },
            Err(_) => OutputLine {
                at: None,
                channel,
                text: text.to_owned(),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (bool, String) {
        let line = line(LogOutput::StdErr {
            message: text.to_owned().into(),
        });
        assert_eq!(line.channel, Channel::Stderr);
        (line.at.is_some(), line.text)
    }

    #[test]
    fn a_line_is_split_into_time_and_text() {
        let full = parsed("2026-11-22T08:20:33.034567891Z hello  world\r\n");
        assert_eq!(full, (true, "hello  world".to_owned()));
        assert_eq!(parsed("2026-11-22T08:20:33Z \n"), (true, String::new()));
        assert_eq!(parsed("2026-11-22T08:20:33Z\n"), (true, String::new()));
        assert_eq!(parsed("no time here"), (false, "no time here".to_owned()));
    }

    #[test]
    fn a_long_line_is_cut() {
        let (_, text) = parsed(&"x".repeat(3 * MAX_LINE));
        assert_eq!(text.len(), MAX_LINE);
    }
}
