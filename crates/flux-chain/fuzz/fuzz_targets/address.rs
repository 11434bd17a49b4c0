//! Addresses, FluxIDs, private keys and hashes as text: nothing panics, and what is accepted prints as it was written.
#![no_main]

use fluxplane_flux_chain::{Address, FluxId, Hash256, OutPoint, PrivateKey, address::AddressSpace};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(address) = text.parse::<Address>() {
        assert_eq!(address.to_string(), text);
        let found = Address::of_script(address.script().as_script(), address.space);
        assert_eq!(found, Some(address));
    }
    if let Ok(id) = text.parse::<FluxId>() {
        assert_eq!(id.to_string(), text);
    }
    for space in [AddressSpace::Main, AddressSpace::Test] {
        let _address = Address::parse_in(text, space);
        if let Ok(key) = PrivateKey::from_wif(text, space) {
            assert_eq!(key.to_wif(space), text);
        }
    }
    if let Ok(hash) = text.parse::<Hash256>() {
        assert_eq!(hash.to_string(), text.to_ascii_lowercase());
    }
    if let Ok(outpoint) = text.parse::<OutPoint>() {
        assert_eq!(outpoint.to_string().parse(), Ok(outpoint));
    }
});
