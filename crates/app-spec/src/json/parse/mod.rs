//! `JSON.parse` with limits, offsets in errors and duplicate keys reported.

mod error;

use std::fmt::Write as _;

pub use error::{Document, DuplicateKey, Limits, ParseError, ParseErrorKind};

use super::{JsString, Object, Value};

/// Reads one JSON value from `text`.
///
/// # Errors
/// When the text is not JSON by the grammar of `JSON.parse`, or a limit is exceeded.
pub fn parse(text: &[u8], limits: Limits) -> Result<Document, ParseError> {
    if text.len() > limits.max_bytes {
        let (size, limit) = (text.len(), limits.max_bytes);
        return Err(at(limit, ParseErrorKind::TooLarge { size, limit }));
    }
    let text = std::str::from_utf8(text)
        .map_err(|error| at(error.valid_up_to(), ParseErrorKind::NotUtf8))?;
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        place: 0,
        max_depth: limits.max_depth,
        path: Vec::new(),
        duplicates: Vec::new(),
    };
    parser.skip_blanks();
    let value = parser.value()?;
    parser.skip_blanks();
    if let Some(found) = parser.char_here() {
        return Err(parser.error(ParseErrorKind::TrailingText { found }));
    }
    parser.duplicates.sort_by_key(|duplicate| duplicate.offset);
    Ok(Document {
        value,
        duplicates: parser.duplicates,
    })
}

const fn at(offset: usize, kind: ParseErrorKind) -> ParseError {
    ParseError { offset, kind }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    place: usize,
    max_depth: usize,
    /// The containers that are open.
    path: Vec<Step>,
    duplicates: Vec<DuplicateKey>,
}

/// One step of a path: the offset of the key being read, or the index of the item.
#[derive(Clone, Copy)]
enum Step {
    Key(usize),
    Item(usize),
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Value, ParseError> {
        match self.byte_or_end()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string().map(Value::String),
            b't' => self.word("true", Value::Bool(true)),
            b'f' => self.word("false", Value::Bool(false)),
            b'n' => self.word("null", Value::Null),
            b'-' | b'0'..=b'9' => self.number().map(Value::Number),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn object(&mut self) -> Result<Value, ParseError> {
        self.open()?;
        let mut members = Vec::new();
        let mut offsets = Vec::new();
        self.skip_blanks();
        if self.byte_or_end()? == b'}' {
            self.place += 1;
        } else {
            loop {
                self.skip_blanks();
                let offset = self.place;
                if self.byte_or_end()? != b'"' {
                    return Err(self.unexpected("a key in double quotes"));
                }
                let key = self.string()?;
                self.skip_blanks();
                if self.byte_or_end()? != b':' {
                    return Err(self.unexpected("`:` after the key"));
                }
                self.place += 1;
                self.skip_blanks();
                self.step(Step::Key(offset));
                members.push((key, self.value()?));
                offsets.push(offset);
                if self.next_or_close(b'}', "`,` or `}`")? {
                    break;
                }
            }
        }
        let (object, repeats) = Object::from_members(members);
        for repeat in repeats {
            let offset = offsets[repeat];
            self.step(Step::Key(offset));
            let path = self.path_text();
            self.duplicates.push(DuplicateKey { path, offset });
        }
        self.path.pop();
        Ok(Value::Object(object))
    }

    fn array(&mut self) -> Result<Value, ParseError> {
        self.open()?;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.byte_or_end()? == b']' {
            self.place += 1;
        } else {
            loop {
                self.skip_blanks();
                self.step(Step::Item(items.len()));
                items.push(self.value()?);
                if self.next_or_close(b']', "`,` or `]`")? {
                    break;
                }
            }
        }
        self.path.pop();
        Ok(Value::Array(items))
    }

    /// Enters a container: the cursor stands on its bracket.
    fn open(&mut self) -> Result<(), ParseError> {
        if self.path.len() >= self.max_depth {
            let limit = self.max_depth;
            return Err(self.error(ParseErrorKind::TooDeep { limit }));
        }
        self.path.push(Step::Item(0));
        self.place += 1;
        Ok(())
    }

    fn step(&mut self, step: Step) {
        if let Some(last) = self.path.last_mut() {
            *last = step;
        }
    }

    /// After a member: `true` at the closing bracket, `false` at a comma.
    fn next_or_close(&mut self, close: u8, expected: &'static str) -> Result<bool, ParseError> {
        self.skip_blanks();
        let byte = self.byte_or_end()?;
        if byte != b',' && byte != close {
            return Err(self.unexpected(expected));
        }
        self.place += 1;
        Ok(byte == close)
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, ParseError> {
        if self.bytes[self.place..].starts_with(word.as_bytes()) {
            self.place += word.len();
            Ok(value)
        } else {
            Err(self.unexpected("a value"))
        }
    }

    fn number(&mut self) -> Result<f64, ParseError> {
        let start = self.place;
        let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = self.bytes[start..]
            .iter()
            .take_while(|byte| is_part(byte))
            .count();
        let (_, tail) = self.text.split_at(start);
        let (text, _) = tail.split_at(length);
        self.place += length;
        if is_json_number(text) {
            // Rust reads every JSON number, rounded to the nearest double, as JavaScript does.
            if let Ok(number) = text.parse() {
                return Ok(number);
            }
        }
        Err(at(start, ParseErrorKind::BadNumber(text.to_owned())))
    }

    fn string(&mut self) -> Result<JsString, ParseError> {
        self.place += 1;
        let start = self.place;
        let clean = |byte: &u8| !matches!(byte, b'"' | b'\\' | 0..=0x1f);
        let run = self.bytes[start..]
            .iter()
            .take_while(|byte| clean(byte))
            .count();
        self.place += run;
        let (_, tail) = self.text.split_at(start);
        let (text, _) = tail.split_at(run);
        match self.byte_or_end()? {
            b'"' => {
                self.place += 1;
                Ok(text.into())
            }
            _ => self.string_with_escapes(text),
        }
    }

    /// The slow way: the cursor stands on the first byte that is not plain.
    fn string_with_escapes(&mut self, plain: &str) -> Result<JsString, ParseError> {
        let mut units: Vec<u16> = plain.encode_utf16().collect();
        loop {
            let c = self.char_here().ok_or_else(|| self.end())?;
            match c {
                '"' => {
                    self.place += 1;
                    return Ok(JsString::from_units(units));
                }
                '\\' => units.push(self.escape()?),
                '\0'..='\u{1f}' => {
                    return Err(self.error(ParseErrorKind::ControlCharacter(u32::from(c))));
                }
                _ => {
                    self.place += c.len_utf8();
                    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<u16, ParseError> {
        self.place += 1;
        let c = self.char_here().ok_or_else(|| self.end())?;
        let unit = match c {
            '"' | '\\' | '/' => u16::try_from(u32::from(c)).expect("these are ASCII"),
            'b' => 0x8,
            'f' => 0xc,
            'n' => 0xa,
            'r' => 0xd,
            't' => 0x9,
            'u' => return self.unicode_escape(),
            _ => return Err(self.error(ParseErrorKind::BadEscape(c))),
        };
        self.place += 1;
        Ok(unit)
    }

    fn unicode_escape(&mut self) -> Result<u16, ParseError> {
        self.place += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let c = self.char_here().ok_or_else(|| self.end())?;
            let digit = c
                .to_digit(16)
                .ok_or_else(|| self.unexpected("four hexadecimal digits after `\\u`"))?;
            unit = (unit << 4) | u16::try_from(digit).expect("a hexadecimal digit is below 16");
            self.place += 1;
        }
        Ok(unit)
    }

    fn skip_blanks(&mut self) {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.place += self.bytes[self.place..].iter().take_while(blank).count();
    }

    fn byte_or_end(&self) -> Result<u8, ParseError> {
        self.bytes
            .get(self.place)
            .copied()
            .ok_or_else(|| self.end())
    }

    fn char_here(&self) -> Option<char> {
        self.text.get(self.place..)?.chars().next()
    }

    const fn error(&self, kind: ParseErrorKind) -> ParseError {
        at(self.place, kind)
    }

    const fn end(&self) -> ParseError {
        self.error(ParseErrorKind::UnexpectedEnd)
    }

    fn unexpected(&self, expected: &'static str) -> ParseError {
        match self.char_here() {
            Some(found) => self.error(ParseErrorKind::Unexpected { expected, found }),
            None => self.end(),
        }
    }

    /// The path of the member at which the cursor is.
    fn path_text(&self) -> String {
        let mut out = String::new();
        for step in &self.path {
            match *step {
                Step::Item(index) => {
                    write!(out, "[{index}]").expect("writing to a String cannot fail");
                }
                Step::Key(offset) => push_key(&mut out, &self.key_at(offset)),
            }
        }
        out
    }

    fn key_at(&self, offset: usize) -> String {
        let mut reader = Parser {
            place: offset,
            path: Vec::new(),
            duplicates: Vec::new(),
            ..*self
        };
        reader
            .string()
            .map_or_else(|_| String::new(), |key| key.to_text().into_owned())
    }
}

/// Appends a key to a path: `.name`, or `["odd name"]`.
pub(crate) fn push_key(out: &mut String, key: &str) {
    let plain = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !plain {
        out.push('[');
        super::write_str(out, key);
        out.push(']');
        return;
    }
    if !out.is_empty() {
        out.push('.');
    }
    out.push_str(key);
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`.
fn is_json_number(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}
