//! JSON as JavaScript sees it.
//!
//! What FluxOS signs is `JSON.stringify` of a rebuilt object, so property order, number formatting and
//! even strings that are not well-formed UTF-16 are part of consensus. `serde_json` keeps none of these
//! exactly; this module does. It reads with limits and reports duplicate keys, which JavaScript drops
//! silently.

mod canonical;
mod number;
mod parse;
mod text;
mod value;
mod write;

pub use canonical::{CanonicalError, canonicalize};
pub use number::{number_from_text, number_text, write_number};
pub(crate) use parse::push_key;
pub use parse::{Document, DuplicateKey, Limits, ParseError, ParseErrorKind, parse};
pub use text::JsString;
pub use value::{Object, Value};
pub use write::{pretty, stringify, write_str, write_string, write_value};
