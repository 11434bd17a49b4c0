//! A plane, a chain node and a settled epoch for tests, and the program itself.

pub(crate) mod chain_node;
pub(crate) mod cli;
pub(crate) mod plane;
pub(crate) mod sample;
pub(crate) mod settlement;
pub(crate) mod shop;

pub(crate) use chain_node::ChainNode;
pub(crate) use cli::{Cli, Run};
pub(crate) use plane::Plane;
pub(crate) use shop::Shop;

/// A committed fixture.
pub(crate) fn fixture(name: &str) -> serde_json::Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/");
    let text = std::fs::read(format!("{path}{name}")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Documents, one a line.
pub(crate) fn lines_of<T: ToString>(documents: impl IntoIterator<Item = T>) -> String {
    let lines: Vec<String> = documents
        .into_iter()
        .map(|one| one.to_string() + "\n")
        .collect();
    lines.concat()
}
