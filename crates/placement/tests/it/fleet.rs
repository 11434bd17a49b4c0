//! Small fleets: by hand for examples, random for properties.

use std::{collections::BTreeSet, net::IpAddr};

use fluxplane_core::{
    Place, Resources, Tier,
    id::{AppId, InstanceId, NodeId},
    place::Network,
};
use fluxplane_placement::{
    Engine, Geo, GeoPattern, Node, NodeState, Pin, Request, Reservation, SpreadLimits,
};
use proptest::prelude::*;
use uuid::Uuid;

pub(crate) fn node_id(number: u128) -> NodeId {
    NodeId::new(Uuid::from_u128(number))
}

pub(crate) fn app_id(number: u128) -> AppId {
    AppId::new(Uuid::from_u128(number))
}

pub(crate) fn instance_id(number: u128) -> InstanceId {
    InstanceId::new(Uuid::from_u128(number))
}

pub(crate) const fn size(cpu_milli: u64, ram_mib: u64, disk_gib: u64) -> Resources {
    Resources {
        cpu_milli,
        ram_mib,
        disk_gib,
    }
}

/// One copy of the examples.
pub(crate) const SMALL: Resources = size(500, 1_000, 10);

/// A Cumulus node of its own operator, in its own network, in Germany.
pub(crate) fn node(number: u8) -> Node {
    let ip: IpAddr = [10, number, 0, 1].into();
    Node {
        id: node_id(number.into()),
        operator: format!("operator-{number}"),
        network: Network::from(ip),
        place: place("EU_DE_Bavaria"),
        tier: Tier::Cumulus,
        capacity: size(3_000, 5_000, 129),
        static_ip: false,
        state: NodeState::Schedulable,
        ip,
        outpoint: format!("{number:064x}:0"),
        ports_in_use: BTreeSet::new(),
    }
}

pub(crate) fn place(text: &str) -> Place {
    let mut parts = text.splitn(3, '_').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    Place {
        continent: next(),
        country: next(),
        region: next(),
    }
}

pub(crate) fn engine(nodes: impl IntoIterator<Item = Node>) -> Engine {
    let mut engine = Engine::new();
    for node in nodes {
        engine.upsert_node(node).unwrap();
    }
    engine
}

/// Reserves what a plan decided, with instance ids from `first` on.
pub(crate) fn reserve_all(
    engine: &mut Engine,
    request: &Request,
    nodes: &[NodeId],
    first: u128,
) -> Vec<InstanceId> {
    let mut instances = Vec::new();
    for (number, node) in (first..).zip(nodes) {
        let instance = instance_id(number);
        let reservation = Reservation {
            instance,
            app: request.app,
            node: *node,
            resources: request.resources,
            ports: request.ports.iter().copied().collect(),
        };
        engine.reserve(reservation).unwrap();
        instances.push(instance);
    }
    instances
}

const PLACES: [&str; 6] = [
    "EU_DE_Bavaria",
    "EU_DE_Hesse",
    "EU_FR_Brittany",
    "NA_US_Ohio",
    "NA_CA_Ontario",
    "AS_SG_Singapore",
];

prop_compose! {
    /// A node out of few operators, networks, places and addresses, so that rules meet.
    pub(crate) fn any_node_below(most: u128)(
        id in 1..most,
        operator in 0..5_u8,
        address in 0..12_u8,
        place_of in prop::sample::select(&PLACES),
        tier in prop::sample::select(&Tier::ALL),
        (cpu, ram, disk) in (0..5_u64, 0..5_u64, 0..5_u64),
        static_ip in any::<bool>(),
        state in prop::sample::select(&[
            NodeState::Schedulable, NodeState::Schedulable, NodeState::Schedulable,
            NodeState::Cordoned, NodeState::Gone,
        ]),
        ports_in_use in prop::collection::btree_set(prop::sample::select(&[80_u16, 443]), 0..2),
    ) -> Node {
        let ip: IpAddr = [10, address % 4, 0, address].into();
        Node {
            id: node_id(id),
            operator: format!("operator-{operator}"),
            network: Network::from(ip),
            place: place(place_of),
            tier,
            capacity: size(cpu * 1_000, ram * 1_000, disk * 10),
            static_ip,
            state,
            ip,
            outpoint: format!("{:064x}:0", id / 2),
            ports_in_use,
        }
    }
}

fn any_pattern() -> impl Strategy<Value = GeoPattern> {
    let part = |names: &'static [&'static str]| {
        prop::option::of(prop::sample::select(names).prop_map(str::to_owned))
    };
    (
        part(&["EU", "NA", "OC"]),
        part(&["DE", "US", "SG"]),
        part(&["Bavaria", "Ohio"]),
    )
        .prop_map(|(continent, country, region)| GeoPattern {
            continent,
            country,
            region,
        })
}

fn any_pin() -> impl Strategy<Value = Pin> {
    prop_oneof![
        (1..40_u128).prop_map(|id| Pin::Node(node_id(id))),
        (0..20_u128).prop_map(|id| Pin::Outpoint(format!("{id:064x}:0"))),
        (0..12_u8).prop_map(|address| Pin::Ip([10, address % 4, 0, address].into())),
    ]
}

fn seldom<T: std::fmt::Debug + Clone + 'static>(
    items: impl Strategy<Value = T> + 'static,
    most: usize,
) -> BoxedStrategy<Vec<T>> {
    prop_oneof![
        2 => Just(Vec::new()),
        1 => prop::collection::vec(items, 0..most),
    ]
    .boxed()
}

pub(crate) fn any_node() -> impl Strategy<Value = Node> {
    any_node_below(40)
}

prop_compose! {
    /// A request that uses some of the rules.
    pub(crate) fn any_request()(
        app in 1..6_u128,
        (cpu, ram, disk) in (0..5_u64, 0..5_u64, 0..5_u64),
        ports in seldom(prop::sample::select(&[80_u16, 443, 8_080]), 3),
        allow in seldom(any_pattern(), 3),
        forbid in seldom(any_pattern(), 3),
        static_ip in prop::bool::weighted(0.2),
        pinned in seldom(any_pin(), 6),
        exclude in seldom((1..40_u128).prop_map(node_id), 6),
        existing in seldom((1..40_u128).prop_map(node_id), 3),
        limits in prop::array::uniform3(prop::option::weighted(0.3, 1..3_u32)),
        count in 0..6_u32,
    ) -> Request {
        let limit = |value: Option<u32>| value.map(|value| value.try_into().unwrap());
        Request {
            ports,
            geo: Geo { allow, forbid },
            static_ip,
            pinned,
            exclude,
            existing,
            limits: SpreadLimits {
                per_operator: limit(limits[0]),
                per_network: limit(limits[1]),
                per_country: limit(limits[2]),
            },
            ..Request::new(app_id(app), size(cpu * 500, ram * 500, disk * 5), count)
        }
    }
}
