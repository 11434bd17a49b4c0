//! The JSON value and its objects, with the property order of JavaScript.

use super::JsString;

/// A value that `JSON.parse` can return. Numbers are IEEE doubles and may be infinite (`1e999`).
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Number(f64),
    String(JsString),
    Array(Vec<Value>),
    Object(Object),
}

impl Value {
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self {
            Some(object)
        } else {
            None
        }
    }

    pub fn as_array(&self) -> Option<&[Self]> {
        if let Self::Array(items) = self {
            Some(items)
        } else {
            None
        }
    }

    /// The text of a well-formed string.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) = self {
            text.as_str()
        } else {
            None
        }
    }

    pub fn as_number(&self) -> Option<f64> {
        if let Self::Number(number) = self {
            Some(*number)
        } else {
            None
        }
    }

    /// A number that is a non-negative integer which a double holds exactly.
    pub fn as_u64(&self) -> Option<u64> {
        /// `Number.MAX_SAFE_INTEGER`.
        const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
        let number = self.as_number()?;
        if number.fract() != 0.0 || !(0.0..=MAX_SAFE).contains(&number) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an integer within 0..=2^53-1, checked above"
        )]
        Some(number as u64)
    }

    /// `!!value` of JavaScript.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(flag) => *flag,
            Self::Number(number) => *number != 0.0 && !number.is_nan(),
            Self::String(text) => !text.is_empty(),
            Self::Array(_) | Self::Object(_) => true,
        }
    }

    /// What a person calls this kind of value.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// An object whose members stand in the order of `Object.keys`: array indices ascending, then the other
/// keys in the order of their first appearance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Object {
    members: Vec<(JsString, Value)>,
}

impl Object {
    /// Builds the object that `JSON.parse` makes of these members: the last value of a repeated key wins
    /// and stands at the place of the first. Also returns the positions, in `members`, of the repeats.
    pub(crate) fn from_members(members: Vec<(JsString, Value)>) -> (Self, Vec<usize>) {
        let repeats = repeated_keys(&members);
        let members = if repeats.is_empty() {
            members
        } else {
            merge_repeats(members, &repeats)
        };
        let mut object = Self { members };
        object.indices_first();
        (
            object,
            repeats.into_iter().map(|(later, _)| later).collect(),
        )
    }

    fn indices_first(&mut self) {
        if self
            .members
            .iter()
            .any(|(key, _)| array_index(key).is_some())
        {
            // Stable: keys that are no index keep their order.
            self.members
                .sort_by_key(|(key, _)| array_index(key).map_or(u64::MAX, u64::from));
        }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        self.members
            .iter()
            .find_map(|(own, value)| (*own == key).then_some(value))
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let mut members = self.members.iter_mut();
        members.find_map(|(own, value)| (*own == key).then_some(value))
    }

    /// Moves the value of `key` out and leaves `null` behind.
    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.members
            .iter_mut()
            .find_map(|(own, value)| (*own == key).then(|| std::mem::replace(value, Value::Null)))
    }

    /// `object[key] = value`: an existing key keeps its place.
    pub fn set(&mut self, key: impl Into<JsString>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        if let Some((_, slot)) = self.members.iter_mut().find(|(own, _)| *own == key) {
            *slot = value;
            return;
        }
        let is_index = array_index(&key).is_some();
        self.members.push((key, value));
        if is_index {
            self.indices_first();
        }
    }

    /// `delete object[key]`.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let place = self.members.iter().position(|(own, _)| *own == key)?;
        Some(self.members.remove(place).1)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&JsString, &Value)> {
        self.members.iter().map(|(key, value)| (key, value))
    }

    pub fn len(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl<K: Into<JsString>, V: Into<Value>> FromIterator<(K, V)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(members: I) -> Self {
        let members = members
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        Self::from_members(members).0
    }
}

/// Pairs (later position, first position) of keys that occur again. Sorting keeps a hostile object with
/// very many keys from taking quadratic time.
fn repeated_keys(members: &[(JsString, Value)]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|&a, &b| members[a].0.cmp(&members[b].0).then(a.cmp(&b)));
    let mut repeats = Vec::new();
    let mut first: Option<usize> = None;
    for place in order {
        match first {
            Some(earlier) if members[earlier].0 == members[place].0 => {
                repeats.push((place, earlier));
            }
            Some(_) | None => first = Some(place),
        }
    }
    repeats.sort_unstable();
    repeats
}

fn merge_repeats(
    members: Vec<(JsString, Value)>,
    repeats: &[(usize, usize)],
) -> Vec<(JsString, Value)> {
    let mut slots: Vec<Option<(JsString, Value)>> = members.into_iter().map(Some).collect();
    for &(later, first) in repeats {
        let value = slots[later].take().map(|(_, value)| value);
        if let (Some((_, slot)), Some(value)) = (slots[first].as_mut(), value) {
            *slot = value;
        }
    }
    slots.into_iter().flatten().collect()
}

/// The key as an array index (ECMAScript 6.1.7: canonical, at most 2^32 - 2), which orders before names.
fn array_index(key: &JsString) -> Option<u32> {
    let text = key.as_str()?;
    let canonical = text == "0"
        || (text.len() <= 10
            && !text.starts_with('0')
            && text.bytes().all(|byte| byte.is_ascii_digit()));
    if !canonical {
        return None;
    }
    text.parse().ok().filter(|&index| index != u32::MAX)
}
