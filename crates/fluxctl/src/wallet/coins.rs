//! Which coins a payment spends. Pure.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    build::{BuildError, PaymentBuilder, Unsigned, Utxo},
    params::COINBASE_MATURITY,
};

/// A coin with what decides whether it may be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    pub utxo: Utxo,
    pub confirmations: u32,
    /// Whether it was created by a block; such a coin must rest.
    pub coinbase: bool,
    /// Whether its amount is that of a node's collateral; spending it may end a node.
    pub collateral: bool,
}

impl Coin {
    const fn is_ripe(&self) -> bool {
        !self.coinbase || self.confirmations >= COINBASE_MATURITY
    }
}

/// Why no coins were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoSelection {
    /// The coins that may be spent do not suffice.
    Insufficient {
        spendable: Sat,
        needed: Sat,
        unripe: Sat,
        collateral: Sat,
    },
    Build(BuildError),
}

/// Picks coins for a payment, largest first, so that few are spent; `spend_collateral` lifts the protection of coins that
/// look like a node's collateral.
pub(super) fn select(
    draft: &PaymentBuilder,
    coins: &[Coin],
    spend_collateral: bool,
) -> Result<Unsigned, NoSelection> {
    let sum = |keep: &dyn Fn(&Coin) -> bool| {
        let kept = coins
            .iter()
            .filter(|coin| keep(coin))
            .map(|coin| coin.utxo.value);
        Sat::checked_sum(kept).unwrap_or(Sat::new(i64::MAX))
    };
    let guarded = |coin: &Coin| coin.collateral && !spend_collateral;
    let mut usable: Vec<&Coin> = coins
        .iter()
        .filter(|coin| coin.is_ripe() && !guarded(coin))
        .collect();
    usable.sort_by_key(|coin| (std::cmp::Reverse(coin.utxo.value), coin.utxo.outpoint));
    let mut payment = draft.clone();
    let mut needed = Sat::ZERO;
    for coin in usable {
        payment = payment.spend(coin.utxo.clone());
        match payment.clone().build() {
            Ok(unsigned) => return Ok(unsigned),
            Err(BuildError::Insufficient { needed: more, .. }) => needed = more,
            Err(other) => return Err(NoSelection::Build(other)),
        }
    }
    Err(NoSelection::Insufficient {
        spendable: sum(&|coin| coin.is_ripe() && !guarded(coin)),
        needed,
        unripe: sum(&|coin| !coin.is_ripe()),
        collateral: sum(&|coin| coin.is_ripe() && guarded(coin)),
    })
}
