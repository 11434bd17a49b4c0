//! One application: is every wanted instance accounted for, and does the leader keep an eye on it?

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use fluxplane_core::id::NodeId;
use fluxplane_scheduler::domain::{Copy, InstanceState, Revision, Standing, case::Case};

use super::rule::{Rule, Violation};
use crate::{
    journal::short,
    plane::{Plane, Record, current},
};

/// The revision that slots without a working instance get: the current one, once its containers are known to work or
/// nothing better is known; else the newest earlier one whose containers are.
pub(super) fn goal(record: &Record) -> Option<&Revision> {
    let target = current(record).filter(|target| target.funded_at.is_some())?;
    if record.app.state.has_ended() {
        return None;
    }
    let works = |revision: &Revision| {
        let mut all = record.revisions.iter();
        let base = all.find(|other| other.number == revision.rollout);
        base.is_some_and(|base| base.proven_at.is_some() && base.failure.is_none())
    };
    let earlier = record.revisions.iter().filter(|revision| {
        revision.number < target.number
            && revision.rollout != target.rollout
            && revision.funded_at.is_some()
            && revision.dropped_at.is_none()
            && works(revision)
    });
    let stable = earlier.max_by_key(|revision| revision.number);
    stable.filter(|_| !works(target)).or(Some(target))
}

fn wanted(record: &Record) -> u32 {
    goal(record).map_or(0, |goal| goal.instances)
}

/// Copies that are wanted, and those of them that have no working node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) wanted: u32,
    pub(crate) waiting: u32,
}

pub(crate) fn count(record: &Record, plane: &Plane) -> Count {
    let wanted = wanted(record);
    let works = |copy: &&Copy| {
        let node = copy.instance.node.map(|node| plane.standing(node));
        copy.is_live() && copy.instance.slot < wanted && node.is_some_and(|s| s != Standing::Gone)
    };
    let working = record.copies.iter().filter(works).count();
    let working = u32::try_from(working).unwrap_or(u32::MAX);
    Count {
        wanted,
        waiting: wanted.saturating_sub(working),
    }
}

/// Everything that is wrong with an application at which the leader need not look now.
pub(super) fn check(record: &Record, plane: &Plane, now: DateTime<Utc>) -> Vec<Violation> {
    let mut found = Vec::new();
    let app = short(record.app.id);
    let mut wrong = |rule, text| found.push(Violation { rule, text });
    let Some(attention_at) = record.attention_at else {
        let over = |copy: &Copy| copy.instance.state.has_ended();
        if !record.app.state.has_ended() || !record.copies.iter().all(over) {
            wrong(
                Rule::Attended,
                format!("nobody will look at app {app} again"),
            );
        }
        return found;
    };
    if attention_at <= now {
        return found;
    }
    let wanted = wanted(record);
    let mut slots: BTreeMap<u32, u32> = BTreeMap::new();
    for copy in record.copies.iter().filter(|copy| copy.is_live()) {
        let instance = &copy.instance;
        *slots.entry(instance.slot).or_default() += 1;
        let works = |node: NodeId| plane.standing(node) != Standing::Gone;
        // A report from a node that is lost may overwrite the words; the decision that found no other place stays.
        let told = instance.node.is_some() || !instance.reason.is_empty();
        let reasoned = told && instance.decision.is_some() && instance.tried_at.is_some();
        if !instance.node.is_some_and(works) && !reasoned {
            let text = format!(
                "instance {} of app {app} is {} without a working node and without a reason",
                instance.slot,
                instance.state.name()
            );
            wrong(Rule::Accounted, text);
        }
    }
    for slot in 0..wanted {
        let live = slots.remove(&slot).unwrap_or(0);
        if live != 1 {
            let text = format!("slot {slot} of app {app} has {live} live instances");
            wrong(Rule::Accounted, text);
        }
    }
    for (slot, live) in slots {
        let text = format!("app {app} wants {wanted}, slot {slot} has {live} live instances");
        wrong(Rule::Accounted, text);
    }
    found
}

/// Instances that a step ended though they are wanted and nothing took their place.
pub(super) fn given_up(before: &[Copy], case: &Case, record: &Record) -> Vec<Violation> {
    let wanted = wanted(record);
    let lives = |copy: &&Copy| copy.is_live() && copy.instance.slot < wanted;
    let app = short(case.app.id);
    let mut found = Vec::new();
    for copy in before.iter().filter(lives) {
        let (id, slot) = (copy.instance.id, copy.instance.slot);
        let after = case.copies.iter().find(|after| after.instance.id == id);
        let stays = after.is_some_and(Copy::is_live);
        let replaced = case.copies.iter().any(|other| {
            other.is_live()
                && other.instance.slot == slot
                && other.instance.node.is_some()
                && other.instance.state == InstanceState::Assigned
        });
        if !stays && !replaced {
            found.push(Violation {
                rule: Rule::GivenUp,
                text: format!("instance {slot} of app {app} ended, and nothing took its place"),
            });
        }
        // An instance moves by being replaced; its own node never changes.
        let moved = after.is_some_and(|after| {
            copy.instance.node.is_some() && after.instance.node != copy.instance.node
        });
        if moved {
            found.push(Violation {
                rule: Rule::GivenUp,
                text: format!("instance {slot} of app {app} is said to be on another node"),
            });
        }
    }
    found
}
