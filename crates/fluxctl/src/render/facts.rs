//! One thing: a name and a value on each line.

use console::measure_text_width;

use super::paint::{Paint, Tone};

/// Facts on their way to the screen.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    rows: Vec<(String, String)>,
}

impl Facts {
    pub fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl std::fmt::Display) -> Self {
        self.rows.push((name.into(), value.to_string()));
        self
    }

    /// A fact that is left out when there is nothing to say.
    #[must_use]
    pub fn maybe(self, name: impl Into<String>, value: Option<impl std::fmt::Display>) -> Self {
        match value {
            Some(value) => self.fact(name, value),
            None => self,
        }
    }

    /// Several lines under one name.
    #[must_use]
    pub fn several(mut self, name: &str, values: impl IntoIterator<Item = String>) -> Self {
        for (place, value) in values.into_iter().enumerate() {
            let name = if place == 0 { name } else { "" };
            self.rows.push((name.to_owned(), value));
        }
        self
    }

    pub fn text(&self, paint: Paint) -> String {
        let width = self
            .rows
            .iter()
            .map(|(name, _)| measure_text_width(name))
            .max()
            .unwrap_or_default();
        let lines = self.rows.iter().map(|(name, value)| {
            let blanks = " ".repeat(width - measure_text_width(name) + 2);
            let line = format!("{}{blanks}{value}", paint.tone(Tone::Quiet, name));
            format!("{}\n", line.trim_end())
        });
        lines.collect()
    }
}

/// Empty texts are not shown.
pub fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
