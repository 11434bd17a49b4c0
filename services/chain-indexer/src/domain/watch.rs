//! Which outputs are payments for applications.
//!
//! FluxOS takes an output by the first address the daemon lists for it (RunOnFlux/flux
//! `ZelBack/src/services/explorerService.js`). Here an output counts when it pays to exactly one owner: the first key of a bare
//! multisig could be anybody's choice.

use fluxplane_flux_chain::{
    Address,
    address::{AddressKind, AddressSpace},
    script::{Destination, Script},
};
use serde::{Deserialize, Serialize};

/// An address that receives payments from a height on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchedAddress {
    pub address: Address,
    #[serde(default)]
    pub from_height: u32,
}

/// First height at which FluxOS looks for payments on mainnet (RunOnFlux/flux `ZelBack/config/default.js`,
/// `fluxapps.epochstart`).
pub const FLUX_APPS_EPOCH: u32 = 694_000;

/// Where FluxOS applications are paid on mainnet, and since when (RunOnFlux/flux `ZelBack/config/default.js`:
/// `fluxapps.address`, `addressMultisig`, `addressMultisigB`).
const FLUX_APPS: [(&str, u32); 3] = [
    ("t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6", 0),
    ("t3aGJvdtd8NR6GrnqnRuVEzH6MbrXuJFLUX", 1_300_000),
    ("t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX", 1_670_000),
];

/// The addresses of FluxOS on mainnet.
pub fn flux_apps() -> Vec<WatchedAddress> {
    FLUX_APPS
        .into_iter()
        .map(|(text, from_height)| WatchedAddress {
            address: text
                .parse()
                .expect("a constant that the tests of this module read"),
            from_height,
        })
        .collect()
}

/// Who sets prices on mainnet: the two multisigs of the foundation, by writing to themselves (RunOnFlux/flux
/// `ZelBack/src/services/explorerService.js`, `processInsight`).
pub fn foundation() -> Vec<Address> {
    let multisigs = FLUX_APPS.into_iter().skip(1);
    multisigs
        .map(|(text, _)| {
            text.parse()
                .expect("a constant that the tests of this module read")
        })
        .collect()
}

/// The watched addresses of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    addresses: Vec<WatchedAddress>,
    first_height: u32,
}

/// An address of another network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "payments.addresses holds `{address}`, an address of {found}; the network needs one of {expected}"
)]
pub struct ForeignAddress {
    address: Address,
    found: AddressSpace,
    expected: AddressSpace,
}

impl Watch {
    /// Watches `addresses`, all of which must belong to `space`, in blocks from `first_height` on.
    pub fn new(
        addresses: Vec<WatchedAddress>,
        first_height: u32,
        space: AddressSpace,
    ) -> Result<Self, ForeignAddress> {
        let foreign = addresses
            .iter()
            .map(|watched| watched.address)
            .find(|address| address.space != space);
        match foreign {
            None => Ok(Self {
                addresses,
                first_height,
            }),
            Some(address) => Err(ForeignAddress {
                address,
                found: address.space,
                expected: space,
            }),
        }
    }

    /// The addresses that count in a block at `height`.
    pub fn at(&self, height: u32) -> impl Iterator<Item = Address> {
        self.addresses
            .iter()
            .filter(move |watched| height >= watched.from_height.max(self.first_height))
            .map(|watched| watched.address)
    }

    /// The watched address an output pays at `height`.
    pub fn paid(&self, script: Script<'_>, height: u32) -> Option<Address> {
        // Matching templates is the dearest part of looking at an output; most chains watch nothing for long.
        let mut open = self.at(height).peekable();
        open.peek()?;
        let (kind, hash) = match script.destination()? {
            Destination::Key(hash) => (AddressKind::PublicKey, hash),
            Destination::Script(hash) => (AddressKind::Script, hash),
        };
        open.find(|address| address.kind == kind && address.hash == hash)
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_flux_chain::{PrivateKey, script};

    use super::*;

    #[test]
    fn addresses_count_from_their_heights_on() {
        let watch = Watch::new(flux_apps(), FLUX_APPS_EPOCH, AddressSpace::Main).unwrap();
        let shown = |height| watch.at(height).map(|a| a.to_string()).collect::<Vec<_>>();
        assert!(shown(693_999).is_empty());
        assert_eq!(shown(694_000), ["t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6"]);
        assert_eq!(shown(1_669_999).len(), 2);
        assert_eq!(shown(1_670_000).len(), 3);
        let multisig: Address = "t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX".parse().unwrap();
        let output = multisig.script();
        assert_eq!(watch.paid(output.as_script(), 1_669_999), None);
        assert_eq!(watch.paid(output.as_script(), 1_670_000), Some(multisig));
    }

    #[test]
    fn prices_are_set_by_the_multisigs_and_not_by_the_first_address() {
        let kinds: Vec<AddressKind> = foundation().iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [AddressKind::Script; 2]);
    }

    #[test]
    fn an_address_of_another_network_is_refused_by_name() {
        let error = Watch::new(flux_apps(), 0, AddressSpace::Test).unwrap_err();
        assert!(error.to_string().contains("t1LUs6q"), "{error}");
    }

    #[test]
    fn a_bare_multisig_with_a_watched_key_is_no_payment() {
        let key = |n| PrivateKey::from_bytes(&[n; 32], true).unwrap().public_key();
        let address = Address::of_key(&key(1), AddressSpace::Test);
        let watched = WatchedAddress {
            address,
            from_height: 0,
        };
        let watch = Watch::new(vec![watched], 0, AddressSpace::Test).unwrap();
        let shared = script::multisig(1, &[key(1), key(2)]).unwrap();
        assert_eq!(watch.paid(shared.as_script(), 5), None);
        assert_eq!(watch.paid(address.script().as_script(), 5), Some(address));
    }
}
