//! Volumes: where they appear, whose they are, and that they fit on the disk.

use std::collections::BTreeMap;

use crate::{
    json::Value,
    native::{
        findings::{Findings, member},
        model::{Component, NativeSpec, Source, Volume, VolumeKind},
    },
};

pub(super) fn check(findings: &mut Findings, spec: &NativeSpec) {
    for (name, component) in &spec.components {
        let path = member("components", name);
        check_sizes(findings, &path, component);
        let path = member(&path, "volumes");
        let mut paths: BTreeMap<&str, &str> = BTreeMap::new();
        for (volume_name, volume) in &component.volumes {
            let path = member(&path, volume_name);
            let place = volume.path.trim_end_matches('/');
            if let Some(other) = paths.insert(place, volume_name) {
                let rule = format!("{other} appears at this path already");
                findings.add(
                    &member(&path, "path"),
                    &Value::from(volume.path.as_str()),
                    "duplicate",
                    rule,
                    "give every volume its own path",
                );
            }
            check_volume(findings, &path, volume);
            if let Some(source) = &volume.source {
                check_source(findings, &path, name, source, spec);
            }
        }
    }
}

fn check_sizes(findings: &mut Findings, path: &str, component: &Component) {
    let sizes = component.volumes.values().filter_map(|volume| volume.size);
    let sum = sizes.fold(0_u64, u64::saturating_add);
    if sum > component.disk {
        let rule = format!("the volumes take {sum}Mi, which is more than the disk");
        findings.note(
            &member(path, "disk"),
            "range",
            rule,
            "enlarge the disk or make the volumes smaller",
        );
    }
}

fn check_volume(findings: &mut Findings, path: &str, volume: &Volume) {
    let mut meaningless = |field: &str, rule: &str, remedy: &str| {
        findings.note(&member(path, field), "meaningless", rule, remedy);
    };
    if volume.start_after_sync && volume.kind != VolumeKind::Synced {
        meaningless(
            "startAfterSync",
            "only a synced volume is received from other instances",
            "remove it, or write kind: synced",
        );
    }
    if volume.file && volume.kind != VolumeKind::Local {
        meaningless(
            "file",
            "folders are synced, not single files",
            "use a folder, or write kind: local",
        );
    }
    if volume.source.is_some() {
        let rule = "it belongs to the volume that the source names";
        if volume.kind != VolumeKind::Local {
            meaningless("kind", rule, "set it there");
        }
        if volume.size.is_some() {
            meaningless("size", rule, "set it there");
        }
        if volume.snapshots.is_some() {
            meaningless("snapshots", rule, "set them there");
        }
        if volume.file {
            meaningless("file", rule, "set it there");
        }
    }
}

fn check_source(
    findings: &mut Findings,
    path: &str,
    own: &str,
    source: &Source,
    spec: &NativeSpec,
) {
    let path = member(path, "source");
    let Source { component, volume } = source;
    if component == own {
        let rule = "a component has its own volumes without a source";
        findings.add(
            &member(&path, "component"),
            &Value::from(component.as_str()),
            "reference",
            rule,
            "name another component",
        );
        return;
    }
    let Some(other) = spec.components.get(component) else {
        let rule = "there is no such component";
        let names: Vec<&str> = spec.components.keys().map(String::as_str).collect();
        let remedy = format!("write one of {}", names.join(", "));
        findings.add(
            &member(&path, "component"),
            &Value::from(component.as_str()),
            "reference",
            rule,
            remedy,
        );
        return;
    };
    match other.volumes.get(volume) {
        None => {
            let rule = format!("the component {component} has no such volume");
            findings.add(
                &member(&path, "volume"),
                &Value::from(volume.as_str()),
                "reference",
                rule,
                "name a volume of that component",
            );
        }
        Some(other) if other.source.is_some() => {
            let rule = "that volume has a source itself";
            findings.add(
                &member(&path, "volume"),
                &Value::from(volume.as_str()),
                "reference",
                rule,
                "name the volume it comes from",
            );
        }
        Some(_) => {}
    }
}
