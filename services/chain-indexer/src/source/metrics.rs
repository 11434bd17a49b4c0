//! Metrics of the daemons that are asked, one series per daemon.

use fluxplane_platform::metrics::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    /// As configured.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FaultLabels {
    pub source: String,
    /// Why its answer was of no use.
    pub kind: &'static str,
}

#[derive(Debug, Clone)]
pub struct SourceMetrics {
    /// 1 while it answers.
    pub up: Family<SourceLabels, Gauge>,
    /// Height of its last block.
    pub height: Family<SourceLabels, Gauge>,
    /// Blocks it is behind the block that is believed.
    pub lag: Family<SourceLabels, Gauge>,
    /// 1 while its blocks are those that are believed, as far as it has them.
    pub agrees: Family<SourceLabels, Gauge>,
    /// Answers that were of no use.
    pub errors: Family<FaultLabels, Counter>,
    /// 1 while enough sources agree.
    pub quorum: Gauge,
    /// Blocks that were not what they claimed to be, whoever gave them.
    garbled: Counter,
}

impl SourceMetrics {
    /// `garbled` counts blocks of all sources together.
    pub fn register(metrics: &Metrics, garbled: Counter) -> Self {
        let gauges = |name, help| metrics.register(name, help, Family::default());
        Self {
            up: gauges("chain_source_up", "1 while the source answers"),
            height: gauges(
                "chain_source_height_blocks",
                "Height of the last block of the source",
            ),
            lag: gauges(
                "chain_source_lag_blocks",
                "Blocks the source is behind the block that is believed",
            ),
            agrees: gauges(
                "chain_source_agrees",
                "1 while the blocks of the source are those that are believed",
            ),
            errors: metrics.register(
                "chain_source_errors",
                "Answers of the source that were of no use, by kind",
                Family::default(),
            ),
            quorum: metrics.register(
                "chain_quorum",
                "1 while enough sources agree on the tip",
                Gauge::default(),
            ),
            garbled,
        }
    }

    /// An answer of a source was of no use.
    pub(super) fn fault(&self, source: &str, kind: &'static str) {
        let labels = FaultLabels {
            source: source.to_owned(),
            kind,
        };
        self.errors.get_or_create(&labels).inc();
        if matches!(kind, "garbled" | "other_block") {
            self.garbled.inc();
        }
    }
}
