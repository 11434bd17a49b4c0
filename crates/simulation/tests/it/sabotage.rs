//! A check that cannot fail checks nothing: every way to break the plane is noticed, by the rule that is about it.

use std::{collections::BTreeSet, ops::RangeInclusive};

use fluxplane_simulation::{Rule, Sabotage, Settings, run};

use crate::small;

/// Size of the history, and seeds that are tried until the sabotage finds its opportunity.
fn opportunities(kind: Sabotage) -> (u64, u32, RangeInclusive<u64>) {
    // It needs a registry that restarts while nodes are silent.
    let restarts = kind == Sabotage::JudgeUnheard;
    // It is noticed only when the world does not come to rest, hours later.
    let late = kind == Sabotage::LoseReports;
    let (events, nodes) = if late { (800, 20) } else { (1_500, 60) };
    (events, nodes, if restarts { 12..=12 } else { 1..=6 })
}

fn noticed(kind: Sabotage) -> BTreeSet<Rule> {
    let (events, nodes, seeds) = opportunities(kind);
    for seed in seeds {
        let outcome = run(Settings {
            events,
            nodes: Some(nodes),
            sabotage: Some(kind),
            ..small(seed)
        });
        if let Some(failure) = outcome.failure {
            assert!(!failure.tail.is_empty());
            return failure.violations.iter().map(|wrong| wrong.rule).collect();
        }
    }
    BTreeSet::new()
}

#[test]
fn every_sabotage_is_noticed_by_the_rule_that_it_breaks() {
    for kind in Sabotage::ALL {
        let rules = noticed(kind);
        assert!(
            rules.contains(&kind.breaks()),
            "{kind:?} breaks \"{}\", noticed were {rules:?}",
            kind.breaks()
        );
    }
}

#[test]
fn every_rule_can_be_broken() {
    let broken: BTreeSet<Rule> = Sabotage::ALL.into_iter().map(Sabotage::breaks).collect();
    let missing: Vec<Rule> = Rule::ALL
        .into_iter()
        .filter(|rule| !broken.contains(rule))
        .collect();
    assert_eq!(missing, []);
}
