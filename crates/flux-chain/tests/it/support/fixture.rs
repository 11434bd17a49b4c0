//! The data files under `tests/fixtures` at the root of the repository.

use std::{path::Path, sync::LazyLock};

use fluxplane_flux_chain::{Hash256, OutPoint};
use serde_json::Value;

pub(crate) fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures")
        .join(name);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

pub(crate) static VECTORS: LazyLock<Value> = LazyLock::new(|| read("fluxd-vectors.json"));
pub(crate) static SHAPES: LazyLock<Value> = LazyLock::new(|| read("fluxd-rpc-shapes.json"));
pub(crate) static NODES: LazyLock<Value> = LazyLock::new(|| read("fluxd-regtest-nodes.json"));

pub(crate) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no text {field} in {value}"))
}

pub(crate) fn number(value: &Value, field: &str) -> u64 {
    value[field]
        .as_u64()
        .unwrap_or_else(|| panic!("no number {field} in {value}"))
}

pub(crate) fn small(value: &Value, field: &str) -> u32 {
    u32::try_from(number(value, field)).unwrap()
}

pub(crate) fn bytes(value: &Value, field: &str) -> Vec<u8> {
    hex::decode(text(value, field)).unwrap()
}

pub(crate) fn hash(value: &Value, field: &str) -> Hash256 {
    text(value, field).parse().unwrap()
}

pub(crate) fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field]
        .as_array()
        .unwrap_or_else(|| panic!("no list {field} in {value}"))
}

pub(crate) fn outpoint(value: &Value) -> OutPoint {
    OutPoint::new(hash(value, "txid"), small(value, "n"))
}

/// The entry of a list whose `name` is this.
pub(crate) fn named<'v>(list: &'v [Value], name: &str) -> &'v Value {
    list.iter()
        .find(|entry| entry["name"] == name)
        .unwrap_or_else(|| panic!("no entry named {name}"))
}
