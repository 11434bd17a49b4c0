//! Every recorded answer of a real daemon against ours: the same keys in the same order, of the same JSON types.

use std::fmt;

use fluxplane_core::{Sat, Tier};
use fluxplane_devnet::ChainHandle;
use fluxplane_flux_chain::{
    OutPoint, PrivateKey,
    address::AddressSpace,
    build::{Delegation, PaymentBuilder, StartBuilder, StartKind},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, json};

use crate::ground::{account_coin, branch_id, chain, confirmed_node, fixture, refused, sent};

/// JSON that remembers the order of keys and whether a number has decimals.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Null,
    Boolean,
    Integer,
    Decimal,
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
                Ok(Tree::Boolean)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
                Ok(Tree::Integer)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
                Ok(Tree::Integer)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
                Ok(Tree::Decimal)
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Tree::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Tree::Object(pairs))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

impl Tree {
    fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(pairs) => {
                let pair = pairs.iter().find(|(name, _)| name == key);
                pair.map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

/// What a transaction of version 4 shows on top of one of version 1. The answers were recorded where version 1 was still in use.
const SAPLING_ONLY: [&str; 6] = [
    "versiongroupid",
    "expiryheight",
    "valueBalance",
    "valueBalanceZat",
    "vShieldedSpend",
    "vShieldedOutput",
];

/// Whether a list ends in a note that it was shortened.
fn is_note(tree: &Tree) -> bool {
    matches!(tree, Tree::Text(text) if text.starts_with('…'))
}

/// Whether the keys of an object are ids and not names.
fn has_id_keys(pairs: &[(String, Tree)]) -> bool {
    let is_id = |key: &str| key.len() >= 8 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    !pairs.is_empty() && pairs.iter().all(|(key, _)| is_id(key))
}

fn compare(recorded: &Tree, ours: &Tree, path: &str) -> Result<(), String> {
    match (recorded, ours) {
        (Tree::List(recorded), Tree::List(ours)) => {
            let samples: Vec<&Tree> = recorded.iter().filter(|item| !is_note(item)).collect();
            let Some(first) = samples.first() else {
                return Ok(());
            };
            for (index, item) in ours.iter().enumerate() {
                let path = format!("{path}[{index}]");
                let fits = samples
                    .iter()
                    .any(|sample| compare(sample, item, &path).is_ok());
                if !fits {
                    compare(samples.get(index).unwrap_or(first), item, &path)?;
                }
            }
            if ours.is_empty() {
                return Err(format!(
                    "{path}: the list is empty, so nothing was compared"
                ));
            }
            Ok(())
        }
        // The recorded network had no upgrades; what ours look like is a test of its own.
        (Tree::Object(recorded), Tree::Object(ours)) if recorded.is_empty() => {
            assert!(has_id_keys(ours), "{path}");
            Ok(())
        }
        (Tree::Object(recorded), Tree::Object(ours)) if has_id_keys(recorded) => {
            assert!(has_id_keys(ours), "{path}");
            compare(&recorded[0].1, &ours[0].1, &format!("{path}.*"))
        }
        (Tree::Object(recorded), Tree::Object(ours)) => {
            let keys = |pairs: &[(String, Tree)]| -> Vec<String> {
                let names = pairs.iter().map(|(key, _)| key.clone());
                names
                    .filter(|key| !SAPLING_ONLY.contains(&&**key))
                    .collect()
            };
            let (expected, found) = (keys(recorded), keys(ours));
            if expected != found {
                return Err(format!("{path}: keys {found:?}, recorded {expected:?}"));
            }
            for (key, value) in recorded {
                // A whole number is printed without decimals.
                if key == "difficulty" {
                    continue;
                }
                let ours = ours.iter().find(|(name, _)| name == key).unwrap();
                compare(value, &ours.1, &format!("{path}.{key}"))?;
            }
            Ok(())
        }
        (Tree::Text(_), Tree::Text(_)) => Ok(()),
        (recorded, ours) if recorded == ours => Ok(()),
        (recorded, ours) => Err(format!("{path}: {ours:?}, recorded {recorded:?}")),
    }
}

/// A chain whose tip holds what the recorded one held: a payment with data, nodes, and a payment that waits.
struct Scene {
    chain: ChainHandle,
    /// The payment in the last block, and the one that waits.
    mined: Value,
    waiting: Value,
    waiting_raw: Value,
    /// A payment nobody has seen.
    unsent: Value,
    /// Whom the mined payment paid.
    payee: Value,
    spent: OutPoint,
    node: OutPoint,
}

fn text_of(key: &PrivateKey) -> Value {
    json!(key.to_wif(AddressSpace::Test))
}

/// Starts a node that names a delegate.
fn delegating_node(chain: &ChainHandle) -> OutPoint {
    let (key, address) = chain.account(5);
    let collateral = chain.faucet(&address, Sat::from_flux(1_000)).unwrap();
    chain.mine(100).unwrap();
    let time = crate::ground::clock();
    let now = fluxplane_core::Clock::now(&time).timestamp();
    let start = StartBuilder {
        kind: StartKind::Normal {
            collateral_key: key.public_key(),
        },
        collateral,
        node_key: chain.account(6).0.public_key(),
        sig_time: u32::try_from(now).unwrap(),
        delegation: Some(Delegation::Update(vec![chain.account(7).0.public_key()])),
    };
    sent(chain, &start.sign(&key)).unwrap();
    chain.mine(1).unwrap();
    collateral
}

fn scene() -> Scene {
    let chain = chain();
    let node = delegating_node(&chain);
    for (tier, ip) in [
        (Tier::Cumulus, "198.51.100.100"),
        (Tier::Nimbus, "198.51.100.101"),
        (Tier::Stratus, "198.51.100.102"),
    ] {
        confirmed_node(&chain, tier, ip);
    }
    chain.mine(1).unwrap();
    chain.reorganise(1, None).unwrap();
    let pay = |from: u32| {
        let (key, coin) = account_coin(&chain, from);
        let built = PaymentBuilder::new()
            .spend(coin.clone())
            .pay(&chain.account(8).1, Sat::from_flux(2))
            .change_to(chain.account(from).1)
            .data(b"note")
            .unwrap();
        let built = built
            .build()
            .unwrap()
            .sign(&[key], branch_id(&chain))
            .unwrap();
        (built, coin.outpoint)
    };
    let (mined, spent) = pay(0);
    sent(&chain, &mined).unwrap();
    chain.mine(1).unwrap();
    let (waiting, _) = pay(1);
    sent(&chain, &waiting).unwrap();
    Scene {
        mined: json!(mined.txid),
        waiting: json!(waiting.txid),
        waiting_raw: json!(waiting.hex()),
        unsent: json!(pay(2).0.hex()),
        payee: json!({"addresses": [chain.account(8).1.to_string()]}),
        spent,
        node,
        chain,
    }
}

/// An emergency block without and with its signature. It is not submitted, as the scene would change.
fn emergency(scene: &Scene) -> (Value, Value) {
    let call = |method: &str, params: &[Value]| scene.chain.call(method, params).unwrap();
    let created = call("createemergencyblock", &[]);
    let key = text_of(&scene.chain.account(0).0);
    let signed = call("signemergencyblock", &[created["hex"].clone(), key]);
    (created["hex"].clone(), signed["hex"].clone())
}

/// Method and parameters that bring the answer a record is about.
fn request(scene: &Scene, record: &str) -> (&'static str, Vec<Value>) {
    let tip = json!(scene.chain.tip().hash);
    let height = json!(scene.chain.height().to_string());
    let mined = || scene.mined.clone();
    let payee = || scene.payee.clone();
    match record {
        "getblock verbosity 0" => ("getblock", vec![height, json!(0)]),
        "getblock verbosity 1" => ("getblock", vec![tip, json!(1)]),
        "getblock verbosity 2" => ("getblock", vec![tip, json!(2)]),
        "getblockheader" => ("getblockheader", vec![tip, json!(true)]),
        "getrawtransaction verbose" => ("getrawtransaction", vec![mined(), json!(1)]),
        "getrawtransaction in mempool" => {
            ("getrawtransaction", vec![scene.waiting.clone(), json!(1)])
        }
        "decoderawtransaction" => ("decoderawtransaction", vec![scene.unsent.clone()]),
        "sendrawtransaction" => ("sendrawtransaction", vec![scene.waiting_raw.clone()]),
        "signrawtransaction" => ("signrawtransaction", vec![unsigned(scene)]),
        "getaddressutxos with chainInfo" => {
            let mut query = payee();
            query["chainInfo"] = json!(true);
            ("getaddressutxos", vec![query])
        }
        "getaddressutxos" => ("getaddressutxos", vec![payee()]),
        "getaddressbalance" => ("getaddressbalance", vec![payee()]),
        "getaddressdeltas" => ("getaddressdeltas", vec![payee()]),
        "getaddresstxids" => ("getaddresstxids", vec![payee()]),
        "getaddressmempool" => ("getaddressmempool", vec![payee()]),
        "getspentinfo" => {
            let (txid, index) = (scene.spent.txid, scene.spent.n);
            ("getspentinfo", vec![json!({"txid": txid, "index": index})])
        }
        "getblockdeltas" => ("getblockdeltas", vec![tip]),
        "getblockhashes" => ("getblockhashes", vec![json!(u32::MAX), json!(0)]),
        "gettxout" => ("gettxout", vec![mined(), json!(0)]),
        "gettxoutsetinfo" => ("gettxoutsetinfo", vec![]),
        "gettxoutproof" => ("gettxoutproof", vec![json!([mined()]), tip]),
        "getchaintips" => ("getchaintips", vec![]),
        "getblockchaininfo" => ("getblockchaininfo", vec![]),
        "getnetworkinfo" => ("getnetworkinfo", vec![]),
        "getmempoolinfo" => ("getmempoolinfo", vec![]),
        "getrawmempool verbose" => ("getrawmempool", vec![json!(true)]),
        "getinfo" => ("getinfo", vec![]),
        "getmininginfo" => ("getmininginfo", vec![]),
        "getblocksubsidy" => ("getblocksubsidy", vec![json!(500)]),
        "viewdeterministicfluxnodelist" => ("viewdeterministicfluxnodelist", vec![]),
        "getfluxnodecount" => ("getfluxnodecount", vec![]),
        "fluxnodecurrentwinner" => ("fluxnodecurrentwinner", vec![]),
        "getfluxnodesnapshot" => ("getfluxnodesnapshot", vec![]),
        "getstartlist" => ("getstartlist", vec![]),
        "getdoslist" => ("getdoslist", vec![]),
        "getmigrationcount" => ("getmigrationcount", vec![]),
        "listfluxnodedelegates" => {
            let (txid, n) = (json!(scene.node.txid), json!(scene.node.n.to_string()));
            ("listfluxnodedelegates", vec![txid, n])
        }
        "createemergencyblock" => ("createemergencyblock", vec![]),
        "signemergencyblock" => {
            let key = text_of(&scene.chain.account(0).0);
            ("signemergencyblock", vec![emergency(scene).0, key])
        }
        "verifyemergencyblock" => ("verifyemergencyblock", vec![emergency(scene).1]),
        other => panic!("no request for the record `{other}`"),
    }
}

/// The waiting payment without its signature.
fn unsigned(scene: &Scene) -> Value {
    let raw = hex::decode(scene.waiting_raw.as_str().unwrap()).unwrap();
    let mut parsed = fluxplane_flux_chain::Transaction::parse(&raw).unwrap();
    if let fluxplane_flux_chain::tx::Body::Transfer(transfer) = &mut parsed.body {
        transfer.inputs[0].script = fluxplane_flux_chain::script::Script::new(&[]);
    }
    json!(hex::encode(parsed.serialize()))
}

/// Records that are compared in full elsewhere, or are errors.
const ELSEWHERE: [&str; 5] = [
    "fluxnode start tx v5 (inside getblock 2)",
    "fluxnode start tx v6 P2SH (inside getblock 2)",
    "createrawtransaction with data",
    "submitemergencyblock",
    "getblock of an emergency block",
];

#[test]
fn answers_have_the_shape_of_the_daemons() {
    let text = std::fs::read(fixture("fluxd-rpc-shapes.json")).unwrap();
    let recorded: Tree = serde_json::from_slice(&text).unwrap();
    let Some(Tree::Object(records)) = recorded.get("methods").cloned() else {
        panic!("the fixture has methods");
    };
    let scene = scene();
    let mut compared = 0;
    let mut differences = Vec::new();
    for (name, record) in &records {
        if ELSEWHERE.contains(&&**name) {
            continue;
        }
        let (method, params) = request(&scene, name);
        let answer = match scene.chain.call_text(method, &params) {
            Ok(answer) => answer,
            Err(error) => panic!("{name}: {error}"),
        };
        let ours: Tree = serde_json::from_str(&answer).unwrap();
        if let Err(difference) = compare(record.get("result").unwrap(), &ours, name) {
            differences.push(difference);
        }
        compared += 1;
    }
    assert_eq!(differences, [""; 0]);
    assert_eq!(compared, records.len() - ELSEWHERE.len());
}

#[test]
fn an_emergency_block_is_shown_as_recorded() {
    let text = std::fs::read(fixture("fluxd-rpc-shapes.json")).unwrap();
    let recorded: Tree = serde_json::from_slice(&text).unwrap();
    let records = recorded.get("methods").unwrap();
    let scene = scene();
    let (_, signed) = emergency(&scene);
    let hash = scene.chain.call("submitemergencyblock", &[signed]).unwrap();
    let expected = records
        .get("submitemergencyblock")
        .unwrap()
        .get("result")
        .unwrap();
    assert!(matches!(expected, Tree::Text(text) if text.len() == hash.as_str().unwrap().len()));
    let shown = scene
        .chain
        .call_text("getblock", &[hash, json!(1)])
        .unwrap();
    let record = records.get("getblock of an emergency block").unwrap();
    let ours = serde_json::from_str(&shown).unwrap();
    compare(record.get("result").unwrap(), &ours, "getblock").unwrap();
}

#[test]
fn recorded_errors_are_ours() {
    let chain = chain();
    let text = std::fs::read(fixture("fluxd-rpc-shapes.json")).unwrap();
    let recorded: Value = serde_json::from_slice(&text).unwrap();
    let mut compared = 0;
    let mut check = |record: &Value, method: &str, params: &[Value]| {
        let error = refused(&chain, method, params);
        assert_eq!(json!(error.code), record["code"], "{method}");
        assert_eq!(json!(error.message), record["message"], "{method}");
        compared += 1;
    };
    let nodes =
        &recorded["not_fluxnode_errors"]["getfluxnodestatus / getbenchmarks / getbenchstatus"];
    for method in ["getfluxnodestatus", "getbenchmarks", "getbenchstatus"] {
        check(nodes, method, &[]);
    }
    let others = &recorded["other_errors"];
    check(
        &others["getblock height above tip"],
        "getblock",
        &[json!("111")],
    );
    let unknown = [json!("11".repeat(32))];
    check(
        &others["getrawtransaction unknown"],
        "getrawtransaction",
        &unknown,
    );
    check(
        &others["decoderawtransaction"],
        "decoderawtransaction",
        &[json!("beef")],
    );
    let created = &recorded["methods"]["createrawtransaction with data"]["result"]["ERR"];
    check(
        created,
        "createrawtransaction",
        &[json!([]), json!({"data": "00"})],
    );
    assert_eq!(compared, 7);
}
