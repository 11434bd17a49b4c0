//! The name, scale, updates, placement, billing.

use crate::{
    geolocation::{Area, Rule, Rules},
    json::Value,
    native::{
        findings::{Findings, item, member},
        model::{BillingMode, NativeSpec, Share, UpdateStrategy},
    },
    strict::{RESERVED_NAMES, RESERVED_PREFIXES},
};

pub(super) fn check(findings: &mut Findings, spec: &NativeSpec) {
    check_name(findings, "name", &spec.name);
    for name in spec.components.keys() {
        let path = member("components", name);
        check_prefix(findings, &path, name);
    }
    check_autoscale(findings, spec);
    check_update(findings, spec);
    check_placement(findings, spec);
    check_billing(findings, spec);
    for (place, notification) in spec.notifications.iter().enumerate() {
        let path = member(&item("notifications", place), "events");
        check_unique(findings, &path, &notification.events);
    }
}

fn check_name(findings: &mut Findings, path: &str, name: &str) {
    check_prefix(findings, path, name);
    if RESERVED_NAMES.contains(&name) {
        let rule = "this name belongs to a service of the node";
        findings.add(
            path,
            &Value::from(name),
            "reserved-name",
            rule,
            "choose another name",
        );
    }
    if name.get(2..4) == Some("--") {
        let rule = "a host name with -- at this place is an encoded international name";
        findings.add(
            path,
            &Value::from(name),
            "look-alike",
            rule,
            "remove one hyphen",
        );
    }
}

fn check_prefix(findings: &mut Findings, path: &str, name: &str) {
    if let Some(prefix) = RESERVED_PREFIXES
        .iter()
        .find(|prefix| name.starts_with(**prefix))
    {
        let rule = format!("names that start with {prefix} belong to the network");
        findings.add(
            path,
            &Value::from(name),
            "reserved-name",
            rule,
            "choose another name",
        );
    }
}

fn check_autoscale(findings: &mut Findings, spec: &NativeSpec) {
    let Some(scale) = &spec.autoscale else { return };
    if scale.min > scale.max {
        let rule = format!("it must be at least min, which is {}", scale.min);
        let value = Value::from(f64::from(scale.max));
        findings.add(
            "autoscale.max",
            &value,
            "range",
            rule,
            format!("write {}", scale.min),
        );
    }
    let targets = [
        scale.cpu_percent,
        scale.memory_percent,
        scale.requests_per_second,
    ];
    if targets.iter().all(Option::is_none) {
        let rule = "a range needs a load at which the number changes";
        findings.note(
            "autoscale",
            "missing-field",
            rule,
            "add cpuPercent, memoryPercent or requestsPerSecond",
        );
    }
}

fn check_update(findings: &mut Findings, spec: &NativeSpec) {
    let update = &spec.update;
    if !update.canary_steps.is_empty() && update.strategy != UpdateStrategy::Canary {
        let rule = "steps belong to the strategy canary";
        findings.note(
            "update.canarySteps",
            "meaningless",
            rule,
            "remove them, or write strategy: canary",
        );
    }
    if !update.canary_steps.is_sorted_by(|a, b| a < b) {
        let rule = "each step must be larger than the one before";
        findings.note("update.canarySteps", "order", rule, "sort them, each once");
    }
    let is_none = match update.max_unavailable {
        Share::Count(count) => count == 0,
        Share::Percent(percent) => percent.get() == 0,
    };
    if is_none && update.strategy != UpdateStrategy::BlueGreen {
        let rule = "an update that may take no instance away never begins";
        findings.note(
            "update.maxUnavailable",
            "range",
            rule,
            "write 1, or strategy: blueGreen",
        );
    }
    if spec.job.is_some() && update.strategy != UpdateStrategy::Rolling {
        let rule = "a job is not updated while it runs: the next run takes the new revision";
        findings.note(
            "update.strategy",
            "meaningless",
            rule,
            "leave the field out",
        );
    }
}

fn check_placement(findings: &mut Findings, spec: &NativeSpec) {
    let placement = &spec.placement;
    for (path, areas) in [
        ("placement.allow", &placement.allow),
        ("placement.forbid", &placement.forbid),
    ] {
        check_unique(findings, path, areas);
    }
    check_unique(findings, "placement.spread", &placement.spread);
    check_unique(findings, "placement.tiers", &placement.tiers);
    check_unique(findings, "placement.nodes", &placement.nodes);
    let areas = |texts: &[String], rule: fn(Area) -> Rule| {
        let parsed = texts.iter().filter_map(|text| text.parse::<Area>().ok());
        parsed.map(rule).collect::<Vec<Rule>>()
    };
    let mut rules = areas(&placement.allow, Rule::Allow);
    rules.extend(areas(&placement.forbid, Rule::Forbid));
    if Rules::new(rules).forbid_everything() {
        let rule = "everything that is allowed is also forbidden, so no node is left";
        findings.note(
            "placement",
            "geolocation",
            rule,
            "remove a forbidden area or allow another one",
        );
    }
    let operators = &placement.operators;
    for (place, operator) in operators.forbid.iter().enumerate() {
        if operators.allow.contains(operator) {
            let path = item("placement.operators.forbid", place);
            let rule = "this operator is allowed and forbidden";
            findings.add(
                &path,
                &Value::from(operator.as_str()),
                "conflict",
                rule,
                "remove one of the two",
            );
        }
    }
}

fn check_unique<T: PartialEq>(findings: &mut Findings, path: &str, items: &[T]) {
    for (place, own) in items.iter().enumerate() {
        if items[..place].contains(own) {
            findings.note(
                &item(path, place),
                "duplicate",
                "it stands there twice",
                "remove one of the two",
            );
        }
    }
}

fn check_billing(findings: &mut Findings, spec: &NativeSpec) {
    let billing = &spec.billing;
    match (billing.mode, billing.term) {
        (BillingMode::Term, None) => {
            let rule = "a paid term needs its length";
            findings.note("billing.term", "missing-field", rule, "add term: 30d");
        }
        (BillingMode::PayAsYouGo, Some(_)) => {
            let rule = "pay as you go has no term";
            findings.note(
                "billing.term",
                "meaningless",
                rule,
                "remove it, or write mode: term",
            );
        }
        (BillingMode::Term, Some(_)) | (BillingMode::PayAsYouGo, None) => {}
    }
    if billing.renew && billing.mode == BillingMode::PayAsYouGo {
        let rule = "only a term can be renewed";
        findings.note(
            "billing.renew",
            "meaningless",
            rule,
            "remove it, or write mode: term",
        );
    }
}
