//! Metrics of billing.

use fluxplane_platform::metrics::{Metrics, latency_histogram};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use crate::db::ledger::Sums;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    pub kind: &'static str,
}

#[derive(Debug, Clone)]
pub struct BillingMetrics {
    /// Sum of all balances in sat. Must be 0.
    pub imbalance: Gauge,
    /// Accounts whose balance is not the fold of the journal. Must be 0.
    pub balance_drift: Gauge,
    /// Applications whose terms do not add up to what is held for them. Must be 0.
    pub held_drift: Gauge,
    balances: Family<KindLabels, Gauge>,
    /// Payments nobody could be credited for.
    pub suspense_payments: Gauge,
    /// Age of the oldest of them.
    pub suspense_age_seconds: Gauge,
    /// Height of the newest block heard of.
    pub chain_height: Gauge,
    pub quotes: Counter,
    payments: Family<OutcomeLabels, Counter>,
    revisions: Family<OutcomeLabels, Counter>,
    usage_reports: Family<OutcomeLabels, Counter>,
    usage_seconds: Family<OutcomeLabels, Counter>,
    /// Duration of settling an epoch.
    pub settle_seconds: Histogram,
    pub charged_sat: Counter,
    /// Epochs the validator refused.
    pub anchors_refused: Counter,
}

impl BillingMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.register(name, help, Gauge::default());
        let outcomes = |name, help| metrics.register(name, help, Family::default());
        let counter = |name, help| metrics.register(name, help, Counter::default());
        Self {
            imbalance: gauge("ledger_imbalance_sat", "Sum of all balances; must be 0"),
            balance_drift: gauge(
                "ledger_balance_drift",
                "Accounts whose balance is not the fold of the journal; must be 0",
            ),
            held_drift: gauge(
                "ledger_held_drift",
                "Applications whose terms do not add up to what is held; must be 0",
            ),
            balances: metrics.register(
                "ledger_balance_sat",
                "Balances by kind of account",
                Family::default(),
            ),
            suspense_payments: gauge("suspense_payments", "Payments nobody could be credited for"),
            suspense_age_seconds: gauge(
                "suspense_age_seconds",
                "Age of the oldest payment in suspense",
            ),
            chain_height: gauge(
                "billing_chain_height",
                "Height of the newest block heard of",
            ),
            quotes: counter("quotes", "Quotes made"),
            payments: outcomes("payments", "Payments by what became of them"),
            revisions: outcomes("revisions", "Revisions funded and refused"),
            usage_reports: outcomes("billing_usage_reports", "Usage reports by outcome"),
            usage_seconds: outcomes("usage_seconds", "Evidenced instance-seconds by outcome"),
            settle_seconds: metrics.register(
                "settle_seconds",
                "Duration of settling an epoch",
                latency_histogram(),
            ),
            charged_sat: counter("charged_sat", "Charged to customers"),
            anchors_refused: counter("anchors_refused", "Epochs the validator refused"),
        }
    }

    /// `credited`, `suspense`, `identified` or `reversed`.
    pub fn payment(&self, outcome: &'static str) {
        self.payments
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    /// `funded` or `refused`.
    pub fn revision(&self, outcome: &'static str) {
        self.revisions
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    /// `stored`, `repeated` or `refused`.
    pub fn usage_report(&self, outcome: &'static str, count: u64) {
        let labels = OutcomeLabels { outcome };
        self.usage_reports.get_or_create(&labels).inc_by(count);
    }

    /// `charged`, `uncharged` or `refused`.
    pub fn usage_seconds(&self, outcome: &'static str, seconds: u64) {
        let labels = OutcomeLabels { outcome };
        self.usage_seconds.get_or_create(&labels).inc_by(seconds);
    }

    pub fn sums(&self, sums: &Sums) {
        for (kind, balance) in [
            ("customer", sums.customers),
            ("customer_held", sums.held),
            ("customer_debt", sums.debts),
            ("revenue", sums.revenue),
            ("operator", sums.operators),
            ("suspense", sums.suspense),
        ] {
            self.balances
                .get_or_create(&KindLabels { kind })
                .set(balance);
        }
    }
}
