//! Explanations name what decided.

use fluxplane_placement::{Filter, Node, NodeState, Request, explain::Verdict, record::Criterion};

use crate::fleet::{SMALL, app_id, engine, node, node_id, size};

#[test]
fn the_chosen_node_is_told_apart_from_the_next_best() {
    let tight = Node {
        capacity: size(600, 1_100, 12),
        ..node(2)
    };
    let engine = engine([node(1), tight]);
    let record = engine.plan(&Request::new(app_id(1), SMALL, 1), 1).record;
    let chosen = engine.explain(&record, node_id(2)).unwrap();
    assert_eq!(chosen.verdict, Verdict::Chosen { copy: 1 });
    assert!(
        chosen.text.contains("of 2 nodes: 2 left"),
        "{}",
        chosen.text
    );
    assert!(chosen.text.contains("less is better"), "{}", chosen.text);
    let other = engine.explain(&record, node_id(1)).unwrap();
    assert_eq!(
        other.verdict,
        Verdict::Outranked {
            copy: 1,
            by: node_id(2),
            on: Criterion::LeftOver
        }
    );
}

#[test]
fn a_removed_node_hears_every_reason_with_its_numbers() {
    let bad = Node {
        state: NodeState::Cordoned,
        capacity: size(3_000, 512, 129),
        ..node(1)
    };
    let engine = engine([bad, node(2)]);
    let record = engine.plan(&Request::new(app_id(1), SMALL, 1), 1).record;
    let explanation = engine.explain(&record, node_id(1)).unwrap();
    assert_eq!(
        explanation.verdict,
        Verdict::Removed {
            filters: vec![Filter::State, Filter::Memory]
        }
    );
    let text = explanation.text;
    assert!(text.contains("it is cordoned"), "{text}");
    assert!(
        text.contains("it has 512 MiB memory free, 1000 are needed"),
        "{text}"
    );
}

#[test]
fn a_node_beyond_the_kept_candidates_is_explained_from_the_state() {
    let mut engine = engine((1..=9).map(node));
    let record = engine.plan(&Request::new(app_id(1), SMALL, 1), 1).record;
    let kept = &record.choices[0];
    let outside = (1..=9).map(node_id).find(|id| {
        *id != kept.chosen.node && kept.runners_up.iter().all(|other| other.node != *id)
    });
    let outside = outside.unwrap();
    let explanation = engine.explain(&record, outside).unwrap();
    assert!(
        matches!(
            explanation.verdict,
            Verdict::Outranked {
                on: Criterion::TieBreak,
                ..
            }
        ),
        "{explanation:?}"
    );

    engine.set_state(outside, NodeState::Gone).unwrap();
    let error = engine.explain(&record, outside).unwrap_err();
    assert!(error.to_string().contains("load the snapshot"), "{error}");
    let still_known = engine.explain(&record, kept.chosen.node).unwrap();
    assert_eq!(still_known.verdict, Verdict::Chosen { copy: 1 });
}

#[test]
fn an_unknown_node_is_called_unknown() {
    let engine = engine([node(1)]);
    let record = engine.plan(&Request::new(app_id(1), SMALL, 1), 1).record;
    let explanation = engine.explain(&record, node_id(99)).unwrap();
    assert_eq!(explanation.verdict, Verdict::Unknown);
}
