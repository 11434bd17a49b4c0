//! Payments from the faucet.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, OutPoint, PrivateKey,
    build::{BuildError, Built, MIN_RELAY_FEE, PaymentBuilder, SignError, Utxo},
    params::COINBASE_MATURITY,
};

use crate::{
    chain::{Chain, indexed_owner},
    mempool::Mempool,
    wallet::keys::address_of,
};

/// Set aside for the fee when coins are chosen: far above what 1,000 inputs cost at the relay minimum.
const FEE_ALLOWANCE: Sat = Sat::new(100_000);

/// Why the faucet does not pay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    #[error("{available} FLUX can be spent by {address}, {needed} are needed; {remedy}")]
    Insufficient {
        address: Address,
        available: Sat,
        needed: Sat,
        remedy: &'static str,
    },
    #[error("the payment cannot be built: {0}")]
    Build(#[from] BuildError),
    #[error("the payment cannot be signed: {0}")]
    Sign(#[from] SignError),
}

/// Pays an amount from the coins of a key. The first output is the payment.
pub(crate) fn pay(
    from: &PrivateKey,
    to: &Address,
    amount: Sat,
    chain: &Chain,
    mempool: &Mempool,
) -> Result<Built, SpendError> {
    let owner = address_of(from);
    let needed = Sat::new(amount.get().saturating_add(FEE_ALLOWANCE.get()));
    let coins = choose(spendable(&owner, chain, mempool), &owner, needed)?;
    let payment = coins
        .into_iter()
        .fold(PaymentBuilder::new(), PaymentBuilder::spend)
        .pay(to, amount)
        .fee_rate(MIN_RELAY_FEE)
        .change_to(owner)
        .build()?;
    let branch = chain.params().branch_id(chain.height() + 1);
    Ok(payment.sign(std::slice::from_ref(from), branch)?)
}

/// Spends one coin whole: everything but the fee goes to an address.
pub(crate) fn sweep(
    coin: Utxo,
    key: &PrivateKey,
    to: &Address,
    chain: &Chain,
) -> Result<Built, SpendError> {
    let payment = PaymentBuilder::new().spend(coin).change_to(*to).build()?;
    let branch = chain.params().branch_id(chain.height() + 1);
    Ok(payment.sign(std::slice::from_ref(key), branch)?)
}

/// Coins of an address that no waiting transaction spends: those on the chain, then those that wait themselves.
pub(crate) fn spendable(owner: &Address, chain: &Chain, mempool: &Mempool) -> Vec<Utxo> {
    let script = owner.script();
    let Some(destination) = indexed_owner(script.as_script()) else {
        return Vec::new();
    };
    let height = chain.height() + 1;
    let mature = |outpoint: &OutPoint| {
        chain.coins().get(outpoint).is_some_and(|coin| {
            !coin.coinbase || height.saturating_sub(coin.height) >= COINBASE_MATURITY
        })
    };
    let on_chain = chain
        .books()
        .unspent(&destination)
        .filter(|(outpoint, _)| mature(outpoint))
        .map(|(outpoint, coin)| (*outpoint, coin.value));
    let waiting = mempool.iter().flat_map(|entry| {
        let transaction = entry.parse();
        let outputs = transaction.outputs().iter();
        (0..)
            .zip(outputs)
            .filter(|(_, output)| script == output.script)
            .map(|(n, output)| (OutPoint::new(entry.txid, n), output.value))
            .collect::<Vec<_>>()
    });
    on_chain
        .chain(waiting)
        .filter(|(outpoint, _)| mempool.spender(outpoint).is_none())
        .map(|(outpoint, value)| Utxo {
            outpoint,
            value,
            script: script.clone(),
        })
        .collect()
}

/// The smallest coin that suffices, or the largest until they do.
fn choose(mut coins: Vec<Utxo>, owner: &Address, needed: Sat) -> Result<Vec<Utxo>, SpendError> {
    coins.sort_by_key(|coin| coin.value);
    if let Some(enough) = coins.iter().find(|coin| coin.value >= needed) {
        return Ok(vec![enough.clone()]);
    }
    let mut chosen = Vec::new();
    let mut available = 0_i64;
    while available < needed.get() {
        let Some(coin) = coins.pop() else {
            return Err(SpendError::Insufficient {
                address: *owner,
                available: Sat::new(available),
                needed,
                remedy: "ask for less, or generate blocks until more coins are mature",
            });
        };
        available = available.saturating_add(coin.value.get());
        chosen.push(coin);
    }
    Ok(chosen)
}
