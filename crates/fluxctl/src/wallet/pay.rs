//! Paying from a key file: coins from a chain node, a version 4 transaction built and signed here, broadcast by the node.
//!
//! The data goes into the last output, because FluxOS reads the text of a payment only there.

use std::{collections::BTreeSet, fmt, str::FromStr};

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, ChainParams, Hash256, Network, OutPoint, ScriptBuf, Transaction,
    address::AddressSpace,
    build::{Built, FeeRate, MIN_RELAY_FEE, PaymentBuilder, Unsigned, Utxo},
    params::{COINBASE_MATURITY, DEFAULT_EXPIRY_DELTA},
};

use super::{
    Error, Key,
    coins::{Coin, NoSelection, select},
};
use crate::chain_rpc::{AddressUtxo, ChainInfo, Node};

/// The 64 characters that tell which message a payment is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageHash(String);

/// A text that is no message hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no message hash; it has 64 lower-case hexadecimal digits and stands in the payment instructions"
)]
pub struct ParseMessageHashError(String);

impl FromStr for MessageHash {
    type Err = ParseMessageHashError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() == 64 && text.bytes().all(digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseMessageHashError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for MessageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub to: Address,
    pub amount: Sat,
    /// Goes into an `OP_RETURN` output as ASCII text.
    pub message_hash: Option<MessageHash>,
    /// Sat per 1,000 bytes; the relay minimum when `None`.
    pub fee_rate: Option<u32>,
    /// Also spend coins that look like a node's collateral.
    pub spend_collateral: bool,
}

/// A payment that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    pub txid: Hash256,
    pub hex: String,
    pub fee: Sat,
    /// What went back to the key's own address.
    pub change: Sat,
    pub inputs: usize,
}

/// What an address holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    /// In blocks.
    pub confirmed: Sat,
    /// Changes by transactions that are in no block yet; negative while a payment is on its way.
    pub unconfirmed: Sat,
    pub coins: usize,
    /// Height of the node's tip.
    pub height: u32,
}

/// Where a payment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub space: AddressSpace,
    /// Height of the tip.
    pub height: u32,
    /// What the signature must commit to.
    pub branch_id: u32,
}

impl Place {
    fn of(info: &ChainInfo) -> Result<Self, Error> {
        let space = match info.chain.as_str() {
            "main" => AddressSpace::Main,
            "test" | "regtest" => AddressSpace::Test,
            other => return Err(Error::Answer(format!("`{other}` as its network"))),
        };
        let branch_id = u32::from_str_radix(&info.consensus.nextblock, 16)
            .map_err(|_| Error::Answer(format!("branch id `{}`", info.consensus.nextblock)))?;
        Ok(Self {
            space,
            height: info.blocks,
            branch_id,
        })
    }
}

/// Reads what a key's address holds.
pub async fn balance(node: &Node, key: &Key) -> Result<Balance, Error> {
    let place = Place::of(&node.chain_info().await?)?;
    check_space(key, place.space)?;
    let address = key.address().to_string();
    let utxos = node.address_utxos(&address).await?;
    let changes = node.address_mempool(&address).await?;
    let sum = |mut amounts: Box<dyn Iterator<Item = i64> + '_>| {
        let total = amounts.try_fold(0_i64, i64::checked_add).map(Sat::new);
        total.ok_or_else(|| Error::Answer("amounts beyond any amount of FLUX".to_owned()))
    };
    Ok(Balance {
        confirmed: sum(Box::new(utxos.iter().map(|utxo| utxo.satoshis)))?,
        unconfirmed: sum(Box::new(changes.iter().map(|change| change.satoshis)))?,
        coins: utxos.len(),
        height: place.height,
    })
}

/// Builds, signs and broadcasts a payment.
pub async fn pay(node: &Node, key: &Key, payment: &Payment) -> Result<Paid, Error> {
    let place = Place::of(&node.chain_info().await?)?;
    check_space(key, place.space)?;
    let coins = coins(node, key, place).await?;
    let (unsigned, built) = build(key, payment, place, &coins)?;
    let hex = built.hex();
    let txid = node.send(&hex).await?;
    if txid != built.txid.to_string() {
        return Err(Error::Answer(format!(
            "transaction id `{txid}` for {}",
            built.txid
        )));
    }
    let change = unsigned
        .change
        .and_then(|index| unsigned.outputs.get(index));
    Ok(Paid {
        txid: built.txid,
        hex,
        fee: unsigned.fee,
        change: change.map_or(Sat::ZERO, |output| output.value),
        inputs: unsigned.inputs.len(),
    })
}

/// Builds and signs a payment from coins of the key.
pub fn build(
    key: &Key,
    payment: &Payment,
    place: Place,
    coins: &[Coin],
) -> Result<(Unsigned, Built), Error> {
    if payment.to.space != place.space {
        return Err(Error::input(
            "--to",
            payment.to,
            format!("the chain node is on {}", place.space),
            "use an address of that network",
        ));
    }
    let rate = payment.fee_rate.map_or(MIN_RELAY_FEE, FeeRate);
    let mut draft = PaymentBuilder::new()
        .pay(&payment.to, payment.amount)
        .change_to(key.address())
        .fee_rate(rate)
        // Should it not be mined by then, it is void and can be made anew, as the daemon's own payments are.
        .expiry_height(place.height.saturating_add(DEFAULT_EXPIRY_DELTA));
    if !key.private().is_compressed() {
        draft = draft.long_keys();
    }
    if let Some(hash) = &payment.message_hash {
        draft = draft.data(hash.0.as_bytes()).map_err(Error::Build)?;
    }
    let unsigned = select(&draft, coins, payment.spend_collateral)
        .map_err(|none| explain(none, key, payment))?;
    let keys = std::slice::from_ref(key.private());
    let built = unsigned.sign(keys, place.branch_id).map_err(Error::Sign)?;
    Ok((unsigned, built))
}

fn explain(none: NoSelection, key: &Key, payment: &Payment) -> Error {
    let (spendable, needed, unripe, collateral) = match none {
        NoSelection::Build(err) => return Error::Build(err),
        NoSelection::Insufficient {
            spendable,
            needed,
            unripe,
            collateral,
        } => (spendable, needed, unripe, collateral),
    };
    let mut hints = Vec::new();
    if !unripe.is_zero() {
        hints.push(format!(
            "; {unripe} more are block rewards of fewer than {COINBASE_MATURITY} blocks"
        ));
    }
    if !collateral.is_zero() {
        hints.push(format!(
            "; {collateral} more are in coins that look like a node's collateral, which --spend-collateral releases"
        ));
    }
    Error::Insufficient {
        address: key.address().to_string(),
        spendable,
        needed: needed.max(payment.amount),
        hint: hints.concat(),
    }
}

fn check_space(key: &Key, space: AddressSpace) -> Result<(), Error> {
    if key.space() == space {
        return Ok(());
    }
    Err(Error::input(
        "key file",
        format!("a key of {}", key.space()),
        format!("the chain node is on {space}"),
        "use a key of that network, or another node",
    ))
}

/// The coins of a key's address that no waiting transaction spends.
async fn coins(node: &Node, key: &Key, place: Place) -> Result<Vec<Coin>, Error> {
    let address = key.address().to_string();
    let utxos = node.address_utxos(&address).await?;
    let spent: BTreeSet<(String, u32)> = node
        .address_mempool(&address)
        .await?
        .into_iter()
        .filter_map(|change| Some((change.prevtxid?, change.prevout?)))
        .collect();
    let params = ChainParams::of(match place.space {
        AddressSpace::Main => Network::Main,
        AddressSpace::Test => Network::Devnet,
    });
    let mut coins = Vec::with_capacity(utxos.len());
    for utxo in utxos {
        if spent.contains(&(utxo.txid.clone(), utxo.output_index)) {
            continue;
        }
        let confirmations = (place.height + 1).saturating_sub(utxo.height);
        // Only the parent transaction says whether a coin is a block reward; an old one may be spent either way.
        let coinbase = confirmations < COINBASE_MATURITY && is_coinbase(node, &utxo.txid).await?;
        let utxo = read_utxo(&utxo)?;
        coins.push(Coin {
            collateral: params.tier_of_amount(utxo.value, place.height).is_some(),
            utxo,
            confirmations,
            coinbase,
        });
    }
    Ok(coins)
}

async fn is_coinbase(node: &Node, txid: &str) -> Result<bool, Error> {
    let hex = node.transaction(txid).await?.hex;
    let bytes = hex::decode(&hex).map_err(|err| Error::Answer(format!("a transaction: {err}")))?;
    let transaction = Transaction::parse(&bytes)
        .map_err(|err| Error::Answer(format!("transaction {txid}: {err}")))?;
    Ok(transaction.is_coinbase())
}

fn read_utxo(utxo: &AddressUtxo) -> Result<Utxo, Error> {
    let wrong = |what: &str| Error::Answer(format!("`{what}` in a coin of the address"));
    let txid: Hash256 = utxo.txid.parse().map_err(|_| wrong(&utxo.txid))?;
    let script = hex::decode(&utxo.script).map_err(|_| wrong(&utxo.script))?;
    Ok(Utxo {
        outpoint: OutPoint::new(txid, utxo.output_index),
        value: Sat::new(utxo.satoshis),
        script: ScriptBuf::new(script),
    })
}
