//! Specifications to begin with.

/// A kind of application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Template {
    /// A web page with a cache behind it.
    Web,
    /// A training job over several machines with graphics cards.
    Gpu,
    /// An application that keeps its data on its node, paid for a term.
    Stateful,
}

impl Template {
    pub const ALL: [Self; 3] = [Self::Web, Self::Gpu, Self::Stateful];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Gpu => "gpu",
            Self::Stateful => "stateful",
        }
    }

    /// The document, in YAML with comments. Name and owner are not checked here.
    pub fn document(self, name: &str, owner: &str) -> String {
        let text = match self {
            Self::Web => include_str!("templates/web.yaml"),
            Self::Gpu => include_str!("templates/gpu.yaml"),
            Self::Stateful => include_str!("templates/stateful.yaml"),
        };
        // Both are labels or addresses in every good document, but an odd argument must not become other YAML.
        let quoted = |text: &str| {
            let mut out = String::new();
            crate::json::write_str(&mut out, text);
            out
        };
        text.replace("__NAME__", &quoted(name))
            .replace("__OWNER__", &quoted(owner))
    }
}
