//! Signed messages, block signatures and signature hashes of real data.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Hash256, PublicKey, Script, Transaction,
    message::{CompactSignature, Magic, benchmark_text, confirm_text, start_text, verify},
    sighash::{SpentOutput, signature_hash},
    tx::Fluxnode,
    verify::verify_input,
};
use serde_json::Value;

use crate::support::fixture::{VECTORS, bytes, hash, list, named, number, text};

fn signature(name: &str) -> &'static Value {
    named(list(&VECTORS, "signatures"), name)
}

fn public_key(value: &Value) -> PublicKey {
    text(value, "signer_pubkey").parse().unwrap()
}

#[test]
fn live_signatures_verify_against_their_message() {
    for vector in list(&VECTORS, "signatures") {
        let key = public_key(vector);
        let raw = bytes(vector, "sig_hex");
        if vector["kind"] == "der" {
            let digest = hash(vector, "block_hash");
            assert_eq!(hex::encode(digest.as_wire()), text(vector, "digest_hex"));
            assert!(key.verify_der(&digest, &raw));
            continue;
        }
        let message = match vector["message"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => bytes(vector, "message_bytes_hex"),
        };
        assert!(verify(&key, &raw, Magic(text(vector, "magic")), &message));
        assert!(!verify(&key, &raw, Magic::BITCOIN, &message));
        let signature = CompactSignature::from_bytes(&raw).unwrap();
        assert_eq!(signature.recover(Magic::FLUX, &message), Some(key));
    }
}

#[test]
fn the_messages_are_made_from_the_transactions() {
    let transactions = list(&VECTORS, "transactions");
    for (transaction, vector) in [
        ("v5_start_normal", "start_tx"),
        ("v6_start_p2sh", "start_tx_p2sh"),
    ] {
        let raw = bytes(named(transactions, transaction), "hex");
        let txid = Transaction::parse(&raw).unwrap().txid();
        assert_eq!(start_text(&txid), text(signature(vector), "message"));
    }
    let raw = bytes(named(transactions, "v5_confirm_initial"), "hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let Some(Fluxnode::Confirm(confirm)) = transaction.as_fluxnode() else {
        panic!("a confirm");
    };
    assert_eq!(
        confirm_text(confirm),
        text(signature("confirm_tx_initial"), "message")
    );
    assert_eq!(
        hex::encode(benchmark_text(confirm)),
        text(signature("benchmark_sig"), "message_bytes_hex")
    );
}

#[test]
fn the_benchmark_key_depends_on_the_time() {
    let params = fluxplane_flux_chain::ChainParams::main();
    let key = params.benchmark_key(1_790_796_194).unwrap();
    assert_eq!(key, public_key(signature("benchmark_sig")));
    let keys: Vec<_> = [
        0,
        1_618_113_599,
        1_618_113_600,
        1_647_262_800,
        1_706_209_200,
    ]
    .into_iter()
    .map(|time| params.benchmark_key(time).unwrap())
    .collect();
    assert_eq!(keys[0], keys[1]);
    assert!(keys[1] != keys[2] && keys[2] != keys[3] && keys[3] != keys[4]);
}

#[test]
fn a_live_payment_verifies_by_zip_243() {
    let vector = &list(&VECTORS, "sighash")[0];
    let raw = bytes(vector, "raw_tx_hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let script = bytes(vector, "script_code_hex");
    let index = usize::try_from(number(vector, "input_index")).unwrap();
    let value = Sat::new(vector["amount_sat"].as_i64().unwrap());
    let branch = u32::from_str_radix(text(vector, "branch_id"), 16).unwrap();
    let spent = SpentOutput {
        script_code: Script::new(&script),
        value,
    };
    let digest = signature_hash(&transaction, index, &spent, 1, branch).unwrap();
    assert_eq!(hex::encode(digest.as_wire()), text(vector, "sighash"));
    let key: PublicKey = text(vector, "pubkey").parse().unwrap();
    assert!(key.verify_der(&digest, &bytes(vector, "sig_der_hex")));
    let verdict =
        |value, branch| verify_input(&transaction, index, Script::new(&script), value, branch);
    verdict(value, branch).unwrap();
    verdict(Sat::new(value.get() + 1), branch).unwrap_err();
    verdict(value, 0).unwrap_err();
}

#[test]
fn the_daemons_own_signature_hashes_come_out() {
    let mut seen = 0;
    for vector in list(&VECTORS, "transactions") {
        let expected = &vector["sighash"];
        if expected.is_null() {
            continue;
        }
        seen += 1;
        let raw = bytes(vector, "hex");
        let transaction = Transaction::parse(&raw).unwrap();
        let script = bytes(expected, "script");
        let spent = SpentOutput {
            script_code: Script::new(&script),
            value: Sat::ZERO,
        };
        let hash_type = i32::try_from(expected["hash_type"].as_i64().unwrap()).unwrap();
        let digest = signature_hash(
            &transaction,
            usize::try_from(number(expected, "input_index")).unwrap(),
            &spent,
            u32::from_le_bytes(hash_type.to_le_bytes()),
            u32::try_from(number(expected, "branch_id")).unwrap(),
        )
        .unwrap();
        assert_eq!(digest, hash(expected, "expected"), "{}", vector["name"]);
    }
    assert_eq!(seen, 4);
}

#[test]
fn an_input_that_does_not_exist_has_no_digest() {
    let vector = &list(&VECTORS, "sighash")[0];
    let raw = bytes(vector, "raw_tx_hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let spent = SpentOutput {
        script_code: Script::default(),
        value: Sat::ZERO,
    };
    assert!(signature_hash(&transaction, 9, &spent, 1, 0).is_err());
    let start = bytes(
        named(list(&VECTORS, "transactions"), "v5_start_normal"),
        "hex",
    );
    let start = Transaction::parse(&start).unwrap();
    assert!(signature_hash(&start, 0, &spent, 1, 0).is_err());
    assert_ne!(start.txid(), Hash256::ZERO);
}
