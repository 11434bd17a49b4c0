//! Keys in files, and payments from them.

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, OutPoint, Transaction,
    build::{PaymentBuilder, Utxo},
    params::ChainParams,
    verify::InputVerifier,
};
use fluxplane_fluxctl::wallet::Key;
use serde_json::{Value, json};

use crate::support::{
    ChainNode, Cli,
    cli::mode,
    sample::{HASH, PAYMENT_ADDRESS},
};

/// The branch that the node's next block has.
const BRANCH: u32 = 0x76b8_09bb;

/// A coin of the key's address, as the node shows it.
fn coin(node: &ChainNode, key: &Key, number: u8, value: Sat, height: u32) -> Value {
    // A parent, so that the node can hand it out.
    let parent = PaymentBuilder::new()
        .spend(Utxo {
            outpoint: OutPoint::new(
                [format!("{number:02x}").repeat(32)]
                    .concat()
                    .parse()
                    .unwrap(),
                0,
            ),
            value: value.checked_add(Sat::new(1_000)).unwrap(),
            script: key.address().script(),
        })
        .pay(&key.address(), value);
    let built = parent
        .build()
        .unwrap()
        .sign(std::slice::from_ref(key.private()), BRANCH)
        .unwrap();
    let txid = node.add(&built.bytes, Some(height));
    json!({
        "address": key.address().to_string(), "txid": txid, "outputIndex": 0,
        "script": hex::encode(&*key.address().script()), "satoshis": value.get(), "height": height,
    })
}

/// Gives a key file's address two coins that can be spent. Returns the key.
pub(crate) fn fund(node: &ChainNode, key_file: &str) -> Key {
    let key = Key::read("--key-file", key_file.as_ref()).unwrap();
    let coins = [
        coin(node, &key, 1, Sat::from_flux(2), 10),
        coin(node, &key, 2, Sat::new(170_000_000), 480),
    ];
    node.chain().utxos = coins.to_vec();
    key
}

/// Checks that a broadcast transaction pays what it should, that FluxOS finds the message, and that the key of every coin
/// signed.
pub(crate) fn check_payment(hex: &str, key: &Key, to: &str, amount: i64, message: Option<&str>) {
    let bytes = hex::decode(hex).unwrap();
    let transaction = Transaction::parse(&bytes).unwrap();
    let transfer = transaction.as_transfer().unwrap();
    let paid = &transfer.outputs[0];
    let to: Address = to.parse().unwrap();
    assert_eq!(paid.value, Sat::new(amount));
    assert!(to.script() == paid.script);
    let note = transfer.note();
    assert_eq!(note.as_ref().map(|note| note.text.as_str()), message);
    assert!(
        note.is_none_or(|note| note.last),
        "FluxOS reads the last output only"
    );
    let verifier = InputVerifier::new(&transaction, BRANCH).unwrap();
    let script = key.address().script();
    for (index, input) in transfer.inputs.iter().enumerate() {
        let value = [
            Sat::from_flux(2),
            Sat::new(170_000_000),
            Sat::from_flux(1_000),
        ];
        let fits = value
            .iter()
            .any(|value| verifier.verify(index, script.as_script(), *value).is_ok());
        assert!(fits, "input {index} of {:?}", input.previous);
    }
}

#[tokio::test]
async fn a_new_key_is_private_and_never_overwritten() {
    let cli = Cli::new(None);
    for (network, letters) in [("main", "t1"), ("test", "tm")] {
        let path = cli.path(network);
        let arguments = [
            "wallet",
            "new",
            "--key-file",
            &path.display().to_string(),
            "--network",
            network,
            "-o",
            "json",
        ];
        let made = cli.run(&arguments).await;
        assert_eq!(made.code, 0, "{made:?}");
        assert!(
            made.json()["address"]
                .as_str()
                .unwrap()
                .starts_with(letters)
        );
        assert!(made.json()["flux_id"].as_str().unwrap().starts_with('1'));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(cli.run(&arguments).await.code, 2);
        let shown = cli
            .run(&[
                "wallet",
                "address",
                "--key-file",
                &path.display().to_string(),
                "-o",
                "json",
            ])
            .await
            .json();
        assert_eq!(shown["flux_id"], made.json()["flux_id"]);
    }
}

#[tokio::test]
async fn both_magics_sign() {
    use fluxplane_flux_chain::message::{CompactSignature, Magic};
    let cli = Cli::new(None);
    let (key, path) = cli.key();
    for (name, magic) in [("bitcoin", Magic::BITCOIN), ("flux", Magic::FLUX)] {
        let run = cli
            .run(&[
                "wallet",
                "sign",
                "--key-file",
                &path,
                "--magic",
                name,
                "hello",
            ])
            .await;
        let signature = CompactSignature::from_base64(run.stdout.trim()).unwrap();
        assert!(signature.verify_id(&key.private().public_key().id(), magic, b"hello"));
    }
}

#[tokio::test]
async fn a_payment_carries_its_message_and_verifies() {
    let cli = Cli::new(None);
    let (_, path) = cli.key();
    let node = ChainNode::start("regtest", 500).await;
    let key = fund(&node, &path);
    let run = cli
        .run(&[
            "wallet",
            "pay",
            "--key-file",
            &path,
            "--to",
            PAYMENT_ADDRESS,
            "--amount",
            "2.5",
            "--message-hash",
            HASH,
            "--rpc-url",
            &node.url,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(run.code, 0, "{run:?}");
    let (paid, sent) = (run.json(), node.chain().sent.clone());
    assert_eq!(
        (sent.len(), &paid["hex"], &paid["inputs"]),
        (1, &json!(sent[0]), &json!(2))
    );
    check_payment(&sent[0], &key, PAYMENT_ADDRESS, 250_000_000, Some(HASH));
    let (fee, change) = (
        paid["fee"]["units"].as_i64().unwrap(),
        paid["change"]["units"].as_i64().unwrap(),
    );
    assert_eq!(fee + change, 120_000_000);
    assert!((20..200).contains(&fee), "{fee}");
    // Credentials may also come apart from the address.
    let bare = node.url.replace("user:password@", "");
    let arguments = [
        "wallet",
        "balance",
        "--key-file",
        &path,
        "--rpc-url",
        &bare,
        "--rpc-user",
        "user",
        "-o",
        "json",
    ];
    assert_eq!(
        cli.run(&arguments).await.error()["code"],
        "chain-node-credentials"
    );
    let password = cli.file("password", "password\n");
    let run = cli
        .run(&[&arguments[..], &["--rpc-password-file", &password]].concat())
        .await;
    assert_eq!(run.json()["confirmed"]["units"], 370_000_000);
}

#[tokio::test]
async fn coins_that_must_not_be_spent_are_left_alone() {
    let cli = Cli::new(None);
    let (_, path) = cli.key();
    let node = ChainNode::start("regtest", 500).await;
    let key = fund(&node, &path);
    let collateral = coin(&node, &key, 3, Sat::from_flux(1_000), 10);
    // A block reward that is not ripe, and a coin that a waiting transaction spends.
    let coinbase = {
        use fluxplane_flux_chain::build::{Output, coinbase_transaction};
        let output = Output {
            script: key.address().script(),
            value: Sat::from_flux(14),
        };
        let params = ChainParams::of(fluxplane_flux_chain::Network::Devnet);
        let built = coinbase_transaction(&params, 450, &[output]);
        let txid = node.add(&built.bytes, Some(450));
        json!({
            "address": key.address().to_string(), "txid": txid, "outputIndex": 0,
            "script": hex::encode(&*key.address().script()), "satoshis": 1_400_000_000, "height": 450,
        })
    };
    {
        let mut chain = node.chain();
        let spent = chain.utxos[0]["txid"].clone();
        chain.mempool = vec![json!({ "satoshis": -200_000_000, "prevtxid": spent, "prevout": 0 })];
        chain.utxos.extend([collateral, coinbase]);
    }
    let pay = [
        "wallet",
        "pay",
        "--key-file",
        &path,
        "--to",
        PAYMENT_ADDRESS,
        "--amount",
        "5",
        "--rpc-url",
        &node.url,
        "-o",
        "json",
    ];
    let refused = cli.run(&pay).await;
    let error = refused.error();
    assert_eq!(
        (refused.code, &error["code"]),
        (5, &json!("insufficient-coins"))
    );
    let detail = error["detail"].as_str().unwrap();
    for part in [
        "1.70000000",
        "14.00000000 more are block rewards",
        "1000.00000000 more",
        "--spend-collateral",
    ] {
        assert!(detail.contains(part), "{detail}");
    }
    assert!(node.chain().sent.is_empty());
    let spent = cli.run(&[&pay[..], &["--spend-collateral"]].concat()).await;
    assert_eq!(spent.code, 0, "{spent:?}");
    check_payment(
        &node.chain().sent[0],
        &key,
        PAYMENT_ADDRESS,
        500_000_000,
        None,
    );
}

#[tokio::test]
async fn keys_addresses_and_nodes_of_different_networks_do_not_mix() {
    let cli = Cli::new(None);
    let (_, path) = cli.key();
    let main = ChainNode::start("main", 500).await;
    fund(&main, &path);
    let run = cli
        .run(&[
            "wallet",
            "pay",
            "--key-file",
            &path,
            "--to",
            PAYMENT_ADDRESS,
            "--amount",
            "1",
            "--rpc-url",
            &main.url,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (run.code, &run.error()["violations"][0]["field"]),
        (2, &json!("key file"))
    );
    let regtest = ChainNode::start("regtest", 500).await;
    fund(&regtest, &path);
    let foreign = "t3hPu1YDeGUCp8m7BQCnnNUmRMJBa5RadyA";
    let run = cli
        .run(&[
            "wallet",
            "pay",
            "--key-file",
            &path,
            "--to",
            foreign,
            "--amount",
            "1",
            "--rpc-url",
            &regtest.url,
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (run.code, &run.error()["violations"][0]["field"]),
        (2, &json!("--to"))
    );
    assert!(main.chain().sent.is_empty() && regtest.chain().sent.is_empty());
}

#[tokio::test]
async fn a_node_that_is_away_or_refuses_is_named() {
    let cli = Cli::new(None);
    let (_, path) = cli.key();
    let away = cli
        .run(&[
            "wallet",
            "balance",
            "--key-file",
            &path,
            "--rpc-url",
            "http://127.0.0.1:9",
            "-o",
            "json",
        ])
        .await;
    assert_eq!(
        (away.code, &away.error()["code"]),
        (6, &json!("chain-node-unreachable"))
    );
    let unnamed = cli
        .run(&["wallet", "balance", "--key-file", &path, "-o", "json"])
        .await;
    assert_eq!(
        (unnamed.code, &unnamed.error()["violations"][0]["field"]),
        (2, &json!("--rpc-url"))
    );
}
