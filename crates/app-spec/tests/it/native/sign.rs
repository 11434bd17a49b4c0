//! Signatures over the content hash, in both schemes.

use alloy_primitives::{Address, keccak256};
use bitcoin::secp256k1::{Message, PublicKey, Secp256k1};
use fluxplane_app_spec::{
    message::SignatureError,
    native::{NativeSpec, SignError},
};

use super::{GOOD, OWNER, good};
use crate::messages::Wallet;

fn owned(owner: &str) -> NativeSpec {
    // A 0x address without quotes is a number for other readers of YAML.
    good(&GOOD.replace(OWNER, &format!("'{owner}'")))
}

/// The Ethereum address of a wallet's key.
fn address(wallet: &Wallet) -> String {
    let key = PublicKey::from_secret_key(&Secp256k1::new(), &wallet.key);
    Address::from_raw_public_key(&key.serialize_uncompressed()[1..]).to_checksum(None)
}

/// `personal_sign` of an Ethereum wallet.
fn personal_sign(wallet: &Wallet, text: &str) -> String {
    let digest = keccak256(format!(
        "\x19Ethereum Signed Message:\n{}{text}",
        text.len()
    ));
    let signature =
        Secp256k1::new().sign_ecdsa_recoverable(&Message::from_digest(digest.0), &wallet.key);
    let (id, numbers) = signature.serialize_compact();
    format!("0x{}{:02x}", hex::encode(numbers), 27 + id.to_i32())
}

#[test]
fn the_owner_signs_in_either_scheme() {
    let wallet = Wallet::new(7);
    let spec = owned(&wallet.id);
    assert_eq!(spec.verify(&wallet.sign(&spec.signed_text())), Ok(()));
    let spec = owned(&address(&wallet));
    assert_eq!(
        spec.verify(&personal_sign(&wallet, &spec.signed_text())),
        Ok(())
    );
}

#[test]
fn nobody_else_and_nothing_else_counts() {
    let (wallet, other) = (Wallet::new(7), Wallet::new(8));
    let spec = owned(&wallet.id);
    let signature = wallet.sign(&spec.signed_text());
    assert_eq!(
        spec.verify(&other.sign(&spec.signed_text())),
        Err(SignError::NotTheOwner)
    );
    // The hash alone is not what is signed: it could be the hash of anything.
    assert_eq!(
        spec.verify(&wallet.sign(&spec.hash())),
        Err(SignError::NotTheOwner)
    );
    let mut changed = spec.clone();
    changed.instances = Some(4);
    assert_eq!(changed.verify(&signature), Err(SignError::NotTheOwner));
    let unpadded = signature.trim_end_matches('=');
    assert_eq!(
        spec.verify(unpadded),
        Err(SignError::Form(SignatureError::Encoding))
    );
    assert_eq!(
        spec.verify(""),
        Err(SignError::Form(SignatureError::Length(0)))
    );
}

#[test]
fn the_signature_covers_the_meaning_not_the_notation() {
    let wallet = Wallet::new(7);
    let spec = owned(&wallet.id);
    let signature = wallet.sign(&spec.signed_text());
    let rewritten = GOOD
        .replace(OWNER, &wallet.id)
        .replace("cpu: 1core", "cpu: 1000m");
    assert_eq!(good(&rewritten).verify(&signature), Ok(()));
}
