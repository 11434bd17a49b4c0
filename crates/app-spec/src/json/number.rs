//! Numbers as text, both ways, by the rules of ECMAScript.
//!
//! `Number::toString` prints the shortest digits that read back as the same double, as Rust does; the layout differs, and
//! the choice between two equally close candidates. `Number(text)` accepts more than JSON: blanks, hexadecimal, a leading
//! dot.

use std::fmt::Write as _;

use super::JsString;

/// Appends `Number::toString(number)`: `1e+21`, `1e-7`, `0` for minus zero, `NaN`, `Infinity`.
pub fn write_number(out: &mut String, number: f64) {
    /// Above this JavaScript changes to the exponent form.
    const DECIMAL_BELOW: f64 = 1e21;
    /// Below this JavaScript changes to the exponent form.
    const DECIMAL_FROM: f64 = 1e-6;
    let magnitude = number.abs();
    if number.is_nan() {
        out.push_str("NaN");
    } else if number == 0.0 {
        out.push('0');
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        });
    } else if (DECIMAL_FROM..DECIMAL_BELOW).contains(&magnitude) {
        let start = out.len();
        write!(out, "{number}").expect("writing to a String cannot fail");
        // A number may start with a minus sign and have a point.
        if out.len() - start > TIE_DIGITS {
            let text = out.split_off(start);
            out.push_str(&even_on_tie(number, text));
        }
    } else {
        let text = even_on_tie(number, format!("{number:e}"));
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        out.push_str(digits);
        out.push('e');
        out.push_str(sign);
        out.push_str(exponent);
    }
}

/// With fewer digits than this no other candidate is near enough to read back as the same double.
const TIE_DIGITS: usize = 15;

/// Of two candidates that are equally close ECMAScript takes the even one, Rust the upper one. Both end in the digit that
/// differs, and the exact value of the double lies half-way.
fn even_on_tie(number: f64, text: String) -> String {
    /// More digits than any double has.
    const ALL_DIGITS: usize = 800;
    let (mantissa, exponent) = match text.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text.as_str(), None),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    let Some(last @ ('1' | '3' | '5' | '7' | '9')) = mantissa.chars().next_back() else {
        return text;
    };
    if digits.len() < TIE_DIGITS {
        return text;
    }
    let below = char::from_digit(last.to_digit(10).unwrap_or(1) - 1, 10).unwrap_or('0');
    let with_below = |text: &str| {
        let mut text = text.to_owned();
        text.pop();
        text.push(below);
        text
    };
    let exact: String = format!("{number:.ALL_DIGITS$e}")
        .split('e')
        .next()
        .into_iter()
        .flat_map(str::chars)
        .filter(char::is_ascii_digit)
        .collect();
    let is_half = exact
        .strip_prefix(&with_below(digits))
        .and_then(|rest| rest.strip_prefix('5'))
        .is_some_and(|rest| rest.bytes().all(|digit| digit == b'0'));
    let mut even = with_below(mantissa);
    if let Some(exponent) = exponent {
        even.push('e');
        even.push_str(exponent);
    }
    let reads_back = even.parse() == Ok(number);
    if is_half && reads_back { even } else { text }
}

/// `String(number)`.
pub fn number_text(number: f64) -> String {
    let mut out = String::new();
    write_number(&mut out, number);
    out
}

/// `Number(text)`: NaN when the text is no number.
pub fn number_from_text(text: &JsString) -> f64 {
    // A lone surrogate is neither blank nor part of a number.
    let Some(text) = text.as_str() else {
        return f64::NAN;
    };
    let text = text.trim_matches(is_blank);
    let radix = |prefixes: [&str; 2]| {
        prefixes
            .iter()
            .find_map(|prefix| text.strip_prefix(*prefix))
    };
    if text.is_empty() {
        0.0
    } else if let Some(digits) = radix(["0x", "0X"]) {
        from_digits(digits, 4)
    } else if let Some(digits) = radix(["0o", "0O"]) {
        from_digits(digits, 3)
    } else if let Some(digits) = radix(["0b", "0B"]) {
        from_digits(digits, 1)
    } else {
        from_decimal(text)
    }
}

/// `WhiteSpace` and `LineTerminator` of ECMAScript. It differs from Rust's by U+FEFF and U+0085.
fn is_blank(c: char) -> bool {
    c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}')
}

fn from_decimal(text: &str) -> f64 {
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let magnitude = if unsigned == "Infinity" {
        f64::INFINITY
    } else if is_unsigned_decimal(unsigned) {
        unsigned.parse().unwrap_or(f64::NAN)
    } else {
        f64::NAN
    };
    if negative { -magnitude } else { magnitude }
}

/// `StrUnsignedDecimalLiteral` without `Infinity`: `5`, `5.`, `.5`, `5.5e-3`.
fn is_unsigned_decimal(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let bare = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !bare.is_empty() && digits(bare)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_fits && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

/// Digits of a radix that is a power of two, rounded to nearest, ties to even.
fn from_digits(digits: &str, bits: u32) -> f64 {
    /// Enough head digits that what follows can only break a tie.
    const HEAD_BITS: u32 = 120;
    let mut head: u128 = 0;
    let mut dropped: i32 = 0;
    let mut rest_is_zero = true;
    if digits.is_empty() {
        return f64::NAN;
    }
    for c in digits.chars() {
        let Some(digit) = c.to_digit(1 << bits) else {
            return f64::NAN;
        };
        if head >> (HEAD_BITS - bits) == 0 {
            head = (head << bits) | u128::from(digit);
        } else {
            rest_is_zero &= digit == 0;
            dropped = dropped.saturating_add(i32::try_from(bits).unwrap_or(i32::MAX));
        }
    }
    if !rest_is_zero {
        head |= 1;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "rounding to the nearest double is what is asked for"
    )]
    let head = head as f64;
    // A power of two changes the exponent only; beyond the range it is infinite, as in JavaScript.
    head * 2.0_f64.powi(dropped)
}
