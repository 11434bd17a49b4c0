//! Metrics of followed assets, each by the asset's name.

use fluxplane_platform::metrics::{Metrics, latency_histogram};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use super::domain::transfer::Change;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AssetLabels {
    pub asset: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ChangeLabels {
    pub asset: String,
    pub change: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ErrorLabels {
    pub asset: String,
    pub kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RpcLabels {
    pub asset: String,
    pub method: &'static str,
    /// `ok`, or why there was no answer.
    pub outcome: &'static str,
}

/// The families, shared by all assets.
#[derive(Debug, Clone)]
pub struct EvmMetrics {
    height: Family<AssetLabels, Gauge>,
    node_height: Family<AssetLabels, Gauge>,
    final_height: Family<AssetLabels, Gauge>,
    lag_blocks: Family<AssetLabels, Gauge>,
    halted: Family<AssetLabels, Gauge>,
    range_blocks: Family<AssetLabels, Gauge>,
    transfers: Family<ChangeLabels, Counter>,
    reorgs: Family<AssetLabels, Counter>,
    errors: Family<ErrorLabels, Counter>,
    rpc_seconds: Family<RpcLabels, Histogram, fn() -> Histogram>,
}

impl EvmMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.register(name, help, Family::default());
        Self {
            height: gauge("evm_height", "Height of the last applied block"),
            node_height: gauge("evm_node_height", "Height the node reported last"),
            final_height: gauge("evm_final_height", "Last block whose transfers are final"),
            lag_blocks: gauge("evm_lag_blocks", "Blocks the index is behind the node"),
            halted: gauge("evm_halted", "1 while a person must look"),
            range_blocks: gauge("evm_range_blocks", "Blocks asked about at a time"),
            transfers: metrics.register(
                "evm_transfers",
                "Changes of token transfers",
                Family::default(),
            ),
            reorgs: metrics.register(
                "evm_reorgs",
                "Reorganisations that were followed",
                Family::default(),
            ),
            errors: metrics.register(
                "evm_errors",
                "Answers of nodes that could not be used, and requests without any",
                Family::default(),
            ),
            rpc_seconds: metrics.register(
                "evm_rpc_seconds",
                "Duration of requests to nodes by method and outcome",
                Family::new_with_constructor(latency_histogram as fn() -> Histogram),
            ),
        }
    }

    /// Those of one asset.
    pub fn of(&self, asset: &str) -> AssetMetrics {
        let labels = AssetLabels {
            asset: asset.to_owned(),
        };
        // Series exist from the start, so that an absent event shows as 0.
        for change in Change::ALL {
            let change = change.name();
            let asset = labels.asset.clone();
            drop(
                self.transfers
                    .get_or_create(&ChangeLabels { asset, change }),
            );
        }
        AssetMetrics {
            height: self.height.get_or_create_owned(&labels),
            node_height: self.node_height.get_or_create_owned(&labels),
            final_height: self.final_height.get_or_create_owned(&labels),
            lag_blocks: self.lag_blocks.get_or_create_owned(&labels),
            halted: self.halted.get_or_create_owned(&labels),
            range_blocks: self.range_blocks.get_or_create_owned(&labels),
            reorgs: self.reorgs.get_or_create_owned(&labels),
            asset: labels.asset,
            families: self.clone(),
        }
    }
}

/// Metrics of one asset.
#[derive(Debug, Clone)]
pub struct AssetMetrics {
    asset: String,
    families: EvmMetrics,
    pub height: Gauge,
    pub node_height: Gauge,
    pub final_height: Gauge,
    pub lag_blocks: Gauge,
    pub halted: Gauge,
    /// Of this replica, while it leads.
    pub range_blocks: Gauge,
    pub reorgs: Counter,
}

impl AssetMetrics {
    pub fn transfers_changed(&self, change: Change, count: usize) {
        let labels = ChangeLabels {
            asset: self.asset.clone(),
            change: change.name(),
        };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.families.transfers.get_or_create(&labels).inc_by(count);
    }

    pub fn failed(&self, kind: &'static str) {
        let asset = self.asset.clone();
        let labels = ErrorLabels { asset, kind };
        self.families.errors.get_or_create(&labels).inc();
    }

    pub(super) fn asked(&self, method: &'static str, outcome: &'static str, seconds: f64) {
        let labels = RpcLabels {
            asset: self.asset.clone(),
            method,
            outcome,
        };
        self.families
            .rpc_seconds
            .get_or_create(&labels)
            .observe(seconds);
    }
}
