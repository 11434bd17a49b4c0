//! `docs/ERRORS.md` as a page. Each heading is a reason code and the anchor that problem documents point to.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

const ERRORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ERRORS.md"));
const FRAME: &str = include_str!("../../../assets/errors.html");

/// Where the frame takes the text.
const PLACE: &str = "<!-- text -->";

/// Where the first section begins, before which the list of codes goes.
const FIRST_SECTION: &str = "<h2";

/// The whole page.
pub(super) fn page() -> String {
    FRAME.replace(PLACE, &render(ERRORS))
}

fn render(markdown: &str) -> String {
    let mut events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    for index in 0..events.len() {
        let name = heading_text(&events, index);
        if let Some(Event::Start(Tag::Heading { id, .. })) = events.get_mut(index) {
            *id = name.map(CowStr::from);
        }
    }
    let index = index(&events);
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter());
    page.replacen(FIRST_SECTION, &format!("{index}{FIRST_SECTION}"), 1)
}

/// Links to all sections.
fn index(events: &[Event<'_>]) -> String {
    let ids = events.iter().filter_map(|event| match event {
        Event::Start(Tag::Heading { id: Some(id), .. }) => Some(id.as_ref()),
        _ => None,
    });
    let links: Vec<String> = ids
        .map(|id| format!("<li><a href=\"#{id}\">{id}</a></li>"))
        .collect();
    format!("<ul class=\"codes\">\n{}\n</ul>\n", links.join("\n"))
}

/// The text of the second-level heading that starts at `index`.
fn heading_text(events: &[Event<'_>], index: usize) -> Option<String> {
    let Some(Event::Start(Tag::Heading {
        level: HeadingLevel::H2,
        ..
    })) = events.get(index)
    else {
        return None;
    };
    let inside = events.iter().skip(index + 1);
    let text = inside
        .take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_))))
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        });
    Some(text.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_code_is_the_anchor_of_its_section() {
        let page = render("## spec-invalid\n\ntext with `code`\n\n| a |\n|---|\n| b |\n");
        assert!(
            page.contains(r#"<h2 id="spec-invalid">spec-invalid</h2>"#),
            "{page}"
        );
        assert!(page.contains(r##"<a href="#spec-invalid">"##), "{page}");
        assert!(page.contains("<table>"), "{page}");
    }

    #[test]
    fn the_page_is_framed() {
        let page = page();
        assert!(page.starts_with("<!doctype html>") && !page.contains(PLACE));
        assert!(page.contains(r#"id="unauthenticated""#));
    }
}
