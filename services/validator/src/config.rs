//! Configuration of the validator. `validator check-config` prints what is in effect.

use anyhow::Context as _;
use chrono::TimeDelta;
use fluxplane_flux_chain::{ChainParams, Network, build::FeeRate};
use fluxplane_platform::{
    config::{Base, Db, Listen, Nats, Peer, Secret, Span, Tls},
    runner,
};
use serde::{Deserialize, Serialize};

use crate::domain::build::Signer;

pub const DEFAULTS: &str = include_str!("defaults.toml");

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub base: Base,
    pub db: Db,
    pub nats: Nats,
    pub tls: Tls,
    pub grpc: Listen,
    pub billing: Peer,
    pub daemon: DaemonConfig,
    pub anchors: Anchors,
}

impl runner::Config for Config {
    fn base(&self) -> &Base {
        &self.base
    }

    fn db(&self) -> Option<&Db> {
        Some(&self.db)
    }

    fn check(&self) -> anyhow::Result<()> {
        let anchors = &self.anchors;
        anyhow::ensure!(
            !anchors.poll.0.is_zero(),
            "anchors.poll is 0; give looks at the chain a pause, such as 5s"
        );
        anchors.resend_after()?;
        anchors.recheck_refused()?;
        self.signer().map(drop)
    }
}

/// The chain's daemon.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaemonConfig {
    /// `http://host:port`. It needs the address index (fluxd `-insightexplorer`) and the transaction index.
    pub url: String,
    pub user: String,
    pub password: Secret,
    pub timeout: Span,
    /// Which chain the daemon must follow.
    pub network: NetworkName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkName {
    Main,
    Test,
    Regtest,
    Devnet,
}

impl NetworkName {
    fn params(self) -> ChainParams {
        ChainParams::of(match self {
            Self::Main => Network::Main,
            Self::Test => Network::Test,
            Self::Regtest => Network::Regtest,
            Self::Devnet => Network::Devnet,
        })
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchors {
    /// Key of the anchoring address in wallet import format; for nothing else, least of all for payouts. Empty: epochs are
    /// checked and not anchored.
    pub wif: Secret,
    /// Fee in sat per 1,000 bytes. Nodes relay from 100 on.
    pub fee_sat_per_kb: u32,
    /// Confirmations at which an anchor is final.
    pub final_confirmations: u32,
    /// Blocks after which an unmined transaction expires and is signed anew; 0 for never.
    pub expiry_blocks: u32,
    /// Pause between two looks at the chain.
    pub poll: Span,
    /// How long a transaction may be in no block until it is sent again.
    pub resend_after: Span,
    /// How long a refused epoch waits until it is checked again.
    pub recheck_refused: Span,
}

impl Anchors {
    pub fn resend_after(&self) -> anyhow::Result<TimeDelta> {
        TimeDelta::from_std(self.resend_after.0).context("anchors.resend_after is too long")
    }

    pub fn recheck_refused(&self) -> anyhow::Result<TimeDelta> {
        TimeDelta::from_std(self.recheck_refused.0).context("anchors.recheck_refused is too long")
    }
}

impl Config {
    /// Who signs; `None` without a key.
    ///
    /// # Errors
    /// When a number makes no sense or the key is none of the network; the error names the configuration key.
    pub fn signer(&self) -> anyhow::Result<Option<Signer>> {
        /// Fewer blocks than this, and nodes refuse the transaction at once (fluxd `TX_EXPIRING_SOON_THRESHOLD`, doubled for
        /// the time a block takes to arrive).
        const LEAST_EXPIRY: u32 = 6;
        let anchors = &self.anchors;
        anyhow::ensure!(
            anchors.fee_sat_per_kb >= 100,
            "anchors.fee_sat_per_kb is {}, but nodes relay from 100 on",
            anchors.fee_sat_per_kb
        );
        anyhow::ensure!(
            anchors.final_confirmations > 0,
            "anchors.final_confirmations is 0, but nothing is final outside a block"
        );
        anyhow::ensure!(
            anchors.expiry_blocks == 0 || anchors.expiry_blocks >= LEAST_EXPIRY,
            "anchors.expiry_blocks is {}, but must be 0 or at least {LEAST_EXPIRY}",
            anchors.expiry_blocks
        );
        if anchors.wif.is_empty() {
            return Ok(None);
        }
        let fee_rate = FeeRate(anchors.fee_sat_per_kb);
        let params = self.daemon.network.params();
        let signer = Signer::new(
            anchors.wif.expose(),
            params,
            fee_rate,
            anchors.expiry_blocks,
        );
        signer.map(Some).context("anchors.wif")
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_flux_chain::PrivateKey;

    use super::*;

    fn config() -> Config {
        runner::load(crate::SERVICE, None).unwrap()
    }

    fn check(change: impl FnOnce(&mut Config)) -> anyhow::Result<()> {
        let mut config = config();
        change(&mut config);
        runner::Config::check(&config)
    }

    fn wif(network: Network) -> Secret {
        let key = PrivateKey::from_bytes(&[7; 32], true).unwrap();
        Secret::new(key.to_wif(ChainParams::of(network).addresses))
    }

    #[test]
    fn a_development_chain_is_anchored_to_as_deep_as_the_main_chain() {
        check(|config| {
            config.daemon.network = NetworkName::Devnet;
            config.anchors.wif = wif(Network::Devnet);
            config.anchors.final_confirmations = 40;
            config.anchors.poll = "500ms".parse().unwrap();
        })
        .unwrap();
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_by_its_key() {
        for (key, refused) in [
            (
                "anchors.wif",
                check(|config| config.anchors.wif = wif(Network::Devnet)),
            ),
            (
                "anchors.fee_sat_per_kb",
                check(|config| config.anchors.fee_sat_per_kb = 99),
            ),
            (
                "anchors.final_confirmations",
                check(|config| config.anchors.final_confirmations = 0),
            ),
            (
                "anchors.expiry_blocks",
                check(|config| config.anchors.expiry_blocks = 5),
            ),
            (
                "anchors.poll",
                check(|config| config.anchors.poll = "0s".parse().unwrap()),
            ),
        ] {
            let text = refused.unwrap_err().to_string();
            assert!(text.starts_with(key), "{text}");
        }
    }
}
