//! Collects what is wrong with a document, in the form that the strict verdict has as well.

use crate::{
    json::{Value, push_key},
    strict::{Finding, shortened},
};

/// So many findings are listed; a hostile document could have millions.
const MAX_FINDINGS: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    more: usize,
    /// Something in the document has no place in the model.
    lossy: bool,
}

impl Findings {
    /// Whether further findings are only counted.
    pub(super) const fn is_full(&self) -> bool {
        self.list.len() >= MAX_FINDINGS
    }

    pub(super) fn add(
        &mut self,
        path: &str,
        value: &Value,
        code: &'static str,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        if self.is_full() {
            self.more += 1;
            return;
        }
        self.list.push(Finding {
            path: path.to_owned(),
            value: shortened(value),
            code,
            rule: rule.into(),
            remedy: remedy.into(),
        });
    }

    /// A finding about a value that need not be shown, or is not there.
    pub(super) fn note(
        &mut self,
        path: &str,
        code: &'static str,
        rule: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(path, &Value::Null, code, rule, remedy);
        if let Some(last) = self.list.last_mut()
            && self.more == 0
        {
            last.value = String::new();
        }
    }

    /// Notes that the document says something that the model does not hold.
    pub(super) const fn set_lossy(&mut self) {
        self.lossy = true;
    }

    pub(super) const fn is_lossy(&self) -> bool {
        self.lossy
    }

    pub(super) fn finish(mut self) -> Vec<Finding> {
        if self.more > 0 {
            let more = self.more;
            self.list.push(Finding {
                path: String::new(),
                value: String::new(),
                code: "more",
                rule: format!("{more} more findings are not listed"),
                remedy: "correct these first".to_owned(),
            });
        }
        self.list
    }
}

/// The path of a member: `components.web`, `env["odd key"]`. An overlong key is shortened.
pub(super) fn member(path: &str, key: &str) -> String {
    /// Longer than any key that is taken.
    const MAX_KEY: usize = 128;
    let mut own = path.to_owned();
    if key.chars().count() > MAX_KEY {
        let short: String = key.chars().take(MAX_KEY).chain(['…']).collect();
        push_key(&mut own, &short);
    } else {
        push_key(&mut own, key);
    }
    own
}

/// The path of an item: `nodes[0]`.
pub(super) fn item(path: &str, place: usize) -> String {
    format!("{path}[{place}]")
}
