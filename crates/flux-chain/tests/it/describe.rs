//! Descriptions against answers of a running daemon.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Block, ChainParams, Header, Transaction,
    describe::{self, Amount, BlockContext, ValuePool},
};
use serde_json::Value;

use crate::support::{
    fixture::{SHAPES, VECTORS, bytes, hash, list, named, small, text},
    recorded::BLOCKS,
};

fn answer(method: &str) -> &'static Value {
    &SHAPES["methods"][method]["result"]
}

/// Both sides as text, parsed again, so that numbers compare by value.
fn assert_same(ours: &impl serde::Serialize, theirs: &Value) {
    let ours: Value = serde_json::from_str(&describe::to_text(ours)).unwrap();
    assert_eq!(ours, *theirs);
}

fn context(theirs: &Value) -> BlockContext {
    let pools = theirs["valuePools"].as_array().map(|pools| {
        pools
            .iter()
            .map(|pool| ValuePool {
                id: text(pool, "id").to_owned(),
                monitored: true,
                chain_value: Amount(Sat::ZERO),
                chain_value_zat: Sat::ZERO,
                value_delta: Amount(Sat::ZERO),
                value_delta_zat: Sat::ZERO,
            })
            .collect()
    });
    BlockContext {
        height: Some(small(theirs, "height")),
        confirmations: theirs["confirmations"].as_i64(),
        chainwork: theirs["chainwork"].as_str().map(str::to_owned),
        anchor: theirs["anchor"].as_str().map(|text| text.parse().unwrap()),
        value_pools: pools,
        next_block_hash: None,
    }
}

#[test]
fn a_block_reads_like_the_daemons() {
    let params = ChainParams::regtest();
    let raw = hex::decode(answer("getblock verbosity 0").as_str().unwrap()).unwrap();
    let block = Block::parse(&raw).unwrap();
    let ids = answer("getblock verbosity 1");
    assert_same(&describe::block(&params, &block, &context(ids), false), ids);
    // The insight index adds what inputs spend, which the bytes do not tell.
    let mut full = answer("getblock verbosity 2").clone();
    for transaction in full["tx"].as_array_mut().unwrap() {
        strip_spends(transaction);
    }
    assert_same(
        &describe::block(&params, &block, &context(&full), true),
        &full,
    );
    let header = answer("getblockheader");
    assert_same(
        &describe::header(&params, &block.header, &context(header)),
        header,
    );
}

fn strip_spends(transaction: &mut Value) {
    for input in transaction["vin"].as_array_mut().unwrap() {
        for field in ["value", "valueSat", "address"] {
            input.as_object_mut().unwrap().remove(field);
        }
    }
}

#[test]
fn an_emergency_block_reads_like_the_daemons() {
    let params = ChainParams::regtest();
    let raw = bytes(&VECTORS["emergency_block_regtest"], "hex");
    let block = Block::parse(&raw).unwrap();
    // The recorded answer shortens the signature.
    let mut theirs = answer("getblock of an emergency block").clone();
    let shortened = text(&theirs, "blocksig").trim_end_matches('…').to_owned();
    let ours = describe::block(&params, &block, &context(&theirs), false);
    let ours: Value = serde_json::from_str(&describe::to_text(&ours)).unwrap();
    assert!(text(&ours, "blocksig").starts_with(&shortened));
    theirs["blocksig"] = ours["blocksig"].clone();
    assert_eq!(ours, theirs);
}

#[test]
fn a_decoded_transaction_reads_like_the_daemons() {
    let params = ChainParams::regtest();
    let raw = bytes(answer("getrawtransaction verbose"), "hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let theirs = answer("decoderawtransaction");
    let ours = describe::transaction(&transaction, None, params.addresses);
    assert_same(&ours, theirs);
}

#[test]
fn starts_read_like_the_daemons() {
    let params = ChainParams::regtest_nodes();
    let transactions: Vec<(String, Value)> = BLOCKS
        .iter()
        .flat_map(|raw| {
            let block = Block::parse(raw).unwrap();
            let described: Vec<(String, Value)> = block
                .transactions
                .iter()
                .filter(|transaction| transaction.as_fluxnode().is_some())
                .map(|transaction| {
                    let described = describe::transaction(transaction, None, params.addresses);
                    (
                        transaction.txid().to_string(),
                        describe::to_value(&described),
                    )
                })
                .collect();
            described
        })
        .collect();
    for method in [
        "fluxnode start tx v5 (inside getblock 2)",
        "fluxnode start tx v6 P2SH (inside getblock 2)",
    ] {
        let theirs = answer(method);
        let txid = text(theirs, "txid");
        let (_, ours) = transactions.iter().find(|(id, _)| id == txid).unwrap();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn text_keeps_the_daemons_order_and_decimals() {
    let vector = named(list(&VECTORS, "transactions"), "v5_confirm_update");
    let raw = bytes(vector, "hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let params = ChainParams::main();
    let ours = describe::to_text(&describe::transaction(&transaction, None, params.addresses));
    // An answer of a mainnet daemon to getrawtransaction, without what the chain adds.
    assert_eq!(
        ours,
        r#"{"txid":"1aec405a1eea06f804c3c49d76ba7e1c9a08ca58d6555422f4ccf70f31c11339","version":5,"type":"Confirming a fluxnode","collateral_output":"COutPoint(d430804ffb, 0)","collateral":"COutPoint(d430804ffb85f37bca175e32a0d02986491ca8c7783dcab2cc56560c09dfc7c7, 0)","txhash":"d430804ffb85f37bca175e32a0d02986491ca8c7783dcab2cc56560c09dfc7c7","outidx":"0","sigtime":1790797114,"sig":"HLT43o/x2HWA6h/5fpnx4DVH5yhYk9di1TD0M6530gskfD+erfnGEpKozpguAPfvjm4hm2ZS6eJYsMDBJy8w3SM=","ip":"65.108.73.202","update_type":1,"benchmark_tier":"STRATUS","benchmark_sigtime":1790795992,"benchmark_sig":"HB7g6bDOZLJWgEGQDjwY2JRqBkmii27cEoFYE0vtDxuhMQGVj7z394Ofq5lW6LzXl0ndLKeePtl0YUle5gdzTO0="}"#
    );
    let vector = named(list(&VECTORS, "blocks"), "mainnet_2996914");
    let raw = bytes(vector, "hex");
    let block = Block::parse(&raw).unwrap();
    let described = describe::block(&params, &block, &BlockContext::default(), true);
    let ours = describe::to_text(&described);
    assert!(
        ours.contains(r#""vout":[{"value":0.50000000,"valueZat":50000000,"#),
        "{ours}"
    );
    assert!(
        ours.contains(r#""bits":"1f53f10d","difficulty":0.0953041674384684,"#),
        "{ours}"
    );
    assert!(ours.contains(r#""type":"PON","collateral":"COutPoint(6d12b8f9ac, 0)","#));
    assert!(ours.contains(r#""valueBalance":0.00000000,"#));
    assert!(ours.starts_with(r#"{"hash":"2c9937766668220f96d0349da244f54ff641a0d12910fcfb5bc2f90a41af7b6b","size":3449,"height":2996914,"version":100,"#));
}

#[test]
fn a_mined_header_shows_nonce_and_solution() {
    let vector = named(list(&VECTORS, "headers"), "mainnet_pow_2019999_header");
    let raw = bytes(vector, "hex");
    let header = Header::parse(&raw).unwrap();
    let params = ChainParams::main();
    let ours = describe::to_value(&describe::header(
        &params,
        &header,
        &BlockContext::default(),
    ));
    let fields = &vector["fields"];
    assert_eq!(ours["type"], "POW");
    for field in [
        "nonce",
        "solution",
        "merkleroot",
        "finalsaplingroot",
        "bits",
        "time",
    ] {
        assert_eq!(ours[field], fields[field], "{field}");
    }
    assert_eq!(ours["hash"], hash(vector, "hash").to_string());
    assert_eq!(ours.get("height"), None);
}

#[test]
fn the_genesis_block_has_height_zero() {
    for (name, params) in [
        ("mainnet_genesis", ChainParams::main()),
        ("testnet_genesis", ChainParams::test()),
        ("regtest_genesis", ChainParams::regtest()),
    ] {
        let raw = bytes(named(list(&VECTORS, "blocks"), name), "hex");
        let block = Block::parse(&raw).unwrap();
        let described = describe::block(&params, &block, &BlockContext::default(), true);
        let ours = describe::to_value(&described);
        assert_eq!(ours["height"], 0);
        assert_eq!(ours.get("previousblockhash"), None);
        assert_eq!(ours["tx"][0]["vout"][0]["scriptPubKey"]["type"], "pubkey");
    }
}

#[test]
fn shielded_parts_are_spelled_out() {
    let params = ChainParams::main();
    let transactions = list(&VECTORS, "transactions");
    let raw = bytes(named(transactions, "sighash_v4_ow_js_spend_out"), "hex");
    let transaction = Transaction::parse(&raw).unwrap();
    let described = describe::transaction(&transaction, None, params.addresses);
    let ours = describe::to_value(&described);
    let spend = &ours["vShieldedSpend"][0];
    assert_eq!(text(spend, "proof").len(), 2 * 192);
    assert_eq!(text(spend, "spendAuthSig").len(), 2 * 64);
    let output = &ours["vShieldedOutput"][0];
    assert_eq!(text(output, "encCiphertext").len(), 2 * 580);
    assert_eq!(text(output, "outCiphertext").len(), 2 * 80);
    let join_split = &ours["vJoinSplit"][0];
    assert_eq!(text(join_split, "proof").len(), 2 * 192);
    assert_eq!(
        join_split["ciphertexts"][1].as_str().unwrap().len(),
        2 * 601
    );
    assert_eq!(ours["valueBalanceZat"], 36_759_213);
    assert_eq!(text(&ours, "bindingSig").len(), 2 * 64);
}
