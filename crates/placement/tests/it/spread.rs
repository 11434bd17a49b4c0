//! Spread by example: fewest copies first, over operator, then network, then country, then tier; then fit.

use fluxplane_core::{Tier, id::NodeId};
use fluxplane_placement::{
    Engine, Filter, GeoPattern, Node, NodeState, Pin, Request, SpreadLimits,
};

use crate::fleet::{SMALL, app_id, engine, node, node_id, place, reserve_all, size};

fn request(count: u32) -> Request {
    Request::new(app_id(1), SMALL, count)
}

fn numbers(placements: &[NodeId]) -> Vec<u128> {
    placements.iter().map(|id| id.uuid().as_u128()).collect()
}

/// Where the request goes, sorted.
fn placed(engine: &Engine, request: &Request) -> Vec<u128> {
    let mut placed = numbers(&engine.plan(request, 1).placements);
    placed.sort_unstable();
    placed
}

#[test]
fn copies_go_to_different_operators_first() {
    let shared = |number: u8| Node {
        operator: "shared".to_owned(),
        ..node(number)
    };
    let engine = engine([shared(1), shared(2), shared(3), node(4), node(5)]);
    for seed in 0..50 {
        let placements = engine.plan(&request(3), seed).placements;
        let shared = numbers(&placements)
            .into_iter()
            .filter(|number| *number <= 3)
            .count();
        assert_eq!(shared, 1, "seed {seed}");
    }
}

#[test]
fn a_second_copy_at_one_operator_beats_none() {
    let shared = |number: u8| Node {
        operator: "shared".to_owned(),
        ..node(number)
    };
    let engine = engine([shared(1), shared(2)]);
    assert_eq!(placed(&engine, &request(2)), [1, 2]);
}

#[test]
fn among_equal_operators_the_network_decides() {
    let neighbour = Node {
        network: node(1).network,
        ..node(2)
    };
    let engine = engine([node(1), neighbour, node(3)]);
    let mut engine = engine;
    reserve_all(&mut engine, &request(1), &[node_id(1)], 1);
    assert_eq!(placed(&engine, &request(1)), [3]);
}

#[test]
fn among_equal_networks_the_country_decides_and_then_the_tier() {
    let abroad = Node {
        place: place("EU_FR_Brittany"),
        ..node(2)
    };
    let nimbus = |number: u8| Node {
        tier: Tier::Nimbus,
        ..node(number)
    };
    let mut by_country = engine([node(1), abroad, nimbus(3)]);
    reserve_all(&mut by_country, &request(1), &[node_id(1)], 1);
    assert_eq!(placed(&by_country, &request(1)), [2]);

    let mut by_tier = engine([node(1), node(2), nimbus(3)]);
    reserve_all(&mut by_tier, &request(1), &[node_id(1)], 1);
    assert_eq!(placed(&by_tier, &request(1)), [3]);
}

#[test]
fn the_node_with_the_least_left_over_takes_the_copy() {
    let tight = Node {
        capacity: size(600, 1_100, 12),
        ..node(2)
    };
    let engine = engine([node(1), tight, node(3)]);
    assert_eq!(placed(&engine, &request(1)), [2]);
}

#[test]
fn small_work_stays_off_large_machines() {
    let stratus = Node {
        tier: Tier::Stratus,
        capacity: size(15_000, 59_000, 756),
        ..node(1)
    };
    let engine = engine([stratus, node(2)]);
    assert_eq!(placed(&engine, &request(1)), [2]);
    let large = Request::new(app_id(2), size(8_000, 20_000, 300), 1);
    assert_eq!(placed(&engine, &large), [1]);
}

#[test]
fn copies_on_a_lost_node_no_longer_count() {
    let mut engine = engine([
        node(1),
        Node {
            operator: "operator-1".to_owned(),
            ..node(2)
        },
    ]);
    reserve_all(&mut engine, &request(1), &[node_id(1)], 1);
    let limited = Request {
        limits: SpreadLimits {
            per_operator: Some(1.try_into().unwrap()),
            ..SpreadLimits::default()
        },
        ..request(1)
    };
    assert!(engine.plan(&limited, 1).placements.is_empty());
    engine.set_state(node_id(1), NodeState::Cordoned).unwrap();
    assert!(
        engine.plan(&limited, 1).placements.is_empty(),
        "a suspect copy still counts"
    );
    engine.set_state(node_id(1), NodeState::Gone).unwrap();
    assert_eq!(placed(&engine, &limited), [2]);
}

#[test]
fn a_limit_of_one_per_network_is_kept_even_if_a_copy_must_wait() {
    let near = |number: u8| Node {
        network: node(1).network,
        ..node(number)
    };
    let engine = engine([node(1), near(2), near(3), node(4)]);
    let limited = Request {
        limits: SpreadLimits {
            per_network: Some(1.try_into().unwrap()),
            ..SpreadLimits::default()
        },
        ..request(3)
    };
    let decision = engine.plan(&limited, 1);
    assert_eq!(decision.placements.len(), 2);
    let pending = decision.record.pending.unwrap();
    assert_eq!(pending.copies, 1);
    assert_eq!(pending.filters.removed_by(Filter::NetworkLimit), 2);
}

#[test]
fn two_copies_that_want_one_port_do_not_share_an_address() {
    let behind = |number: u8| Node {
        ip: node(1).ip,
        ..node(number)
    };
    let engine = engine([node(1), behind(2), node(3)]);
    let web = Request {
        ports: vec![8_080],
        ..request(3)
    };
    let decision = engine.plan(&web, 1);
    assert_eq!(decision.placements.len(), 2);
    assert!(decision.placements.contains(&node_id(3)));
    let silent = engine.plan(&request(3), 1);
    assert_eq!(
        silent.placements.len(),
        3,
        "without ports they may share it"
    );
}

#[test]
fn pins_by_node_outpoint_and_address_select_the_candidates() {
    let behind = |number: u8| Node {
        ip: node(3).ip,
        ..node(number)
    };
    let engine = engine([node(1), node(2), node(3), behind(4), node(5)]);
    let pinned = |pins: Vec<Pin>| Request {
        pinned: pins,
        ..request(5)
    };
    let by_id = pinned(vec![Pin::Node(node_id(1))]);
    assert_eq!(placed(&engine, &by_id), [1]);
    let by_outpoint = pinned(vec![Pin::Outpoint(node(2).outpoint)]);
    assert_eq!(placed(&engine, &by_outpoint), [2]);
    let by_address = pinned(vec![Pin::Ip(node(3).ip)]);
    assert_eq!(placed(&engine, &by_address), [3, 4]);
    let all = pinned(vec![Pin::Node(node_id(1)), Pin::Ip(node(3).ip)]);
    let record = engine.plan(&all, 1).record;
    assert_eq!(record.filters.removed_by(Filter::Pinned), 2);
    assert_eq!(record.filters.left, 3);
}

#[test]
fn geolocation_by_continent_country_and_region() {
    let at = |number: u8, text: &str| Node {
        place: place(text),
        ..node(number)
    };
    let engine = engine([
        at(1, "EU_DE_Bavaria"),
        at(2, "EU_DE_Hesse"),
        at(3, "EU_FR_Brittany"),
        at(4, "NA_US_Ohio"),
    ]);
    let mut asked = request(4);
    asked.geo.allow = vec![GeoPattern::continent("EU")];
    assert_eq!(placed(&engine, &asked), [1, 2, 3]);
    asked.geo.forbid = vec![GeoPattern::country("EU", "DE")];
    assert_eq!(placed(&engine, &asked), [3]);
    asked.geo.forbid = vec![GeoPattern {
        region: Some("Hesse".to_owned()),
        ..GeoPattern::country("EU", "DE")
    }];
    assert_eq!(placed(&engine, &asked), [1, 3]);
    asked.geo.allow = vec![GeoPattern::continent("OC")];
    assert!(placed(&engine, &asked).is_empty());
}
