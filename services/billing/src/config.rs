//! Configuration of billing. `billing check-config` prints what is in effect.

mod rate;

use std::path::PathBuf;

use anyhow::Context as _;
use chrono::TimeDelta;
use fluxplane_platform::{
    config::{Base, Db, Listen, Nats, Peer, Span, Tls},
    runner,
};
use fluxplane_pricing::native::Tables;
use serde::{Deserialize, Serialize};

pub use rate::{RateConfig, SourceConfig};

use crate::app::Rules;

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    pub db: Db,
    pub nats: Nats,
    pub tls: Tls,
    pub grpc: Listen,
    /// Where applications could run, and whose their names are.
    pub scheduler: Peer,
    pub rate: RateConfig,
    pub prices: Prices,
    pub quotes: Quotes,
    pub payments: Payments,
    pub usage: Usage,
    pub epochs: Epochs,
    pub ledger: Ledger,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }

    fn check(&self) -> anyhow::Result<()> {
        self.rules().map(drop)
    }
}

/// Our own price list, for specifications `fluxplane/v1`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// All versions, as a JSON list; empty for the first version alone, which is built in. Versions that were in force are
    /// never changed or removed: quotes name them.
    pub file: PathBuf,
}

impl Prices {
    fn tables(&self) -> anyhow::Result<Tables> {
        if self.file.as_os_str().is_empty() {
            return Ok(Tables::default());
        }
        let path = self.file.display();
        let text = std::fs::read(&self.file).with_context(|| format!("prices.file `{path}`"))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("prices.file `{path}` is no list of price tables"))
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quotes {
    /// How long a quote is firm.
    pub valid_for: Span,
    /// Where chain payments go.
    pub payment_address: String,
    /// Added to the height of the chain before the rules of FluxOS are applied. 0 on the main chain. A development chain
    /// begins at 0, below every rule, and would be priced as in 2018.
    pub height_offset: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    /// Confirmations at which a payment is money.
    pub credit_confirmations: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// How far clocks of nodes may be ahead of ours; what lies further is cut off.
    pub clock_tolerance: Span,
    /// How long evidence waits for its assignment to become known.
    pub unknown_assignment_for: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epochs {
    /// Epochs end at full multiples of this.
    pub length: Span,
    /// How long after its end an epoch takes late evidence.
    pub grace: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Pause between two recomputations of all balances.
    pub audit_every: Span,
}

impl Config {
    /// The rules behind the numbers.
    ///
    /// # Errors
    /// When a number makes no sense; the error names its key.
    pub fn rules(&self) -> anyhow::Result<Rules> {
        let span = |key: &str, span: Span| {
            TimeDelta::from_std(span.0).with_context(|| format!("{key} is too long"))
        };
        let address = &self.quotes.payment_address;
        anyhow::ensure!(
            !address.is_empty(),
            "quotes.payment_address is empty; say where payments go"
        );
        let confirmations = self.payments.credit_confirmations;
        anyhow::ensure!(
            confirmations > 0,
            "payments.credit_confirmations is 0; money that is in no block is no money"
        );
        let length = self.epochs.length.0;
        anyhow::ensure!(
            length.as_secs() > 0 && length.subsec_nanos() == 0,
            "epochs.length is {length:?}; epochs begin and end at full seconds, so give whole seconds, at least 1s"
        );
        anyhow::ensure!(
            !self.ledger.audit_every.0.is_zero(),
            "ledger.audit_every is 0; give the audit a pause, such as 60s"
        );
        let valid = span("quotes.valid_for", self.quotes.valid_for)?;
        anyhow::ensure!(
            valid > TimeDelta::zero(),
            "quotes.valid_for is 0; a quote holds for a while"
        );
        Ok(Rules {
            rate: self.rate.rules()?,
            tables: self.prices.tables()?,
            quote_life: valid,
            payment_address: address.clone(),
            height_offset: self.quotes.height_offset,
            credit_confirmations: confirmations.into(),
            clock_tolerance: span("usage.clock_tolerance", self.usage.clock_tolerance)?,
            unknown_assignment_for: span(
                "usage.unknown_assignment_for",
                self.usage.unknown_assignment_for,
            )?,
            epoch_length: length.as_secs(),
            epoch_grace: span("epochs.grace", self.epochs.grace)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        runner::load(crate::SERVICE, None).unwrap()
    }

    fn span(text: &str) -> Span {
        text.parse().unwrap()
    }

    fn refused(change: impl FnOnce(&mut Config)) -> String {
        let mut config = config();
        change(&mut config);
        runner::Config::check(&config).unwrap_err().to_string()
    }

    #[test]
    fn epochs_may_be_as_short_as_a_demonstration_needs() {
        let mut config = config();
        (config.epochs.length, config.epochs.grace) = (span("30s"), span("2s"));
        let rules = config.rules().unwrap();
        assert_eq!(
            (rules.epoch_length, rules.epoch_grace),
            (30, TimeDelta::seconds(2))
        );
    }

    #[test]
    fn a_number_that_makes_no_sense_is_refused_by_its_key() {
        for (key, text) in [
            (
                "quotes.payment_address",
                refused(|config| config.quotes.payment_address.clear()),
            ),
            (
                "quotes.valid_for",
                refused(|config| config.quotes.valid_for = span("0s")),
            ),
            (
                "payments.credit_confirmations",
                refused(|config| config.payments.credit_confirmations = 0),
            ),
            (
                "prices.file",
                refused(|config| config.prices.file = "/nowhere/prices.json".into()),
            ),
            (
                "epochs.length",
                refused(|config| config.epochs.length = span("500ms")),
            ),
            (
                "epochs.length",
                refused(|config| config.epochs.length = span("1500ms")),
            ),
            (
                "ledger.audit_every",
                refused(|config| config.ledger.audit_every = span("0s")),
            ),
        ] {
            assert!(text.starts_with(key), "{text}");
        }
    }
}
