//! One history from beginning to end: a world that lives by events, an audit after each, and a calm end in which
//! everything must come right.

mod customers;
mod machines;
mod plane;
mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_core::id::{AppId, InstanceId, NodeId, RevisionId};

use crate::{
    audit::{self, Audit, Rule, Violation},
    demand::Temper,
    event::{Event, Queue},
    figures::Figures,
    fleet::Fleet,
    journal::Journal,
    machine::{Machine, Wanted},
    plane::Plane,
    random::Random,
    registry::Registry,
    sabotage::{Sabotage, Saboteur},
    scenario::{BEGINNING, REPORT_PERIOD, Scenario},
};

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    pub seed: u64,
    /// Events before the world comes to rest.
    pub events: u64,
    /// Machines at the start; drawn from the seed when not given.
    pub nodes: Option<u32>,
    pub sabotage: Option<Sabotage>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub settings: Settings,
    /// Digest of the whole journal: the same for the same settings, on every machine.
    pub digest: String,
    pub figures: Figures,
    /// The first event after which an invariant did not hold.
    pub failure: Option<Failure>,
}

/// Invariants that do not hold.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Number of the event, from 1.
    pub event: u64,
    pub violations: Vec<Violation>,
    /// The last lines of the journal.
    pub tail: Vec<String>,
}

/// Virtual time in which a world without trouble must come to rest: the longest rollout is stopped after ten minutes
/// without health, and a hundred instances are updated one after the other.
const REST: TimeDelta = TimeDelta::hours(6);

/// The initial applications come within this time.
const OPENING: TimeDelta = TimeDelta::minutes(10);

/// Everything there is.
#[derive(Debug)]
struct World {
    scenario: Scenario,
    now: DateTime<Utc>,
    queue: Queue,
    /// Number of the event that happens.
    number: u64,
    fleet: Fleet,
    machines: BTreeMap<NodeId, Machine>,
    registry: Registry,
    /// What nodes shall run, as the registry was told last.
    desired: BTreeMap<NodeId, Arc<Wanted>>,
    plane: Plane,
    /// How the containers of revisions behave.
    tempers: BTreeMap<RevisionId, Temper>,
    audit: Audit,
    saboteur: Saboteur,
    journal: Journal,
    figures: Figures,
    /// What customers do.
    customers: Random,
    /// What goes wrong.
    misfortune: Random,
    /// How long machines take.
    machinery: Random,
    /// How long messages take.
    wires: Random,
    serials: u64,
    illnesses: u64,
    /// When the leader's next turn is foreseen.
    turn_at: Option<DateTime<Utc>>,
    /// When the last message to the scheduler arrives; messages keep their order.
    last_message_at: DateTime<Utc>,
    /// When an outage of the plane began or ended last.
    disturbed_at: DateTime<Utc>,
    /// Messages that wait for a scheduler.
    backlog: Vec<Event>,
    /// Instances that replace lost ones, and since when those were out.
    repairs: BTreeMap<InstanceId, DateTime<Utc>>,
    /// Nothing goes wrong any more, since then.
    calm_since: Option<DateTime<Utc>>,
    settled: bool,
    touched_apps: BTreeSet<AppId>,
    touched_nodes: BTreeSet<NodeId>,
    counts: BTreeMap<AppId, audit::Count>,
    wanted: u64,
    waiting: u64,
}

/// Simulates one history.
pub fn run(settings: Settings) -> Outcome {
    let mut world = World::new(settings);
    let mut failure = None;
    while failure.is_none() && !world.settled {
        if world.number >= settings.events && world.calm_since.is_none() {
            world.calm_down();
        }
        let Some(violations) = world.step() else {
            break;
        };
        if !violations.is_empty() {
            failure = Some(Failure {
                event: world.number,
                violations,
                tail: world.journal.tail(),
            });
        }
    }
    let mut figures = world.figures;
    figures.seeds = 1;
    figures.events = world.number;
    figures.virtual_seconds = (world.now - BEGINNING).num_seconds().unsigned_abs();
    figures.nodes = u64::try_from(world.machines.len()).unwrap_or(u64::MAX);
    figures.apps = u64::try_from(world.plane.apps.len()).unwrap_or(u64::MAX);
    figures.decisions = world.audit.decisions();
    Outcome {
        settings,
        digest: world.journal.digest(),
        figures,
        failure,
    }
}

impl World {
    fn new(settings: Settings) -> Self {
        let mut random = Random::new(settings.seed);
        let scenario = Scenario::draw(&mut random, settings.nodes);
        let mut world = Self {
            fleet: Fleet::new(random.fork(), &scenario),
            plane: Plane::new(random.number()),
            customers: random.fork(),
            misfortune: random.fork(),
            machinery: random.fork(),
            wires: random.fork(),
            now: BEGINNING,
            queue: Queue::default(),
            number: 0,
            machines: BTreeMap::new(),
            registry: Registry::new(),
            desired: BTreeMap::new(),
            tempers: BTreeMap::new(),
            audit: Audit::default(),
            saboteur: Saboteur::new(settings.sabotage),
            journal: Journal::default(),
            figures: Figures::default(),
            serials: 0,
            illnesses: 0,
            turn_at: None,
            last_message_at: BEGINNING,
            disturbed_at: BEGINNING,
            backlog: Vec::new(),
            repairs: BTreeMap::new(),
            calm_since: None,
            settled: false,
            touched_apps: BTreeSet::new(),
            touched_nodes: BTreeSet::new(),
            counts: BTreeMap::new(),
            wanted: 0,
            waiting: 0,
            scenario,
        };
        world.open();
        world
    }

    /// Puts the first machines and applications in.
    fn open(&mut self) {
        for _ in 0..self.scenario.nodes {
            self.join();
        }
        let all: Vec<NodeId> = self.machines.keys().copied().collect();
        self.reconnect_later(&all);
        for _ in 0..self.scenario.apps {
            let at = self.now + self.customers.span(TimeDelta::seconds(10), OPENING);
            self.queue.put(at, Event::Deploy);
        }
        self.after(REPORT_PERIOD, Event::Again);
        let (wish, trouble) = (self.scenario.wishes, self.scenario.trouble);
        let wish = self.customers.waiting(wish);
        let trouble = self.misfortune.waiting(trouble);
        self.after(OPENING + wish, Event::Wish);
        self.after(TimeDelta::minutes(2) + trouble, Event::Trouble);
    }

    fn after(&mut self, time: TimeDelta, event: Event) {
        self.queue.put(self.now + time, event);
    }

    /// Lets the next event happen, and gives what is wrong then. `None` when nothing happens any more.
    fn step(&mut self) -> Option<Vec<Violation>> {
        let foreseen = self.queue.next()?;
        if matches!(foreseen.event, Event::Turn) {
            if self.turn_at != Some(foreseen.at) {
                // The turn was brought forward.
                return Some(Vec::new());
            }
            self.turn_at = None;
        }
        let time = foreseen.at - self.now;
        self.figures.pass(time, self.wanted, self.waiting);
        self.now = foreseen.at;
        self.number += 1;
        let text = self.happen(foreseen.event);
        self.journal.note(self.number, self.now, &text);
        self.look();
        self.foresee_turn();
        Some(self.audit.take())
    }

    /// What happens, in words.
    fn happen(&mut self, event: Event) -> String {
        match event {
            Event::Deploy => self.deploy(),
            Event::Wish => self.wish(),
            Event::Pay { app, number } => self.pay(app, number),
            Event::Trouble => self.trouble(),
            Event::Fall {
                nodes,
                ailment,
                lasts,
            } => self.fall(&nodes, ailment, lasts),
            Event::Recover { nodes, illness } => self.recover(&nodes, illness),
            Event::Eligible(node) => self.eligible(node),
            Event::Reconnect(nodes) => self.reconnect(&nodes),
            Event::Push(nodes) => self.push(&nodes),
            Event::Progress(run) => self.progress(run),
            Event::Stopped(run) => self.stopped(run),
            Event::Judge => self.judge(),
            Event::Listen { restarted } => self.listen(restarted),
            Event::NodesChanged(nodes) => self.nodes_changed(nodes),
            Event::Reported(report) => self.reported(report),
            Event::Again => self.again(),
            Event::Turn => self.turn(),
            Event::SchedulerUp => self.scheduler_up(),
            Event::Inspect => self.inspect(),
        }
    }

    /// Checks what the event touched, and everything from time to time.
    fn look(&mut self) {
        for id in std::mem::take(&mut self.touched_apps) {
            self.audit.app(id, &self.plane, self.now);
            self.recount(id);
        }
        for id in std::mem::take(&mut self.touched_nodes) {
            if let Some(machine) = self.machines.get(&id) {
                self.audit.machine(machine, &self.plane);
            }
        }
        if self.number.is_multiple_of(audit::SWEEP) {
            self.audit.sweep(&self.machines, &self.plane, self.now);
        }
    }

    fn recount(&mut self, id: AppId) {
        let Some(record) = self.plane.apps.get(&id) else {
            return;
        };
        let after = audit::count(record, &self.plane);
        let before = self.counts.insert(id, after).unwrap_or_default();
        self.wanted = self.wanted + u64::from(after.wanted) - u64::from(before.wanted);
        self.waiting = self.waiting + u64::from(after.waiting) - u64::from(before.waiting);
    }

    /// From now on nothing goes wrong any more, and customers want nothing new.
    fn calm_down(&mut self) {
        self.calm_since = Some(self.now);
        let ill: Vec<NodeId> = self
            .machines
            .values()
            .filter(|machine| !machine.left && !machine.ailments.is_empty())
            .map(Machine::id)
            .collect();
        for id in ill {
            let Some(machine) = self.machines.get_mut(&id) else {
                continue;
            };
            let was_off = machine.off();
            machine.ailments.clear();
            if was_off {
                self.boot(id);
            }
            self.reconnect_later(&[id]);
        }
        self.after(TimeDelta::minutes(1), Event::Inspect);
    }

    /// Is everything as wanted?
    fn inspect(&mut self) -> String {
        self.audit.sweep(&self.machines, &self.plane, self.now);
        let Some(text) = self.audit.unsettled(&self.machines, &self.plane) else {
            self.settled = true;
            return "everything is as wanted".to_owned();
        };
        let since = self.calm_since.unwrap_or(self.now);
        if self.now - since > REST {
            self.audit.wrong(Rule::Settles, text.clone());
        }
        self.after(TimeDelta::minutes(1), Event::Inspect);
        format!("not yet as wanted: {text}")
    }
}
