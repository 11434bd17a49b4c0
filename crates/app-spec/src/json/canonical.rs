//! The canonical form of RFC 8785: members sorted by the UTF-16 units of their keys, everything else as `JSON.stringify`
//! writes it. Two documents of the same meaning have the same bytes, so they can be hashed and signed.

use super::{JsString, Object, Value, write_number, write_string};

/// Why a value has no canonical form: RFC 8785 takes I-JSON only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("a string has a lone surrogate; canonical JSON holds well-formed Unicode only")]
    IllFormedText,
    #[error("a number is not finite; canonical JSON has no such numbers")]
    NotFinite,
}

/// The canonical text of a value.
///
/// # Errors
/// When the value is not I-JSON.
pub fn canonicalize(value: &Value) -> Result<String, CanonicalError> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

fn write(out: &mut String, value: &Value) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) if number.is_finite() => write_number(out, *number),
        Value::Number(_) => return Err(CanonicalError::NotFinite),
        Value::String(text) => write_text(out, text)?,
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(out, item)?;
            }
            out.push(']');
        }
        Value::Object(object) => write_object(out, object)?,
    }
    Ok(())
}

fn write_object(out: &mut String, object: &Object) -> Result<(), CanonicalError> {
    let mut members: Vec<(&JsString, &Value)> = object.iter().collect();
    // `JSON.stringify` puts array indices first; RFC 8785 sorts them among the other keys.
    members.sort_by_cached_key(|(key, _)| key.units());
    out.push('{');
    for (place, (key, value)) in members.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_text(out, key)?;
        out.push(':');
        write(out, value)?;
    }
    out.push('}');
    Ok(())
}

fn write_text(out: &mut String, text: &JsString) -> Result<(), CanonicalError> {
    if text.as_str().is_none() {
        return Err(CanonicalError::IllFormedText);
    }
    write_string(out, text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn canonical(text: &str) -> Result<String, CanonicalError> {
        canonicalize(&parse(text.as_bytes(), Limits::default()).unwrap().value)
    }

    /// The example of RFC 8785, section 3.2.2, and its result, section 3.2.3.
    #[test]
    fn the_example_of_the_rfc_is_reproduced() {
        let text = r#"{
            "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]
        }"#;
        let expected = concat!(
            r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(canonical(text).as_deref(), Ok(expected));
    }

    /// The sorting example of RFC 8785, section 3.2.3.
    #[test]
    fn keys_are_sorted_by_their_utf16_units() {
        let text = r#"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7,"10":8,"9":9}"#;
        let expected = "{\"\\r\":2,\"1\":4,\"10\":8,\"9\":9,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}";
        assert_eq!(canonical(text).as_deref(), Ok(expected));
    }

    #[test]
    fn what_is_no_interoperable_json_has_no_canonical_form() {
        assert_eq!(
            canonical(r#"["\ud800"]"#),
            Err(CanonicalError::IllFormedText)
        );
        assert_eq!(
            canonical(r#"{"\udfff":1}"#),
            Err(CanonicalError::IllFormedText)
        );
        assert_eq!(canonical("[1e999]"), Err(CanonicalError::NotFinite));
    }
}
