//! Key orders of former FluxOS releases, in which old messages were signed.

use crate::json::{Object, Value};

/// The specification in the order of former releases: up to v3 `repotag` stood before `owner`; in v7, until June 2025,
/// `secrets` stood before `repoauth`. `None` for other versions, which have only one order.
pub fn historic_order(spec: &Value) -> Option<Value> {
    const V3: f64 = 3.0;
    const V7: f64 = 7.0;
    let spec = spec.as_object()?;
    let version = spec.get("version")?.as_number()?;
    if version <= V3 {
        Some(Value::Object(repotag_before_owner(spec)))
    } else if version.to_bits() == V7.to_bits() {
        secrets_before_repoauth(spec).map(Value::Object)
    } else {
        None
    }
}

fn repotag_before_owner(spec: &Object) -> Object {
    const FIRST: [&str; 5] = ["version", "name", "description", "repotag", "owner"];
    let mut ordered = Object::default();
    for key in FIRST {
        if let Some(value) = spec.get(key) {
            ordered.set(key, value.clone());
        }
    }
    for (key, value) in spec.iter() {
        if FIRST.iter().all(|first| *key != **first) {
            ordered.set(key.clone(), value.clone());
        }
    }
    ordered
}

fn secrets_before_repoauth(spec: &Object) -> Option<Object> {
    let mut spec = spec.clone();
    let components = spec.get("compose")?.as_array()?;
    let reordered = components.iter().map(|component| {
        let mut component = component.as_object()?.clone();
        let secrets = component.remove("secrets");
        let repoauth = component.remove("repoauth");
        for (key, value) in [("secrets", secrets), ("repoauth", repoauth)] {
            if let Some(value) = value {
                component.set(key, value);
            }
        }
        Some(Value::Object(component))
    });
    let reordered = reordered.collect::<Option<Vec<_>>>()?;
    spec.set("compose", Value::Array(reordered));
    Some(spec)
}
