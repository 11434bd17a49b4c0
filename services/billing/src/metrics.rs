//! Metrics of billing.

use fluxplane_ledger::Asset;
use fluxplane_platform::metrics::{Metrics, latency_histogram};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
};

use crate::{
    app::rates::Outlook,
    db::ledger::Sums,
    domain::rate::{self, Standing},
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabels {
    pub outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct KindLabels {
    pub kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct AssetLabels {
    pub asset: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct CaseLabels {
    pub case: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateLabels {
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SourceLabels {
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QuestionLabels {
    pub source: String,
    pub outcome: &'static str,
}

impl QuestionLabels {
    fn new(source: &str, answered: bool) -> Self {
        Self {
            source: source.to_owned(),
            outcome: if answered { "answered" } else { "failed" },
        }
    }
}

/// What is known of the exchange rate.
#[derive(Debug, Clone, Default)]
struct RateMetrics {
    available: Gauge,
    by_hand: Gauge,
    micro_usd: Gauge,
    age_seconds: Gauge,
    spread_ppm: Gauge,
    sources: Family<StateLabels, Gauge>,
    source_age_seconds: Family<SourceLabels, Gauge>,
    questions: Family<QuestionLabels, Counter>,
}

/// What can be unusual about a payment. Its money is in the ledger all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exception {
    /// Carries no message hash.
    NoMemo,
    /// Carries the hash of a message nobody submitted yet.
    UnknownHash,
    /// Less than due, with all that came before.
    TooSmall,
    /// More than due.
    TooLarge,
    /// Counted after its time.
    Late,
    /// Enough, but spent elsewhere before the rest came.
    SpentElsewhere,
    /// For a revision that is funded, refused or ended.
    NothingDue,
    /// Its block was undone.
    Reorganised,
    /// Left the mempool without a block.
    Dropped,
}

impl Exception {
    const ALL: [Self; 9] = [
        Self::NoMemo,
        Self::UnknownHash,
        Self::TooSmall,
        Self::TooLarge,
        Self::Late,
        Self::SpentElsewhere,
        Self::NothingDue,
        Self::Reorganised,
        Self::Dropped,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::NoMemo => "no_memo",
            Self::UnknownHash => "unknown_hash",
            Self::TooSmall => "too_small",
            Self::TooLarge => "too_large",
            Self::Late => "late",
            Self::SpentElsewhere => "spent_elsewhere",
            Self::NothingDue => "nothing_due",
            Self::Reorganised => "reorganised",
            Self::Dropped => "dropped",
        }
    }

    const fn labels(self) -> CaseLabels {
        CaseLabels { case: self.name() }
    }
}

#[derive(Debug, Clone)]
pub struct BillingMetrics {
    imbalance: Family<AssetLabels, Gauge>,
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
    exceptions: Family<CaseLabels, Counter>,
    revisions: Family<OutcomeLabels, Counter>,
    usage_reports: Family<OutcomeLabels, Counter>,
    usage_seconds: Family<OutcomeLabels, Counter>,
    /// Duration of settling an epoch.
    pub settle_seconds: Histogram,
    pub charged_sat: Counter,
    /// Epochs the validator refused.
    pub anchors_refused: Counter,
    rate: RateMetrics,
}

impl RateMetrics {
    fn register(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.register(name, help, Gauge::default());
        Self {
            available: gauge(
                "rate_available",
                "Whether there is an exchange rate that quotes may be made with; must be 1",
            ),
            by_hand: gauge("rate_by_hand", "Whether the rate in force was set by hand"),
            micro_usd: gauge(
                "rate_micro_usd",
                "Micro-dollars per FLUX in force; the last known one while there is none",
            ),
            age_seconds: gauge(
                "rate_age_seconds",
                "Age of the oldest word that the rate in force rests on",
            ),
            spread_ppm: gauge(
                "rate_spread_ppm",
                "How far the sources that count are apart, in parts per million",
            ),
            sources: metrics.register(
                "rate_sources",
                "Sources of the exchange rate by what became of their last word",
                Family::default(),
            ),
            source_age_seconds: metrics.register(
                "rate_source_age_seconds",
                "Age of the last word of a source",
                Family::default(),
            ),
            questions: metrics.register(
                "rate_questions",
                "Questions to sources of the exchange rate by outcome",
                Family::default(),
            ),
        }
    }
}

impl BillingMetrics {
    pub fn register(metrics: &Metrics) -> Self {
        let gauge = |name, help| metrics.register(name, help, Gauge::default());
        let outcomes = |name, help| metrics.register(name, help, Family::default());
        let counter = |name, help| metrics.register(name, help, Counter::default());
        let own = Self {
            imbalance: metrics.register(
                "ledger_imbalance_sat",
                "Sum of all balances of a currency; must be 0",
                Family::default(),
            ),
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
            exceptions: metrics.register(
                "payment_exceptions",
                "Payments that were not simply the price in time, by case",
                Family::default(),
            ),
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
            rate: RateMetrics::register(metrics),
        };
        // What is watched is there from the start, not only once it is wrong.
        own.imbalance(&Asset::FLUX.to_string(), 0);
        for case in Exception::ALL {
            drop(own.exceptions.get_or_create(&case.labels()));
        }
        own
    }

    /// Sum of all balances of a currency, in its smallest unit. Must be 0.
    pub fn imbalance(&self, asset: &str, sum: i64) {
        let asset = asset.to_owned();
        self.imbalance
            .get_or_create(&AssetLabels { asset })
            .set(sum);
    }

    pub fn exception(&self, case: Exception) {
        self.exceptions.get_or_create(&case.labels()).inc();
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

    /// A source that may be asked. Its counters are there from the start, also where it is fixed and never asked.
    pub fn rate_source(&self, source: &str) {
        for answered in [true, false] {
            let labels = QuestionLabels::new(source, answered);
            drop(self.rate.questions.get_or_create(&labels));
        }
    }

    /// A source was asked.
    pub fn rate_asked(&self, source: &str, answered: bool) {
        let labels = QuestionLabels::new(source, answered);
        self.rate.questions.get_or_create(&labels).inc();
    }

    /// How the exchange rate stands in a second since 1970.
    pub fn rate(&self, outlook: &Outlook, now: u64) {
        let own = &self.rate;
        let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        own.available.set(outlook.rate.is_ok().into());
        if let Ok(rate) = &outlook.rate {
            own.by_hand.set(rate.basis.statement.is_some().into());
            own.micro_usd.set(rate.flux_usd.micros().into());
            own.age_seconds
                .set(gauge(now.saturating_sub(crate::app::seconds(rate.at))));
            own.spread_ppm.set(gauge(rate::spread_ppm(&rate.basis)));
        }
        for standing in Standing::ALL {
            let sources = outlook.sources.iter();
            let count = sources.filter(|own| own.standing == standing).count();
            let labels = StateLabels {
                state: standing.name(),
            };
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            own.sources.get_or_create(&labels).set(count);
        }
        for source in &outlook.sources {
            if let Some(said) = &source.said {
                let labels = SourceLabels {
                    source: source.name.clone(),
                };
                let age = gauge(now.saturating_sub(said.at));
                own.source_age_seconds.get_or_create(&labels).set(age);
            }
        }
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
