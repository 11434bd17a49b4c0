//! What really runs, and how nodes are judged.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::{
    Resources,
    id::{AppId, InstanceId, NodeId},
};

use super::rule::{Rule, Violation};
use crate::{journal::short, machine::Machine, plane::Plane, scenario::LIVENESS};

/// Silence that makes a suspect.
const SUSPECT_AFTER: TimeDelta = TimeDelta::seconds(15);

/// Everything that is wrong with what a machine runs.
pub(super) fn check(machine: &Machine, plane: &Plane) -> Vec<Violation> {
    let mut found = Vec::new();
    let (id, node) = (machine.id(), short(machine.id()));
    let mut wrong = |rule, text| found.push(Violation { rule, text });
    let mut apps: BTreeSet<AppId> = BTreeSet::new();
    let mut used = Resources::ZERO;
    for (instance, container) in &machine.containers {
        let app = short(container.app);
        if !apps.insert(container.app) {
            wrong(
                Rule::OneCopyPerNode,
                format!("node {node} runs app {app} twice"),
            );
        }
        if !plane.holds_room(container.app, *instance, id) {
            let text = format!(
                "node {node} runs instance {} of app {app}, which takes no room there",
                short(*instance)
            );
            wrong(Rule::Unreserved, text);
        }
        used = used
            .checked_add(container.resources)
            .expect("sums of what applications ask for fit 64 bits");
    }
    if !machine.most.covers(used) {
        let text = format!(
            "node {node} runs {used}, it never had more than {}",
            machine.most
        );
        wrong(Rule::Capacity, text);
    }
    found
}

/// A machine stops a container: the plane must have ended it.
pub(super) fn stops(machine: &Machine, instance: InstanceId, plane: &Plane) -> Option<Violation> {
    let app = machine.containers.get(&instance)?.app;
    let record = plane.apps.get(&app)?;
    let mut copies = record.copies.iter();
    let wanted = copies.any(|copy| {
        copy.instance.id == instance && copy.is_live() && copy.instance.node == Some(machine.id())
    });
    wanted.then(|| Violation {
        rule: Rule::SilenceKeeps,
        text: format!(
            "node {} stops instance {} of app {}, which the plane wants there",
            short(machine.id()),
            short(instance),
            short(app)
        ),
    })
}

/// What ran when the plane fell silent.
#[derive(Debug, Default)]
pub(super) struct Witness {
    since: Option<DateTime<Utc>>,
    ran: Vec<(NodeId, InstanceId)>,
}

impl Witness {
    pub(super) fn look(&mut self, machines: &BTreeMap<NodeId, Machine>, now: DateTime<Utc>) {
        self.since = Some(now);
        self.ran.clear();
        for machine in machines.values() {
            // What the machine is told already, it may still do.
            let told = machine.wanted.instances.iter();
            let told: BTreeSet<InstanceId> = told.map(|wanted| wanted.instance).collect();
            let runs = machine.containers.keys().filter(|id| told.contains(id));
            self.ran.extend(runs.map(|id| (machine.id(), *id)));
        }
    }

    /// Looks again, before the plane says anything new.
    pub(super) fn compare(&mut self, machines: &BTreeMap<NodeId, Machine>) -> Vec<Violation> {
        let Some(since) = self.since.take() else {
            return Vec::new();
        };
        let missing = self.ran.drain(..).filter(|(node, instance)| {
            machines.get(node).is_none_or(|machine| {
                let wanted = machine.wanted.instances.iter();
                let told = wanted
                    .map(|wanted| wanted.instance)
                    .any(|id| id == *instance);
                let powered = !machine.off() && machine.off_at.is_none_or(|at| at < since);
                let runs = machine.containers.contains_key(instance);
                powered && told && !runs
            })
        });
        missing
            .map(|(node, instance)| Violation {
                rule: Rule::SilenceKeeps,
                text: format!(
                    "instance {} ran on node {} when the plane fell silent, and is gone",
                    short(instance),
                    short(node)
                ),
            })
            .collect()
    }
}

/// Nodes that were declared lost, against the silence that really was.
pub(super) fn judged(
    lost: &[NodeId],
    machines: &BTreeMap<NodeId, Machine>,
    listening_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Violation> {
    if lost.is_empty() {
        return Vec::new();
    }
    let unheard = |machine: &Machine| {
        let silence = machine.silence?;
        Some(now - silence.last_beat.max(listening_since))
    };
    let silent = |machine: &&Machine| unheard(machine).is_some_and(|time| time >= SUSPECT_AFTER);
    // Those that are lost now were watched a moment ago.
    let watched = || {
        let all = machines.values();
        all.filter(|machine| machine.is_watched() || lost.contains(&machine.id()))
    };
    let mut found = Vec::new();
    let (all, mute) = (watched().count(), watched().filter(silent).count());
    let share = usize::try_from(LIVENESS.mass_silence_percent).unwrap_or(100);
    if mute >= 5 && mute * 100 > all * share {
        found.push(Violation {
            rule: Rule::FairlyJudged,
            text: format!(
                "{mute} of {all} nodes are silent, and {} are lost",
                lost.len()
            ),
        });
    }
    for id in lost {
        let machine = machines.get(id);
        if !machine.is_some_and(|machine| silent(&machine)) {
            let heard = machine.and_then(unheard).map_or_else(
                || "it beats".to_owned(),
                |time| format!("it is unheard for {} ms", time.num_milliseconds()),
            );
            found.push(Violation {
                rule: Rule::FairlyJudged,
                text: format!("node {} is declared lost; {heard}", short(*id)),
            });
        }
    }
    found
}
