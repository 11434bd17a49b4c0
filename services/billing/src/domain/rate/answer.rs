//! The number in the answer of a rate source, found by a JSON pointer and read without a floating-point number between.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// Decimals of a micro-dollar.
const MICRO_DECIMALS: i32 = 6;

/// A number with more digits or a larger exponent is none that a price has.
const MAX_DIGITS: usize = 40;
const MAX_EXPONENT: i32 = 40;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    #[error("it is no JSON")]
    Json,
    #[error("it has nothing at `{0}`")]
    Nothing(String),
    #[error("`{0}` is no positive decimal number")]
    Number(String),
    #[error("`{0}` USD per FLUX is out of range; a FLUX costs 0.000001 to 4294.967295")]
    Range(String),
    #[error("`{0}` is no time in seconds since 1970")]
    Time(String),
}

/// Dollars per FLUX at a JSON pointer (RFC 6901), as micro-dollars, rounded to the nearest. The value is a number, or a text
/// that holds one.
///
/// # Errors
/// When there is none, or it is not what a FLUX can cost.
pub fn micro_usd(body: &[u8], pointer: &str) -> Result<u32, AnswerError> {
    let text = text_at(body, pointer)?;
    let number = || AnswerError::Number(shorten(&text));
    let micros = scaled(&text).ok_or_else(number)?;
    u32::try_from(micros)
        .ok()
        .filter(|micros| *micros > 0)
        .ok_or_else(|| AnswerError::Range(shorten(&text)))
}

/// Seconds since 1970 at a JSON pointer. Milliseconds are recognised by their size.
///
/// # Errors
/// When there is no such number.
pub fn unix_seconds(body: &[u8], pointer: &str) -> Result<u64, AnswerError> {
    /// The year 5138 in seconds, and 1973 in milliseconds.
    const MILLISECONDS_FROM: u64 = 100_000_000_000;
    let text = text_at(body, pointer)?;
    let whole = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    let number: u64 = whole
        .parse()
        .map_err(|_| AnswerError::Time(shorten(&text)))?;
    Ok(if number >= MILLISECONDS_FROM {
        number / 1_000
    } else {
        number
    })
}

/// The scalar at a pointer, as it is written.
fn text_at(body: &[u8], pointer: &str) -> Result<String, AnswerError> {
    let mut place: &RawValue = serde_json::from_slice(body).map_err(|_| AnswerError::Json)?;
    let nothing = || AnswerError::Nothing(pointer.to_owned());
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        place = inside(place, &token).ok_or_else(nothing)?;
    }
    let text = place.get();
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text).map_err(|_| AnswerError::Json),
        Some(b'{' | b'[') | None => Err(nothing()),
        Some(_) => Ok(text.to_owned()),
    }
}

fn inside<'a>(place: &'a RawValue, token: &str) -> Option<&'a RawValue> {
    let text = place.get();
    if text.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        return items.get(token.parse::<usize>().ok()?).copied();
    }
    let mut fields: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    fields.remove(token)
}

/// A decimal number, with or without exponent, as micro-dollars rounded to the nearest.
fn scaled(text: &str) -> Option<u128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => (text, 0),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let plain = !whole.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || digits.len() > MAX_DIGITS || exponent.abs() > MAX_EXPONENT {
        return None;
    }
    let decimals = i32::try_from(fraction.len()).ok()?;
    let shift = exponent + MICRO_DECIMALS - decimals;
    let significant = digits.trim_start_matches('0');
    let number: u128 = match significant {
        "" => 0,
        text => text.parse().ok()?,
    };
    let power = |by: i32| 10_u128.checked_pow(by.unsigned_abs());
    if shift >= 0 {
        return power(shift).map_or(Some(u128::MAX), |power| Some(number.saturating_mul(power)));
    }
    Some(power(shift).map_or(0, |power| {
        number / power + u128::from(number % power >= power.div_ceil(2))
    }))
}

/// Not all of a text that may be anything.
fn shorten(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, pointer: &str) -> Result<u32, AnswerError> {
        micro_usd(json.as_bytes(), pointer)
    }

    #[test]
    fn numbers_are_read_exactly_however_they_are_written() {
        for (text, micros) in [
            ("0.0512", 51_200),
            ("5.12e-2", 51_200),
            ("512E-4", 51_200),
            ("\"0.0512\"", 51_200),
            ("1", 1_000_000),
            ("0.0000005", 1),
            ("0.05123449999999999999999", 51_234),
            ("0.0512345", 51_235),
            ("4294.967295", u32::MAX),
            ("4.1e3", 4_100_000_000),
        ] {
            assert_eq!(read(text, ""), Ok(micros), "{text}");
        }
    }

    #[test]
    fn a_pointer_leads_through_objects_and_lists() {
        let body = r#"{"data":[{"a/b":{"x~y":0.05}}],"n":null}"#;
        assert_eq!(read(body, "/data/0/a~1b/x~0y"), Ok(50_000));
        for nowhere in [
            "/data/1",
            "/data/x",
            "/data/0/c",
            "/data",
            "/data/0/a~1b/x~0y/z",
        ] {
            let nothing = AnswerError::Nothing(nowhere.to_owned());
            assert_eq!(read(body, nowhere), Err(nothing));
        }
        assert_eq!(
            read(body, "/n"),
            Err(AnswerError::Number("null".to_owned()))
        );
    }

    #[test]
    fn what_is_no_price_is_refused() {
        for text in [
            "-1",
            "\"x\"",
            "\"\"",
            "true",
            "\"1.2.3\"",
            "\"0x10\"",
            "1e99",
            "\"NaN\"",
        ] {
            assert!(
                matches!(read(text, ""), Err(AnswerError::Number(_))),
                "{text}"
            );
        }
        for text in [
            "0",
            "0.0000001",
            "4294.9672955",
            "1e30",
            "99999999999999999999999999999999999999",
        ] {
            assert!(
                matches!(read(text, ""), Err(AnswerError::Range(_))),
                "{text}"
            );
        }
        assert_eq!(read("{", ""), Err(AnswerError::Json));
    }

    #[test]
    fn times_are_seconds_or_milliseconds() {
        let at = |json: &str| unix_seconds(json.as_bytes(), "/t");
        assert_eq!(at(r#"{"t":1800000000}"#), Ok(1_800_000_000));
        assert_eq!(at(r#"{"t":1800000000123}"#), Ok(1_800_000_000));
        assert_eq!(at(r#"{"t":"1800000000.5"}"#), Ok(1_800_000_000));
        assert!(matches!(at(r#"{"t":"noon"}"#), Err(AnswerError::Time(_))));
    }
}
