//! Metrics of what transactions say, and of the coins there are.

use fluxplane_core::{Sat, Tier};
use fluxplane_platform::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

use super::ChangeLabels;
use crate::domain::{
    ChainEvent,
    event::{NoteChange, PaymentChange},
    memo::ProblemKind,
    note::Content,
    payment::{Departure, Place},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ProblemLabels {
    pub problem: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabels {
    pub reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TierLabels {
    pub tier: &'static str,
}

#[derive(Debug, Clone)]
pub struct SaidMetrics {
    /// Payments that name no message, when they are first seen.
    pub unmatched: Family<ProblemLabels, Counter>,
    /// Payments that are dropped.
    pub departed: Family<ReasonLabels, Counter>,
    pub anchors: Family<ChangeLabels, Counter>,
    pub price_messages: Family<ChangeLabels, Counter>,
    /// What the rules had created by the last applied block.
    pub scheduled_sat: Gauge,
    /// What there is after it; 0 where that is not counted.
    pub observed_sat: Gauge,
    /// Collateral of the confirmed nodes.
    pub locked_sat: Family<TierLabels, Gauge>,
}

impl SaidMetrics {
    pub(super) fn register(metrics: &Metrics) -> Self {
        Self {
            unmatched: metrics.register(
                "chain_unmatched_payments",
                "Payments to watched addresses that name no message, by what is wrong",
                all(ProblemKind::ALL.map(|kind| ProblemLabels {
                    problem: kind.name(),
                })),
            ),
            departed: metrics.register(
                "chain_payments_departed",
                "Payments that left the mempool without a block, by why",
                all(Departure::NAMES.map(|reason| ReasonLabels { reason })),
            ),
            anchors: metrics.register(
                "chain_anchors",
                "Changes of settlement anchors on the chain",
                all(changes(&NoteChange::ALL)),
            ),
            price_messages: metrics.register(
                "chain_price_messages",
                "Changes of the foundation's price messages",
                all(changes(&[
                    NoteChange::Mined,
                    NoteChange::Final,
                    NoteChange::Reorganised,
                ])),
            ),
            scheduled_sat: metrics.register(
                "chain_supply_scheduled_sat",
                "What the rules had created by the last applied block",
                Gauge::default(),
            ),
            observed_sat: metrics.register(
                "chain_supply_observed_sat",
                "What there is after the last applied block; 0 where that is not counted",
                Gauge::default(),
            ),
            locked_sat: metrics.register(
                "chain_fluxnode_locked_sat",
                "Collateral of the confirmed nodes by tier",
                Family::default(),
            ),
        }
    }

    /// Counts what happened.
    pub(super) fn count(&self, event: &ChainEvent) {
        match event {
            ChainEvent::Payment {
                change,
                payment,
                place,
                ..
            } => {
                if let (PaymentChange::Seen, Some(problem)) = (change, payment.memo.problem()) {
                    let problem = problem.kind.name();
                    self.unmatched
                        .get_or_create(&ProblemLabels { problem })
                        .inc();
                }
                if let Place::Dropped(departure) = place {
                    let reason = departure.name();
                    self.departed.get_or_create(&ReasonLabels { reason }).inc();
                }
            }
            ChainEvent::Note { change, note, .. } => {
                let family = match note.content {
                    Content::Anchor { .. } => &self.anchors,
                    Content::Price { .. } => &self.price_messages,
                };
                let change = change.name();
                family.get_or_create(&ChangeLabels { change }).inc();
            }
            ChainEvent::BlockConnected { .. }
            | ChainEvent::BlockDisconnected { .. }
            | ChainEvent::Fluxnode { .. } => {}
        }
    }

    /// Shows the coins.
    pub fn show_supply(&self, scheduled: Sat, observed: Option<Sat>) {
        self.scheduled_sat.set(scheduled.get());
        self.observed_sat.set(observed.map_or(0, Sat::get));
    }

    /// Shows what the nodes of a tier lock.
    pub fn show_locked(&self, tier: Tier, locked: Sat) {
        let tier = tier.name();
        self.locked_sat
            .get_or_create(&TierLabels { tier })
            .set(locked.get());
    }
}

fn changes<const N: usize>(changes: &[NoteChange; N]) -> [ChangeLabels; N] {
    changes.map(|change| ChangeLabels {
        change: change.name(),
    })
}

/// All series exist from the start, so that what never happened shows as 0.
fn all<L, const N: usize>(labels: [L; N]) -> Family<L, Counter>
where
    L: Clone + Eq + std::hash::Hash,
{
    let family = Family::default();
    for labels in labels {
        drop(family.get_or_create(&labels));
    }
    family
}
