//! Signed messages and block signatures: nothing panics, and who is recovered is who verifies.
#![no_main]

use fluxplane_flux_chain::{
    Hash256, PublicKey,
    message::{CompactSignature, Magic, verify},
    pon::emergency_signatures,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (signature, rest) = part(bytes);
    let (key, message) = part(rest);
    let message = &*String::from_utf8_lossy(message);
    let listed: usize = emergency_signatures(signature)
        .iter()
        .map(|item| item.len())
        .sum();
    assert!(listed <= signature.len());
    let known = PublicKey::parse(key);
    if let Some(key) = &known {
        key.verify_der(&Hash256::sha256d(message.as_bytes()), signature);
    }
    for magic in [Magic::FLUX, Magic::BITCOIN, Magic(message)] {
        let fits = known.is_some_and(|key| verify(&key, signature, magic, message.as_bytes()));
        let Ok(compact) = CompactSignature::from_bytes(signature) else {
            assert!(!fits);
            continue;
        };
        assert_eq!(
            CompactSignature::from_base64(&compact.to_base64()),
            Ok(compact)
        );
        let Some(signer) = compact.recover(magic, message.as_bytes()) else {
            assert!(!fits);
            continue;
        };
        assert!(verify(&signer, signature, magic, message.as_bytes()));
        assert!(compact.verify_id(&signer.id(), magic, message.as_bytes()));
    }
});

/// Splits off a part that has its length as first byte.
fn part(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((length, rest)) = bytes.split_first() else {
        return (&[], &[]);
    };
    rest.split_at_checked(usize::from(*length))
        .unwrap_or((rest, &[]))
}
