//! `JSON.stringify` without indentation.

use super::{JsString, Value, number::write_number};

/// `JSON.stringify(value)`.
pub fn stringify(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// `JSON.stringify(value, null, 2)`, with a line feed at the end.
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write_pretty(&mut out, value, 0);
    out.push('\n');
    out
}

fn write_pretty(out: &mut String, value: &Value, depth: usize) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                line(out, depth + 1);
                write_pretty(out, item, depth + 1);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Object(object) if !object.is_empty() => {
            out.push('{');
            for (place, (key, value)) in object.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                line(out, depth + 1);
                write_string(out, key);
                out.push_str(": ");
                write_pretty(out, value, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => write_value(out, value),
    }
}

/// Appends `JSON.stringify(value)`. Numbers that are not finite become `null`.
pub fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_finite() => write_number(out, *number),
        Value::Null | Value::Number(_) => out.push_str("null"),
        Value::String(text) => write_string(out, text),
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (place, (key, value)) in object.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write_string(out, key);
                out.push(':');
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

/// Appends a string literal; lone surrogates are escaped (well-formed `JSON.stringify`).
pub fn write_string(out: &mut String, text: &JsString) {
    if let Some(text) = text.as_str() {
        return write_str(out, text);
    }
    out.push('"');
    for unit in char::decode_utf16(text.units()) {
        match unit {
            Ok(c) => write_char(out, c),
            Err(lone) => push_unit_escape(out, lone.unpaired_surrogate()),
        }
    }
    out.push('"');
}

/// Appends a string literal.
pub fn write_str(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(place) = rest.bytes().position(needs_escape) {
        // Every byte that needs an escape is ASCII, so both cuts are at character boundaries.
        let (clean, tail) = rest.split_at(place);
        out.push_str(clean);
        let (special, tail) = tail.split_at(1);
        special.chars().for_each(|c| write_char(out, c));
        rest = tail;
    }
    out.push_str(rest);
    out.push('"');
}

const fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0..=0x1f | b'"' | b'\\')
}

fn write_char(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..='\u{1f}' => {
            let mut unit = [0];
            push_unit_escape(out, c.encode_utf16(&mut unit)[0]);
        }
        _ => out.push(c),
    }
}

fn push_unit_escape(out: &mut String, unit: u16) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        let nibble = u32::from(unit >> shift) & 0xf;
        out.push(char::from_digit(nibble, 16).expect("a nibble is a hexadecimal digit"));
    }
}
