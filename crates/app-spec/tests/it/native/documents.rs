//! What is published in `docs`: schema, examples, field reference. `cargo run -p fluxplane-app-spec --example native_docs`
//! writes them anew.

use std::path::PathBuf;

use boon::{Compiler, SchemaIndex, Schemas};
use fluxplane_app_spec::native::{Template, examine, reference, schema};

use super::{GOOD, OWNER, good, with};

fn docs(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

fn read(name: &str) -> String {
    let path = docs(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The published schema, as a validator that is not ours understands it.
pub(crate) struct Validator {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Validator {
    pub(crate) fn new() -> Self {
        let mut compiler = Compiler::new();
        compiler
            .add_resource("native.json", serde_json::from_str(&schema()).unwrap())
            .unwrap();
        let mut schemas = Schemas::new();
        let index = compiler.compile("native.json", &mut schemas).unwrap();
        Self { schemas, index }
    }

    pub(crate) fn takes(&self, json: &str) -> bool {
        self.schemas
            .validate(&serde_json::from_str(json).unwrap(), self.index)
            .is_ok()
    }
}

#[test]
fn the_published_schema_is_current() {
    assert!(
        read("schema/fluxplane-v1.json") == schema(),
        "write it anew: cargo run -p fluxplane-app-spec --example native_docs"
    );
}

#[test]
fn the_field_reference_is_current() {
    assert!(
        read("SPEC.md").contains(&reference()),
        "write it anew: cargo run -p fluxplane-app-spec --example native_docs"
    );
}

#[test]
fn every_example_is_a_template_and_keeps_all_rules() {
    let validator = Validator::new();
    for template in Template::ALL {
        let text = read(&format!("schema/examples/{}.yaml", template.name()));
        assert_eq!(text, template.document("shop", OWNER));
        let spec = good(&text);
        assert!(validator.takes(&spec.canonical()), "{}", template.name());
    }
    let files = std::fs::read_dir(docs("schema/examples")).unwrap();
    let mut count = 0;
    for file in files {
        let path = file.unwrap().path();
        let text = std::fs::read(&path).unwrap();
        let findings = examine(&text).findings;
        assert!(findings.is_empty(), "{}: {findings:#?}", path.display());
        count += 1;
    }
    assert!(count > Template::ALL.len(), "{count}");
}

#[test]
fn names_in_templates_cannot_become_other_fields() {
    for template in Template::ALL {
        let text = template.document("shop\"\ninstances: 7 #", OWNER);
        let findings = examine(text.as_bytes()).findings;
        assert_eq!(findings.len(), 1, "{findings:#?}");
        assert_eq!(findings[0].path, "name");
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_shape() {
    let validator = Validator::new();
    let takes = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        validator.takes(&value.to_string())
    };
    let good_json = good(GOOD).canonical();
    assert!(takes(&good_json));
    for (from, to) in [
        ("\"cpu\":\"500m\"", "\"cpu\":500"),
        ("\"cpu\":\"500m\"", "\"cpu\":\"500\""),
        ("\"cpu\":\"500m\"", "\"cpus\":\"500m\""),
        ("\"instances\":3", "\"instances\":0"),
        ("\"instances\":3", "\"instances\":3.5"),
        ("\"instances\":3", "\"instance\":3"),
        ("\"instances\":3", "\"instances\":3,\"job\":{\"batch\":{}}"),
        ("\"name\":\"shop\"", "\"name\":\"Shop\""),
        ("\"protocol\":\"http\"", "\"protocol\":\"ftp\""),
        ("\"path\":\"/data\"", "\"path\":\"data\""),
        ("\"MODE\":\"prod\"", "\"1MODE\":\"prod\""),
        ("\"allow\":[\"EU\"]", "\"allow\":\"EU\""),
        ("\"health\":{", "\"health\":{\"tcp\":{\"port\":1},"),
        ("\"schema\":\"fluxplane/v1\"", "\"schema\":\"fluxplane/v2\""),
    ] {
        assert_eq!(good_json.matches(from).count(), 1, "{from} {good_json}");
        let bad = good_json.replace(from, to);
        assert!(!takes(&bad), "{to}");
        assert!(!examine(bad.as_bytes()).findings.is_empty(), "{to}");
    }
    // The schema says less than the reader, never more.
    for (from, to) in [("EU_RU", "EU"), ("container: 8000", "container: 80")] {
        let text = with(from, to);
        let examined = examine(text.as_bytes());
        assert!(!examined.findings.is_empty());
        assert!(takes(&examined.spec.unwrap().canonical()), "{to}");
    }
}
