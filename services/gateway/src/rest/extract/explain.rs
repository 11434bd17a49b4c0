//! What serde says, said to the client: the field, and the rule in words of the request instead of words of Rust.

use fluxplane_core::error::Violation;

/// What is wrong with one field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Explained {
    pub(super) field: String,
    rule: String,
    remedy: &'static str,
    /// What stands for the value when there is none to show.
    absent: Option<&'static str>,
}

const SEE_DOCS: &str = "see the schema of this operation under /docs";

impl Explained {
    /// `path` is where serde stopped, `.` for the whole; `whole` is what the whole is called.
    pub(super) fn new(path: &str, whole: &str, text: &str) -> Self {
        let field = if path == "." || path.is_empty() {
            whole
        } else {
            path
        }
        .to_owned();
        let (rule, remedy) = (|text: &str| text.to_owned(), SEE_DOCS);
        if let Some(name) = quoted(text, "missing field ") {
            return Self {
                field: child(path, name),
                rule: rule("the field is needed"),
                remedy,
                absent: Some("missing"),
            };
        }
        if let Some(name) = quoted(text, "duplicate field ") {
            let (rule, remedy) = (rule("a field comes once"), "leave one of them out");
            return Self {
                field: child(path, name),
                rule,
                remedy,
                absent: Some("repeated"),
            };
        }
        if quoted(text, "unknown field ").is_some() {
            let known = text
                .split_once("expected ")
                .map_or("none", |(_, known)| known);
            let rule = format!(
                "there is no such field; known: {}",
                known.trim_start_matches("one of ")
            );
            return Self {
                field,
                rule,
                remedy: "correct its name or leave it out",
                absent: None,
            };
        }
        let rule = if text.starts_with("UUID parsing failed") {
            rule("a UUID is expected")
        } else if text.starts_with("invalid digit") || text.starts_with("cannot parse integer") {
            rule("a whole number is expected")
        } else if text.starts_with("number too ") {
            format!("a number in range is expected: {text}")
        } else if let Some((_, expected)) = text.split_once("expected ") {
            format!("{} is expected", type_in_words(expected))
        } else {
            rule(text)
        };
        Self {
            field,
            rule,
            remedy,
            absent: None,
        }
    }

    /// The violation, with the value that the request has at the field.
    pub(super) fn violation(self, value: impl FnOnce(&str) -> String) -> Violation {
        let value = self
            .absent
            .map_or_else(|| value(&self.field), str::to_owned);
        Violation::new(self.field, value, self.rule, self.remedy)
    }
}

/// The name in backquotes after a prefix.
fn quoted<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    text.strip_prefix(prefix)?
        .strip_prefix('`')?
        .split('`')
        .next()
}

/// `registration` and `spec` make `registration.spec`, unless the path has the name already.
fn child(path: &str, name: &str) -> String {
    let parent = if path == "." { "" } else { path };
    if parent.is_empty() {
        name.to_owned()
    } else if parent == name || parent.ends_with(&format!(".{name}")) {
        parent.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

fn type_in_words(expected: &str) -> String {
    match expected {
        "u16" | "u32" | "u64" | "usize" | "i32" | "i64" => "a whole number".to_owned(),
        "string" | "a string" => "a text".to_owned(),
        "a boolean" | "`true` or `false`" => "true or false".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(path: &str, text: &str) -> String {
        Explained::new(path, "body", text)
            .violation(|_| "7".to_owned())
            .to_string()
    }

    #[test]
    fn serdes_words_become_the_clients() {
        assert_eq!(
            said("a", "missing field `b`"),
            "a.b is `missing`, but the field is needed; see the schema of this operation under /docs"
        );
        assert_eq!(
            said("a.b", "unknown field `b`, expected one of `c`, `d`"),
            "a.b is `7`, but there is no such field; known: `c`, `d`; correct its name or leave it out"
        );
        assert_eq!(
            said("a", "invalid type: string \"x\", expected u64"),
            "a is `7`, but a whole number is expected; see the schema of this operation under /docs"
        );
        assert_eq!(
            said(".", "invalid type: null, expected struct CreateQuote"),
            "body is `7`, but an object is expected; see the schema of this operation under /docs"
        );
        assert_eq!(
            said(
                "funding",
                "unknown variant `cash`, expected `balance` or `chain_payment`"
            ),
            "funding is `7`, but `balance` or `chain_payment` is expected; \
             see the schema of this operation under /docs"
        );
        assert!(said(".", "duplicate field `b`").starts_with("b is `repeated`"));
        assert!(said("x", "invalid digit found in string").contains("a whole number is expected"));
        assert!(said("x", "something new").contains("something new"));
    }
}
