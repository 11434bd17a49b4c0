//! Lists: a heading, aligned columns, no lines.

use console::{Alignment, measure_text_width, pad_str};

use super::paint::{Paint, Tone};

/// Blanks between columns.
const GAP: &str = "  ";

/// A list on its way to the screen.
#[derive(Debug, Clone)]
pub struct Table {
    header: Vec<&'static str>,
    /// Columns whose cells end at the same place.
    numbers: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(header: &[&'static str]) -> Self {
        Self {
            header: header.to_vec(),
            numbers: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// Aligns columns to the right, by their headings.
    #[must_use]
    pub fn numbers(mut self, names: &[&str]) -> Self {
        let columns = self.header.iter().enumerate();
        self.numbers = columns
            .filter(|(_, name)| names.contains(name))
            .map(|(column, _)| column)
            .collect();
        self
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The list; without entries a sentence that says so.
    pub fn text(&self, paint: Paint, nothing: &str) -> String {
        if self.rows.is_empty() {
            return format!("{nothing}\n");
        }
        let widths: Vec<usize> = (0..self.header.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells
                    .map(|cell| measure_text_width(cell))
                    .max()
                    .unwrap_or(0);
                widest.max(measure_text_width(self.header[column]))
            })
            .collect();
        let mut text = String::new();
        let header: Vec<String> = self
            .header
            .iter()
            .map(|name| paint.tone(Tone::Strong, name))
            .collect();
        for row in std::iter::once(&header).chain(&self.rows) {
            let cells = row
                .iter()
                .zip(&widths)
                .enumerate()
                .map(|(column, (cell, width))| {
                    let alignment = if self.numbers.contains(&column) {
                        Alignment::Right
                    } else {
                        Alignment::Left
                    };
                    pad_str(cell, *width, alignment, None).into_owned()
                });
            let line = cells.collect::<Vec<_>>().join(GAP);
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let mut table = Table::new(&["NAME", "STATE", "AGE"]).numbers(&["AGE"]);
        table.row([
            "a".to_owned(),
            Paint::new(true).state("running"),
            "1".to_owned(),
        ]);
        table.row(["größer".to_owned(), "x".to_owned(), "100".to_owned()]);
        let text = table.text(Paint::new(false), "none");
        let plain = console::strip_ansi_codes(&text);
        assert_eq!(
            plain,
            "NAME    STATE    AGE\na       running    1\ngrößer  x        100\n"
        );
        assert_eq!(
            Table::new(&["A"]).text(Paint::new(false), "nothing here"),
            "nothing here\n"
        );
    }
}
