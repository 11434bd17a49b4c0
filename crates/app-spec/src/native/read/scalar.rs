//! Texts, words, numbers and amounts.

use crate::{
    json::{JsString, Value},
    native::{findings::Findings, form::Form, quantity::Unit},
};

pub(super) fn text(
    findings: &mut Findings,
    path: &str,
    value: &Value,
    text: &JsString,
    form: &Form,
) -> Option<Value> {
    let Some(plain) = text.as_str() else {
        findings.add(
            path,
            value,
            "text",
            "text must be well-formed Unicode",
            "remove the lone surrogate",
        );
        return None;
    };
    if let Err(fault) = form.check(plain) {
        findings.add(path, value, form.code, fault.rule, fault.remedy);
    }
    Some(value.clone())
}

pub(super) fn whole(
    findings: &mut Findings,
    path: &str,
    value: &Value,
    min: u64,
    max: u64,
) -> Option<Value> {
    let Some(number) = value.as_u64() else {
        let rule = format!("it must be a whole number from {min} to {max}");
        findings.add(
            path,
            value,
            "number",
            rule,
            format!("write a number such as {min}"),
        );
        return None;
    };
    if !(min..=max).contains(&number) {
        let rule = format!("it must be from {min} to {max}");
        findings.add(
            path,
            value,
            "range",
            rule,
            format!("write {}", number.clamp(min, max)),
        );
    }
    // The model has no room for more.
    (number <= max).then(|| value.clone())
}

/// A percentage such as `25%`.
pub(super) fn percentage(
    findings: &mut Findings,
    path: &str,
    value: &Value,
    text: &JsString,
) -> Option<Value> {
    let digits = text.as_str().and_then(|text| text.strip_suffix('%'));
    let number = digits.filter(|digits| {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.len() <= 3;
        is_plain && (*digits == "0" || !digits.starts_with('0'))
    });
    if number
        .and_then(|digits| digits.parse().ok())
        .is_some_and(|number: u64| number <= 100)
    {
        return Some(value.clone());
    }
    let rule = "it must be a number of instances, or per cent of them from 0% to 100%";
    findings.add(path, value, "share", rule, "write 1 or 25%");
    None
}

pub(super) fn quantity(
    findings: &mut Findings,
    path: &str,
    value: &Value,
    text: &JsString,
    (unit, min, max): (Unit, u64, u64),
) -> Option<Value> {
    let Some(amount) = text.as_str().and_then(|text| unit.read(text)) else {
        findings.add(
            path,
            value,
            "quantity",
            format!("it must be {}", unit.name()),
            unit.remedy(),
        );
        return None;
    };
    if !(min..=max).contains(&amount) {
        let (low, high) = (unit.write(min), unit.write(max));
        let near = unit.write(amount.clamp(min, max));
        findings.add(
            path,
            value,
            "range",
            format!("it must be from {low} to {high}"),
            format!("write {near}"),
        );
    }
    if amount > MAX_EXACT {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "at most 2^53, checked above")]
    let number = amount as f64;
    Some(Value::Number(number))
}

/// The largest integer up to which doubles hold all integers.
const MAX_EXACT: u64 = 1 << 53;

/// One of the words of a choice.
pub(super) fn choice(
    findings: &mut Findings,
    path: &str,
    value: &Value,
    text: &JsString,
    words: &[(&str, &str)],
) -> Option<Value> {
    if words.iter().any(|(word, _)| *text == **word) {
        return Some(value.clone());
    }
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let rule = format!("it must be one of {}", words.join(", "));
    let near = nearest(&text.to_text(), words.iter().copied());
    let remedy = format!("write {}", near.unwrap_or(words[0]));
    findings.add(path, value, "choice", rule, remedy);
    None
}

/// The known word that differs from `text` by at most two letters, or by case only.
pub(super) fn nearest<'a>(text: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const MAX_DISTANCE: usize = 2;
    // Longer texts are no misspellings of ours, and comparing takes quadratic time.
    const MAX_LENGTH: usize = 40;
    if text.len() > MAX_LENGTH {
        return None;
    }
    let lower = text.to_lowercase();
    known
        .map(|word| (distance(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= MAX_DISTANCE && *distance < word.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (place, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = place + 1;
        for (column, right) in b.iter().enumerate() {
            let change = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}
