//! Steps carried out on a small fleet, without a database.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use fluxplane_core::{NodeState, Place, Resources, SystemIds, Tier};
use fluxplane_placement::Geo;

use super::*;
use crate::domain::{
    AppState, InstanceState, Node, Standing,
    app::fixture,
    workload::{Component, Port, Protocol},
};

const TERMS: Terms = Terms {
    rules: Rules {
        health_timeout: TimeDelta::seconds(600),
        retry: TimeDelta::seconds(5),
    },
    grace: TimeDelta::seconds(1_800),
    recheck: TimeDelta::seconds(300),
};

fn node(n: u8) -> Node {
    Node {
        id: Uuid::from_u128(n.into()).into(),
        operator: format!("operator {n}"),
        outpoint: format!("{n}:0"),
        tier: Tier::Cumulus,
        state: NodeState::Ready,
        capacity: Resources {
            cpu_milli: 3_000,
            ram_mib: 5_000,
            disk_gib: 129,
        },
        place: Place::default(),
        ip: [10, n, 0, 1].into(),
        static_ip: true,
        version: 1,
    }
}

fn workload(cpu_milli: u64) -> Workload {
    let resources = Resources {
        cpu_milli,
        ram_mib: 500,
        disk_gib: 5,
    };
    Workload {
        instances: 3,
        resources,
        ports: vec![31_000],
        geo: Geo::default(),
        static_ip: false,
        pinned: Vec::new(),
        components: vec![Component {
            name: "web".to_owned(),
            image: "nginx:1".to_owned(),
            ports: vec![Port {
                host: 31_000,
                container: 80,
                protocol: Protocol::Both,
            }],
            environment_sealed: false,
            environment: Vec::new(),
            command: Vec::new(),
            resources,
            tiers: None,
            mounts: Vec::new(),
            secrets: BTreeMap::new(),
            registry_credentials: None,
            entrypoint: Vec::new(),
            restart: None,
            stop: None,
            probes: None,
        }],
    }
}

/// A fleet and one application that wants three instances.
struct World {
    fleet: Fleet,
    app: App,
    revisions: Vec<Revision>,
    copies: Vec<Copy>,
    workloads: Vec<Workload>,
    now: DateTime<Utc>,
}

impl World {
    fn new(nodes: u8) -> Self {
        let nodes: Vec<Node> = (1..=nodes).map(node).collect();
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1);
        let mut revision = fixture::revision(1);
        revision.funded_at = Some(now);
        Self {
            fleet: Fleet::new(&nodes, Vec::new()).0,
            app: App {
                id: Uuid::from_u128(500).into(),
                name: "shop".to_owned(),
                owner: "owner".to_owned(),
                state: AppState::Deploying,
                state_reason: String::new(),
                current: 1,
                pending: None,
                healthy: 0,
                created_at: now,
                expires_at: Some(now + TimeDelta::days(30)),
                ended_at: None,
                version: 2,
                intent_version: 2,
                secrets: 0,
            },
            revisions: vec![revision],
            copies: Vec::new(),
            workloads: vec![workload(1_000)],
            now,
        }
    }

    fn add_revision(&mut self, workload: Workload) {
        let number = self.app.current + 1;
        let mut revision = fixture::revision(number);
        revision.funded_at = Some(self.now);
        self.revisions.push(revision);
        self.workloads.push(workload);
        self.app.current = number;
    }

    /// One turn of the leader.
    fn turn(&mut self) -> (Case, Settled) {
        let mut case = Case::new(
            self.app.clone(),
            self.revisions.clone(),
            self.copies.clone(),
            self.now,
            TERMS,
        );
        let step = case.next_step();
        let number = case.needs(&step).map(|revision| revision.number);
        let workload = number.map(|n| &self.workloads[usize::try_from(n).unwrap() - 1]);
        let mut means = Means {
            fleet: &mut self.fleet,
            workload,
            ids: &SystemIds,
            traceparent: "",
        };
        case.carry_out(step, &mut means);
        let settled = case.settle();
        self.app = case.app.clone();
        self.revisions.clone_from(&case.revisions);
        self.copies.clone_from(&case.copies);
        let rooms = self.copies.iter().filter_map(Copy::reservation).collect();
        self.fleet.set_rooms(self.app.id, rooms).unwrap();
        (case, settled)
    }

    fn all_healthy(&mut self) {
        for copy in self.copies.iter_mut().filter(|copy| copy.is_live()) {
            copy.instance.enter(InstanceState::Healthy, "", self.now);
            copy.instance.healthy_at = Some(self.now);
        }
        self.turn();
    }

    fn lose(&mut self, id: NodeId) {
        let mut lost = node(0);
        lost.id = id;
        lost.state = NodeState::Lost;
        self.fleet.put_node(&lost).unwrap();
        for copy in &mut self.copies {
            if copy.instance.node == Some(id) {
                copy.standing = Some(Standing::Gone);
            }
        }
    }
}

fn stages(case: &Case) -> Vec<Stage> {
    case.changes
        .entries
        .iter()
        .map(|entry| entry.stage)
        .collect()
}

#[test]
fn all_instances_are_placed_in_one_decision_on_nodes_of_their_own() {
    let mut world = World::new(3);
    let (case, settled) = world.turn();
    assert_eq!(case.changes.inserted.len(), 3);
    assert_eq!(case.changes.nodes.len(), 3);
    assert_eq!(case.changes.assignments.len(), 3);
    assert_eq!(case.changes.decisions.len(), 1);
    assert_eq!(stages(&case), [Stage::Placed; 3]);
    assert!(matches!(
        settled.milestones.as_slice(),
        [Milestone::Placed { .. }]
    ));
    assert!(!settled.more);
    world.all_healthy();
    assert_eq!(world.app.state, AppState::Running);
    assert_eq!((world.app.version, world.app.intent_version), (4, 2));
}

#[test]
fn what_finds_no_node_waits_with_a_reason_and_the_smallest_change() {
    let mut world = World::new(2);
    let (case, settled) = world.turn();
    assert_eq!(
        stages(&case),
        [Stage::Placed, Stage::Placed, Stage::Pending]
    );
    let waiting = world
        .copies
        .iter()
        .find(|copy| copy.instance.node.is_none())
        .unwrap();
    assert_eq!(waiting.instance.state, InstanceState::Pending);
    assert!(
        waiting.instance.reason.contains("Smallest change"),
        "{}",
        waiting.instance.reason
    );
    assert_eq!(waiting.instance.pending_filter.as_deref(), Some("same_app"));
    assert!(world.app.state_reason.contains("waits for a node"));
    assert_eq!(settled.look_again_at, Some(world.now + TERMS.rules.retry));

    world.now += TERMS.rules.retry;
    let (again, _) = world.turn();
    assert_eq!(stages(&again), [], "told once");
    assert_eq!(
        again.changes.superseded.len(),
        1,
        "the old decision is forgotten"
    );
    world.fleet.put_node(&node(3)).unwrap();
    world.now += TERMS.rules.retry;
    let (placed, _) = world.turn();
    assert_eq!(stages(&placed), [Stage::Placed]);
    assert!(world.copies.iter().all(|copy| copy.instance.node.is_some()));
}

#[test]
fn a_lost_instance_stays_until_another_has_a_node() {
    let mut world = World::new(3);
    world.turn();
    world.all_healthy();
    let lost = world.copies[0].instance.node.unwrap();
    world.lose(lost);
    let (case, _) = world.turn();
    assert_eq!(stages(&case), [Stage::Pending]);
    assert!(world.copies[0].instance.state.is_live(), "nowhere to go");
    assert!(
        case.changes.nodes.is_empty(),
        "nothing is taken from the lost node"
    );

    world.fleet.put_node(&node(4)).unwrap();
    world.now += TERMS.rules.retry;
    let (case, _) = world.turn();
    assert_eq!(stages(&case), [Stage::Replaced]);
    assert_eq!(world.copies[0].instance.state, InstanceState::Lost);
    assert!(
        world.copies[0].instance.holds_room(),
        "until the node says that it is gone"
    );
    assert!(
        case.changes.nodes.contains(&lost),
        "its desired state lacks the instance now"
    );
    let new = world.copies.last().unwrap();
    assert_eq!(
        (new.instance.slot, new.instance.node),
        (0, Some(node(4).id))
    );
}

#[test]
fn an_update_stays_on_its_node_when_it_fits_and_moves_when_not() {
    let mut world = World::new(4);
    world.turn();
    world.all_healthy();
    world.add_revision(workload(2_000));
    let (case, _) = world.turn();
    assert_eq!(stages(&case), [Stage::UpdateStarted, Stage::Placed]);
    assert!(case.changes.inserted.is_empty());
    assert_eq!(world.copies[0].instance.epoch, 2);

    // No node is large enough but one that is empty.
    let mut world = World::new(3);
    world.turn();
    world.all_healthy();
    let mut large = node(9);
    large.capacity.cpu_milli = 8_000;
    world.fleet.put_node(&large).unwrap();
    world.add_revision(workload(5_000));
    let (case, _) = world.turn();
    assert_eq!(stages(&case), [Stage::UpdateStarted, Stage::Moved]);
    assert_eq!(world.copies[0].instance.state, InstanceState::Stopping);
    assert_eq!(case.changes.nodes.len(), 2);

    // And when there is no such node, the old revision runs on.
    let mut world = World::new(3);
    world.turn();
    world.all_healthy();
    world.add_revision(workload(5_000));
    let (case, settled) = world.turn();
    assert_eq!(stages(&case), [Stage::UpdateStarted, Stage::Pending]);
    assert_eq!(world.copies[0].instance.state, InstanceState::Healthy);
    assert!(
        settled.more,
        "another instance may stand where the revision fits"
    );
    world.turn();
    let (_, settled) = world.turn();
    assert_eq!(settled.look_again_at, Some(world.now + TERMS.rules.retry));
    assert!(world.copies.iter().all(Copy::serves));
}

#[test]
fn the_end_stops_everything_and_then_nothing_is_looked_at_any_more() {
    let mut world = World::new(3);
    world.turn();
    world.all_healthy();
    world.now += TimeDelta::days(30);
    let (case, settled) = world.turn();
    assert_eq!(stages(&case), [Stage::Expired]);
    assert!(case.changes.ended && settled.more);
    assert_eq!(
        (world.app.state, world.app.version),
        (AppState::Expired, world.app.intent_version)
    );
    let (case, settled) = world.turn();
    assert_eq!(stages(&case), [Stage::Stopping; 3]);
    assert!(!settled.more && settled.look_again_at.is_some());
    for copy in &mut world.copies {
        copy.instance.enter(InstanceState::Stopped, "", world.now);
        copy.instance.released_at = Some(world.now);
    }
    let (_, settled) = world.turn();
    assert_eq!(settled.look_again_at, None);
    assert_eq!(world.app.healthy, 0);
}
