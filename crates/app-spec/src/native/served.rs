//! What of the specification the plane carries out today.
//!
//! The schema says more than the plane does yet. A document that asks for more is good, but it is refused where it would be
//! deployed, field by field: nothing that is written down is left out in silence.

use super::{
    findings::{Findings, item, member},
    model::{
        BillingMode, Component, LoadBalancing, NativeSpec, Port, Probe, Protocol, RestartPolicy,
        Share, SpreadKey, Strategy, Update, UpdateStrategy, Volume, VolumeKind,
    },
};
use crate::{json::Value, strict::Finding};

/// Most copies of one application.
pub const MAX_COPIES: u32 = 100;

/// Longest time, in seconds, that a container gets to end: an engine that is asked to stop one answers when it has.
pub const MAX_GRACE: u64 = 100;

/// Longest time, in seconds, between two questions of a probe: what lies between good answers further apart is not charged.
pub const MAX_INTERVAL: u64 = 30;

/// The order in which placement keeps copies apart. It cannot be chosen.
const SPREAD: [SpreadKey; 4] = [
    SpreadKey::Operator,
    SpreadKey::Network,
    SpreadKey::Country,
    SpreadKey::Tier,
];

const CODE: &str = "not-served";

/// What a specification that keeps all rules asks for and the plane does not do; empty when it can be deployed.
pub fn unserved(spec: &NativeSpec) -> Vec<Finding> {
    let mut unserved = Unserved::default();
    unserved.scale(spec);
    for (name, component) in &spec.components {
        unserved.component(&member("components", name), component);
    }
    unserved.update(&spec.update);
    unserved.placement(spec);
    unserved.rest(spec);
    unserved.0.finish()
}

#[derive(Default)]
struct Unserved(Findings);

impl Unserved {
    /// `value` is shown as JSON.
    fn add(&mut self, path: &str, value: impl Into<Value>, rule: &str, remedy: &str) {
        self.0.add(path, &value.into(), CODE, rule, remedy);
    }

    fn scale(&mut self, spec: &NativeSpec) {
        if let Some(scale) = &spec.autoscale {
            let range = format!("{} to {}", scale.min, scale.max);
            let rule = "the plane keeps a fixed number of copies; it does not follow the load yet";
            self.add(
                "autoscale",
                range,
                rule,
                "write instances, and change it with `fluxctl scale`",
            );
        }
        if let Some(job) = &spec.job {
            let kinds = [
                ("batch", job.batch.is_some()),
                ("cron", job.cron.is_some()),
                ("gang", job.gang.is_some()),
            ];
            let kind = kinds
                .into_iter()
                .find_map(|(name, is)| is.then_some(name))
                .unwrap_or("job");
            let rule = "the plane keeps copies running; it does not run work that ends or that waits for all workers yet";
            self.add("job", kind, rule, "write instances");
        }
        if let Some(instances) = spec.instances.filter(|copies| *copies > MAX_COPIES) {
            let rule = format!("the plane runs at most {MAX_COPIES} copies of an application");
            let value = Value::from(f64::from(instances));
            self.0.add(
                "instances",
                &value,
                CODE,
                rule,
                "ask for fewer, or deploy it under several names",
            );
        }
    }

    fn component(&mut self, path: &str, component: &Component) {
        if let Some(gpu) = &component.gpu {
            let count = f64::from(gpu.count);
            let rule = "the plane does not know which graphics cards nodes have";
            self.add(
                &member(&member(path, "gpu"), "count"),
                count,
                rule,
                "remove gpu",
            );
        }
        for (name, port) in &component.ports {
            self.port(&member(&member(path, "ports"), name), port);
        }
        for (name, volume) in &component.volumes {
            self.volume(&member(&member(path, "volumes"), name), volume);
        }
        let probes = &component.probes;
        let named = [
            ("startup", &probes.startup),
            ("readiness", &probes.readiness),
            ("health", &probes.health),
        ];
        for (name, probe) in named {
            if let Some(probe) = probe {
                self.probe(&member(&member(path, "probes"), name), component, probe);
            }
        }
        let policy = match component.restart.policy {
            RestartPolicy::Always => None,
            RestartPolicy::OnFailure => Some("onFailure"),
            RestartPolicy::Never => Some("never"),
        };
        if let Some(policy) = policy {
            let rule = "a component that ends is started again, whatever its exit code";
            let path = member(&member(path, "restart"), "policy");
            self.add(
                &path,
                policy,
                rule,
                "leave the field out, and let the component run for ever",
            );
        }
        let stop = member(path, "stop");
        if let Some(program) = component.stop.pre_stop.first() {
            let rule = "nothing is run in a container before it is stopped";
            self.add(
                &member(&stop, "preStop"),
                program.as_str(),
                rule,
                "leave it out, and let the component tidy up when it gets its stop signal",
            );
        }
        if component.stop.grace > MAX_GRACE {
            let rule = format!("a container gets at most {MAX_GRACE}s to end");
            self.0.add(
                &member(&stop, "grace"),
                &Value::from(format!("{}s", component.stop.grace)),
                CODE,
                rule,
                format!("write {MAX_GRACE}s or less"),
            );
        }
    }

    fn port(&mut self, path: &str, port: &Port) {
        if port.protocol == Protocol::Http {
            let rule = "the plane routes no host names and makes no certificates yet";
            self.add(
                &member(path, "protocol"),
                "http",
                rule,
                "write protocol: tcp; `fluxctl app NAME` shows the address of each copy",
            );
        }
        for (place, domain) in port.domains.iter().enumerate() {
            let rule = "the plane routes no host names yet";
            self.add(
                &item(&member(path, "domains"), place),
                domain.as_str(),
                rule,
                "remove it, and point the domain at the addresses of the copies yourself",
            );
        }
        let LoadBalancing {
            strategy,
            sticky_sessions,
            timeout,
        } = port.load_balancing;
        let strategy = match strategy {
            Strategy::RoundRobin => None,
            Strategy::LeastConnections => Some("leastConnections"),
            Strategy::SourceAddress => Some("sourceAddress"),
        };
        let path = member(path, "loadBalancing");
        let rule = "clients reach each copy by its own address; nothing shares them out yet";
        let remedy = "leave loadBalancing out";
        if let Some(strategy) = strategy {
            self.add(&member(&path, "strategy"), strategy, rule, remedy);
        }
        if sticky_sessions {
            self.add(&member(&path, "stickySessions"), true, rule, remedy);
        }
        if timeout != DEFAULT_TIMEOUT {
            let value = format!("{timeout}s");
            self.add(&member(&path, "timeout"), value, rule, remedy);
        }
    }

    fn volume(&mut self, path: &str, volume: &Volume) {
        let kind = match volume.kind {
            VolumeKind::Local => None,
            VolumeKind::Synced => Some("synced"),
            VolumeKind::Exclusive => Some("exclusive"),
        };
        if let Some(kind) = kind {
            let rule = "every copy keeps its own data; nothing is copied between nodes yet";
            self.add(
                &member(path, "kind"),
                kind,
                rule,
                "write kind: local, and let the application copy what it needs",
            );
        }
        if let Some(snapshots) = &volume.snapshots {
            let rule = "the plane takes no snapshots yet";
            self.add(
                &member(path, "snapshots"),
                snapshots.schedule.as_str(),
                rule,
                "remove it, and let the application back up its data",
            );
        }
    }

    /// A probe is a question from outside, so only published ports can be asked.
    fn probe(&mut self, path: &str, component: &Component, probe: &Probe) {
        if let Some(exec) = &probe.exec {
            let program = exec.command.first().map_or("", String::as_str);
            let rule = "nothing is run in a container to see whether it works";
            self.add(
                &member(path, "exec"),
                program,
                rule,
                "ask with tcp or http, of a published port",
            );
        }
        let http = probe.http.as_ref().map(|http| ("http", http.port));
        let tcp = probe.tcp.as_ref().map(|tcp| ("tcp", tcp.port));
        if let Some((kind, asked)) = http.or(tcp) {
            let mut ports = component.ports.values();
            let is_published =
                ports.any(|port| port.container == asked && port.protocol.clashes(Protocol::Tcp));
            if !is_published {
                let rule =
                    "probes ask from outside the container, and it publishes no such tcp port";
                self.add(
                    &member(&member(path, kind), "port"),
                    f64::from(asked),
                    rule,
                    "ask a published port, or publish this one",
                );
            }
        }
        if probe.interval > MAX_INTERVAL {
            let rule =
                format!("seconds are proven between good answers at most {MAX_INTERVAL}s apart");
            self.0.add(
                &member(path, "interval"),
                &Value::from(format!("{}s", probe.interval)),
                CODE,
                rule,
                format!("write {MAX_INTERVAL}s or less"),
            );
        }
    }

    fn update(&mut self, update: &Update) {
        let strategy = match update.strategy {
            UpdateStrategy::Rolling => None,
            UpdateStrategy::Canary => Some("canary"),
            UpdateStrategy::BlueGreen => Some("blueGreen"),
        };
        if let Some(strategy) = strategy {
            let rule =
                "copies are replaced one after the other, each when the one before is healthy";
            self.add("update.strategy", strategy, rule, "write strategy: rolling");
        }
        if !update.rollback.automatic {
            let rule = "an update whose first copies do not become healthy always stops";
            self.add(
                "update.rollback.automatic",
                false,
                rule,
                "leave the field out",
            );
        }
        let failed = match update.rollback.max_failed {
            Share::Count(1) => None,
            Share::Count(count) => Some(count.to_string()),
            Share::Percent(percent) => Some(String::from(percent)),
        };
        if let Some(failed) = failed {
            let rule = "an update stops at the first copy that fails";
            self.add(
                "update.rollback.maxFailed",
                failed,
                rule,
                "leave the field out",
            );
        }
    }

    fn placement(&mut self, spec: &NativeSpec) {
        let placement = &spec.placement;
        if placement.spread != SPREAD {
            let rule =
                "copies are kept apart by operator, network, country and tier, in this order";
            self.add(
                "placement.spread",
                "another order",
                rule,
                "leave the field out",
            );
        }
        if !placement.tiers.is_empty() {
            let rule = "nodes are chosen by what is free on them, whatever their tier";
            self.add("placement.tiers", "given", rule, "leave the field out");
        }
        let operators = [
            ("allow", &placement.operators.allow),
            ("forbid", &placement.operators.forbid),
        ];
        for (field, wallets) in operators {
            if let Some(wallet) = wallets.first() {
                let rule = "nodes are not chosen by their operator";
                let path = member("placement.operators", field);
                self.add(
                    &path,
                    wallet.as_str(),
                    rule,
                    "name nodes in placement.nodes, or areas",
                );
            }
        }
        if placement.data_center {
            let rule = "the plane does not know which nodes stand in a data centre";
            self.add(
                "placement.dataCenter",
                true,
                rule,
                "leave it out, or name nodes in placement.nodes",
            );
        }
    }

    fn rest(&mut self, spec: &NativeSpec) {
        if spec.billing.renew && spec.billing.mode == BillingMode::Term {
            let rule = "a term is not renewed by itself yet";
            self.add(
                "billing.renew",
                true,
                rule,
                "leave it out, and prolong the term by an update before it ends",
            );
        }
        for (place, notification) in spec.notifications.iter().enumerate() {
            let address = notification
                .email
                .as_ref()
                .or(notification.webhook.as_ref());
            let rule = "the plane notifies nobody yet";
            self.add(
                &item("notifications", place),
                address.map_or("", String::as_str),
                rule,
                "remove it; `fluxctl events NAME -f` shows what happens",
            );
        }
        if let Some(legacy) = &spec.legacy {
            let rule = "this is a conversion, and what only FluxOS' fields say would be lost";
            self.add(
                "legacy",
                format!("version {}", legacy.version),
                rule,
                "deploy the original, or remove legacy to deploy what the other fields say",
            );
        }
    }
}

/// Seconds after which a silent instance is given up, as the schema has it.
const DEFAULT_TIMEOUT: u64 = 60;
