//! A copy that waits carries a reason, and the change it names really places it.

use fluxplane_core::{Place, Tier, place::Network};
use fluxplane_placement::{
    Change, Engine, Filter, GeoPattern, Node, NodeState, PendingReason, Pin, Request, SpreadLimits,
    record::{Domain, NodeWanted},
};
use proptest::prelude::*;

use crate::fleet::{
    SMALL, any_node, any_request, app_id, engine, node, node_id, place, reserve_all, size,
};

fn pending(engine: &Engine, request: &Request) -> PendingReason {
    engine.plan(request, 1).record.pending.unwrap()
}

fn change(engine: &Engine, request: &Request) -> Change {
    pending(engine, request).change.unwrap()
}

#[test]
fn too_much_memory_is_answered_with_the_least_that_must_go() {
    let smaller = Node {
        capacity: size(3_000, 4_000, 129),
        ..node(2)
    };
    let engine = engine([node(1), smaller]);
    let greedy = Request::new(app_id(1), size(1_000, 5_512, 10), 1);
    let reason = pending(&engine, &greedy);
    assert_eq!(reason.strictest, Some(Filter::Memory));
    assert_eq!(reason.change, Some(Change::LowerMemory { by_mib: 512 }));
    assert_eq!(
        reason.to_string(),
        "1 copy waits; of 2 nodes: 2 lack memory, 0 left. Smallest change that places one more: \
         ask for 512 MiB less memory"
    );
}

#[test]
fn a_rule_is_dropped_sooner_than_an_application_is_starved() {
    let abroad = Node {
        place: place("NA_US_Ohio"),
        ..node(2)
    };
    let tiny = Node {
        capacity: size(100, 100, 1),
        ..node(1)
    };
    let engine = engine([tiny, abroad]);
    let mut asked = Request::new(app_id(1), SMALL, 1);
    asked.geo.allow = vec![GeoPattern::continent("EU")];
    assert_eq!(
        change(&engine, &asked),
        Change::DropAllow {
            patterns: vec![GeoPattern::continent("EU")]
        }
    );
    asked.geo.allow.clear();
    asked.geo.forbid = vec![GeoPattern::continent("NA"), GeoPattern::continent("OC")];
    assert_eq!(
        change(&engine, &asked),
        Change::DropForbid {
            pattern: GeoPattern::continent("NA")
        }
    );
}

#[test]
fn one_more_operator_is_named_when_operators_run_out() {
    let shared = |number: u8| Node {
        operator: "shared".to_owned(),
        ..node(number)
    };
    let limits = SpreadLimits {
        per_operator: Some(1.try_into().unwrap()),
        ..SpreadLimits::default()
    };
    let asked = Request {
        limits,
        ..Request::new(app_id(1), SMALL, 2)
    };
    let raise = change(&engine([shared(1), shared(2)]), &asked);
    assert_eq!(
        raise,
        Change::RaiseLimit {
            domain: Domain::Operator,
            to: 2
        }
    );
    let add = change(&engine([shared(1)]), &asked);
    let Change::AddNode(NodeWanted {
        other_operator_than,
        ..
    }) = &add
    else {
        panic!("{add:?}");
    };
    assert_eq!(other_operator_than, &["shared"]);
    assert!(
        add.to_string().contains("of another operator than shared"),
        "{add}"
    );
}

#[test]
fn a_port_in_the_way_is_named() {
    let busy = Node {
        ports_in_use: [443].into(),
        ..node(1)
    };
    let asked = Request {
        ports: vec![443, 80],
        ..Request::new(app_id(1), SMALL, 1)
    };
    assert_eq!(
        change(&engine([busy]), &asked),
        Change::ChangePorts { ports: vec![443] }
    );
}

#[test]
fn an_empty_fleet_needs_a_node() {
    let reason = pending(&Engine::new(), &Request::new(app_id(1), SMALL, 1));
    assert_eq!(reason.strictest, None);
    assert!(matches!(reason.change, Some(Change::AddNode(_))));
}

#[test]
fn rules_that_contradict_each_other_are_not_answered_with_a_node() {
    let mut asked = Request::new(app_id(1), SMALL, 1);
    asked.geo.allow = vec![GeoPattern::country("EU", "DE")];
    asked.geo.forbid = vec![GeoPattern::continent("EU")];
    assert_eq!(
        pending(&engine([node(1)]), &asked).change,
        Some(Change::DropForbid {
            pattern: GeoPattern::continent("EU"),
        })
    );
    assert_eq!(pending(&Engine::new(), &asked).change, None);
}

#[test]
fn pins_that_fail_are_answered_with_another_pin() {
    let engine = engine([
        Node {
            state: NodeState::Gone,
            ..node(1)
        },
        node(2),
    ]);
    let asked = Request {
        pinned: vec![Pin::Node(node_id(1))],
        ..Request::new(app_id(1), SMALL, 1)
    };
    assert_eq!(
        change(&engine, &asked),
        Change::AlsoPin { node: node_id(2) }
    );
}

/// A node as a change wants it, built from the wish alone.
fn wanted_node(wanted: &NodeWanted) -> Node {
    let continents = ["EU", "NA", "OC", "AF"].map(str::to_owned);
    let countries = ["DE", "US", "SG", "ZZ"].map(str::to_owned);
    let regions = ["Bavaria", "Ohio", "Elsewhere"].map(str::to_owned);
    let mut places = Vec::new();
    for continent in &continents {
        for country in &countries {
            for region in &regions {
                places.push(Place {
                    continent: continent.clone(),
                    country: country.clone(),
                    region: region.clone(),
                });
            }
        }
    }
    let fits = |place: &&Place| {
        wanted.geo.permits(place) && !wanted.other_country_than.contains(&place.country)
    };
    Node {
        operator: "newcomer".to_owned(),
        network: Network::V4([99, 99]),
        ip: [99, 99, 0, 1].into(),
        place: places.iter().find(fits).unwrap().clone(),
        tier: Tier::Stratus,
        capacity: wanted.resources,
        static_ip: wanted.static_ip,
        ..node(200)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_smallest_change_really_places_a_copy(
        nodes in prop::collection::vec(any_node(), 0..12),
        earlier in any_request(),
        request in any_request(),
        seed in any::<u64>(),
    ) {
        let mut engine = engine(nodes);
        let earlier = Request { existing: Vec::new(), ..earlier };
        let placements = engine.plan(&earlier, seed).placements;
        reserve_all(&mut engine, &earlier, &placements, 1);

        let decision = engine.plan(&request, seed);
        let Some(pending) = decision.record.pending else { return Ok(()); };
        let Some(change) = pending.change else {
            prop_assert!(
                !request.pinned.is_empty() || !request.geo.allow.is_empty()
                    || !request.geo.forbid.is_empty()
            );
            return Ok(());
        };
        reserve_all(&mut engine, &request, &decision.placements, 100);
        let one_more = Request { count: 1, ..request };
        prop_assert!(engine.plan(&one_more, seed).placements.is_empty());
        let changed = change.apply(&one_more).unwrap_or_else(|| {
            match &change {
                Change::ReturnNode { node } => {
                    engine.set_state(*node, NodeState::Schedulable).unwrap();
                }
                Change::AddNode(wanted) => engine.upsert_node(wanted_node(wanted)).unwrap(),
                other => panic!("{other:?} changes the request"),
            }
            one_more.clone()
        });
        prop_assert_eq!(engine.plan(&changed, seed).placements.len(), 1, "{}", change);
    }
}
