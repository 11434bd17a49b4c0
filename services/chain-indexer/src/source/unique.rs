//! JSON whose maps name each key once.
//!
//! Of two values for one key, each reader believes another one. So an answer that repeats a key is refused, except below `upgrades`
//! of `getblockchaininfo`: fluxd prints the branch id that all its upgrades share once per upgrade, and nobody here reads it.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Where fluxd itself repeats keys.
const REPEATED_BY_FLUXD: &str = "upgrades";

/// Reads a value, or says where it cannot be read.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { repeats: false }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reads one value; `repeats` tells whether keys may come twice here.
#[derive(Clone, Copy)]
struct Strict {
    repeats: bool,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !self.repeats && map.contains_key(&key) {
                return Err(de::Error::custom(format_args!(
                    "key `{key}` is repeated; which of its values counts is anybody's guess"
                )));
            }
            let below = Self {
                repeats: self.repeats || key == REPEATED_BY_FLUXD,
            };
            let value = entries.next_value_seed(below)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_key_is_refused_and_named() {
        for text in [
            r#"{"blocks":1,"blocks":2}"#,
            r#"[{"result":{"a":[{"hash":1,"hash":1}]}}]"#,
            r#"{"upgrades":{},"upgrades":{}}"#,
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("is repeated"), "{error}");
        }
    }

    #[test]
    fn the_branch_ids_that_fluxd_repeats_are_let_pass() {
        let text = br#"{"upgrades":{"76b809bb":{"name":"Acadia"},"76b809bb":{"name":"Kamiooka"}},"blocks":7}"#;
        assert_eq!(parse(text).unwrap()["blocks"], 7);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "<html>", "1 2", "[1,]", "nul"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn everything_else_is_read_as_it_is(
            number: i64, fraction in -1.0e9_f64..1.0e9, text: String, yes: bool,
        ) {
            let value = json!({ "n": number, "f": fraction, "t": text, "l": [yes, null, { text.clone(): number }] });
            let text = value.to_string();
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(parse(text.as_bytes()).unwrap(), read);
        }
    }
}
