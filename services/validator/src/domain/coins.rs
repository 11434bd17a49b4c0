//! Which coins pay for an anchor.
//!
//! The change of the anchor before comes first: so anchors hang on each other like the epochs do, and the chain itself keeps
//! their order. Otherwise the smallest coin that suffices is taken, so that large ones stay whole.

use std::collections::BTreeSet;

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{ChainParams, OutPoint, build::Utxo};

/// A coin of the anchoring address in a block of the best chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coin {
    pub utxo: Utxo,
}

/// Change of an anchor that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Epoch of the anchor that makes it.
    pub epoch: u64,
    pub utxo: Utxo,
}

/// What there is to choose from.
#[derive(Debug, Clone, Default)]
pub struct Purse {
    pub coins: Vec<Coin>,
    pub changes: Vec<Change>,
    /// Spent by anchors that are under way.
    pub reserved: BTreeSet<OutPoint>,
}

/// There are no coins to pay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the anchoring address has {available} FLUX to spend, {needed} FLUX are needed; send some to it"
)]
pub struct Broke {
    pub available: Sat,
    pub needed: Sat,
}

/// Whether a coin of this value could be the collateral of a node. Spending it would end the node.
pub fn is_collateral_sized(params: &ChainParams, value: Sat) -> bool {
    Tier::ALL.into_iter().any(|tier| {
        let sizes = params.nodes.transition(tier);
        value == sizes.before || value == sizes.after
    })
}

/// The coins to try in order, to pay at least `needed`, for the anchor of `epoch`.
pub fn choose(
    purse: &Purse,
    params: &ChainParams,
    epoch: u64,
    needed: Sat,
) -> Result<Vec<Utxo>, Broke> {
    let usable = |utxo: &Utxo| {
        !purse.reserved.contains(&utxo.outpoint) && !is_collateral_sized(params, utxo.value)
    };
    let newest = purse
        .changes
        .iter()
        .filter(|change| change.epoch < epoch && usable(&change.utxo))
        .max_by_key(|change| change.epoch)
        .filter(|change| change.utxo.value >= needed);
    if let Some(change) = newest {
        return Ok(vec![change.utxo.clone()]);
    }
    let mut coins: Vec<&Utxo> = purse
        .coins
        .iter()
        .map(|coin| &coin.utxo)
        .filter(|utxo| usable(utxo))
        .collect();
    coins.sort_by_key(|utxo| (utxo.value, utxo.outpoint));
    if let Some(smallest) = coins.iter().find(|utxo| utxo.value >= needed) {
        return Ok(vec![(*smallest).clone()]);
    }
    let mut chosen = Vec::new();
    let mut available = Sat::ZERO;
    for utxo in coins.into_iter().rev() {
        available = available.checked_add(utxo.value).unwrap_or(available);
        chosen.push(utxo.clone());
        if available >= needed {
            return Ok(chosen);
        }
    }
    Err(Broke { available, needed })
}

#[cfg(test)]
mod tests {
    use fluxplane_flux_chain::{Hash256, Network, ScriptBuf};

    use super::*;

    fn utxo(n: u32, sat: i64) -> Utxo {
        Utxo {
            outpoint: OutPoint::new(Hash256::ZERO, n),
            value: Sat::new(sat),
            script: ScriptBuf::new(Vec::new()),
        }
    }

    fn purse(values: &[i64]) -> Purse {
        let coins = (0..).zip(values).map(|(n, sat)| Coin {
            utxo: utxo(n, *sat),
        });
        Purse {
            coins: coins.collect(),
            ..Purse::default()
        }
    }

    fn chosen(purse: &Purse, needed: i64) -> Result<Vec<i64>, Broke> {
        let params = ChainParams::of(Network::Main);
        let coins = choose(purse, &params, 5, Sat::new(needed))?;
        Ok(coins.iter().map(|coin| coin.value.get()).collect())
    }

    #[test]
    fn the_smallest_coin_that_suffices_pays() {
        let purse = purse(&[50, 1_000, 500]);
        assert_eq!(chosen(&purse, 400), Ok(vec![500]));
        assert_eq!(chosen(&purse, 1_200), Ok(vec![1_000, 500]));
        let (available, needed) = (Sat::new(1_550), Sat::new(1_600));
        assert_eq!(chosen(&purse, 1_600), Err(Broke { available, needed }));
    }

    #[test]
    fn collateral_and_reserved_coins_are_never_touched() {
        let collateral: Vec<i64> = [1_000, 12_500, 40_000, 10_000, 25_000, 100_000]
            .iter()
            .map(|flux| Sat::from_flux(*flux).get())
            .collect();
        assert!(chosen(&purse(&collateral), 400).is_err());
        let mut purse = purse(&[500, 600]);
        purse.reserved.insert(OutPoint::new(Hash256::ZERO, 0));
        assert_eq!(chosen(&purse, 400), Ok(vec![600]));
    }

    #[test]
    fn an_anchor_hangs_on_the_one_before_it() {
        let mut purse = purse(&[500]);
        purse.changes = vec![
            Change {
                epoch: 3,
                utxo: utxo(10, 700),
            },
            Change {
                epoch: 4,
                utxo: utxo(11, 800),
            },
            Change {
                epoch: 6,
                utxo: utxo(12, 900),
            },
        ];
        assert_eq!(chosen(&purse, 400), Ok(vec![800]));
        purse.reserved.insert(OutPoint::new(Hash256::ZERO, 11));
        assert_eq!(chosen(&purse, 400), Ok(vec![700]));
    }
}
