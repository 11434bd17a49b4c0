//! Moments and durations. Moments are in UTC, so that two people who compare them see the same.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

/// `2026-11-22 08:57:30Z`.
pub fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
        .replacen('T', " ", 1)
}

/// The same with milliseconds, for things that follow each other closely.
pub fn exact(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
        .replacen('T', " ", 1)
}

/// `+0.42 s`, `+12.5 s`, `+3 min 07 s`.
pub fn elapsed(span: Duration) -> String {
    let seconds = span.as_secs();
    if seconds < 10 {
        format!("+{seconds}.{:02} s", span.subsec_millis() / 10)
    } else if seconds < 60 {
        format!("+{seconds}.{} s", span.subsec_millis() / 100)
    } else {
        format!("+{} min {:02} s", seconds / 60, seconds % 60)
    }
}

/// `4 h 05 min`, the two largest units that matter.
pub fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {:02} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes:02} min"),
        (_, 0, _) => format!("{days} d"),
        (_, _, _) => format!("{days} d {hours} h"),
    }
}

/// A duration on the command line, such as `90s`, `10m` or `2h`.
pub fn parse_span(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write 90s, 10m or 2h");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let (number, unit) = text.split_at(digits.len());
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => Some(number),
        "m" | "min" => number.checked_mul(60),
        "h" => number.checked_mul(3_600),
        _ => None,
    };
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_units_that_matter() {
        for (millis, text) in [
            (420, "+0.42 s"),
            (12_560, "+12.5 s"),
            (187_000, "+3 min 07 s"),
            (0, "+0.00 s"),
        ] {
            assert_eq!(elapsed(Duration::from_millis(millis)), text);
        }
        for (seconds, text) in [
            (5, "5 s"),
            (65, "1 min 05 s"),
            (14_700, "4 h 05 min"),
            (2_640_000, "30 d 13 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn a_duration_needs_a_number_and_a_unit() {
        assert_eq!(parse_span("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_span("2h"), Ok(Duration::from_hours(2)));
        for wrong in ["", "s", "10", "-1s", "1.5m", "1d", "99999999999999999999h"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }
}
