//! The developer's keys. All come from the seed of the chain, so that every run has the same, and none of them is a secret.

use fluxplane_core::Tier;
use fluxplane_flux_chain::{Address, Hash256, PrivateKey, address::AddressSpace};

/// Addresses of every chain of ours are regtest's.
pub(crate) const SPACE: AddressSpace = AddressSpace::Test;

/// Accounts that have coins from the start.
pub(crate) const ACCOUNTS: u32 = 10;

/// Makes keys from the seed of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keyring {
    seed: String,
}

/// A key with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedKey {
    pub(crate) name: String,
    pub(crate) key: PrivateKey,
}

impl NamedKey {
    pub(crate) fn address(&self) -> Address {
        address_of(&self.key)
    }
}

/// The address of a key.
pub(crate) fn address_of(key: &PrivateKey) -> Address {
    Address::of_key(&key.public_key(), SPACE)
}

impl Keyring {
    pub(crate) fn new(seed: &str) -> Self {
        Self {
            seed: seed.to_owned(),
        }
    }

    /// The key for a purpose.
    fn derive(&self, name: &str) -> NamedKey {
        let key = (0_u32..)
            .find_map(|round| {
                let text = format!("fluxplane-devnet/{}/{name}/{round}", self.seed);
                let digest = Hash256::sha256d(text.as_bytes());
                PrivateKey::from_bytes(digest.as_wire(), true).ok()
            })
            .expect("all but one in 2^127 digests are keys");
        NamedKey {
            name: name.to_owned(),
            key,
        }
    }

    /// Holds the coins of the faucet.
    pub(crate) fn faucet(&self) -> NamedKey {
        self.derive("faucet")
    }

    /// Gets what the nodes do not get of each block.
    pub(crate) fn dev_fund(&self) -> NamedKey {
        self.derive("dev-fund")
    }

    /// Gets the exchange fund at height 10.
    pub(crate) fn exchange_fund(&self) -> NamedKey {
        self.derive("exchange-fund")
    }

    /// Signs benchmarks.
    pub(crate) fn benchmark(&self) -> NamedKey {
        self.derive("benchmark")
    }

    pub(crate) fn account(&self, number: u32) -> NamedKey {
        self.derive(&format!("account-{number}"))
    }

    /// Owns the collateral of a node.
    pub(crate) fn collateral(&self, number: u32) -> NamedKey {
        self.derive(&format!("collateral-{number}"))
    }

    /// Owns collateral that is on the chain from the first block on.
    pub(crate) fn ready_collateral(&self, tier: Tier, number: u32) -> NamedKey {
        let tier = tier.name().to_lowercase();
        self.derive(&format!("ready-{tier}-{number}"))
    }

    /// The key of a node's machine.
    pub(crate) fn machine(&self, number: u32) -> NamedKey {
        self.derive(&format!("node-{number}"))
    }

    /// Keys of the wallet that are not bound to a node.
    pub(crate) fn standing(&self) -> Vec<NamedKey> {
        let mut keys = vec![
            self.faucet(),
            self.dev_fund(),
            self.exchange_fund(),
            self.benchmark(),
        ];
        keys.extend((0..ACCOUNTS).map(|number| self.account(number)));
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_keys_for_ever() {
        let keys = Keyring::new("fluxplane");
        assert_eq!(
            keys.faucet().address().to_string(),
            "tmFmTxCNxCASk6s7CN9FGSXfMVQYRou5Dun"
        );
        assert_ne!(keys.account(0), keys.account(1));
        assert_ne!(keys.faucet(), Keyring::new("other").faucet());
    }
}
