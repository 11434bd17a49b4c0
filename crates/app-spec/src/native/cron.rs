//! Schedules of five fields: minute, hour, day of the month, month, day of the week. Times are UTC.
//!
//! A field is `*` or a list of numbers and ranges, each with an optional step: `*/15`, `1-5`, `0,30`. Names of months and
//! days are not taken: programs disagree about them.

/// A field of a schedule.
struct Part {
    name: &'static str,
    min: u8,
    max: u8,
}

const PARTS: [Part; 5] = [
    Part {
        name: "minute",
        min: 0,
        max: 59,
    },
    Part {
        name: "hour",
        min: 0,
        max: 23,
    },
    Part {
        name: "day of the month",
        min: 1,
        max: 31,
    },
    Part {
        name: "month",
        min: 1,
        max: 12,
    },
    // 0 and 7 are both Sunday for some programs; we take 0 only.
    Part {
        name: "day of the week",
        min: 0,
        max: 6,
    },
];

/// Checks a schedule.
///
/// # Errors
/// With the rule that it breaks.
pub(super) fn check(text: &str) -> Result<(), String> {
    let fields: Vec<&str> = text.split(' ').collect();
    if fields.len() != PARTS.len() {
        let found = fields.len();
        return Err(format!(
            "a schedule has five fields with one blank between them, not {found}"
        ));
    }
    let mut values = Vec::new();
    for (part, field) in PARTS.iter().zip(&fields) {
        values.push(part.values(field)?);
    }
    // With a day of the week either day suffices, so only the date alone can be impossible.
    let any_weekday = fields[4] == "*";
    let (days, months) = (&values[2], &values[3]);
    let exists = months
        .iter()
        .any(|month| days.iter().any(|day| *day <= longest(*month)));
    if any_weekday && !exists {
        return Err("no month of the schedule has such a day".to_owned());
    }
    Ok(())
}

/// Days of a month in a leap year.
const fn longest(month: u8) -> u8 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Part {
    /// The values that a field stands for.
    fn values(&self, field: &str) -> Result<Vec<u8>, String> {
        let mut values = Vec::new();
        for entry in field.split(',') {
            let (range, step) = match entry.split_once('/') {
                Some((range, step)) => (range, self.number(field, step)?),
                None => (entry, 1),
            };
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (self.number(field, first)?, self.number(field, last)?),
                None if range == "*" => (self.min, self.max),
                None => {
                    let only = self.number(field, range)?;
                    // A step after one number would mean something else for every program.
                    if entry.contains('/') {
                        return Err(self.broken(field));
                    }
                    (only, only)
                }
            };
            let is_range =
                (self.min..=self.max).contains(&first) && first <= last && last <= self.max;
            if !is_range || step == 0 {
                return Err(self.broken(field));
            }
            values.extend((first..=last).step_by(usize::from(step)));
        }
        Ok(values)
    }

    fn number(&self, field: &str, text: &str) -> Result<u8, String> {
        let is_plain =
            (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain
            .then(|| text.parse().ok())
            .flatten()
            .ok_or_else(|| self.broken(field))
    }

    fn broken(&self, field: &str) -> String {
        let Self { name, min, max } = self;
        let shown: String = field.chars().take(40).collect();
        format!(
            "the {name} `{shown}` is no `*`, number, range a-b or list of these from {min} to {max}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn common_schedules_are_taken() {
        for text in [
            "* * * * *",
            "0 3 * * *",
            "*/15 0-6 1,15 * 1-5",
            "0 0 29 2 *",
            "0 0 31 2 1",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn broken_schedules_name_their_field() {
        for (text, part) in [
            ("", "five fields"),
            ("* * * *", "five fields"),
            ("0  3 * * *", "five fields"),
            ("60 * * * *", "minute"),
            ("* 24 * * *", "hour"),
            ("* * 0 * *", "day of the month"),
            ("* * * 13 *", "month"),
            ("* * * * 7", "week"),
            ("* * * * MON", "week"),
            ("5-1 * * * *", "minute"),
            ("*/0 * * * *", "minute"),
            ("5/2 * * * *", "minute"),
            ("1, * * * *", "minute"),
            ("0 0 30 2 *", "no month"),
            ("0 0 31 4,6 *", "no month"),
        ] {
            let rule = check(text).unwrap_err();
            assert!(rule.contains(part), "{text}: {rule}");
        }
    }
}
