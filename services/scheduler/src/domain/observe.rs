//! What a node's report makes of the instances that the node has or had.
//!
//! A report is the full set of what a node runs, as of one version of its desired state. So absence says something too:
//! an instance that left the desired state before that version and is not in the report is gone.

use chrono::{DateTime, Utc};
use fluxplane_core::id::{InstanceId, NodeId};

use super::{Entry, Instance, InstanceState, Stage};

/// Longest cause that is kept, in characters.
const MAX_REASON: usize = 500;

/// What a node says of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Pulling,
    Starting,
    Healthy,
    Unhealthy,
    Failed,
    Stopped,
}

/// One instance in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    pub instance: InstanceId,
    pub epoch: u64,
    pub phase: Phase,
    /// The true cause when failed or unhealthy.
    pub reason: String,
}

/// Everything a node runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub node: NodeId,
    /// Version of the desired state that the node has acted on.
    pub desired_version: u64,
    pub instances: Vec<Observed>,
    /// When the registry received it.
    pub received_at: DateTime<Utc>,
}

impl Report {
    fn of(&self, instance: InstanceId) -> Option<&Observed> {
        self.instances
            .iter()
            .find(|observed| observed.instance == instance)
    }
}

/// An instance after a report, if the report changes anything, and what to tell of it.
pub fn observe(
    instance: &Instance,
    number: u32,
    report: &Report,
    now: DateTime<Utc>,
) -> Option<(Instance, Vec<Entry>)> {
    if instance.node != Some(report.node) || instance.released_at.is_some() {
        return None;
    }
    if instance
        .observed_at
        .is_some_and(|at| at > report.received_at)
    {
        return None;
    }
    let observed = report.of(instance.id);
    let mut after = instance.clone();
    let mut view = View {
        after: &mut after,
        number,
        now,
        entries: Vec::new(),
    };
    if instance.state.is_live() {
        view.live(observed, report.desired_version);
    } else {
        view.leaving(observed, report.desired_version);
    }
    let entries = view.entries;
    if after == *instance {
        return None;
    }
    after.observed_at = Some(report.received_at);
    Some((after, entries))
}

struct View<'a> {
    after: &'a mut Instance,
    number: u32,
    now: DateTime<Utc>,
    entries: Vec<Entry>,
}

impl View<'_> {
    fn live(&mut self, observed: Option<&Observed>, desired_version: u64) {
        let told = self
            .after
            .told_version
            .is_some_and(|version| version <= desired_version);
        if told && self.after.told_at.is_none() {
            self.after.told_at = Some(self.now);
            self.tell(Stage::Told, "the node acts on it");
        }
        match observed {
            // Of an assignment that is over, or one that this plane never made.
            Some(observed) if observed.epoch != self.after.epoch => {}
            Some(observed) => self.phase(observed),
            // It was running, and the node that shall run it does not mention it.
            None if told && is_reported(self.after.state) => {
                self.enter(
                    InstanceState::Unhealthy,
                    Stage::Unhealthy,
                    "its node does not run it any more",
                );
            }
            None => {}
        }
    }

    fn phase(&mut self, observed: &Observed) {
        let reason = shortened(&observed.reason);
        match observed.phase {
            Phase::Pulling => self.enter(InstanceState::Pulling, Stage::Pulling, &reason),
            Phase::Starting => self.enter(InstanceState::Starting, Stage::Starting, &reason),
            Phase::Healthy => {
                if self.after.healthy_at.is_none() {
                    self.after.healthy_at = Some(self.now);
                }
                self.enter(InstanceState::Healthy, Stage::Healthy, "");
            }
            Phase::Unhealthy => self.enter(InstanceState::Unhealthy, Stage::Unhealthy, &reason),
            Phase::Failed => self.enter(InstanceState::Failed, Stage::Failed, &reason),
            Phase::Stopped => {
                let reason = if reason.is_empty() {
                    "its node stopped it".to_owned()
                } else {
                    format!("its node stopped it: {reason}")
                };
                self.enter(InstanceState::Unhealthy, Stage::Unhealthy, &reason);
            }
        }
    }

    /// An instance that is not wanted on this node any more.
    fn leaving(&mut self, observed: Option<&Observed>, desired_version: u64) {
        let told = self
            .after
            .left_version
            .is_some_and(|version| version <= desired_version);
        let gone = match observed {
            None => true,
            Some(observed) => observed.phase == Phase::Stopped,
        };
        if !told || !gone {
            return;
        }
        self.after.released_at = Some(self.now);
        if self.after.state == InstanceState::Stopping {
            let reason = self.after.reason.clone();
            self.after.enter(InstanceState::Stopped, reason, self.now);
            self.tell(Stage::Stopped, "its node does not run it any more");
        }
    }

    fn enter(&mut self, state: InstanceState, stage: Stage, reason: &str) {
        if self.after.state == state && self.after.reason == reason {
            return;
        }
        let again = self.after.state == state;
        self.after.enter(state, reason, self.now);
        // A cause that is worded anew is kept, but not told again.
        if !again {
            let message = if reason.is_empty() {
                plain(state).to_owned()
            } else {
                reason.to_owned()
            };
            self.tell(stage, &message);
        }
    }

    fn tell(&mut self, stage: Stage, message: &str) {
        let slot = self.after.slot;
        self.entries.push(Entry::instance(
            stage,
            self.after.id,
            self.after.node,
            self.number,
            format!("instance {slot}: {message}"),
        ));
    }
}

/// Whether a node has reported an instance that is in this state.
const fn is_reported(state: InstanceState) -> bool {
    match state {
        InstanceState::Pulling
        | InstanceState::Starting
        | InstanceState::Healthy
        | InstanceState::Unhealthy
        | InstanceState::Failed => true,
        InstanceState::Pending
        | InstanceState::Assigned
        | InstanceState::Stopping
        | InstanceState::Stopped
        | InstanceState::Lost => false,
    }
}

const fn plain(state: InstanceState) -> &'static str {
    match state {
        InstanceState::Pending => "waits for a node",
        InstanceState::Assigned => "has a node",
        InstanceState::Pulling => "its node fetches the image",
        InstanceState::Starting => "its containers start",
        InstanceState::Healthy => "runs, and its probe succeeds",
        InstanceState::Unhealthy => "its probe fails",
        InstanceState::Failed => "cannot run as specified",
        InstanceState::Stopping => "is being removed",
        InstanceState::Stopped => "is removed",
        InstanceState::Lost => "its node was lost",
    }
}

fn shortened(reason: &str) -> String {
    let mut line: String = reason.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(MAX_REASON) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn node() -> NodeId {
        Uuid::from_u128(7).into()
    }

    /// Assigned for the second time; its node was told with version 5.
    fn assigned() -> Instance {
        let id = |n| Uuid::from_u128(n);
        let mut instance = Instance::new(id(1).into(), id(2).into(), 0, id(3).into(), at(0));
        instance.assign(node(), id(3).into(), at(0));
        instance.assign(node(), id(3).into(), at(1));
        instance.told_version = Some(5);
        instance
    }

    fn report(desired_version: u64, instances: Vec<Observed>) -> Report {
        Report {
            node: node(),
            desired_version,
            instances,
            received_at: at(10),
        }
    }

    fn seen(epoch: u64, phase: Phase) -> Observed {
        Observed {
            instance: Uuid::from_u128(1).into(),
            epoch,
            phase,
            reason: String::new(),
        }
    }

    fn stages(entries: &[Entry]) -> Vec<Stage> {
        entries.iter().map(|entry| entry.stage).collect()
    }

    #[test]
    fn an_instance_follows_what_its_node_says() {
        let instance = assigned();
        let pulling = report(5, vec![seen(2, Phase::Pulling)]);
        let (instance, told) = observe(&instance, 1, &pulling, at(10)).unwrap();
        assert_eq!(stages(&told), [Stage::Told, Stage::Pulling]);
        assert_eq!(observe(&instance, 1, &pulling, at(11)), None);
        let healthy = report(5, vec![seen(2, Phase::Healthy)]);
        let (instance, told) = observe(&instance, 1, &healthy, at(12)).unwrap();
        assert_eq!(stages(&told), [Stage::Healthy]);
        assert_eq!(instance.healthy_at, Some(at(12)));
    }

    #[test]
    fn reports_about_older_assignments_and_older_reports_are_ignored() {
        let instance = assigned();
        let old = report(4, vec![seen(1, Phase::Failed)]);
        assert_eq!(observe(&instance, 1, &old, at(10)), None);
        let mut instance = instance;
        instance.observed_at = Some(at(11));
        let late = report(5, vec![seen(2, Phase::Failed)]);
        assert_eq!(observe(&instance, 1, &late, at(12)), None);
    }

    #[test]
    fn a_running_instance_that_is_not_mentioned_any_more_is_unhealthy() {
        let mut instance = assigned();
        assert!(
            observe(&instance, 1, &report(5, vec![]), at(10))
                .unwrap()
                .0
                .state
                == InstanceState::Assigned,
            "the node has not begun yet"
        );
        instance.enter(InstanceState::Healthy, "", at(9));
        let (after, _) = observe(&instance, 1, &report(5, vec![]), at(10)).unwrap();
        assert_eq!(after.state, InstanceState::Unhealthy);
        assert_eq!(observe(&instance, 1, &report(4, vec![]), at(10)), None);
    }

    #[test]
    fn what_left_is_released_only_by_a_report_of_that_version_or_later() {
        let mut stopping = assigned();
        stopping.enter(InstanceState::Stopping, "cancelled", at(2));
        stopping.left_version = Some(6);
        assert_eq!(observe(&stopping, 1, &report(5, vec![]), at(10)), None);
        let still = report(6, vec![seen(2, Phase::Healthy)]);
        assert_eq!(observe(&stopping, 1, &still, at(10)), None);
        let (stopped, told) = observe(&stopping, 1, &report(6, vec![]), at(10)).unwrap();
        assert_eq!(stopped.state, InstanceState::Stopped);
        assert_eq!(
            (stopped.ended_at, stopped.released_at),
            (Some(at(10)), Some(at(10)))
        );
        assert_eq!(stages(&told), [Stage::Stopped]);

        let mut lost = stopping.clone();
        lost.enter(InstanceState::Lost, "", at(3));
        let (released, told) = observe(&lost, 1, &report(7, vec![]), at(10)).unwrap();
        assert_eq!((released.state, told.len()), (InstanceState::Lost, 0));
        assert!(released.released_at.is_some() && released.ended_at == Some(at(3)));
    }

    proptest! {
        #[test]
        fn applying_a_report_twice_changes_nothing_the_second_time(
            version in 3_u64..8, epoch in 1_u64..4, phase in 0_usize..7, left in any::<bool>(),
        ) {
            let phases = [Phase::Pulling, Phase::Starting, Phase::Healthy, Phase::Unhealthy, Phase::Failed, Phase::Stopped];
            let instances = phases.get(phase).map(|phase| seen(epoch, *phase)).into_iter().collect();
            let report = report(version, instances);
            let mut instance = assigned();
            if left {
                instance.enter(InstanceState::Stopping, "", at(2));
                instance.left_version = Some(6);
            }
            if let Some((after, _)) = observe(&instance, 1, &report, at(10)) {
                prop_assert_eq!(observe(&after, 1, &report, at(20)), None);
                prop_assert_eq!(after.epoch, instance.epoch);
            }
        }
    }
}
