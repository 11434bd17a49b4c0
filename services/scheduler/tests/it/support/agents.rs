//! Machines that do as they are told, and the registry that speaks for them.
//!
//! What an image does is in its name: `broken` cannot be pulled, `slow` never gets further than pulling, `sick` starts and
//! is never healthy, everything else is healthy at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use fluxplane_core::{Clock as _, SystemClock};
use fluxplane_proto::{
    common::v1::{OutPoint, Place, Resources, Tier},
    node_registry::v1::{
        DesiredState, InstancePhase, InstanceReport, InstanceStatus, InstancesReported, Node,
        NodeChanged, NodeState,
    },
    scheduler::v1::NodeDesiredStateChanged,
};
use fluxplane_scheduler::grpc::convert::timestamp;
use fluxplane_testkit::eventually;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    LIMIT,
    bus::{Bus, Ear},
};

#[derive(Clone)]
pub(crate) struct Agents {
    bus: Bus,
    told: Ear<NodeDesiredStateChanged>,
    world: Arc<Mutex<World>>,
    _task: Arc<JoinSet<()>>,
}

#[derive(Default)]
struct World {
    nodes: BTreeMap<String, Node>,
    desired: BTreeMap<String, DesiredState>,
    /// Nodes that do not hear or say anything.
    silent: BTreeSet<String>,
    /// Desired states that came in, in order.
    history: Vec<NodeDesiredStateChanged>,
}

/// The id of the `n`th node.
pub(crate) fn node_id(n: u8) -> String {
    Uuid::from_u128(0x1000 + u128::from(n)).to_string()
}

/// The `n`th node: operators of two nodes each, networks and countries of their own.
pub(crate) fn node(n: u8) -> Node {
    let (continent, country) = if n.is_multiple_of(2) {
        ("NA", "US")
    } else {
        ("EU", "DE")
    };
    Node {
        node_id: node_id(n),
        operator: format!("operator {}", n.div_ceil(2)),
        collateral: Some(OutPoint {
            txid: "ab".repeat(32),
            vout: n.into(),
        }),
        tier: Tier::Cumulus.into(),
        state: NodeState::Ready.into(),
        capacity: Some(Resources {
            cpu_milli: 3_000,
            ram_mib: 5_000,
            disk_gib: 129,
        }),
        place: Some(Place {
            continent: continent.to_owned(),
            country: country.to_owned(),
            region: "Region".to_owned(),
        }),
        ip: format!("10.{n}.0.1"),
        static_ip: true,
        version: 1,
        ..Node::default()
    }
}

impl Agents {
    pub(crate) async fn start(bus: &Bus) -> Self {
        let told = bus.hear::<NodeDesiredStateChanged>().await;
        let world = Arc::new(Mutex::new(World::default()));
        let mut task = JoinSet::new();
        let (bus_too, world_too, ear) = (bus.clone(), Arc::clone(&world), told.clone());
        task.spawn(async move {
            let mut news = ear.news();
            let mut known = 0;
            while news.changed().await.is_ok() {
                let fresh = ear.after(known);
                known += fresh.len();
                for event in fresh {
                    let id = event.node_id.clone();
                    let reports = take(&mut world_too.lock().unwrap(), event);
                    for report in reports {
                        say(&bus_too, &id, report).await;
                    }
                }
            }
        });
        Self {
            bus: bus.clone(),
            told,
            world,
            _task: Arc::new(task),
        }
    }

    /// A node joins, ready.
    pub(crate) async fn join(&self, n: u8) {
        self.join_as(node(n)).await;
    }

    pub(crate) async fn join_as(&self, node: Node) {
        self.world
            .lock()
            .unwrap()
            .nodes
            .insert(node.node_id.clone(), node.clone());
        self.bus.publish(&NodeChanged { node: Some(node) }).await;
    }

    /// The registry changes its mind about a node.
    pub(crate) async fn set_state(&self, id: &str, state: NodeState) {
        let node = {
            let mut world = self.world.lock().unwrap();
            let node = world.nodes.get_mut(id).unwrap();
            node.state = state.into();
            node.version += 1;
            node.clone()
        };
        self.bus.publish(&NodeChanged { node: Some(node) }).await;
    }

    /// The node neither hears nor says anything from now on.
    pub(crate) fn silence(&self, id: &str) {
        self.world.lock().unwrap().silent.insert(id.to_owned());
    }

    /// The node hears again: it reports what it still runs, then acts on what it was told meanwhile.
    pub(crate) async fn wake(&self, id: &str) {
        let reports = {
            let mut world = self.world.lock().unwrap();
            world.silent.remove(id);
            let before = world.desired.get(id).cloned();
            let newest = world
                .history
                .iter()
                .rev()
                .find(|event| event.node_id == id)
                .cloned();
            let mut reports: Vec<InstanceReport> =
                before.iter().map(|desired| report(desired, true)).collect();
            reports.extend(newest.into_iter().flat_map(|event| take(&mut world, event)));
            reports
        };
        for report in reports {
            say(&self.bus, id, report).await;
        }
    }

    /// What a node was told last.
    pub(crate) fn desired(&self, id: &str) -> Option<DesiredState> {
        let told = self.told.all();
        told.into_iter()
            .rev()
            .find(|event| event.node_id == id)?
            .desired
    }

    /// Every desired state that was announced, in order.
    pub(crate) fn history(&self) -> Vec<NodeDesiredStateChanged> {
        self.told.all()
    }

    /// Waits until a node was told something.
    pub(crate) async fn until_told(
        &self,
        id: &str,
        wanted: impl Fn(&DesiredState) -> bool,
    ) -> DesiredState {
        eventually(LIMIT, async || {
            let desired = self.desired(id).unwrap_or_default();
            if wanted(&desired) {
                Ok(desired)
            } else {
                Err(desired)
            }
        })
        .await
    }

    /// The node reports something else than it would by itself.
    pub(crate) async fn report(&self, id: &str, report: InstanceReport) {
        say(&self.bus, id, report).await;
    }
}

/// A node takes a desired state; its reports in order.
fn take(world: &mut World, event: NodeDesiredStateChanged) -> Vec<InstanceReport> {
    let desired = event.desired.clone().unwrap();
    world.history.push(event.clone());
    if world.silent.contains(&event.node_id) {
        return Vec::new();
    }
    let newer = world
        .desired
        .get(&event.node_id)
        .is_none_or(|current| current.version < desired.version);
    if !newer {
        return Vec::new();
    }
    world.desired.insert(event.node_id, desired.clone());
    vec![report(&desired, false), report(&desired, true)]
}

/// What a node says while it begins, and in the end.
pub(crate) fn report(desired: &DesiredState, done: bool) -> InstanceReport {
    let instances = desired.instances.iter().map(|instance| {
        let image = &instance.components[0].image;
        let (phase, reason) = if !done || image.contains("slow") {
            (InstancePhase::Pulling, "")
        } else if image.contains("broken") {
            (InstancePhase::Failed, "image not found: no such tag")
        } else if image.contains("sick") {
            (InstancePhase::Unhealthy, "connection refused")
        } else {
            (InstancePhase::Healthy, "")
        };
        InstanceStatus {
            instance_id: instance.instance_id.clone(),
            assignment_epoch: instance.assignment_epoch,
            phase: phase.into(),
            reason: reason.to_owned(),
            revision_id: instance.revision_id.clone(),
            ..InstanceStatus::default()
        }
    });
    InstanceReport {
        desired_version: desired.version,
        instances: instances.collect(),
        traceparent: String::new(),
    }
}

async fn say(bus: &Bus, id: &str, report: InstanceReport) {
    bus.publish(&InstancesReported {
        node_id: id.to_owned(),
        report: Some(report),
        received_at: Some(timestamp(SystemClock.now())),
    })
    .await;
}
