//! Random histories of joins, deaths, placements and releases.

use std::collections::{BTreeMap, BTreeSet};

use fluxplane_core::id::{AppId, InstanceId, NodeId};
use fluxplane_placement::{
    DecisionRecord, Digest, Engine, Node, NodeState, Request, Reservation, replay::ReplayError,
};
use proptest::prelude::*;

use crate::{
    fleet::{
        any_node, any_node_below, any_request, engine, instance_id, node, node_id, reserve_all,
    },
    oracle::check_decision,
};

#[derive(Debug, Clone)]
enum Step {
    Upsert(Node),
    Remove(NodeId),
    State(NodeId, NodeState),
    Place(Request, u64),
    Release(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    let id = || (1..40_u128).prop_map(node_id);
    let state =
        prop::sample::select(&[NodeState::Schedulable, NodeState::Cordoned, NodeState::Gone]);
    prop_oneof![
        5 => any_node().prop_map(Step::Upsert),
        1 => id().prop_map(Step::Remove),
        1 => (id(), state).prop_map(|(id, state)| Step::State(id, state)),
        5 => (any_request(), any::<u64>()).prop_map(|(request, seed)| Step::Place(request, seed)),
        2 => any::<usize>().prop_map(Step::Release),
    ]
}

fn any_history() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(any_step(), 1..60)
}

/// Plays a history; `each` sees the engine after every step.
fn play(history: &[Step], mut each: impl FnMut(&Engine)) -> Engine {
    let mut engine = Engine::new();
    let mut live: Vec<InstanceId> = Vec::new();
    let mut next = 1;
    for step in history {
        match step {
            Step::Upsert(node) => engine.upsert_node(node.clone()).unwrap(),
            Step::Remove(id) => {
                if let Ok((_, released)) = engine.remove_node(*id) {
                    live.retain(|instance| !released.iter().any(|r| r.instance == *instance));
                }
            }
            Step::State(id, state) => {
                let known = engine.node(*id).is_some();
                assert_eq!(engine.set_state(*id, *state).is_ok(), known);
            }
            Step::Place(request, seed) => {
                // Copies the engine does not know of would make its own rules look broken.
                let request = Request {
                    existing: Vec::new(),
                    ..request.clone()
                };
                let decision = engine.plan(&request, *seed);
                live.extend(reserve_all(
                    &mut engine,
                    &request,
                    &decision.placements,
                    next,
                ));
                next += 10;
            }
            Step::Release(pick) => {
                if !live.is_empty() {
                    let instance = live.swap_remove(pick % live.len());
                    engine.release(instance).unwrap();
                }
            }
        }
        each(&engine);
    }
    engine
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_decision_on_a_larger_fleet_is_the_one_the_rules_name(
        nodes in prop::collection::vec(any_node_below(10_000), 300..500),
        earlier in prop::collection::vec((any_request(), any::<u64>()), 20),
        request in any_request(),
        seed in any::<u64>(),
    ) {
        let mut engine = engine(nodes);
        for (number, (earlier, seed)) in (0..).zip(earlier) {
            let earlier = Request { existing: Vec::new(), ..earlier };
            let placements = engine.plan(&earlier, seed).placements;
            reserve_all(&mut engine, &earlier, &placements, number * 10);
        }
        check_decision(&engine, &request, seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_decision_is_the_one_the_rules_name(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        let engine = play(&history, |_| {});
        check_decision(&engine, &request, seed);
    }

    #[test]
    fn no_node_takes_two_copies_of_an_application(history in any_history()) {
        play(&history, |engine| {
            let mut copies: BTreeSet<(AppId, NodeId)> = BTreeSet::new();
            for reservation in engine.snapshot().reservations {
                assert!(copies.insert((reservation.app, reservation.node)), "{reservation:?}");
            }
        });
    }

    #[test]
    fn no_node_goes_over_capacity(history in any_history()) {
        // A node that is measured again keeps the larger capacity, so that only placements could overfill it.
        let mut largest: BTreeMap<NodeId, Node> = BTreeMap::new();
        let history: Vec<Step> = history.into_iter().map(|step| match step {
            Step::Upsert(node) => Step::Upsert(
                largest.entry(node.id).or_insert(node).clone()
            ),
            other => other,
        }).collect();
        play(&history, |engine| {
            for view in engine.nodes() {
                assert!(view.node.capacity.covers(view.used), "{:?}", view.node);
                assert_eq!(view.used.checked_add(view.free), Some(view.node.capacity));
            }
        });
    }

    #[test]
    fn a_node_over_capacity_takes_no_new_work_that_needs_what_it_lacks(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        let engine = play(&history, |_| {});
        for placement in engine.plan(&request, seed).placements {
            let view = engine.node(placement).unwrap();
            prop_assert!(view.free.covers(request.resources));
        }
    }

    #[test]
    fn what_is_reserved_and_released_leaves_no_trace(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        let mut engine = play(&history, |_| {});
        let request = Request { existing: Vec::new(), ..request };
        let before = (engine.state_digest(), engine.snapshot(), engine.plan(&request, seed));
        let placements = before.2.placements.clone();
        let instances = reserve_all(&mut engine, &request, &placements, 1_000_000);
        prop_assert_eq!(placements.is_empty(), engine.state_digest() == before.0);
        for instance in instances {
            engine.release(instance).unwrap();
        }
        let after = (engine.state_digest(), engine.snapshot(), engine.plan(&request, seed));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn the_answer_depends_on_the_state_and_not_on_its_history(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        let engine = play(&history, |_| {});
        let mut snapshot = engine.snapshot();
        snapshot.nodes.reverse();
        snapshot.reservations.reverse();
        let json = serde_json::to_string(&snapshot).unwrap();
        let rebuilt = Engine::from_snapshot(serde_json::from_str(&json).unwrap()).unwrap();
        prop_assert_eq!(engine.state_digest(), rebuilt.state_digest());
        prop_assert_eq!(engine.plan(&request, seed), rebuilt.plan(&request, seed));
    }

    #[test]
    fn a_stored_decision_replays_to_the_identical_answer(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        let engine = play(&history, |_| {});
        let decision = engine.plan(&request, seed);
        let stored = serde_json::to_string(&decision.record).unwrap();
        let record: DecisionRecord = serde_json::from_str(&stored).unwrap();
        let restored = Engine::from_snapshot(engine.snapshot()).unwrap();
        let replayed = restored.replay(&record).unwrap();
        prop_assert_eq!(&replayed, &decision);
        prop_assert_eq!(replayed.record.fingerprint(), record.fingerprint());
    }

    #[test]
    fn the_order_of_a_rule_list_means_nothing(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        let engine = play(&history, |_| {});
        let mut turned = request.clone();
        turned.ports.reverse();
        turned.geo.allow.reverse();
        turned.geo.forbid.reverse();
        turned.pinned.reverse();
        turned.exclude.reverse();
        turned.existing.reverse();
        let (one, other) = (engine.plan(&request, seed), engine.plan(&turned, seed));
        prop_assert_eq!(one.record.inputs, other.record.inputs);
        prop_assert_eq!(one.record.choices, other.record.choices);
    }

    #[test]
    fn every_node_can_be_explained(
        history in any_history(), request in any_request(), seed in any::<u64>(),
    ) {
        use fluxplane_placement::explain::Verdict;
        let engine = play(&history, |_| {});
        let decision = engine.plan(&request, seed);
        for view in engine.nodes() {
            let node = view.node.id;
            let explanation = engine.explain(&decision.record, node).unwrap();
            let chosen = decision.placements.contains(&node);
            match explanation.verdict {
                Verdict::Chosen { .. } => prop_assert!(chosen),
                Verdict::Outranked { by, .. } => {
                    prop_assert!(!chosen && decision.placements.contains(&by));
                }
                Verdict::Removed { filters } => {
                    prop_assert!(!chosen && (!filters.is_empty() || request.count == 0));
                }
                Verdict::Unknown => prop_assert!(false, "the node is known"),
            }
            prop_assert!(explanation.text.contains(&node.to_string()));
        }
    }
}

#[test]
fn an_altered_record_does_not_replay() {
    let engine = engine([node(1), node(2), node(3)]);
    let request = Request::new(crate::fleet::app_id(1), crate::fleet::SMALL, 2);
    let record = engine.plan(&request, 7).record;
    assert!(engine.replay(&record).is_ok());

    let mut other_seed = record.clone();
    other_seed.seed = 8;
    assert!(matches!(
        engine.replay(&other_seed),
        Err(ReplayError::InputsAltered { .. })
    ));

    let mut other_answer = record.clone();
    other_answer.choices.pop();
    assert!(matches!(
        engine.replay(&other_answer),
        Err(ReplayError::OtherAnswer { .. })
    ));

    let mut other_rules = record.clone();
    other_rules.rules += 1;
    assert!(matches!(
        engine.replay(&other_rules),
        Err(ReplayError::OtherRules { .. })
    ));

    let mut moved = engine.clone();
    moved.set_state(node_id(3), NodeState::Gone).unwrap();
    let error = moved.replay(&record).unwrap_err();
    assert!(matches!(error, ReplayError::OtherState { .. }), "{error}");
}

#[test]
fn the_seed_decides_between_equals_and_spreads_the_choice() {
    let engine = engine((1..=20).map(node));
    let request = Request::new(crate::fleet::app_id(1), crate::fleet::SMALL, 1);
    let mut winners = BTreeSet::new();
    for seed in 0..400 {
        winners.insert(engine.plan(&request, seed).placements[0]);
    }
    assert!(
        winners.len() >= 15,
        "only {} of 20 equal nodes ever won",
        winners.len()
    );
}

#[test]
fn digests_tell_states_apart() {
    let mut engine = engine([node(1), node(2)]);
    let mut seen: BTreeSet<Digest> = BTreeSet::from([engine.state_digest()]);
    engine.set_state(node_id(1), NodeState::Cordoned).unwrap();
    assert!(seen.insert(engine.state_digest()));
    engine
        .set_state(node_id(1), NodeState::Schedulable)
        .unwrap();
    assert!(!seen.insert(engine.state_digest()));
    let reservation = Reservation {
        instance: instance_id(1),
        app: crate::fleet::app_id(1),
        node: node_id(2),
        resources: crate::fleet::SMALL,
        ports: BTreeSet::new(),
    };
    engine.reserve(reservation).unwrap();
    assert!(seen.insert(engine.state_digest()));
    engine.remove_node(node_id(2)).unwrap();
    assert!(seen.insert(engine.state_digest()));
}
