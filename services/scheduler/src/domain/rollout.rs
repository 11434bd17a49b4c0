//! The next step from what is to what is wanted, for one application.
//!
//! One function looks at everything and names one step; the leader carries it out in one transaction and looks again. So
//! nothing depends on how a situation came about, and a leader that dies between two steps leaves nothing half done.

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::id::InstanceId;

use super::{Copy, InstanceState, Standing};

/// Times that steps depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Time an instance of a new revision gets to become healthy.
    pub health_timeout: TimeDelta,
    /// Pause before a node is looked for again in vain.
    pub retry: TimeDelta,
}

/// When something ends by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// The first payment.
    pub unpaid: Option<DateTime<Utc>>,
    /// The paid term.
    pub term: Option<DateTime<Utc>>,
    /// The payment of an update.
    pub update: Option<DateTime<Utc>>,
}

/// A funded revision that instances run or shall run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goal {
    pub number: u32,
    /// Revisions with the same one have the same containers.
    pub rollout: u32,
    /// How many copies are wanted.
    pub instances: u32,
    pub containers: Containers,
    /// All instances of this very revision were healthy once.
    pub finished: bool,
    /// How often secrets of its containers got new values; an instance that was assigned before must be made again.
    pub secrets: u64,
}

/// What is known of the containers of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Containers {
    /// None was healthy so far.
    Unproven,
    /// An instance was healthy once.
    Proven,
    /// All instances were healthy once: the rollout is over.
    RolledOut,
    /// The rollout was stopped.
    Failed,
}

impl Containers {
    /// Whether more instances may get them without waiting for the first.
    const fn are_trusted(self) -> bool {
        match self {
            Self::Proven | Self::RolledOut => true,
            Self::Unproven | Self::Failed => false,
        }
    }
}

/// Everything the next step depends on.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    pub now: DateTime<Utc>,
    pub rules: Rules,
    pub deadlines: Deadlines,
    pub ended: bool,
    /// The current revision; `None` until it is funded.
    pub target: Option<Goal>,
    /// The newest earlier revision with other containers that are known to work.
    pub stable: Option<Goal>,
    /// Instances that live, or still take room.
    pub copies: &'a [Copy],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The application is over.
    Expire(Expiry),
    /// The update was not paid in time.
    DropUpdate,
    /// Nobody will ever report these as stopped: their nodes are gone.
    GiveUp(Vec<InstanceId>),
    /// These are not wanted any more.
    Stop(Vec<InstanceId>),
    /// Look for nodes.
    Place { number: u32, wishes: Vec<Wish> },
    /// The instance shows that the target does not work.
    StopRollout { instance: InstanceId, cause: String },
    /// The instance takes on the target, where it is if that is possible.
    Update(InstanceId),
    /// Nothing to do until something happens, or until then.
    Wait { until: Option<DateTime<Utc>> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    Unpaid,
    TermOver,
}

/// A slot that needs a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    pub slot: u32,
    pub vacancy: Vacancy,
}

/// Why a slot needs a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vacancy {
    /// It has no instance.
    Empty,
    /// Its instance waits for a node.
    Pending(InstanceId),
    /// The node of its instance is gone. The instance stays until another one has a node.
    Lost(InstanceId),
}

/// The next step.
pub fn next_step(situation: &Situation<'_>) -> Step {
    if let Some(step) = situation.overdue() {
        return step;
    }
    let forsaken =
        situation.ids(|copy| copy.instance.state == InstanceState::Stopping && copy.is_gone());
    if !forsaken.is_empty() {
        return Step::GiveUp(forsaken);
    }
    let goal = situation.goal_for_vacancies();
    let wanted = goal.map_or(0, |goal| goal.instances);
    let surplus = situation.ids(|copy| copy.is_live() && copy.instance.slot >= wanted);
    if !surplus.is_empty() {
        return Step::Stop(surplus);
    }
    if let Some(goal) = goal {
        let wishes = situation.wishes(goal.instances);
        if !wishes.is_empty() {
            let number = goal.number;
            return Step::Place { number, wishes };
        }
    }
    situation.rollout().unwrap_or_else(|| Step::Wait {
        until: situation.look_again_at(),
    })
}

impl Situation<'_> {
    fn overdue(&self) -> Option<Step> {
        let passed = |deadline: Option<DateTime<Utc>>| deadline.is_some_and(|at| at <= self.now);
        if self.ended {
            None
        } else if passed(self.deadlines.unpaid) {
            Some(Step::Expire(Expiry::Unpaid))
        } else if passed(self.deadlines.term) {
            Some(Step::Expire(Expiry::TermOver))
        } else if passed(self.deadlines.update) {
            Some(Step::DropUpdate)
        } else {
            None
        }
    }

    /// What slots without a working instance get, and how many slots there are: the target once it is known to work, or
    /// when nothing better is known; else what worked before. `None` when nothing is wanted.
    pub fn goal_for_vacancies(&self) -> Option<Goal> {
        let target = self.target.filter(|_| !self.ended)?;
        match self.stable {
            Some(stable) if !target.containers.are_trusted() => Some(stable),
            Some(_) | None => Some(target),
        }
    }

    fn wishes(&self, slots: u32) -> Vec<Wish> {
        let mut wishes = Vec::new();
        for slot in 0..slots {
            let copy = self
                .copies
                .iter()
                .find(|copy| copy.is_live() && copy.instance.slot == slot);
            let vacancy = match copy {
                None => Vacancy::Empty,
                Some(copy) if self.rests(copy) => continue,
                Some(copy) if copy.instance.node.is_none() => Vacancy::Pending(copy.instance.id),
                Some(copy) if copy.is_gone() => Vacancy::Lost(copy.instance.id),
                Some(_) => continue,
            };
            wishes.push(Wish { slot, vacancy });
        }
        wishes
    }

    /// Whether a node was looked for in vain a moment ago.
    fn rests(&self, copy: &Copy) -> bool {
        let tried_at = copy.instance.tried_at;
        tried_at.is_some_and(|at| self.now < at + self.rules.retry)
    }

    /// One instance at a time takes on the target, and each must be healthy before the next. The instance that changes is
    /// the only one of those with a working node that may be down for it.
    fn rollout(&self) -> Option<Step> {
        let target = self.rolling()?;
        let mut in_flight = self.in_flight(target).peekable();
        if in_flight.peek().is_some() {
            if self.changes_secrets_only(target) {
                // There is nothing to go back to. The others keep what works until this one does, or a value is corrected.
                let stuck = in_flight.all(|copy| self.cause_to_stop(copy).is_some());
                return stuck.then(|| self.not_serving(target)).flatten();
            }
            let bad = in_flight.find_map(|copy| Some((copy, self.cause_to_stop(copy)?)))?;
            let (copy, cause) = bad;
            let instance = copy.instance.id;
            return Some(Step::StopRollout { instance, cause });
        }
        let candidates = self
            .outdated(target)
            .filter(|copy| copy.standing == Some(Standing::Ready) && !self.rests(copy));
        // One that does not serve anyway costs nothing.
        let next = candidates.min_by_key(|copy| (copy.serves(), copy.instance.slot))?;
        Some(Step::Update(next.instance.id))
    }

    /// The target while it is being rolled out.
    fn rolling(&self) -> Option<Goal> {
        let target = self.target.filter(|_| !self.ended)?;
        if target.containers == Containers::Failed {
            return None;
        }
        let begun = target.containers != Containers::RolledOut && self.stable.is_some();
        (begun || self.outdated(target).next().is_some()).then_some(target)
    }

    /// Whether the target was rolled out before, and only its secrets have new values.
    fn changes_secrets_only(&self, target: Goal) -> bool {
        target.containers == Containers::RolledOut
            && self
                .outdated(target)
                .all(|copy| copy.rollout == target.rollout)
    }

    /// An instance with old values that does not serve anyway: changing it costs nothing, and may be what it needs.
    fn not_serving(&self, target: Goal) -> Option<Step> {
        let mut outdated = self.outdated(target);
        let found = outdated.find(|copy| {
            !copy.serves() && copy.standing == Some(Standing::Ready) && !self.rests(copy)
        });
        found.map(|copy| Step::Update(copy.instance.id))
    }

    /// Instances on working nodes that do not run the target's containers with the present values of its secrets.
    fn outdated(&self, target: Goal) -> impl Iterator<Item = &Copy> {
        self.on_working_nodes()
            .filter(move |copy| !is_current(copy, target))
    }

    /// Instances that run the target's containers and are not healthy (yet).
    fn in_flight(&self, target: Goal) -> impl Iterator<Item = &Copy> {
        self.on_working_nodes()
            .filter(move |copy| is_current(copy, target) && !copy.serves())
    }

    fn on_working_nodes(&self) -> impl Iterator<Item = &Copy> {
        self.copies
            .iter()
            .filter(|copy| copy.is_live() && copy.instance.node.is_some() && !copy.is_gone())
    }

    fn cause_to_stop(&self, copy: &Copy) -> Option<String> {
        let Copy { instance, .. } = copy;
        let slot = instance.slot;
        if instance.state == InstanceState::Failed {
            return Some(format!("instance {slot} failed: {}", instance.reason));
        }
        let late = self.healthy_by(copy)? <= self.now;
        let minutes = self.rules.health_timeout.num_seconds();
        let state = instance.state.name();
        let reason = if instance.reason.is_empty() {
            String::new()
        } else {
            format!(": {}", instance.reason)
        };
        late.then(|| {
            format!("instance {slot} is {state} and was not healthy for {minutes} seconds{reason}")
        })
    }

    /// Until when an instance that takes on the target must be healthy.
    fn healthy_by(&self, copy: &Copy) -> Option<DateTime<Utc>> {
        let since = match copy.instance.healthy_at {
            None => copy.instance.assigned_at?,
            Some(_) => copy.instance.state_since,
        };
        Some(since + self.rules.health_timeout)
    }

    /// When the situation changes by itself.
    fn look_again_at(&self) -> Option<DateTime<Utc>> {
        let Deadlines {
            unpaid,
            term,
            update,
        } = self.deadlines;
        let deadlines = [unpaid, term, update].into_iter().flatten();
        let deadlines = deadlines.filter(|_| !self.ended);
        let live = self.copies.iter().filter(|copy| copy.is_live());
        let tries = live.filter_map(|copy| Some(copy.instance.tried_at? + self.rules.retry));
        let rolling = self.rolling();
        let in_flight = rolling
            .into_iter()
            .flat_map(|target| self.in_flight(target));
        let health = in_flight.filter_map(|copy| self.healthy_by(copy));
        deadlines.chain(tries).chain(health).min()
    }

    fn ids(&self, wanted: impl Fn(&Copy) -> bool) -> Vec<InstanceId> {
        let copies = self.copies.iter().filter(|copy| wanted(copy));
        copies.map(|copy| copy.instance.id).collect()
    }
}

fn is_current(copy: &Copy, target: Goal) -> bool {
    copy.rollout == target.rollout && copy.instance.secrets == target.secrets
}

#[cfg(test)]
pub(crate) mod tests;
