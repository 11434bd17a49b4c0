//! What holds once nothing goes wrong any more: the world is as wanted.

use std::collections::{BTreeMap, BTreeSet};

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_scheduler::domain::{AppState, Copy, InstanceState, Standing, observe::Phase};

use super::{application, books::Books, decision};
use crate::{
    journal::short,
    machine::Machine,
    plane::{Plane, Record, current},
};

/// The first thing that is not as wanted.
pub(super) fn unsettled(
    books: &Books,
    machines: &BTreeMap<NodeId, Machine>,
    plane: &Plane,
) -> Option<String> {
    let by_machine = machines.values().filter(|machine| !machine.left);
    let mut by_machine = by_machine.filter_map(|machine| machine_unsettled(machine, plane));
    let mut by_app = plane
        .apps
        .values()
        .filter_map(|record| app_unsettled(record, books, machines, plane));
    by_machine.next().or_else(|| by_app.next())
}

fn machine_unsettled(machine: &Machine, plane: &Plane) -> Option<String> {
    let id = machine.id();
    let node = short(id);
    if machine.silence.is_some() {
        return Some(format!("node {node} is still silent"));
    }
    let wanted = plane.wanted(id);
    let wanted: BTreeSet<InstanceId> = wanted.instances.iter().map(|w| w.instance).collect();
    let runs: BTreeSet<InstanceId> = machine.containers.keys().copied().collect();
    let odd: Vec<InstanceId> = wanted.symmetric_difference(&runs).copied().collect();
    let first = odd.first()?;
    let what = if wanted.contains(first) {
        "shall run"
    } else {
        "still runs"
    };
    Some(format!("node {node} {what} instance {}", short(*first)))
}

fn app_unsettled(
    record: &Record,
    books: &Books,
    machines: &BTreeMap<NodeId, Machine>,
    plane: &Plane,
) -> Option<String> {
    let app = short(record.app.id);
    for copy in &record.copies {
        if let Some(text) = copy_unsettled(copy, machines, plane) {
            return Some(format!("app {app}: {text}"));
        }
    }
    let target = current(record)?;
    if record.app.state.has_ended() || target.funded_at.is_none() {
        return None;
    }
    if application::count(record, plane).waiting > 0 {
        let goal = application::goal(record)?;
        let workload = record.workloads.get(&goal.number)?;
        let free = decision::anywhere(books, &workload.request(record.app.id, 1))?;
        return Some(format!(
            "app {app} waits though node {} could take it",
            short(free)
        ));
    }
    let serves = |copy: &&Copy| copy.is_live() && copy.rollout == target.rollout;
    let current = record.copies.iter().filter(serves).count();
    let all = u32::try_from(current).unwrap_or(u32::MAX) >= target.instances;
    let healthy = record
        .copies
        .iter()
        .filter(|copy| copy.is_live())
        .all(|copy| copy.instance.state == InstanceState::Healthy);
    let running = record.app.state == AppState::Running;
    (works(record) && all && healthy && !running).then(|| {
        format!(
            "app {app} is {} though all its instances are healthy: {}",
            record.app.state.name(),
            record.app.state_reason
        )
    })
}

/// Whether the rollout of the current containers was not stopped.
fn works(record: &Record) -> bool {
    let target = current(record);
    let base = target.and_then(|target| {
        let mut all = record.revisions.iter();
        all.find(|revision| revision.number == target.rollout)
    });
    base.is_some_and(|base| base.failure.is_none())
}

fn copy_unsettled(
    copy: &Copy,
    machines: &BTreeMap<NodeId, Machine>,
    plane: &Plane,
) -> Option<String> {
    let instance = &copy.instance;
    let node = instance.node?;
    let machine = machines.get(&node)?;
    let (id, state) = (short(instance.id), instance.state.name());
    if machine.left {
        return (copy.is_live() && plane.standing(node) != Standing::Gone)
            .then(|| format!("instance {id} is {state} on a node that left"));
    }
    if !copy.is_live() {
        return Some(format!("instance {id} is {state} and still takes room"));
    }
    let container = machine.containers.get(&instance.id)?;
    let agrees = match container.phase {
        Phase::Pulling => instance.state == InstanceState::Pulling,
        Phase::Starting => instance.state == InstanceState::Starting,
        Phase::Healthy => instance.state == InstanceState::Healthy,
        Phase::Unhealthy | Phase::Stopped => instance.state == InstanceState::Unhealthy,
        Phase::Failed => instance.state == InstanceState::Failed,
    };
    let waits = plane.standing(node) == Standing::Gone;
    (!agrees && !waits).then(|| {
        format!(
            "instance {id} is {state}, its node runs it {:?}",
            container.phase
        )
    })
}
