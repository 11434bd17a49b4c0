//! The grammars of texts: names, images, areas, addresses.
//!
//! The pattern of a form is published in the schema and never stricter than the check; the check may know more, such as
//! checksums.

use std::borrow::Cow;

use super::cron;
use crate::{
    geolocation::Area,
    image::ImageRef,
    strict::{domain_error, hides, is_mail_address, is_node, look_alike, owner_error},
};

/// A kind of text.
#[derive(Debug)]
pub(super) struct Form {
    /// What a person calls it, for the field reference.
    pub(super) name: &'static str,
    pub(super) min: usize,
    /// Most characters.
    pub(super) max: usize,
    pub(super) pattern: Option<&'static str>,
    /// The stable name of the rule.
    pub(super) code: &'static str,
    check: fn(&str) -> Result<(), Fault>,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) rule: Cow<'static, str>,
    pub(super) remedy: Cow<'static, str>,
}

impl Form {
    /// Checks length, characters and grammar.
    pub(super) fn check(&self, text: &str) -> Result<(), Fault> {
        let count = text.chars().count();
        let Self { min, max, .. } = *self;
        if count > max {
            return fault(
                format!("it has {count} characters, at most {max} are allowed"),
                "shorten it",
            );
        }
        if count < min {
            return fault(
                "it must not be empty",
                "write a value or leave the field out",
            );
        }
        if text.contains('\0') {
            return fault(
                "text must be without null characters",
                "remove the character",
            );
        }
        (self.check)(text)
    }
}

const fn form(
    name: &'static str,
    code: &'static str,
    max: usize,
    pattern: &'static str,
    check: fn(&str) -> Result<(), Fault>,
) -> Form {
    let pattern = Some(pattern);
    Form {
        name,
        min: 1,
        max,
        pattern,
        code,
        check,
    }
}

const fn free(
    name: &'static str,
    code: &'static str,
    max: usize,
    check: fn(&str) -> Result<(), Fault>,
) -> Form {
    Form {
        name,
        min: 0,
        max,
        pattern: None,
        code,
        check,
    }
}

/// A host label: lower-case letters, digits, inner hyphens.
const LABEL_PATTERN: &str = "^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$";

pub(super) static NAME: Form = form("name", "name", 63, LABEL_PATTERN, label);
pub(super) static LABEL: Form = form("name", "name", 63, LABEL_PATTERN, label);
/// FluxOS' limit, so that every description fits there too.
pub(super) static DESCRIPTION: Form = free("text", "description", 256, visible);
pub(super) static OWNER: Form = form("wallet", "owner", 130, "^[0-9A-Za-z]+$", owner);
pub(super) static IMAGE: Form = form(
    "image",
    "image",
    300,
    "^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$",
    image,
);
pub(super) static ARGUMENT: Form = free("text", "text", 4_096, any);
pub(super) static ENV_NAME: Form = form(
    "variable",
    "variable",
    128,
    "^[A-Za-z_][A-Za-z0-9_.-]*$",
    variable,
);
pub(super) static ENV_VALUE: Form = free("text", "text", 32_768, any);
pub(super) static REFERENCE: Form = form(
    "secret",
    "reference",
    128,
    "^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(/[A-Za-z0-9._-]+)?$",
    reference,
);
pub(super) static PATH: Form = form("path", "path", 1_024, "^/", path);
pub(super) static HTTP_PATH: Form = form("path", "path", 1_024, "^/[!-~]*$", http_path);
pub(super) static DOMAIN: Form = form("domain", "domain", 253, "^[A-Za-z0-9.-]+$", domain);
pub(super) static AREA: Form = form("area", "geolocation", 50, "^[A-Z]{2}(_.+)?$", area);
pub(super) static NODE: Form = form("node", "node", 70, "^[0-9a-fA-F.:\\[\\]]+$", node);
pub(super) static CRON: Form = form(
    "schedule",
    "schedule",
    100,
    "^[0-9*,/-]+( [0-9*,/-]+){4}$",
    schedule,
);
pub(super) static EMAIL: Form = form("e-mail address", "email", 254, "^[^\\s@]+@[^\\s@]+$", email);
pub(super) static URL: Form = form("https address", "url", 2_048, "^https://[^\\s]+$", url);
pub(super) static GPU_MODEL: Form = form(
    "model",
    "gpu-model",
    64,
    "^[A-Za-z0-9][A-Za-z0-9 ._+-]*$",
    gpu_model,
);
pub(super) static POINTER: Form = free("JSON pointer", "pointer", 4 << 20, any);
/// Texts of the converter, as long as a document may be.
pub(super) static ANY_TEXT: Form = free("JSON text", "text", 4 << 20, any);

fn fault(
    rule: impl Into<Cow<'static, str>>,
    remedy: impl Into<Cow<'static, str>>,
) -> Result<(), Fault> {
    Err(Fault {
        rule: rule.into(),
        remedy: remedy.into(),
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "a check like the others, which finds no fault"
)]
fn any(_: &str) -> Result<(), Fault> {
    Ok(())
}

fn label(text: &str) -> Result<(), Fault> {
    const RULE: &str = "a name is lower-case letters a-z, digits and inner hyphens";
    if let Some(odd) = text.chars().find(|c| !c.is_ascii()) {
        let rule = format!("U+{:04X} is no letter a-z or digit", u32::from(odd));
        let remedy = look_alike(odd).map_or_else(
            || "use letters a-z, digits and hyphens".to_owned(),
            |plain| {
                format!(
                    "it looks like {plain}; type {} on a Latin keyboard",
                    plain.to_ascii_lowercase()
                )
            },
        );
        return fault(rule, remedy);
    }
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return fault(RULE, format!("write {}", text.to_ascii_lowercase()));
    }
    if !text.bytes().all(is_part) || text.starts_with('-') || text.ends_with('-') {
        return fault(RULE, "write a name such as my-shop-2");
    }
    Ok(())
}

fn visible(text: &str) -> Result<(), Fault> {
    match text.chars().find(|c| hides(*c)) {
        Some(c) => fault(
            format!("U+{:04X} hides or reorders text", u32::from(c)),
            "remove it",
        ),
        None => Ok(()),
    }
}

fn owner(text: &str) -> Result<(), Fault> {
    match owner_error(text) {
        Some((rule, remedy)) => fault(rule, remedy),
        None => Ok(()),
    }
}

/// A reference with a tag, a digest, or both.
fn image(text: &str) -> Result<(), Fault> {
    const DIGEST: &str = "a digest is sha256: and 64 lower-case hexadecimal digits";
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_digest = |digest: &str| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|digits| digits.len() == 64 && digits.bytes().all(is_digit))
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return fault(DIGEST, "copy it from the registry");
    }
    let has_tag = name
        .rsplit('/')
        .next()
        .is_some_and(|last| last.contains(':'));
    let completed = if digest.is_some() && !has_tag {
        Cow::Owned(format!("{name}:by-digest"))
    } else {
        Cow::Borrowed(name)
    };
    match ImageRef::parse(&completed) {
        Ok(_) => Ok(()),
        Err(error) => {
            let message = error.to_string();
            let (rule, remedy) = message
                .rsplit_once("; ")
                .unwrap_or((&message, "write host/name:tag"));
            fault(rule.to_owned(), remedy.to_owned())
        }
    }
}

fn variable(text: &str) -> Result<(), Fault> {
    let starts_well = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if text.starts_with(starts_well) && text.bytes().all(is_part) {
        return Ok(());
    }
    fault(
        "a variable is letters a-z, digits, `_`, `.` and `-`, and starts with a letter or `_`",
        "write a name such as LOG_LEVEL",
    )
}

fn reference(text: &str) -> Result<(), Fault> {
    let (name, key) = match text.split_once('/') {
        Some((name, key)) => (name, Some(key)),
        None => (text, None),
    };
    let is_key = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    if label(name).is_ok() && name.len() <= 63 && key.is_none_or(is_key) {
        return Ok(());
    }
    fault(
        "a secret is named by its name, or by name/key; its value never stands here",
        "write a reference such as database/password",
    )
}

fn path(text: &str) -> Result<(), Fault> {
    if !text.starts_with('/') {
        return fault("a path must be absolute", "start it with /");
    }
    if text.split('/').any(|part| part == "..") {
        return fault("a path must not contain `..`", "write the folder itself");
    }
    if text.contains(['|', ':']) || text.chars().any(char::is_control) {
        return fault(
            "a path must not contain `|`, `:` or control characters",
            "rename the folder",
        );
    }
    Ok(())
}

fn http_path(text: &str) -> Result<(), Fault> {
    if text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    fault(
        "the path of a request starts with / and is printable ASCII without blanks",
        "write /healthz, or escape with %",
    )
}

fn domain(text: &str) -> Result<(), Fault> {
    if text.contains(',') {
        return fault(
            "a domain is one name",
            "write a list with one name per entry",
        );
    }
    match domain_error(text) {
        Some((rule, remedy)) => fault(format!("`{text}` {rule}"), remedy),
        None => Ok(()),
    }
}

fn area(text: &str) -> Result<(), Fault> {
    let parsed: Result<Area, _> = text.parse();
    match parsed {
        Ok(area) if area.to_string() == text => Ok(()),
        Ok(area) => fault("an area has one way to be written", format!("write {area}")),
        Err(error) => {
            let message = error.to_string();
            let rule = message.split("; ").next().unwrap_or(&message).to_owned();
            fault(
                rule,
                "write EU, EU_DE or EU_DE_Bavaria: continent, country, region",
            )
        }
    }
}

fn node(text: &str) -> Result<(), Fault> {
    if is_node(text) {
        return Ok(());
    }
    fault(
        "a node is an IP address, ip:port, or txid:index of its collateral",
        "copy the address from the list of nodes",
    )
}

fn schedule(text: &str) -> Result<(), Fault> {
    match cron::check(text) {
        Ok(()) => Ok(()),
        Err(rule) => fault(
            rule,
            "write minute, hour, day, month and weekday in UTC, such as 0 3 * * *",
        ),
    }
}

fn email(text: &str) -> Result<(), Fault> {
    if is_mail_address(text) {
        return Ok(());
    }
    fault("it is no e-mail address", "write name@example.org")
}

fn url(text: &str) -> Result<(), Fault> {
    let host = text
        .strip_prefix("https://")
        .map(|rest| rest.split(['/', '?', '#', ':']).next().unwrap_or_default());
    let is_plain = text.chars().all(|c| c.is_ascii_graphic());
    match host {
        Some(host) if is_plain && domain_error(host).is_none() => Ok(()),
        Some(_) | None => fault(
            "it is an https address with a domain name",
            "write https://example.org/hook",
        ),
    }
}

fn gpu_model(text: &str) -> Result<(), Fault> {
    let is_part =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'_' | b'+' | b'-');
    if text.bytes().all(is_part) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    fault(
        "a model is letters, digits, blanks, `.`, `_`, `+` and `-`",
        "write it as the vendor does, such as RTX 4090",
    )
}
