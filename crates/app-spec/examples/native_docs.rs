//! Writes what is published of the native specification: `docs/schema/**` and the field reference in `docs/SPEC.md`.
//! A test fails while they are not current.

use std::{fs, io, path::Path};

use fluxplane_app_spec::{
    json,
    native::{Template, parse, reference, schema},
};

/// The field reference stands between these lines.
const BEGIN: &str = "<!-- generated: the field reference -->\n";
const END: &str = "<!-- end of the field reference -->\n";

/// An owner for examples; nobody uses its key.
const OWNER: &str = "1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC";

fn main() -> io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let examples = docs.join("schema/examples");
    fs::create_dir_all(&examples)?;
    fs::write(docs.join("schema/fluxplane-v1.json"), schema())?;
    for template in Template::ALL {
        let text = template.document("shop", OWNER);
        fs::write(examples.join(format!("{}.yaml", template.name())), &text)?;
        if template == Template::Web {
            let spec = parse(text.as_bytes()).map_err(io::Error::other)?;
            fs::write(examples.join("web.json"), json::pretty(&spec.to_value()))?;
        }
    }
    let path = docs.join("SPEC.md");
    let page = fs::read_to_string(&path)?;
    let (head, rest) = page
        .split_once(BEGIN)
        .ok_or_else(|| io::Error::other("SPEC.md has no begin line"))?;
    let (_, tail) = rest
        .split_once(END)
        .ok_or_else(|| io::Error::other("SPEC.md has no end line"))?;
    fs::write(path, format!("{head}{BEGIN}{}{END}{tail}", reference()))
}
