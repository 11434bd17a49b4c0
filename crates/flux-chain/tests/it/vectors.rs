//! Blocks, headers and transactions of main, testnet and regtest.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, Header, Transaction,
    block::merkle_root,
    header::Seal,
    script::ScriptKind,
    tx::{Body, Fluxnode, JoinSplits, StartBody},
};
use serde_json::Value;

use crate::support::fixture::{VECTORS, bytes, hash, list, named, number, outpoint, small, text};

#[test]
fn blocks_have_their_hash_root_size_and_transactions() {
    for vector in list(&VECTORS, "blocks") {
        let raw = bytes(vector, "hex");
        let block = Block::parse(&raw).unwrap();
        let expected = &vector["expected"];
        let header = &expected["header"];
        assert_eq!(block.header.hash(), hash(expected, "hash"));
        assert_eq!(
            u64::try_from(block.size()).unwrap(),
            number(expected, "size")
        );
        assert_eq!(
            i64::from(block.header.version),
            header["version"].as_i64().unwrap()
        );
        assert_eq!(block.header.previous, hash(header, "previousblockhash"));
        assert_eq!(block.header.merkle_root, hash(header, "merkleroot"));
        assert_eq!(
            block.header.final_sapling_root,
            hash(header, "finalsaplingroot")
        );
        assert_eq!(block.header.time, small(header, "time"));
        assert_eq!(format!("{:08x}", block.header.bits), text(header, "bits"));
        assert_eq!(
            u64::try_from(block.header.raw().len()).unwrap(),
            number(header, "headerSize")
        );
        check_seal(&block.header, header, vector);
        let root = merkle_root(&block.txids());
        assert_eq!(root.root, block.header.merkle_root);
        assert!(!root.mutated);
        let transactions = list(expected, "tx");
        assert_eq!(block.transactions.len(), transactions.len());
        for (transaction, expected) in block.transactions.iter().zip(transactions) {
            check_transaction(transaction, expected);
        }
        if number(vector, "height") > 0 {
            assert_eq!(
                block.claimed_height().map(u64::from),
                vector["height"].as_u64()
            );
        }
        assert_eq!(block.serialize(), raw);
    }
}

fn check_seal(header: &Header<'_>, expected: &Value, vector: &Value) {
    match &header.seal {
        Seal::Node {
            collateral,
            signature,
        } => {
            assert_eq!(vector["type"], "PON");
            assert_eq!(*collateral, outpoint(&expected["collateral"]));
            assert_eq!(hex::encode(signature), text(expected, "blocksig"));
        }
        Seal::Work { nonce, solution } => {
            assert_eq!(vector["type"], "POW");
            assert_eq!(*nonce, hash(expected, "nonce"));
            let expected = number(&vector["expected"], "solution_bytes");
            assert_eq!(u64::try_from(solution.len()).unwrap(), expected);
        }
    }
}

#[test]
fn headers_hash_what_their_kind_hashes() {
    for vector in list(&VECTORS, "headers") {
        let raw = bytes(vector, "hex");
        let header = Header::parse(&raw).unwrap();
        assert_eq!(header.hash(), hash(vector, "hash"));
        if let Some(preimage) = vector["hash_preimage_hex"].as_str() {
            assert_eq!(hex::encode(&raw[..144]), preimage);
        }
        if let Seal::Work { nonce, solution } = &header.seal {
            let fields = &vector["fields"];
            assert_eq!(*nonce, hash(fields, "nonce"));
            assert_eq!(hex::encode(solution), text(fields, "solution"));
            assert_eq!(format!("{:08x}", header.bits), text(fields, "bits"));
        }
        let mut written = Vec::new();
        header.write_to(&mut written);
        assert_eq!(written, raw);
    }
}

#[test]
fn transactions_have_their_id_size_and_fields() {
    for vector in list(&VECTORS, "transactions") {
        let raw = bytes(vector, "hex");
        let transaction = Transaction::parse(&raw).unwrap();
        let mut expected = vector["fields"].clone();
        expected["txid"] = vector["txid"].clone();
        expected["size"] = vector["size"].clone();
        check_transaction(&transaction, &expected);
    }
}

#[test]
fn constructed_starts_have_their_delegates() {
    for vector in list(&VECTORS, "constructed") {
        if vector["txid"].is_null() {
            continue;
        }
        let raw = bytes(vector, "hex");
        let transaction = Transaction::parse(&raw).unwrap();
        let mut expected = vector["fields"].clone();
        expected["txid"] = vector["txid"].clone();
        check_transaction(&transaction, &expected);
    }
}

#[test]
fn the_payment_of_an_app_carries_its_message_hash() {
    let vector = named(list(&VECTORS, "transactions"), "v4_app_payment_op_return");
    let raw = bytes(vector, "hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let transfer = transaction.as_transfer().unwrap();
    let note = transfer.note().unwrap();
    assert_eq!(note.text, text(vector, "app_message_hash"));
    assert!(note.last);
    let address: fluxplane_flux_chain::Address =
        text(vector, "app_payment_address").parse().unwrap();
    let paid: i64 = transaction
        .outputs()
        .iter()
        .filter(|output| address.script() == output.script)
        .map(|output| output.value.get())
        .sum();
    assert_eq!(
        Sat::new(paid).get().unsigned_abs(),
        number(vector, "app_payment_sat")
    );
    assert!(matches!(
        transaction.outputs()[2].script.kind(),
        ScriptKind::NullData(data) if data.len() == 64
    ));
}

#[test]
fn the_emergency_header_is_read_with_its_list_of_signatures() {
    let vector = named(list(&VECTORS, "constructed"), "emergency_block_header");
    let raw = bytes(vector, "hex");
    let header = Header::parse(&raw).unwrap();
    assert_eq!(header.hash(), hash(vector, "hash"));
    let Seal::Node { signature, .. } = &header.seal else {
        panic!("a proof-of-node header");
    };
    let lengths: Vec<u64> = fluxplane_flux_chain::pon::emergency_signatures(signature)
        .iter()
        .map(|signature| u64::try_from(signature.len()).unwrap())
        .collect();
    let expected: Vec<u64> = list(vector, "inner_signature_lengths")
        .iter()
        .map(|length| length.as_u64().unwrap())
        .collect();
    assert_eq!(lengths, expected);
}

/// Compares a transaction with the fields a vector has.
fn check_transaction(transaction: &Transaction<'_>, expected: &Value) {
    assert_eq!(transaction.txid(), hash(expected, "txid"));
    assert_eq!(
        u64::from(transaction.version()),
        number(expected, "version")
    );
    assert_eq!(
        transaction.is_overwintered(),
        expected["overwintered"].as_bool().unwrap()
    );
    if let Some(size) = expected["size"].as_u64() {
        assert_eq!(u64::try_from(transaction.size()).unwrap(), size);
    }
    if !expected["fullhash"].is_null() {
        assert_eq!(transaction.full_hash(), hash(expected, "fullhash"));
    }
    assert_eq!(transaction.serialize(), transaction.raw());
    match &transaction.body {
        Body::Transfer(_) => check_transfer(transaction, expected),
        Body::Fluxnode(fluxnode) => check_fluxnode(fluxnode, expected),
    }
}

fn check_transfer(transaction: &Transaction<'_>, expected: &Value) {
    let transfer = transaction.as_transfer().unwrap();
    let inputs = list(expected, "vin");
    assert_eq!(transfer.inputs.len(), inputs.len());
    for (input, expected) in transfer.inputs.iter().zip(inputs) {
        assert_eq!(input.previous.txid, hash(expected, "txid"));
        assert_eq!(input.previous.n, small(expected, "vout"));
        assert_eq!(
            hex::encode(input.script.as_bytes()),
            text(expected, "scriptSig")
        );
        assert_eq!(input.sequence, small(expected, "sequence"));
    }
    let outputs = list(expected, "vout");
    assert_eq!(transfer.outputs.len(), outputs.len());
    for (output, expected) in transfer.outputs.iter().zip(outputs) {
        assert_eq!(Some(output.value.get()), expected["valueSat"].as_i64());
        assert_eq!(
            hex::encode(output.script.as_bytes()),
            text(expected, "scriptPubKey")
        );
    }
    assert_eq!(transfer.lock_time, small(expected, "locktime"));
    assert_eq!(
        transfer.expiry_height.map(u64::from),
        expected["expiryheight"].as_u64()
    );
    assert_eq!(
        transfer.version_group.map(|group| format!("{group:08x}")),
        expected["versiongroupid"].as_str().map(str::to_owned)
    );
    let sapling = transfer.sapling.as_ref();
    assert_eq!(
        sapling.map(|part| part.value_balance),
        expected["valueBalanceZat"].as_i64()
    );
    let count = |length: usize| u64::try_from(length).unwrap();
    assert_eq!(
        sapling.map(|part| count(part.spends().len())),
        expected["nShieldedSpend"].as_u64()
    );
    assert_eq!(
        sapling.map(|part| count(part.outputs().len())),
        expected["nShieldedOutput"].as_u64()
    );
    assert_eq!(
        sapling.and_then(|part| part.binding_signature().map(hex::encode)),
        expected["bindingSig"].as_str().map(str::to_owned)
    );
    let join_splits = transfer.join_splits.as_ref();
    assert_eq!(
        join_splits.map(|part| count(part.iter().len())),
        expected["nJoinSplit"].as_u64()
    );
    let key = join_splits.and_then(JoinSplits::key_and_signature);
    assert_eq!(
        key.map(|(key, _)| key.to_string()),
        expected["joinSplitPubKey"].as_str().map(str::to_owned)
    );
}

fn check_fluxnode(fluxnode: &Fluxnode<'_>, expected: &Value) {
    assert_eq!(
        Some(i64::from(fluxnode.type_byte())),
        expected["nType"].as_i64()
    );
    assert_eq!(
        fluxnode.collateral(),
        Some(outpoint(&expected["collateral"]))
    );
    match fluxnode {
        Fluxnode::Start(start) => {
            assert_eq!(start.sig_time(), small(expected, "sigTime"));
            assert_eq!(hex::encode(start.node_key()), text(expected, "pubKey"));
            assert_eq!(hex::encode(start.signature()), text(expected, "sig"));
            assert_eq!(
                start.flux_version.map(i64::from),
                expected["nFluxTxVersion"].as_i64()
            );
            match &start.body {
                StartBody::Normal { collateral_key, .. } => {
                    assert_eq!(
                        hex::encode(collateral_key),
                        text(expected, "collateralPubkey")
                    );
                }
                StartBody::P2sh { redeem_script, .. } => {
                    let redeem = hex::encode(redeem_script.as_bytes());
                    assert_eq!(redeem, text(expected, "redeemScript"));
                }
                StartBody::Empty => panic!("every vector has fields"),
            }
            let using = start.delegates.as_ref().map(|field| field.using != 0);
            assert_eq!(using, expected["fUsingDelegates"].as_bool());
            check_delegates(
                start
                    .delegates
                    .as_ref()
                    .and_then(|field| field.data.as_ref()),
                expected,
            );
        }
        Fluxnode::Confirm(confirm) => {
            assert_eq!(confirm.sig_time, small(expected, "sigTime"));
            assert_eq!(
                confirm.benchmark_sig_time,
                small(expected, "benchmarkSigTime")
            );
            assert_eq!(
                Some(i64::from(confirm.benchmark_tier)),
                expected["benchmarkTier"].as_i64()
            );
            assert_eq!(
                Some(i64::from(confirm.update_type)),
                expected["nUpdateType"].as_i64()
            );
            assert_eq!(confirm.ip, text(expected, "ip").as_bytes());
            assert_eq!(hex::encode(confirm.signature), text(expected, "sig"));
            assert_eq!(
                hex::encode(confirm.benchmark_signature),
                text(expected, "benchmarkSig")
            );
        }
        Fluxnode::Unknown(other) => panic!("no vector has type {other}"),
    }
}

fn check_delegates(data: Option<&fluxplane_flux_chain::tx::DelegateData<'_>>, expected: &Value) {
    let expected = &expected["delegates"];
    let Some(data) = data else {
        assert!(expected.is_null());
        return;
    };
    assert_eq!(Some(i64::from(data.version)), expected["version"].as_i64());
    assert_eq!(Some(i64::from(data.kind)), expected["type"].as_i64());
    let keys: Option<Vec<String>> = data.keys.map(|keys| keys.iter().map(hex::encode).collect());
    let expected: Option<Vec<String>> = expected["keys"].as_array().map(|keys| {
        keys.iter()
            .map(|key| key.as_str().unwrap().to_owned())
            .collect()
    });
    assert_eq!(keys, expected);
}
