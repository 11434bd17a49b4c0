//! Metrics of the chain indexer.

mod said;

use fluxplane_core::Tier;
use fluxplane_flux_chain::fluxnode::Status;
use fluxplane_platform::metrics::{Metrics, latency_histogram};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use crate::domain::{BlockEffects, ChainEvent, event::PaymentChange};

pub use said::SaidMetrics;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RpcLabels {
    /// First method of the request.
    pub method: &'static str,
    /// `ok`, or why there was no answer.
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FluxnodeLabels {
    pub tier: &'static str,
    pub status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChangeLabels {
    pub change: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DirectionLabels {
    /// `connected` or `disconnected`.
    pub direction: &'static str,
}

#[derive(Debug, Clone)]
pub struct ChainMetrics {
    /// Height of the last applied block.
    pub height: Gauge,
    /// Height the daemon reported last.
    pub daemon_height: Gauge,
    /// Blocks between them.
    pub lag_blocks: Gauge,
    /// Seconds since the time of the last applied block.
    pub tip_age_seconds: Gauge,
    /// 1 while a person must look before the chain is followed on.
    pub halted: Gauge,
    /// Nodes on the lists.
    pub fluxnodes: Family<FluxnodeLabels, Gauge>,
    /// Blocks applied and undone.
    pub blocks: Family<DirectionLabels, Counter>,
    /// Reorganisations that were followed.
    pub reorgs: Counter,
    /// Blocks undone per reorganisation.
    pub reorg_depth: Histogram,
    /// Changes of payments.
    pub payments: Family<ChangeLabels, Counter>,
    /// What transactions say, and the coins there are.
    pub said: SaidMetrics,
    /// Requests to the daemon.
    pub rpc_seconds: Family<RpcLabels, Histogram, fn() -> Histogram>,
    /// Blocks and transactions of the daemon that were not what they claimed to be.
    pub garbled: Counter,
    /// Seconds from the first word of a new block, announced or found by asking, to the commit of its effects.
    pub tip_seconds: Histogram,
}

impl ChainMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.register(name, help, Gauge::default());
        let counter = |name, help| metrics.register(name, help, Counter::default());
        Self {
            height: gauge("chain_height", "Height of the last applied block"),
            daemon_height: gauge("chain_daemon_height", "Height the daemon reported last"),
            lag_blocks: gauge("chain_lag_blocks", "Blocks the index is behind the daemon"),
            tip_age_seconds: gauge(
                "chain_tip_age_seconds",
                "Seconds since the time of the last applied block",
            ),
            halted: gauge("chain_halted", "1 while a person must look"),
            fluxnodes: metrics.register(
                "chain_fluxnodes",
                "Nodes on the lists by tier and status",
                fluxnodes(),
            ),
            blocks: metrics.register(
                "chain_blocks",
                "Blocks applied and undone",
                Family::default(),
            ),
            reorgs: counter("chain_reorgs", "Reorganisations that were followed"),
            reorg_depth: metrics.register(
                "chain_reorg_depth_blocks",
                "Blocks undone per reorganisation",
                Histogram::new([1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 39.0]),
            ),
            payments: metrics.register(
                "chain_payments",
                "Changes of payments to watched addresses",
                payments(),
            ),
            rpc_seconds: metrics.register(
                "chain_rpc_seconds",
                "Duration of requests to the daemon by method and outcome",
                Family::new_with_constructor(latency_histogram as fn() -> Histogram),
            ),
            garbled: counter(
                "chain_garbled",
                "Blocks and transactions of the daemon that were not what they claimed to be",
            ),
            said: SaidMetrics::register(metrics),
            tip_seconds: metrics.register(
                "chain_tip_seconds",
                "Seconds from the first word of a block to the commit of its effects",
                latency_histogram(),
            ),
        }
    }
}

impl ChainMetrics {
    /// Blocks were applied.
    pub fn connected(&self, effects: &[BlockEffects]) {
        let direction = "connected";
        let blocks = u64::try_from(effects.len()).unwrap_or(u64::MAX);
        self.blocks
            .get_or_create(&DirectionLabels { direction })
            .inc_by(blocks);
        for block in effects {
            self.payments_changed(&block.events);
        }
    }

    /// A block was undone.
    pub fn disconnected(&self, events: &[ChainEvent]) {
        let direction = "disconnected";
        self.blocks
            .get_or_create(&DirectionLabels { direction })
            .inc();
        self.payments_changed(events);
    }

    /// Payments are among what happened.
    pub fn payments_changed(&self, events: &[ChainEvent]) {
        for event in events {
            self.said.count(event);
            if let ChainEvent::Payment { change, .. } = event {
                let change = change.name();
                self.payments.get_or_create(&ChangeLabels { change }).inc();
            }
        }
    }
}

/// The name of a list, for labels.
pub const fn status_name(status: Status) -> &'static str {
    match status {
        Status::Started => "started",
        Status::Dos => "dos",
        Status::Confirmed => "confirmed",
    }
}

/// Every list there is.
pub const STATUSES: [Status; 3] = [Status::Started, Status::Dos, Status::Confirmed];

/// All series exist from the start, so that an absent node shows as 0.
fn fluxnodes() -> Family<FluxnodeLabels, Gauge> {
    let family = Family::<FluxnodeLabels, Gauge>::default();
    for tier in Tier::ALL {
        for status in STATUSES {
            let labels = FluxnodeLabels {
                tier: tier.name(),
                status: status_name(status),
            };
            family.get_or_create(&labels).set(0);
        }
    }
    family
}

fn payments() -> Family<ChangeLabels, Counter> {
    let family = Family::<ChangeLabels, Counter>::default();
    for change in PaymentChange::ALL {
        let labels = ChangeLabels {
            change: change.name(),
        };
        drop(family.get_or_create(&labels));
    }
    family
}
