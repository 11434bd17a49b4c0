//! The documents: what is checked in is what is served, and every code is explained.

use std::path::{Path, PathBuf};

use fluxplane_core::error::{Reason, Violation};
use fluxplane_gateway::rest::openapi;
use fluxplane_platform::problem::Problem;
use reqwest::Method;
use serde_json::Value;

use crate::support::{send, start};

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_checked_in_document_is_the_one_of_this_code() {
    let kept = std::fs::read_to_string(file("openapi.json")).unwrap();
    let fresh = openapi::document().to_pretty_json().unwrap();
    assert!(
        kept.trim_end() == fresh,
        "run `cargo run -p fluxplane-gateway --example openapi > services/gateway/openapi.json`"
    );
}

#[test]
fn every_reason_code_has_its_section_and_no_section_is_stale() {
    let text = std::fs::read_to_string(file("../../docs/ERRORS.md")).unwrap();
    let sections: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    let codes: Vec<&str> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    for code in &codes {
        assert!(
            sections.contains(code),
            "docs/ERRORS.md has no section for `{code}`"
        );
    }
    for section in &sections {
        assert!(
            codes.contains(section),
            "docs/ERRORS.md explains `{section}`, which is no code"
        );
    }
    assert_eq!(sections.len(), codes.len(), "a code is explained twice");
}

#[test]
fn every_section_says_status_cause_remedy_and_shows_its_own_document() {
    let text = std::fs::read_to_string(file("../../docs/ERRORS.md")).unwrap();
    for section in text.split("\n## ").skip(1) {
        let code = section.lines().next().unwrap();
        for part in ["- **Status:** ", "- **When:** ", "- **Remedy:** "] {
            assert!(section.contains(part), "{code} lacks {part}");
        }
        let json = section
            .split("```json")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        let problem: Problem = serde_json::from_str(json).unwrap();
        assert_eq!(problem.code, code);
        assert_eq!(problem.type_uri, format!("/docs/errors#{code}"));
        assert!(
            section.contains(&format!("- **Status:** {}", problem.status)),
            "{code}"
        );
    }
}

#[test]
fn the_documented_problem_is_the_one_that_is_written() {
    let document: Value = serde_json::to_value(openapi::document()).unwrap();
    let fields = |schema: &str| {
        let properties = &document["components"]["schemas"][schema]["properties"];
        let mut names: Vec<String> = properties.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    let problem = Problem {
        type_uri: "t".to_owned(),
        title: "t".to_owned(),
        status: 400,
        detail: "d".to_owned(),
        code: "c".to_owned(),
        request_id: "r".to_owned(),
        violations: vec![Violation::new("f", "v", "r", "m")],
        retry_after: Some(1),
    };
    let written = serde_json::to_value(problem).unwrap();
    let names = |value: &Value| {
        let mut names: Vec<String> = value.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(fields("Problem"), names(&written));
    assert_eq!(fields("Violation"), names(&written["violations"][0]));
}

#[test]
fn every_operation_is_summarised_and_every_schema_reference_leads_somewhere() {
    let document = openapi::document();
    for (verb, path, operation) in openapi::operations(&document) {
        assert!(
            operation.summary.is_some(),
            "{verb:?} {path} has no summary"
        );
        assert_eq!(
            operation.tags.as_ref().map(Vec::len),
            Some(1),
            "{verb:?} {path}"
        );
        assert!(
            operation.responses.responses.contains_key("default"),
            "{verb:?} {path}"
        );
    }
    let value = serde_json::to_value(&document).unwrap();
    let schemas = value["components"]["schemas"].as_object().unwrap();
    let text = value.to_string();
    let references = text.split("\"#/components/schemas/").skip(1);
    let names: Vec<&str> = references
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(names.len() > 50, "{}", names.len());
    for name in names {
        assert!(
            schemas.contains_key(name),
            "{name} is referred to and not there"
        );
    }
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_are_cached_by_tag() {
    let gateway = start().await;
    for path in ["/", "/docs", "/docs/errors"] {
        let page = gateway.get(path).await.expect(200);
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        let html = page.body.as_str().unwrap();
        assert!(
            !html.contains("http://") && !html.contains("https://"),
            "{path} names a host"
        );
        assert!(
            !html.contains("<script>") && !html.contains("style="),
            "{path} breaks its policy"
        );
        for part in html
            .split(['"', '\''])
            .filter(|part| part.starts_with("/docs/"))
        {
            let part = part.split('#').next().unwrap();
            gateway.get(part).await.expect(200);
        }
        let tag = page.header("etag").to_owned();
        let request = gateway
            .request(Method::GET, path)
            .header("if-none-match", tag);
        send(request).await.expect(304);
    }
    gateway.get("/docs/../Cargo.toml").await.expect(404);
    gateway.get("/docs/nothing.js").await.expect(404);
}

#[tokio::test]
async fn a_problem_points_to_the_page_that_explains_it() {
    let gateway = start().await;
    let problem = gateway.get("/v1/account").await.expect(401);
    let (path, anchor) = problem.body["type"]
        .as_str()
        .unwrap()
        .split_once('#')
        .unwrap();
    let page = gateway.get(path).await.expect(200);
    assert!(
        page.body
            .as_str()
            .unwrap()
            .contains(&format!("id=\"{anchor}\""))
    );
}

#[tokio::test]
async fn the_served_document_is_the_checked_in_one() {
    let gateway = start().await;
    let served = gateway.get("/openapi.json").await.expect(200);
    let kept: Value =
        serde_json::from_str(&std::fs::read_to_string(file("openapi.json")).unwrap()).unwrap();
    assert_eq!(served.body, kept);
}
