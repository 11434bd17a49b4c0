//! Whether a transaction may wait for a block. The order of the checks is fluxd's (`AcceptToMemoryPool`), because it decides which
//! of several faults is named, and which are not named at all: the daemon drops some transactions without a word.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, Transaction,
    build::MIN_RELAY_FEE,
    fluxnode::{NodeFault, Status},
    params::EXPIRING_SOON,
    tx::{Fluxnode, UpdateKind},
};

use crate::{
    chain::{
        Chain, Coin, Reject, check_alone, check_at_height, check_scripts, check_values, is_final,
        legacy_signature_operations, redeem_signature_operations,
    },
    mempool::{Entry, MEMPOOL_HEIGHT, Mempool, collateral_of},
};

/// Seconds the signatures of a fluxnode transaction may be old (fluxd `FLUXNODE_MAX_SIG_TIME`).
const MAX_SIGNATURE_AGE_S: u32 = 3_600;

/// Signature operations of one waiting transaction (fluxd `MAX_STANDARD_TX_SIGOPS`).
const MAX_SIGNATURE_OPERATIONS: u32 = 4_000;

/// Times the relay fee beyond which a fee is taken for a slip of the hand.
const ABSURD_FEE: i64 = 10_000;

/// Why a transaction may not wait.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The daemon gives no reason; ours says why all the same.
    #[error("dropped without a reason: {0}")]
    Silent(String),
    #[error("{0}")]
    Rejected(#[from] Reject),
    #[error("{0}")]
    Absurd(String),
}

impl Refusal {
    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> &str {
        match self {
            Self::Silent(text) | Self::Absurd(text) => text,
            Self::Rejected(reject) => &reject.detail,
        }
    }
}

impl Mempool {
    /// Judges a transaction for the next block and keeps it. `now` is the time of day in Unix seconds.
    pub(crate) fn accept(
        &mut self,
        raw: &[u8],
        chain: &Chain,
        now: u32,
        allow_high_fees: bool,
    ) -> Result<Hash256, Refusal> {
        let transaction = Transaction::parse(raw)
            .map_err(|error| Refusal::Silent(format!("it does not parse: {error}")))?;
        let txid = transaction.txid();
        let checked = self.check(&transaction, txid, chain, now, allow_high_fees)?;
        if let Some(replaced) = checked.replaces {
            self.remove_with_children(&replaced);
        }
        self.insert(Entry {
            txid,
            raw: raw.into(),
            fee: checked.fee,
            time: now,
            height: chain.height(),
            coin_age: checked.coin_age,
            sequence: 0,
        });
        Ok(txid)
    }

    fn check(
        &self,
        transaction: &Transaction<'_>,
        txid: Hash256,
        chain: &Chain,
        now: u32,
        allow_high_fees: bool,
    ) -> Result<Checked, Refusal> {
        let height = chain.height() + 1;
        self.check_known(transaction, &txid, chain)?;
        check_alone(transaction)?;
        check_at_height(transaction, chain.params(), height)?;
        if transaction.as_fluxnode().is_some() {
            let replaces = self.check_fluxnode(transaction, chain, now)?;
            return Ok(Checked {
                replaces,
                fee: Sat::ZERO,
                coin_age: 0,
            });
        }
        check_policy(transaction, chain, height)?;
        let coins = self.find_coins(transaction, chain)?;
        let operations = legacy_signature_operations(transaction)
            .saturating_add(redeem_signature_operations(transaction, &coins));
        if operations > MAX_SIGNATURE_OPERATIONS {
            let detail = format!("{operations} signature operations");
            return Err(Reject::nonstandard("bad-txns-too-many-sigops", detail).into());
        }
        let fee = check_values(transaction, &coins, height);
        if let Ok(fee) = &fee
            && !allow_high_fees
        {
            check_absurd_fee(transaction, &txid, *fee)?;
        }
        let fee = fee?;
        check_scripts(transaction, &coins, chain.params(), height)?;
        Ok(Checked {
            replaces: None,
            fee,
            coin_age: coin_age(&coins, chain.height()),
        })
    }

    /// What the daemon drops without giving a reason.
    fn check_known(
        &self,
        transaction: &Transaction<'_>,
        txid: &Hash256,
        chain: &Chain,
    ) -> Result<(), Refusal> {
        if self.contains(txid) {
            return Err(Refusal::Silent("it waits already".to_owned()));
        }
        let Some(fluxnode) = transaction.as_fluxnode() else {
            return Ok(());
        };
        let mined = chain
            .books()
            .place(txid)
            .and_then(|place| chain.index().get(&place.block))
            .is_some_and(|block| chain.is_active(block));
        if mined {
            return Err(Refusal::Silent("it is in a block already".to_owned()));
        }
        let Fluxnode::Confirm(confirm) = fluxnode else {
            return Ok(());
        };
        if confirm.update_kind() != Some(UpdateKind::Update) {
            return Ok(());
        }
        let confirmed = chain
            .nodes()
            .node(&confirm.collateral)
            .is_some_and(|node| node.status == Status::Confirmed);
        if !confirmed {
            return Err(Refusal::Silent("its node is not confirmed".to_owned()));
        }
        match chain.nodes().check_transaction(transaction, chain.coins()) {
            Err(fault @ NodeFault::TooSoon { .. }) => Err(Refusal::Silent(fault.to_string())),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Judges a fluxnode transaction and tells which one it takes the place of.
    fn check_fluxnode(
        &self,
        transaction: &Transaction<'_>,
        chain: &Chain,
        now: u32,
    ) -> Result<Option<Hash256>, Refusal> {
        let verdict = chain.nodes().check_transaction(transaction, chain.coins());
        verdict.map_err(Reject::from)?;
        let age = |time: u32| now.saturating_sub(time);
        let sig_time = signature_time(transaction);
        let waiting = collateral_of(transaction).and_then(|collateral| self.of_node(&collateral));
        if let Some(waiting) = waiting
            && sig_time <= signature_time(&waiting.parse())
        {
            let detail = "a transaction of this node with the same or a newer time waits already";
            let reason = "fluxnode-tx-outpoint-sigTime-older-cant-replace";
            return Err(Reject::duplicate(reason, detail).into());
        }
        let limit = MAX_SIGNATURE_AGE_S;
        if age(sig_time) > limit {
            let detail = format!("it was signed {} s ago, at most {limit}", age(sig_time));
            return Err(Reject::duplicate("fluxnode-tx-sig-to-old", detail).into());
        }
        if let Some(Fluxnode::Confirm(confirm)) = transaction.as_fluxnode() {
            let measured = age(confirm.benchmark_sig_time);
            if measured > limit {
                let detail = format!("the benchmark signed {measured} s ago, at most {limit}");
                return Err(Reject::duplicate("fluxnode-tx-bench-sig-to-old", detail).into());
            }
        }
        Ok(waiting.map(|entry| entry.txid))
    }

    /// The coins a transaction spends, none of them spent by another that waits.
    fn find_coins(
        &self,
        transaction: &Transaction<'_>,
        chain: &Chain,
    ) -> Result<Vec<Coin>, Refusal> {
        for input in transaction.inputs() {
            if let Some((spender, _)) = self.spender(&input.previous) {
                let text = format!("{} is spent by {spender}, which waits", input.previous);
                return Err(Refusal::Silent(text));
            }
        }
        for input in transaction.inputs() {
            let source = &input.previous.txid;
            if !self.knows_transaction(source, chain.coins()) {
                let text = format!("{} is no output of a known transaction", input.previous);
                return Err(Refusal::Silent(text));
            }
        }
        transaction
            .inputs()
            .iter()
            .map(|input| {
                self.coin(&input.previous, chain.coins()).ok_or_else(|| {
                    let detail = format!("{} is spent", input.previous);
                    Reject::duplicate("bad-txns-inputs-spent", detail).into()
                })
            })
            .collect()
    }
}

/// What a transaction that may wait brings with it.
struct Checked {
    replaces: Option<Hash256>,
    fee: Sat,
    coin_age: i128,
}

fn check_policy(transaction: &Transaction<'_>, chain: &Chain, height: u32) -> Result<(), Reject> {
    let expiry = transaction
        .as_transfer()
        .and_then(|transfer| transfer.expiry_height)
        .unwrap_or_default();
    if expiry != 0 && height + EXPIRING_SOON > expiry {
        let least = height + EXPIRING_SOON;
        let detail = format!("expiry height {expiry} must be 0 or at least {least}");
        return Err(Reject::invalid("tx-expiring-soon", detail));
    }
    if transaction.is_coinbase() {
        let detail = "a coinbase lives in a block only";
        return Err(Reject::invalid("coinbase", detail));
    }
    if !is_final(transaction, height, chain.median_time(chain.tip())) {
        let detail = "its lock time keeps it out of the next block";
        return Err(Reject::nonstandard("non-final", detail));
    }
    Ok(())
}

fn check_absurd_fee(
    transaction: &Transaction<'_>,
    txid: &Hash256,
    fee: Sat,
) -> Result<(), Refusal> {
    let size = i64::try_from(transaction.size()).unwrap_or(i64::MAX);
    let rate = i64::from(MIN_RELAY_FEE.0);
    let least = match size.saturating_mul(rate) / 1_000 {
        0 => rate,
        fee => fee,
    };
    let limit = least.saturating_mul(ABSURD_FEE);
    if fee.get() > limit {
        return Err(Refusal::Absurd(format!(
            "AcceptToMemoryPool: absurdly high fees {txid}, {} > {limit}",
            fee.get()
        )));
    }
    Ok(())
}

fn signature_time(transaction: &Transaction<'_>) -> u32 {
    match transaction.as_fluxnode() {
        Some(Fluxnode::Start(start)) => start.sig_time(),
        Some(Fluxnode::Confirm(confirm)) => confirm.sig_time,
        Some(Fluxnode::Unknown(_)) | None => 0,
    }
}

/// Value times age of coins on the chain (fluxd `CCoinsViewCache::GetPriority`).
fn coin_age(coins: &[Coin], height: u32) -> i128 {
    coins
        .iter()
        .filter(|coin| coin.height < height && coin.height != MEMPOOL_HEIGHT)
        .map(|coin| i128::from(coin.value.get()) * i128::from(height - coin.height))
        .sum()
}
