//! Variables, probes, restarts and the variables of a gang.

use crate::{
    json::Value,
    native::{
        findings::{Findings, member},
        model::{Component, NativeSpec, Probe, VolumeKind},
    },
};

pub(super) fn check(findings: &mut Findings, spec: &NativeSpec) {
    for (name, component) in &spec.components {
        let path = member("components", name);
        check_variables(findings, &path, component);
        check_probes(findings, &path, component);
        let restart = &component.restart;
        if restart.backoff > restart.max_backoff {
            let rule = "it must be at least backoff";
            let path = member(&member(&path, "restart"), "maxBackoff");
            findings.note(&path, "range", rule, "write the longer time here");
        }
    }
    check_rendezvous(findings, spec);
    check_job(findings, spec);
}

fn check_variables(findings: &mut Findings, path: &str, component: &Component) {
    let path = member(path, "secrets");
    for name in component.secrets.keys() {
        if component.env.contains_key(name) {
            let rule = "the variable is set in env as well";
            findings.note(
                &member(&path, name),
                "duplicate",
                rule,
                "remove one of the two",
            );
        }
    }
}

fn check_probes(findings: &mut Findings, path: &str, component: &Component) {
    let path = member(path, "probes");
    let probes = &component.probes;
    let named = [
        ("startup", &probes.startup),
        ("readiness", &probes.readiness),
        ("health", &probes.health),
    ];
    for (name, probe) in named {
        let Some(probe) = probe else { continue };
        let path = member(&path, name);
        check_probe(findings, &path, probe);
        // Only readiness waits for several good answers; a restarted or starting container is judged anew.
        if name != "readiness" && probe.successes > 1 {
            let rule = "one good answer suffices for this probe";
            findings.note(
                &member(&path, "successes"),
                "range",
                rule,
                "leave the field out",
            );
        }
    }
}

fn check_probe(findings: &mut Findings, path: &str, probe: &Probe) {
    if probe.timeout > probe.interval {
        let rule = "an answer must not take longer than the time to the next question";
        findings.note(
            &member(path, "timeout"),
            "range",
            rule,
            "write at most the interval",
        );
    }
    if probe
        .exec
        .as_ref()
        .is_some_and(|exec| exec.command.is_empty())
    {
        let path = member(&member(path, "exec"), "command");
        findings.note(
            &path,
            "missing-field",
            "there is no program to run",
            "name the program and its arguments",
        );
    }
}

/// The variables of a gang are set by the plane, so nobody else may.
fn check_rendezvous(findings: &mut Findings, spec: &NativeSpec) {
    let Some(gang) = spec.job.as_ref().and_then(|job| job.gang.as_ref()) else {
        return;
    };
    let own = &gang.rendezvous;
    let names = [
        ("addressVariable", &own.address_variable),
        ("portVariable", &own.port_variable),
        ("rankVariable", &own.rank_variable),
        ("sizeVariable", &own.size_variable),
    ];
    for (place, (field, name)) in names.iter().enumerate() {
        let path = member("job.gang.rendezvous", field);
        let value = Value::from(name.as_str());
        if names[..place].iter().any(|(_, other)| other == name) {
            let rule = "each variable needs its own name";
            findings.add(&path, &value, "duplicate", rule, "rename one of the two");
        }
        let sets = |component: &Component| {
            component.env.contains_key(*name) || component.secrets.contains_key(*name)
        };
        if spec.components.values().any(sets) {
            let rule = "the plane sets this variable in every worker, and a component sets it too";
            findings.add(
                &path,
                &value,
                "conflict",
                rule,
                "remove it from env or secrets",
            );
        }
    }
}

fn check_job(findings: &mut Findings, spec: &NativeSpec) {
    let Some(job) = &spec.job else { return };
    if let Some(batch) = &job.batch
        && batch.parallelism > batch.completions
    {
        let rule = "more runs at once than there are";
        let value = Value::from(f64::from(batch.parallelism));
        findings.add(
            "job.batch.parallelism",
            &value,
            "range",
            rule,
            format!("write {}", batch.completions),
        );
    }
    for (name, component) in &spec.components {
        let volumes = component.volumes.iter();
        for (volume, _) in volumes.filter(|(_, volume)| volume.kind == VolumeKind::Exclusive) {
            let path = member(&member(&member("components", name), "volumes"), volume);
            let rule = "the instances of a job run at the same time, so none may wait for another one's volume";
            findings.note(&path, "conflict", rule, "make it local or synced");
        }
    }
}
