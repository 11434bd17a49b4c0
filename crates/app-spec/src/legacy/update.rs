//! What an update may change and what it does to running instances (`validateApplicationUpdateCompatibility` of
//! `advancedWorkflows.js`, `isExpireOnlyUpdate` of `messageVerifier.js`).

use super::spec::{Body, Component, LegacySpec};
use crate::json::{JsString, Object, Value, number_text};

/// An update that FluxOS refuses, with its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UpdateRejection(pub String);

/// What an update does to the instances that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Restart {
    /// Nothing is restarted.
    None,
    /// Containers are replaced, volumes are kept.
    Soft,
    /// Containers and volumes are replaced: data is lost.
    Hard,
}

/// Whether `new` may replace `old`. The names are the same; who signed is another question.
///
/// # Errors
/// With FluxOS' text.
pub fn check_update(old: &LegacySpec, new: &LegacySpec) -> Result<(), UpdateRejection> {
    const LATEST: f64 = 8.0;
    #[expect(clippy::float_cmp, reason = "JavaScript compares versions with ===")]
    if old.version != new.version && new.version != LATEST {
        return reject(format!(
            "Application update rejected: Version changes are only allowed when updating to version 8 (current latest supported version). Current version: {}, Attempted version: {}. To update this application, please use version 8 specifications.",
            number_text(old.version),
            number_text(new.version),
        ));
    }
    match (&old.body, &new.body) {
        // From v8 on the list of components is free.
        (Body::Compose(old), Body::Compose(list)) if new.version < LATEST => {
            check_components(&new.name, old, list)
        }
        (Body::Compose(_), Body::Single(_)) => reject(format!(
            "Application update rejected: Cannot downgrade \"{}\" from v4+ to v{new_version}. Version rollbacks from v4+ specifications to older versions (v1-3) are not permitted. Current version: v{}, Attempted version: v{new_version}.",
            new.name,
            number_text(old.version),
            new_version = number_text(new.version),
        )),
        (Body::Single(old), Body::Single(single)) if old.repotag != single.repotag => {
            reject(format!(
                "Application update rejected: Cannot change Docker image repository/tag for v1-3 application \"{}\". Previous repotag: \"{}\", New repotag: \"{}\". Repository tag changes are only allowed for v4+ applications. Consider upgrading to v4+ specification format.",
                new.name, old.repotag, single.repotag,
            ))
        }
        (_, Body::Compose(_)) | (Body::Single(_), Body::Single(_)) => Ok(()),
    }
}

fn check_components(
    name: &JsString,
    old: &[Component],
    new: &[Component],
) -> Result<(), UpdateRejection> {
    if old.len() != new.len() {
        return reject(format!(
            "Application update rejected: Cannot change the number of components for \"{name}\". Previous version has {} component(s), new version has {}. Component count must remain constant for v4+ applications.",
            old.len(),
            new.len(),
        ));
    }
    for component in old {
        if new.iter().all(|other| other.name != component.name) {
            let own = component.name.as_ref().map(JsString::to_text);
            return reject(format!(
                "Application update rejected: Component \"{}\" not found in new specification for \"{name}\". Component names must remain constant. Previous components: [{}], New components: [{}]. Note: Docker image tags (repotag) can be changed, but component names cannot.",
                own.as_deref().unwrap_or("undefined"),
                names(old),
                names(new),
            ));
        }
    }
    Ok(())
}

fn names(components: &[Component]) -> String {
    let names: Vec<_> = components
        .iter()
        .map(|component| {
            component
                .name
                .as_ref()
                .map(JsString::to_text)
                .unwrap_or_default()
        })
        .collect();
    names.join(", ")
}

fn reject(text: String) -> Result<(), UpdateRejection> {
    Err(UpdateRejection(text))
}

impl Restart {
    /// What replacing `old` by `new` does.
    ///
    /// An encrypted part cannot be compared: a new one counts as a change that keeps volumes.
    pub fn between(old: &LegacySpec, new: &LegacySpec) -> Self {
        if only_harmless_changes(old, new) {
            return Self::None;
        }
        let keeps_volumes = match (&old.body, &new.body) {
            (Body::Single(old), Body::Single(new)) => {
                old.hardware.hdd.to_bits() == new.hardware.hdd.to_bits()
                    && disks(old.tiers.as_ref()) == disks(new.tiers.as_ref())
            }
            (Body::Compose(old), Body::Compose(new)) => {
                old.len() == new.len()
                    && old.iter().all(|component| {
                        new.iter().any(|other| {
                            other.name == component.name && same_disk(component, other)
                        })
                    })
            }
            (Body::Single(_), Body::Compose(_)) | (Body::Compose(_), Body::Single(_)) => false,
        };
        if keeps_volumes {
            Self::Soft
        } else {
            Self::Hard
        }
    }
}

/// Whether only description, term, instances, owner and contacts differ.
fn only_harmless_changes(old: &LegacySpec, new: &LegacySpec) -> bool {
    let neutral = LegacySpec {
        description: old.description.clone(),
        expire: old.expire,
        instances: old.instances,
        owner: old.owner.clone(),
        contacts: old.contacts.clone(),
        ..new.clone()
    };
    neutral == *old
}

fn same_disk(old: &Component, new: &Component) -> bool {
    old.hardware.hdd.to_bits() == new.hardware.hdd.to_bits()
        && disks(old.tiers.as_ref()) == disks(new.tiers.as_ref())
}

fn disks(tiers: Option<&super::spec::Tiers>) -> Option<[u64; 3]> {
    tiers.map(|tiers| {
        [tiers.cumulus, tiers.nimbus, tiers.stratus].map(|hardware| hardware.hdd.to_bits())
    })
}

/// Whether two specifications are the same but for the term. The encrypted part is left out, because encrypting again
/// changes it; height and hash are what FluxOS adds to a stored row.
pub fn only_expire_differs(old: &Value, new: &Value) -> bool {
    const IGNORED: [&str; 4] = ["expire", "height", "hash", "enterprise"];
    let rest = |object: &Object| -> Object {
        let is_kept = |key: &JsString| !IGNORED.iter().any(|ignored| *key == **ignored);
        let members = object.iter().filter(|(key, _)| is_kept(key));
        members
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => same_object(&rest(old), &rest(new)),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => false,
    }
}

/// Equality that ignores the order of keys.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => same_object(a, b),
        (
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
            _,
        ) => a == b,
    }
}

fn same_object(a: &Object, b: &Object) -> bool {
    a.len() == b.len()
        && a.iter().all(|(key, value)| {
            b.iter()
                .any(|(other, theirs)| other == key && same(value, theirs))
        })
}
