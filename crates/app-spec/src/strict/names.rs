//! Names: of the application, which becomes a host name, and of its components, which become host names on the
//! application's own network.

use super::{Findings, Part};
use crate::json::{Object, Value};

/// Prefixes of the network's own applications. FluxOS compares them case-sensitively.
pub(crate) const RESERVED_PREFIXES: [&str; 2] = ["zel", "flux"];

/// Names of the node's own services.
pub(crate) const RESERVED_NAMES: [&str; 2] = ["share", "watchtower"];

pub(super) fn check_app(findings: &mut Findings, spec: &Object) {
    let Some(name) = spec.get("name").and_then(Value::as_str) else {
        return;
    };
    check_name(findings, "name", name);
    if RESERVED_NAMES
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
    {
        let rule = "this name belongs to a service of the node";
        findings.add_text("name", name, "reserved-name", rule, "choose another name");
    }
    // The third and fourth character of a host label are hyphens only in encoded international names.
    if name.get(2..4) == Some("--") {
        let rule = "a host name with -- at this place is an encoded international name";
        findings.add_text("name", name, "look-alike", rule, "remove one hyphen");
    }
    if let Some(text) = spec.get("description").and_then(Value::as_str) {
        check_description(findings, "description", text);
    }
}

pub(super) fn check_component(findings: &mut Findings, component: &Part<'_>) {
    if let Some(name) = component.get("name").and_then(Value::as_str) {
        check_name(findings, &component.path("name"), name);
    }
    if let Some(text) = component.get("description").and_then(Value::as_str) {
        check_description(findings, &component.path("description"), text);
    }
}

/// Host names do not distinguish case, so neither may component names.
pub(super) fn check_unique_components(findings: &mut Findings, components: &[Value]) {
    let names = components
        .iter()
        .map(|component| component.as_object()?.get("name")?.as_str());
    let names: Vec<Option<&str>> = names.collect();
    for (place, name) in names.iter().enumerate() {
        let Some(name) = name else { continue };
        let mut earlier = names[..place].iter().flatten();
        if earlier.any(|text| text.eq_ignore_ascii_case(name)) {
            let path = format!("compose[{place}].name");
            let rule = "another component has this name; case does not count in host names";
            findings.add_text(path, name, "duplicate-name", rule, "give it its own name");
        }
    }
}

fn check_name(findings: &mut Findings, path: &str, name: &str) {
    let lower = name.to_ascii_lowercase();
    if let Some(prefix) = RESERVED_PREFIXES
        .iter()
        .find(|prefix| lower.starts_with(**prefix))
    {
        let rule = format!("names that start with {prefix}, in any case, belong to the network");
        findings.add_text(path, name, "reserved-name", &rule, "choose another name");
    }
    if let Some(odd) = name.chars().find(|c| !c.is_ascii()) {
        let rule = format!("U+{:04X} is no letter a-z, A-Z or digit", u32::from(odd));
        let remedy = look_alike(odd).map_or_else(
            || "use letters a-z, A-Z and digits".to_owned(),
            |plain| format!("it looks like {plain}; type {plain} on a Latin keyboard"),
        );
        findings.add_text(path, name, "look-alike", &rule, &remedy);
    }
}

/// A text for people must not contain characters that hide or reorder others.
fn check_description(findings: &mut Findings, path: &str, text: &str) {
    if let Some(c) = text.chars().find(|c| hides(*c)) {
        let rule = format!("U+{:04X} hides or reorders text", u32::from(c));
        findings.add_text(path, text, "hidden-character", &rule, "remove it");
    }
}

/// Whether a character hides or reorders others.
pub(crate) fn hides(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The Latin letter or digit that a letter of another script is mistaken for (from Unicode's confusables).
pub(crate) fn look_alike(c: char) -> Option<char> {
    const PAIRS: [(&str, char); 36] = [
        ("аɑαа", 'a'),
        ("Ьｂ", 'b'),
        ("сϲ", 'c'),
        ("ԁ", 'd'),
        ("еҽ", 'e'),
        ("ɡ", 'g'),
        ("һ", 'h'),
        ("іιı", 'i'),
        ("јϳ", 'j'),
        ("κк", 'k'),
        ("ӏ", 'l'),
        ("м", 'm'),
        ("п", 'n'),
        ("оοօ", 'o'),
        ("рρ", 'p'),
        ("ԛ", 'q'),
        ("г", 'r'),
        ("ѕ", 's'),
        ("т", 't'),
        ("υս", 'u'),
        ("ν", 'v'),
        ("ѡω", 'w'),
        ("хχ", 'x'),
        ("уγ", 'y'),
        ("АΑ", 'A'),
        ("ВΒ", 'B'),
        ("СϹ", 'C'),
        ("ЕΕ", 'E'),
        ("НΗ", 'H'),
        ("ІΙ", 'I'),
        ("КΚ", 'K'),
        ("МΜ", 'M'),
        ("ОΟ", 'O'),
        ("РΡ", 'P'),
        ("ТΤ", 'T'),
        ("ХΧ", 'X'),
    ];
    /// From a full-width form to its ASCII character.
    const FULL_WIDTH_SHIFT: u32 = 0xfee0;
    if matches!(c, '\u{ff10}'..='\u{ff5a}') {
        return char::from_u32(u32::from(c) - FULL_WIDTH_SHIFT).filter(char::is_ascii_alphanumeric);
    }
    PAIRS
        .iter()
        .find(|(others, _)| others.contains(c))
        .map(|(_, plain)| *plain)
}
