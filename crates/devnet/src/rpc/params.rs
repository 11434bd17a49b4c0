//! Parameters of a call, with the daemon's words when one has the wrong type.
//!
//! They are kept as the text they came as: amounts must not go through a float, and the order of an object's keys is the order of a
//! transaction's outputs.

use std::fmt;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{Address, Hash256, PrivateKey};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use crate::{
    rpc::error::{INVALID_PARAMETER, RpcError, TYPE},
    wallet::SPACE,
};

/// One value as it came.
#[derive(Debug, Clone)]
pub(crate) struct Param(Box<RawValue>);

/// The parameters of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<Param>);

/// An object whose keys keep their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Vec<(String, Param)>);

impl<'de> Deserialize<'de> for Param {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<Param>::deserialize(deserializer).map(Self)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}

impl Param {
    fn parse<T: DeserializeOwned>(&self, expected: &str) -> Result<T, RpcError> {
        serde_json::from_str(self.0.get())
            .map_err(|_| RpcError::misc(format!("JSON value is not {expected} as expected")))
    }

    /// What stands for a value that was not given.
    pub(crate) fn null() -> Self {
        Self(RawValue::NULL.to_owned())
    }

    /// The value as it came.
    pub(crate) fn raw(&self) -> Box<RawValue> {
        self.0.clone()
    }

    pub(crate) fn is_null(&self) -> bool {
        self.0.get() == "null"
    }

    pub(crate) fn is_text(&self) -> bool {
        self.0.get().starts_with('"')
    }

    pub(crate) fn is_object(&self) -> bool {
        self.0.get().starts_with('{')
    }

    pub(crate) fn is_array(&self) -> bool {
        self.0.get().starts_with('[')
    }

    pub(crate) fn is_number(&self) -> bool {
        self.0
            .get()
            .starts_with(|first: char| first == '-' || first.is_ascii_digit())
    }

    pub(crate) fn text(&self) -> Result<String, RpcError> {
        self.parse("a string")
    }

    pub(crate) fn integer(&self) -> Result<i64, RpcError> {
        self.parse("an integer")
    }

    pub(crate) fn boolean(&self) -> Result<bool, RpcError> {
        self.parse("a boolean")
    }

    pub(crate) fn array(&self) -> Result<Params, RpcError> {
        self.parse("an array")
    }

    pub(crate) fn object(&self) -> Result<Object, RpcError> {
        self.parse("an object")
    }

    /// Any value, for reading it into a type.
    pub(crate) fn value<T: DeserializeOwned>(&self, what: &str) -> Result<T, RpcError> {
        serde_json::from_str(self.0.get())
            .map_err(|error| RpcError::new(INVALID_PARAMETER, format!("{what}: {error}")))
    }

    /// An amount in FLUX, a number or a text, as the daemon reads amounts: up to eight decimals, nothing rounded.
    pub(crate) fn amount(&self) -> Result<Sat, RpcError> {
        let wrong = |message: &str| RpcError::new(TYPE, message);
        let text = if self.is_text() {
            self.text()?
        } else if self.is_number() {
            self.0.get().to_owned()
        } else {
            return Err(wrong("Amount is not a number or string"));
        };
        let amount: Sat = plain_decimal(&text)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| wrong("Invalid amount"))?;
        let most = Sat::from_flux(440_000_000);
        if amount.is_negative() || amount > most {
            return Err(wrong("Amount out of range"));
        }
        Ok(amount)
    }

    /// A hash as the daemon reads one: whatever is no hash is taken for a hash nobody has.
    pub(crate) fn hash(&self) -> Result<Hash256, RpcError> {
        let text = self.text()?;
        Ok(text.parse().unwrap_or(Hash256::ZERO))
    }

    /// A hash that must be hexadecimal.
    pub(crate) fn strict_hash(&self, name: &str) -> Result<Hash256, RpcError> {
        let text = if self.is_text() {
            self.text()?
        } else {
            String::new()
        };
        text.parse().map_err(|_| {
            RpcError::parameter(format!("{name} must be hexadecimal string (not '{text}')"))
        })
    }

    /// Bytes in hexadecimal.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, RpcError> {
        let text = if self.is_text() {
            self.text()?
        } else {
            String::new()
        };
        let bytes = hex::decode(&text).ok().filter(|bytes| !bytes.is_empty());
        bytes.ok_or_else(|| {
            RpcError::parameter(format!("{name} must be hexadecimal string (not '{text}')"))
        })
    }

    pub(crate) fn address(&self) -> Result<Address, RpcError> {
        Address::parse_in(&self.text()?, SPACE).map_err(|_| RpcError::address("Invalid address"))
    }

    pub(crate) fn private_key(&self) -> Result<PrivateKey, RpcError> {
        PrivateKey::from_wif(&self.text()?, SPACE)
            .map_err(|_| RpcError::address("Invalid private key"))
    }
}

/// Writes a JSON number without its exponent; `None` when that leaves more than eight decimals.
fn plain_decimal(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.trim_start_matches('+').parse().ok()?;
    if exponent == 0 {
        return Some(mantissa.to_owned());
    }
    let (sign, digits) = mantissa
        .strip_prefix('-')
        .map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    if !(-8..=20).contains(&point) {
        return None;
    }
    let (whole, fraction) = match usize::try_from(point) {
        Err(_) => (
            String::new(),
            format!("{}{all}", "0".repeat(usize::try_from(-point).ok()?)),
        ),
        Ok(point) => {
            let padded = format!("{all:0<point$}");
            let (whole, fraction) = padded.split_at_checked(point)?;
            (whole.to_owned(), fraction.to_owned())
        }
    };
    let whole = if whole.is_empty() { "0" } else { &whole };
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        Some(format!("{sign}{whole}"))
    } else {
        Some(format!("{sign}{whole}.{fraction}"))
    }
}

impl Params {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Param> {
        self.0.iter()
    }

    /// A parameter that was given and is not null.
    pub(crate) fn get(&self, index: usize) -> Option<&Param> {
        self.0.get(index).filter(|param| !param.is_null())
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, index: usize) -> Result<&Param, RpcError> {
        self.0
            .get(index)
            .ok_or_else(|| RpcError::misc(format!("parameter {} is missing", index + 1)))
    }

    /// Builds parameters from values, for calls from inside.
    pub(crate) fn of(values: &[Value]) -> Self {
        let raw = |value: &Value| {
            RawValue::from_string(value.to_string()).expect("a value prints as JSON")
        };
        Self(values.iter().map(|value| Param(raw(value))).collect())
    }
}

impl Object {
    pub(crate) fn get(&self, key: &str) -> Option<&Param> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, param)| param)
            .filter(|param| !param.is_null())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, Param)> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(text: &str) -> Param {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn amounts_keep_every_digit() {
        for (text, sat) in [
            ("1.5", 150_000_000),
            ("\"0.00000001\"", 1),
            ("1e-8", 1),
            ("2.5e3", 250_000_000_000),
            ("1.50e1", 1_500_000_000),
            ("0", 0),
        ] {
            assert_eq!(param(text).amount(), Ok(Sat::new(sat)), "{text}");
        }
        for text in [
            "1e-9",
            "0.000000001",
            "\"x\"",
            "true",
            "-1",
            "440000000.1",
            "1e99",
        ] {
            assert_eq!(param(text).amount().unwrap_err().code, TYPE, "{text}");
        }
    }

    #[test]
    fn an_object_keeps_the_order_of_its_keys() {
        let object = param(r#"{"z": 1, "a": 2, "m": 3}"#).object().unwrap();
        let keys: Vec<&str> = object.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
    }

    #[test]
    fn a_wrong_type_is_named_as_the_daemon_names_it() {
        let error = param("5").text().unwrap_err();
        assert_eq!(
            error,
            RpcError::misc("JSON value is not a string as expected")
        );
    }
}
