//! Applications of customers: sizes as FluxOS' marketplace has them (median 2 cores, 2,000 MB and 20 GB, from 0.1 core
//! to 8), three instances and more, some with rules about where they may run.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use fluxplane_core::Resources;
use fluxplane_placement::{Geo, GeoPattern, Pin};
use fluxplane_scheduler::domain::{
    Node, Workload,
    workload::{Component, Port, Protocol},
};

use crate::{fleet::place, random::Random};

/// How the containers of a revision behave. Nobody in the plane knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Temper {
    /// Mean time to fetch the image where it is not at hand.
    pub(crate) pull: TimeDelta,
    /// Mean time until the probe succeeds.
    pub(crate) start: TimeDelta,
    pub(crate) end: End,
}

/// What becomes of a container that starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Healthy,
    /// It never starts.
    Failed,
    /// It starts, and its probe never succeeds.
    Never,
}

pub(crate) fn temper(random: &mut Random) -> Temper {
    Temper {
        pull: TimeDelta::seconds(random.weighted((3, 5), &[(2, 20), (1, 60)])),
        start: TimeDelta::seconds(random.weighted((3, 2), &[(1, 10)])),
        end: random.weighted((94, End::Healthy), &[(4, End::Failed), (2, End::Never)]),
    }
}

/// What a new application asks for.
pub(crate) fn workload(random: &mut Random, ports: u16, nodes: &[&Node]) -> Workload {
    let resources = Resources {
        cpu_milli: random.weighted((4, 500), &[(3, 1_000), (4, 2_000), (1, 4_000), (1, 100)]),
        ram_mib: random.weighted((4, 1_000), &[(4, 2_000), (2, 4_000), (1, 16_000), (1, 100)]),
        disk_gib: random.weighted((4, 10), &[(4, 20), (2, 60), (1, 200), (1, 1)]),
    };
    let wanted = random.weighted((60, 3), &[(20, 5), (12, 8), (5, 15), (2, 30), (1, 100)]);
    let pinned = if random.chance(60) {
        pins(random, nodes, wanted)
    } else {
        Vec::new()
    };
    let mut workload = Workload {
        instances: wanted,
        resources,
        ports: some_ports(random, ports),
        geo: geo(random),
        static_ip: random.chance(100),
        pinned,
        components: Vec::new(),
    };
    workload.components = vec![component(&workload)];
    workload
}

/// What an update asks for, and whether containers are restarted for it.
pub(crate) fn changed(random: &mut Random, before: &Workload) -> (Workload, bool) {
    let mut after = before.clone();
    let kind = random.below(4);
    if kind == 0 {
        // More or fewer instances, and nothing else: no container notices.
        let more = before.instances + u32::try_from(random.between(1, 4)).unwrap_or(1);
        let fewer = before.instances.saturating_sub(2).max(3);
        after.instances = if random.chance(500) { more } else { fewer };
        return (after, false);
    }
    if kind == 1 {
        let percent = random.weighted((1, 50), &[(1, 150), (1, 300)]);
        after.resources.ram_mib = (before.resources.ram_mib * percent / 100).max(100);
        after.resources.cpu_milli = (before.resources.cpu_milli * percent / 100).max(100);
    }
    if kind == 2 {
        after.geo = geo(random);
    }
    after.components = vec![component(&after)];
    (after, true)
}

fn component(workload: &Workload) -> Component {
    Component {
        name: "web".to_owned(),
        image: "nginx:1.27".to_owned(),
        ports: workload
            .ports
            .iter()
            .map(|port| Port {
                host: *port,
                container: 80,
                protocol: Protocol::Both,
            })
            .collect(),
        entrypoint: Vec::new(),
        secrets: BTreeMap::new(),
        registry_credentials: None,
        restart: None,
        stop: None,
        probes: None,
        environment: Vec::new(),
        environment_sealed: false,
        command: Vec::new(),
        resources: workload.resources,
        tiers: None,
        mounts: Vec::new(),
    }
}

/// Up to two ports of those that FluxOS lets applications use (31000 to 39999).
fn some_ports(random: &mut Random, pool: u16) -> Vec<u16> {
    let count = random.weighted((2, 1), &[(1, 0), (1, 2)]);
    let drawn = (0..count).map(|_| random.below(pool.into()));
    let mut ports: Vec<u16> = drawn
        .map(|port| 31_000 + u16::try_from(port).unwrap_or(0))
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn geo(random: &mut Random) -> Geo {
    let mut somewhere = || place(usize::try_from(random.below(14)).unwrap_or(0));
    let (one, two) = (somewhere(), somewhere());
    let country =
        |place: &fluxplane_core::Place| GeoPattern::country(&place.continent, &place.country);
    let region = GeoPattern {
        region: Some(two.region.clone()),
        ..country(&two)
    };
    match random.below(10) {
        0 => Geo {
            allow: vec![GeoPattern::continent(&one.continent)],
            forbid: Vec::new(),
        },
        1 => Geo {
            allow: vec![country(&one), country(&two)],
            forbid: Vec::new(),
        },
        2 => Geo {
            allow: Vec::new(),
            forbid: vec![country(&one), region],
        },
        3 => Geo {
            allow: vec![GeoPattern::continent(&one.continent)],
            forbid: vec![country(&one)],
        },
        4..10 => Geo::default(),
        10.. => unreachable!("less than ten was drawn"),
    }
}

/// Some machines by name, hardly more than are needed.
fn pins(random: &mut Random, nodes: &[&Node], wanted: u32) -> Vec<Pin> {
    let count = u64::from(wanted.min(20)) + random.below(3);
    let drawn = (0..count).filter_map(|_| random.pick(nodes).copied());
    let drawn: Vec<&Node> = drawn.collect();
    let pin = |node: &Node| match random.below(3) {
        0 => Pin::Node(node.id),
        1 => Pin::Outpoint(node.outpoint.clone()),
        2.. => Pin::Ip(node.ip),
    };
    drawn.into_iter().map(pin).collect()
}
