//! What the first block of a development chain pays out. Consensus sets no limit to the coinbases of the first two blocks (fluxd
//! `ConnectBlock`), so the coins are there without a rule being bent.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{ChainParams, OutPoint, build::Output};

use crate::{
    chain::Chain,
    wallet::keys::{ACCOUNTS, Keyring, NamedKey},
};

/// Height of the block that pays them.
pub(crate) const PREMINE_HEIGHT: u32 = 1;

/// Coins of the faucet: many, so that many payments can wait at once without building on each other.
const FAUCET_COINS: u32 = 50;
const FAUCET_COIN: Sat = Sat::from_flux(1_000_000);

const ACCOUNT_COIN: Sat = Sat::from_flux(100_000);

/// Collaterals of each tier that are deep enough as soon as the chain is served.
const READY_COLLATERALS: u32 = 16;

/// The outputs on top of what the coinbase owes.
pub(crate) fn premine_outputs(keys: &Keyring, params: &ChainParams) -> Vec<Output> {
    let pay = |key: &NamedKey, value| Output {
        script: key.address().script(),
        value,
    };
    let faucet = keys.faucet();
    let mut outputs: Vec<Output> = (0..FAUCET_COINS)
        .map(|_| pay(&faucet, FAUCET_COIN))
        .collect();
    outputs.extend((0..ACCOUNTS).map(|number| pay(&keys.account(number), ACCOUNT_COIN)));
    for (tier, number) in ready() {
        let key = keys.ready_collateral(tier, number);
        outputs.push(pay(&key, collateral_amount(params, tier, PREMINE_HEIGHT)));
    }
    outputs
}

fn ready() -> impl Iterator<Item = (Tier, u32)> {
    Tier::ALL
        .into_iter()
        .flat_map(|tier| (0..READY_COLLATERALS).map(move |number| (tier, number)))
}

/// What a node of a tier locks. Where two amounts count, the newer one.
pub(crate) fn collateral_amount(params: &ChainParams, tier: Tier, height: u32) -> Sat {
    params
        .collateral_amounts(tier, height)
        .last()
        .unwrap_or_default()
}

/// A collateral that is ready and not taken, with the key that owns it.
pub(crate) fn free_collateral(
    keys: &Keyring,
    chain: &Chain,
    tier: Tier,
    taken: impl Fn(&OutPoint) -> bool,
) -> Option<(OutPoint, NamedKey)> {
    let coinbase = *chain.at(PREMINE_HEIGHT)?.txids.first()?;
    let height = chain.height() + 1;
    let depth = chain.params().nodes.collateral_depth;
    ready()
        .filter(|(of, _)| *of == tier)
        .find_map(|(_, number)| {
            let key = keys.ready_collateral(tier, number);
            let script = key.address().script();
            let paid = |n: &u32| {
                let coin = chain.coins().get(&OutPoint::new(coinbase, *n));
                coin.is_some_and(|coin| {
                    coin.script == script
                        && height - coin.height >= depth
                        && chain.params().tier_of_amount(coin.value, height) == Some(tier)
                })
            };
            let outputs = chain
                .at(PREMINE_HEIGHT)?
                .parse()
                .transactions
                .first()?
                .outputs()
                .len();
            let n = (0..u32::try_from(outputs).ok()?).find(paid)?;
            let outpoint = OutPoint::new(coinbase, n);
            (!taken(&outpoint)).then_some((outpoint, key))
        })
}
