//! YAML as far as a specification needs it: maps, lists and scalars of YAML 1.2, read into the value of JSON.
//!
//! What makes YAML dangerous or ambiguous is refused and named: anchors and aliases (a few lines can stand for gigabytes),
//! tags, duplicate keys, several documents, and numbers that programs read differently (`012`, `0x1f`, `1_000`, `.nan`).
//! `yes`, `no`, `on` and `off` are texts, as YAML 1.2 says.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::findings::{item, member};
use crate::json::{JsString, Limits, Object, Value};

/// A document that was read.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) value: Value,
    /// Paths of keys that were given before in the same map.
    pub(super) duplicates: Vec<String>,
}

/// Why a text is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {kind}")]
pub(super) struct YamlError {
    line: usize,
    column: usize,
    kind: YamlErrorKind,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum YamlErrorKind {
    #[error("the text has {size} bytes, the limit is {limit}; shorten it")]
    TooLarge { size: usize, limit: usize },
    #[error("the text is not UTF-8; encode it as UTF-8")]
    NotUtf8,
    #[error("invalid YAML: {0}")]
    Syntax(String),
    #[error("nesting is deeper than {0} levels; flatten it")]
    TooDeep(usize),
    #[error("anchors and aliases (&, *) are not taken; write the value out")]
    Anchor,
    #[error("tags (!) are not taken; leave the tag out")]
    Tag,
    #[error("a key must be a plain text; write it on one line before the colon")]
    ComplexKey,
    #[error(
        "`{0}` is read as different numbers by different programs; write it in decimal, or in quotes if it is a text"
    )]
    AmbiguousNumber(String),
    #[error("`{0}` is too large for a number; write it in quotes if it is a text")]
    HugeNumber(String),
    #[error("a second document begins; one file holds one specification")]
    SecondDocument,
    #[error("there is no document; write a specification")]
    Empty,
}

/// Reads one document.
///
/// # Errors
/// With line and column of the first thing that is not taken.
pub(super) fn read(bytes: &[u8], limits: Limits) -> Result<Document, YamlError> {
    if bytes.len() > limits.max_bytes {
        let (size, limit) = (bytes.len(), limits.max_bytes);
        return Err(at(1, 1, YamlErrorKind::TooLarge { size, limit }));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let lines = good.split(|byte| *byte == b'\n');
        let column = lines.clone().next_back().map_or(0, <[u8]>::len) + 1;
        at(lines.count(), column, YamlErrorKind::NotUtf8)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder {
        max_depth: limits.max_depth,
        open: Vec::new(),
        root: None,
        documents: 0,
        duplicates: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            // The parser looks ahead in `[[[…` and meets its own limit before we can count.
            let kind = match error.info() {
                "recursion limit exceeded" => YamlErrorKind::TooDeep(limits.max_depth),
                info => YamlErrorKind::Syntax(info.to_owned()),
            };
            at(marker.line(), marker.col() + 1, kind)
        })?;
        builder.take(event).map_err(|kind| located(span, kind))?;
    }
    let value = builder.root.ok_or_else(|| at(1, 1, YamlErrorKind::Empty))?;
    let duplicates = builder.duplicates;
    Ok(Document { value, duplicates })
}

const fn at(line: usize, column: usize, kind: YamlErrorKind) -> YamlError {
    YamlError { line, column, kind }
}

fn located(span: Span, kind: YamlErrorKind) -> YamlError {
    at(span.start.line(), span.start.col() + 1, kind)
}

struct Builder {
    max_depth: usize,
    open: Vec<Open>,
    root: Option<Value>,
    documents: usize,
    duplicates: Vec<String>,
}

/// A container that is being read.
enum Open {
    List(Vec<Value>),
    Map {
        members: Vec<(JsString, Value)>,
        /// The key whose value comes next.
        key: Option<JsString>,
    },
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), YamlErrorKind> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(YamlErrorKind::SecondDocument);
                }
                Ok(())
            }
            Event::Alias(_) => Err(YamlErrorKind::Anchor),
            Event::Scalar(text, style, anchor, tag) => {
                refuse(anchor, tag.is_some())?;
                self.scalar(&text, style)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse(anchor, tag.is_some())?;
                self.open(Open::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                refuse(anchor, tag.is_some())?;
                let members = Vec::new();
                self.open(Open::Map { members, key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::List(items)) => {
                    self.add(Value::Array(items));
                    Ok(())
                }
                Some(Open::Map { members, .. }) => {
                    let value = self.close(members);
                    self.add(value);
                    Ok(())
                }
                None => Ok(()),
            },
        }
    }

    fn open(&mut self, container: Open) -> Result<(), YamlErrorKind> {
        if self.is_at_key() {
            return Err(YamlErrorKind::ComplexKey);
        }
        if self.open.len() >= self.max_depth {
            return Err(YamlErrorKind::TooDeep(self.max_depth));
        }
        self.open.push(container);
        Ok(())
    }

    fn is_at_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle) -> Result<(), YamlErrorKind> {
        if self.is_at_key() {
            if let Some(Open::Map { key, .. }) = self.open.last_mut() {
                *key = Some(text.into());
            }
            return Ok(());
        }
        let value = match style {
            ScalarStyle::Plain => plain(text)?,
            ScalarStyle::SingleQuoted
            | ScalarStyle::DoubleQuoted
            | ScalarStyle::Literal
            | ScalarStyle::Folded => Value::from(text),
        };
        self.add(value);
        Ok(())
    }

    /// Puts a value where the cursor is.
    fn add(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::List(items)) => items.push(value),
            Some(Open::Map { members, key }) => {
                if let Some(key) = key.take() {
                    members.push((key, value));
                }
            }
            None => self.root = Some(value),
        }
    }

    /// Makes the object of a map that ended, and notes keys that came twice.
    fn close(&mut self, members: Vec<(JsString, Value)>) -> Value {
        let keys: Vec<JsString> = members.iter().map(|(key, _)| key.clone()).collect();
        let (object, repeats) = Object::from_members(members);
        for repeat in repeats {
            self.duplicates
                .push(member(&self.path(), &keys[repeat].to_text()));
        }
        Value::Object(object)
    }

    /// The path of the container at which the cursor is.
    fn path(&self) -> String {
        let mut path = String::new();
        for container in &self.open {
            match container {
                Open::List(items) => path = item(&path, items.len()),
                Open::Map { key: Some(key), .. } => path = member(&path, &key.to_text()),
                Open::Map { key: None, .. } => {}
            }
        }
        path
    }
}

fn refuse(anchor: usize, has_tag: bool) -> Result<(), YamlErrorKind> {
    if anchor != 0 {
        Err(YamlErrorKind::Anchor)
    } else if has_tag {
        Err(YamlErrorKind::Tag)
    } else {
        Ok(())
    }
}

/// What a scalar without quotes stands for: the core schema of YAML 1.2 with the number grammar of JSON.
fn plain(text: &str) -> Result<Value, YamlErrorKind> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    if let Ok(document) = crate::json::parse(text.as_bytes(), Limits::default())
        && let Some(number) = document.value.as_number()
    {
        return if number.is_finite() {
            Ok(Value::Number(number))
        } else {
            Err(YamlErrorKind::HugeNumber(shown(text)))
        };
    }
    if is_number_elsewhere(text) {
        return Err(YamlErrorKind::AmbiguousNumber(shown(text)));
    }
    Ok(Value::from(text))
}

/// Whether YAML 1.1, the core schema of 1.2, or a common reader takes the text for a number.
fn is_number_elsewhere(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let lower = unsigned.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan" | "inf" | "nan" | "infinity") {
        return true;
    }
    let radix = |prefix: &str, base: u32| {
        lower.strip_prefix(prefix).is_some_and(|digits| {
            !digits.is_empty() && digits.chars().all(|c| c.is_digit(base) || c == '_')
        })
    };
    let bare = lower.replace('_', "");
    let has_digit = bare.bytes().any(|byte| byte.is_ascii_digit());
    let is_decimal = bare
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'))
        && bare.parse::<f64>().is_ok();
    radix("0x", 16) || radix("0o", 8) || radix("0b", 2) || (has_digit && is_decimal)
}

fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::stringify;

    fn json(text: &str) -> String {
        stringify(&read(text.as_bytes(), Limits::default()).unwrap().value)
    }

    fn error(text: &str) -> String {
        read(
            text.as_bytes(),
            Limits {
                max_depth: 8,
                ..Limits::default()
            },
        )
        .unwrap_err()
        .to_string()
    }

    #[test]
    fn maps_lists_and_scalars_are_read() {
        let text = "# a comment\na: 1\nb: [x, 'y', \"z\\n\"]\nc:\n  d: true\n  e: 1.5\n  f:\n  g: no\n  h: 1.27.3\n  80: |\n    two\n    lines\n";
        let expected = r#"{"a":1,"b":["x","y","z\n"],"c":{"80":"two\nlines\n","d":true,"e":1.5,"f":null,"g":"no","h":"1.27.3"}}"#;
        assert_eq!(json(text), expected);
        assert_eq!(json("\u{feff}a: b"), r#"{"a":"b"}"#);
        assert_eq!(
            json("--- {a: [1, {b: c}]}\n...\n"),
            r#"{"a":[1,{"b":"c"}]}"#
        );
    }

    #[test]
    fn duplicate_keys_are_noted_with_their_path() {
        let document = read(b"a:\n  - b: 1\n    b: 2\nc: 1\nc: 2\n", Limits::default()).unwrap();
        assert_eq!(document.duplicates, ["a[0].b", "c"]);
    }

    #[test]
    fn what_is_dangerous_or_ambiguous_is_named() {
        for (text, part) in [
            ("a: &x 1\nb: *x", "line 1, column 4: anchors"),
            ("a: *x", "line 1"),
            ("a: !!str 1", "tags"),
            ("? [a]\n: b", "a key must be"),
            ("a: 012", "`012`"),
            ("a: 0x1F", "`0x1F`"),
            ("a: 1_000", "`1_000`"),
            ("a: .nan", "`.nan`"),
            ("a: +5", "`+5`"),
            ("a: .5", "`.5`"),
            ("a: 1e999", "too large"),
            ("a: 1\n---\nb: 2", "second document"),
            ("", "no document"),
            ("# nothing\n", "no document"),
            ("a: b: c", "invalid YAML"),
            ("a: [1", "invalid YAML"),
            ("[[[[[[[[[[[[[[1]]]]]]]]]]]]]]", "deeper than 8"),
        ] {
            let message = error(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
