//! The application of the demonstration: a template of FluxOS' marketplace, deployed as its web page does it.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::super::{layout::Layout, programs};

/// Recorded specifications.
const SPECS: &str = "../../tests/fixtures/fluxos-app-specs.json";

/// A small web page with parameters.
const TEMPLATE: &str = "v4-marketplace-helloworldparams";

/// A specification and what must be known of it to run it.
#[derive(Debug, Clone)]
pub struct App {
    pub name: String,
    pub image: String,
    /// Where the image listens.
    pub container_port: u16,
    spec: Value,
}

impl App {
    /// The template with its owner, its parameters, and the time in its name, as the marketplace has it.
    pub(crate) fn from_template(owner: &str) -> Result<Self> {
        let mut app = Self::load(owner)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a name nobody else has; nothing else depends on it"
        )]
        let stamp = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        app.rename(format!("{}{stamp}", app.name));
        Ok(app)
    }

    /// The template with its owner, its parameters and a name.
    pub fn named(owner: &str, name: &str) -> Result<Self> {
        let mut app = Self::load(owner)?;
        app.rename(name.to_owned());
        Ok(app)
    }

    fn load(owner: &str) -> Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SPECS);
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let recorded: Value = serde_json::from_str(&text)?;
        let mut specs = recorded["specs"].as_array().into_iter().flatten();
        let template = specs.find(|entry| entry["id"] == TEMPLATE);
        let mut spec = template.context("the template is missing")?["spec"].clone();
        spec["owner"] = json!(owner);
        let port = spec["compose"][0]["containerPorts"][0].as_u64();
        let mut app = Self {
            name: programs::text(&spec, "/name")?,
            image: programs::text(&spec, "/compose/0/repotag")?,
            container_port: u16::try_from(port.context("no port")?)?,
            spec,
        };
        app.set_page("Hello from Fluxplane", "The first revision.");
        Ok(app)
    }

    /// The specification.
    pub const fn spec(&self) -> &Value {
        &self.spec
    }

    fn rename(&mut self, name: String) {
        self.spec["name"] = json!(name);
        self.name = name;
    }

    /// The same with another page.
    pub(crate) fn revised(&self) -> Self {
        let mut next = self.clone();
        next.set_page("Hello again", "The second revision.");
        next
    }

    fn set_page(&mut self, title: &str, content: &str) {
        self.spec["compose"][0]["environmentParameters"] = json!([
            "VALUE=1",
            format!("PAGE_TITLE={title}"),
            format!("PAGE_CONTENT={content}"),
        ]);
    }

    pub(crate) fn file(layout: &Layout) -> String {
        layout.file("demo/app.json").display().to_string()
    }

    pub(crate) fn write(&self, layout: &Layout) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.spec)?;
        layout.write("demo/app.json", &text).map(drop)
    }
}
