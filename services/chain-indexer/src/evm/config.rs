//! Which tokens are followed, and where. Each `[[evm]]` of the configuration is one contract on one chain.

use std::{collections::BTreeSet, time::Duration};

use alloy_primitives::Address;
use fluxplane_platform::config::{Secret, Span};
use serde::{Deserialize, Serialize};

use super::domain::contracts::flux_token;

/// Longest name of an asset, in bytes.
const LONGEST_NAME: usize = 40;

/// Confirmations nobody should need more of; their hashes are kept.
const MOST_CONFIRMATIONS: u32 = 10_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvmToken {
    /// What the asset is called in answers, metrics and logs: lower-case letters, digits and hyphens, such as `ethereum`.
    pub name: String,
    /// EIP-155. A node of another chain is refused.
    pub chain_id: u64,
    /// The node's JSON-RPC, `http` or `https`; secret, because providers put their keys into it. May be `{ file = "…" }`.
    pub url: Secret,
    /// The token's contract. May be left out where the project publishes one: FLUX on the chains 1, 56, 137, 8453 and 43114.
    #[serde(default)]
    pub contract: Option<String>,
    /// Decimal places. A contract that says otherwise is refused.
    #[serde(default = "usual::decimals")]
    pub decimals: u8,
    /// First block that is looked at; the block of the contract's creation gives the whole history. Cannot be changed later.
    pub start_block: u64,
    /// First block whose transfers are announced; those before it are indexed in silence.
    #[serde(default)]
    pub announce_from: u64,
    /// A block with so many confirmations, its own included, is final. A reorganisation that goes deeper halts the asset.
    #[serde(default = "usual::confirmations")]
    pub confirmations: u32,
    /// How often the node is asked.
    #[serde(default = "usual::poll_interval")]
    pub poll_interval: Span,
    /// For one request.
    #[serde(default = "usual::timeout")]
    pub timeout: Span,
    /// Most blocks asked about at a time.
    #[serde(default = "usual::max_range")]
    pub max_range: u64,
    /// A node whose height stands for longer is reported.
    #[serde(default = "usual::stalled_after")]
    pub stalled_after: Span,
}

mod usual {
    use std::time::Duration;

    use fluxplane_platform::config::Span;

    /// FLUX has 8, as the coin.
    pub(super) const fn decimals() -> u8 {
        8
    }

    /// Two epochs of Ethereum, after which it counts as final.
    pub(super) const fn confirmations() -> u32 {
        64
    }

    /// A block of Ethereum.
    pub(super) const fn poll_interval() -> Span {
        Span(Duration::from_secs(12))
    }

    pub(super) const fn timeout() -> Span {
        Span(Duration::from_secs(20))
    }

    pub(super) const fn max_range() -> u64 {
        10_000
    }

    pub(super) const fn stalled_after() -> Span {
        Span(Duration::from_mins(5))
    }
}

/// A token as it is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    pub chain_id: u64,
    pub contract: Address,
    pub decimals: u8,
    pub start_block: u64,
    pub announce_from: u64,
    pub confirmations: u32,
    pub max_range: u64,
    pub stalled_after: Duration,
}

impl EvmToken {
    /// Fails with the name of the key that contradicts a rule.
    pub fn token(&self) -> anyhow::Result<Token> {
        let name = self.name.as_str();
        anyhow::ensure!(
            !name.is_empty()
                && name.len() <= LONGEST_NAME
                && name
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            "evm.name is `{name}`, but a name has 1 to {LONGEST_NAME} lower-case letters, digits and hyphens; rename it"
        );
        anyhow::ensure!(
            self.chain_id > 0 && i64::try_from(self.chain_id).is_ok(),
            "evm.chain_id of `{name}` is {}, but a chain id is 1 or more and below 2^63; see EIP-155",
            self.chain_id
        );
        anyhow::ensure!(
            reqwest::Url::parse(self.url.expose())
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https")),
            "evm.url of `{name}` is no http or https address; set the node's JSON-RPC"
        );
        anyhow::ensure!(
            i64::try_from(self.start_block).is_ok(),
            "evm.start_block of `{name}` is {}, but heights are below 2^63; set the block of the contract's creation",
            self.start_block
        );
        anyhow::ensure!(
            (1..=MOST_CONFIRMATIONS).contains(&self.confirmations),
            "evm.confirmations of `{name}` is {}, but must be 1 to {MOST_CONFIRMATIONS}",
            self.confirmations
        );
        anyhow::ensure!(
            self.max_range > 0,
            "evm.max_range of `{name}` is 0, but a request is about one block at least; set 1 or more"
        );
        Ok(Token {
            name: self.name.clone(),
            chain_id: self.chain_id,
            contract: self.contract()?,
            decimals: self.decimals,
            start_block: self.start_block,
            announce_from: self.announce_from,
            confirmations: self.confirmations,
            max_range: self.max_range,
            stalled_after: self.stalled_after.0,
        })
    }

    fn contract(&self) -> anyhow::Result<Address> {
        let (name, chain_id) = (&self.name, self.chain_id);
        let Some(text) = &self.contract else {
            return flux_token(chain_id).ok_or_else(|| {
                anyhow::anyhow!(
                    "evm.contract of `{name}` is missing, and no contract of FLUX is published for chain {chain_id}; set it"
                )
            });
        };
        let wrong =
            |rule: &str| anyhow::anyhow!("evm.contract of `{name}` is `{text}`, but {rule}");
        let contract: Address = text
            .parse()
            .ok()
            .filter(|_| text.starts_with("0x"))
            .ok_or_else(|| wrong("an address is 0x and 40 hexadecimal digits"))?;
        let digits = text.trim_start_matches("0x");
        let mixed = digits.contains(|c: char| c.is_ascii_lowercase())
            && digits.contains(|c: char| c.is_ascii_uppercase());
        if mixed && contract.to_checksum(None) != *text {
            return Err(wrong(
                "its letters do not fit the checksum of EIP-55; copy it again",
            ));
        }
        Ok(contract)
    }
}

/// Reads the whole list. Fails when two entries have a name or a contract in common.
pub fn tokens(list: &[EvmToken]) -> anyhow::Result<Vec<Token>> {
    let tokens: Vec<Token> = list
        .iter()
        .map(EvmToken::token)
        .collect::<anyhow::Result<_>>()?;
    let (mut names, mut contracts) = (BTreeSet::new(), BTreeSet::new());
    for token in &tokens {
        anyhow::ensure!(
            names.insert(&token.name),
            "two [[evm]] have the name `{}`; rename one",
            token.name
        );
        anyhow::ensure!(
            contracts.insert((token.chain_id, token.contract)),
            "two [[evm]] follow contract {} on chain {}; remove one",
            token.contract,
            token.chain_id
        );
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests;
