//! Errors for people: what happened, and for each fault the field, the value, the rule and the remedy.

use console::measure_text_width;

use super::paint::{Paint, Tone, plain};
use crate::error::Document;

/// The whole story of an error.
pub fn text(document: &Document, paint: Paint) -> String {
    let error = paint.tone(Tone::Bad, "error:");
    let mut out = vec![format!("{error} {}", plain(&document.detail))];
    out.extend(
        document
            .causes
            .iter()
            .map(|cause| format!("  because {}", plain(cause))),
    );
    for violation in &document.violations {
        let lines = [
            ("field", &violation.field),
            ("value", &violation.value),
            ("rule", &violation.rule),
            ("remedy", &violation.remedy),
        ];
        out.push(String::new());
        out.extend(lines.into_iter().map(|(name, value)| {
            let blanks = " ".repeat(8 - measure_text_width(name));
            let line = format!(
                "  {}{blanks}{}",
                paint.tone(Tone::Quiet, name),
                plain(value)
            );
            line.trim_end().to_owned()
        }));
    }
    let mut tail = vec![format!("code {}", plain(&document.code))];
    if !document.request_id.is_empty() {
        tail.push(format!("request {}", plain(&document.request_id)));
    }
    if let Some(seconds) = document.retry_after {
        tail.push(format!("try again in {seconds} s"));
    }
    out.push(String::new());
    out.push(format!("  {}", paint.tone(Tone::Quiet, &tail.join(" · "))));
    out.join("\n")
}
