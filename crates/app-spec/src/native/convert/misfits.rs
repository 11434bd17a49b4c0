//! What a version of FluxOS has no field for.

use super::{Misfit, import::BLOCK_SECONDS, plain};
use crate::{
    legacy::LegacyVersion,
    native::model::{BillingMode, Component, NativeSpec, Port, Probes, Volume},
};

/// Collects misfits.
pub(super) struct Misfits {
    pub(super) version: LegacyVersion,
    pub(super) list: Vec<Misfit>,
}

impl Misfits {
    pub(super) const fn new(version: LegacyVersion) -> Self {
        let list = Vec::new();
        Self { version, list }
    }

    pub(super) fn add(&mut self, path: &str, reason: &str) {
        let (path, reason) = (path.to_owned(), reason.to_owned());
        self.list.push(Misfit { path, reason });
    }

    fn unless(&mut self, fits: bool, path: &str, reason: &str) {
        if !fits {
            self.add(path, reason);
        }
    }

    /// Something that came with a later version, or never.
    fn since(&mut self, is_used: bool, first: LegacyVersion, path: &str) {
        if is_used && self.version < first {
            let reason = format!("{} has no such field; it came with {first}", self.version);
            self.add(path, &reason);
        }
    }

    pub(super) fn check_app(&mut self, spec: &NativeSpec) {
        self.unless(
            spec.autoscale.is_none(),
            "autoscale",
            "FluxOS runs a fixed number of instances",
        );
        self.unless(spec.job.is_none(), "job", "FluxOS runs services only");
        self.unless(
            spec.update == *plain::UPDATE,
            "update",
            "every node of FluxOS updates by itself, without an order",
        );
        let placement = &spec.placement;
        let plain = &plain::PLACEMENT;
        self.unless(
            placement.spread == plain.spread,
            "placement.spread",
            "FluxOS picks nodes at random",
        );
        self.unless(
            placement.tiers.is_empty(),
            "placement.tiers",
            "FluxOS has no choice of tiers",
        );
        self.unless(
            placement.operators == plain.operators,
            "placement.operators",
            "FluxOS has no choice of operators",
        );
        self.unless(
            placement.max_price.is_none(),
            "placement.maxPrice",
            "FluxOS has one price for all nodes",
        );
        let has_areas = !placement.allow.is_empty() || !placement.forbid.is_empty();
        self.since(has_areas, LegacyVersion::V5, "placement");
        self.since(
            !placement.nodes.is_empty(),
            LegacyVersion::V7,
            "placement.nodes",
        );
        self.since(placement.static_ip, LegacyVersion::V7, "placement.staticIp");
        self.since(
            placement.data_center,
            LegacyVersion::V8,
            "placement.dataCenter",
        );
        self.check_billing(spec);
        for (place, notification) in spec.notifications.iter().enumerate() {
            let path = format!("notifications[{place}]");
            self.since(true, LegacyVersion::V5, &path);
            self.unless(
                notification.webhook.is_none(),
                &path,
                "FluxOS notifies by e-mail only",
            );
            self.unless(
                notification.events.is_empty(),
                &path,
                "FluxOS has no choice of events",
            );
        }
        if self.version < LegacyVersion::V3 && spec.instances.is_some_and(|count| count != 3) {
            let reason = format!("{} always runs 3 instances", self.version);
            self.add("instances", &reason);
        }
    }

    fn check_billing(&mut self, spec: &NativeSpec) {
        let billing = &spec.billing;
        let is_term = billing.mode == BillingMode::Term;
        self.unless(
            is_term,
            "billing.mode",
            "FluxOS is paid for a term in advance",
        );
        self.unless(
            !billing.renew,
            "billing.renew",
            "FluxOS does not renew a term by itself",
        );
        let fits = billing
            .term
            .is_none_or(|term| term.is_multiple_of(BLOCK_SECONDS));
        self.unless(
            fits,
            "billing.term",
            "FluxOS counts terms in blocks of 30 seconds; write a multiple of 30s",
        );
    }

    /// v1..v3 have one container.
    pub(super) fn check_single(&mut self, spec: &NativeSpec) {
        let reason = format!(
            "{} has one container; it came with v4 that there are several",
            self.version
        );
        self.unless(spec.components.len() == 1, "components", &reason);
        for (name, component) in &spec.components {
            let path = format!("components.{name}.description");
            self.since(!component.description.is_empty(), LegacyVersion::V4, &path);
            if self.version == LegacyVersion::V1 {
                let path = format!("components.{name}.ports");
                self.unless(component.ports.len() <= 1, &path, "v1 has one port");
                let has_domain = component
                    .ports
                    .values()
                    .any(|port| !port.domains.is_empty());
                self.since(has_domain, LegacyVersion::V2, &path);
            }
        }
    }

    pub(super) fn check_component(&mut self, name: &str, component: &Component) {
        let path = format!("components.{name}");
        let at = |field: &str| format!("{path}.{field}");
        let plain = &plain::COMPONENT;
        self.unless(
            component.registry_credentials.is_none(),
            &at("registryCredentials"),
            "FluxOS takes credentials in encrypted specifications only",
        );
        self.unless(
            component.command.is_empty(),
            &at("command"),
            "FluxOS can set the arguments, not the entry point",
        );
        self.unless(
            component.secrets.is_empty(),
            &at("secrets"),
            "FluxOS has no store of secrets",
        );
        self.unless(
            component.gpu.is_none(),
            &at("gpu"),
            "FluxOS gives no graphics cards to containers",
        );
        self.unless(
            component.probes == Probes::default(),
            &at("probes"),
            "FluxOS does not probe",
        );
        self.unless(
            component.restart == plain.restart,
            &at("restart"),
            "FluxOS always restarts, at its own pace",
        );
        self.unless(
            component.stop == plain.stop,
            &at("stop"),
            "FluxOS stops with SIGTERM and its own grace time",
        );
        for (port, own) in &component.ports {
            self.check_port(&format!("{path}.ports.{port}"), own);
        }
        for (volume, own) in &component.volumes {
            self.check_volume(&format!("{path}.volumes.{volume}"), own);
        }
    }

    fn check_port(&mut self, path: &str, port: &Port) {
        let plain = &plain::PORT;
        self.unless(
            port.host.is_some(),
            &format!("{path}.host"),
            "FluxOS needs the port of the node; choose one",
        );
        let is_plain = port.load_balancing == plain.load_balancing;
        self.unless(
            is_plain,
            &format!("{path}.loadBalancing"),
            "FluxOS has its own load balancing",
        );
    }

    fn check_volume(&mut self, path: &str, volume: &Volume) {
        self.unless(
            volume.size.is_none(),
            &format!("{path}.size"),
            "FluxOS gives a component one size for all",
        );
        self.unless(
            !volume.read_only,
            &format!("{path}.readOnly"),
            "FluxOS mounts everything for writing",
        );
        self.unless(
            volume.snapshots.is_none(),
            &format!("{path}.snapshots"),
            "FluxOS makes no snapshots",
        );
    }
}
