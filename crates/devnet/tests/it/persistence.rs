//! A chain on disk survives restarts, kills and cuts, and can be taken along as a snapshot.

use std::{path::Path, sync::Arc};

use fluxplane_core::Tier;
use fluxplane_devnet::{ChainRules, Devnet, DevnetError, Options, StartError};
use serde_json::json;

use crate::ground::{chain, clock, confirmed_node, payment, refused, sent, served};

async fn kept(folder: &Path, rules: ChainRules) -> Result<Devnet, StartError> {
    Devnet::start(Options {
        rules,
        data: Some(folder.to_owned()),
        clock: Arc::new(clock()),
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_restart_brings_chain_and_nodes_back() {
    let folder = tempfile::tempdir().unwrap();
    let devnet = kept(folder.path(), ChainRules::default()).await.unwrap();
    let chain = devnet.chain();
    let node = confirmed_node(&chain, Tier::Nimbus, "198.51.100.80");
    sent(&chain, &payment(&chain, 0, &chain.account(1).1)).unwrap();
    chain.mine(20).unwrap();
    chain.reorganise(5, None).unwrap();
    chain.mine(3).unwrap();
    let hash = chain.call("getblockhash", &[json!(120)]).unwrap();
    chain.call("invalidateblock", &[hash]).unwrap();
    chain.mine(2).unwrap();
    let (tip, lists) = (chain.tip(), chain.fluxnodes());
    let tips = chain.call("getchaintips", &[]).unwrap();
    devnet.shutdown().await.unwrap();

    let devnet = kept(folder.path(), ChainRules::default()).await.unwrap();
    let again = devnet.chain();
    assert_eq!(again.tip(), tip);
    assert_eq!(again.fluxnodes(), lists);
    assert_eq!(again.call("getchaintips", &[]).unwrap(), tips);
    let nodes = again.nodes();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].node_key, node.node_key);
    // It is kept confirmed as before.
    again.mine(1_000).unwrap();
    assert_eq!(again.nodes()[0].stage, "confirmed");
    devnet.shutdown().await.unwrap();
}

#[tokio::test]
async fn a_cut_log_loses_its_last_block_only() {
    let folder = tempfile::tempdir().unwrap();
    let devnet = kept(folder.path(), ChainRules::default()).await.unwrap();
    let hashes = devnet.chain().mine(5).unwrap();
    devnet.shutdown().await.unwrap();
    let log = folder.path().join("chain.log");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, &whole[..whole.len() - 10]).unwrap();
    let devnet = kept(folder.path(), ChainRules::default()).await.unwrap();
    assert_eq!(devnet.chain().tip().hash, hashes[3]);
    // The same block again: nothing changed but the cut.
    devnet.chain().mine(1).unwrap();
    assert_eq!(devnet.chain().tip().hash, hashes[4]);
    devnet.shutdown().await.unwrap();
    assert_eq!(std::fs::read(&log).unwrap(), whole);
}

#[tokio::test]
async fn a_folder_serves_one_chain_with_one_set_of_rules() {
    let folder = tempfile::tempdir().unwrap();
    let devnet = kept(folder.path(), ChainRules::default()).await.unwrap();
    let busy = kept(folder.path(), ChainRules::default())
        .await
        .unwrap_err();
    assert!(busy.to_string().contains("another devnet uses"), "{busy}");
    devnet.shutdown().await.unwrap();
    let other = ChainRules {
        payments_from: 120,
        ..ChainRules::default()
    };
    let refused = kept(folder.path(), other).await.unwrap_err();
    assert!(matches!(refused, StartError::Chain(DevnetError::Store(_))));
    assert!(refused.to_string().contains("payments_from"), "{refused}");
}

#[tokio::test]
async fn a_snapshot_goes_back_and_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("here.chain");
    let devnet = served().await;
    let chain = devnet.chain();
    confirmed_node(&chain, Tier::Cumulus, "198.51.100.81");
    let written = chain.call("devnet_snapshot", &[json!(file)]).unwrap();
    let (tip, lists) = (chain.tip(), chain.fluxnodes());
    assert_eq!(written["hash"], json!(tip.hash));

    confirmed_node(&chain, Tier::Stratus, "198.51.100.82");
    sent(&chain, &payment(&chain, 0, &chain.account(1).1)).unwrap();
    chain.mine(60).unwrap();
    let back = chain.call("devnet_restore", &[json!(file)]).unwrap();
    assert_eq!(back["height"], tip.height);
    assert_eq!((chain.tip(), chain.fluxnodes()), (tip, lists.clone()));
    assert_eq!(chain.nodes().len(), 1);
    chain.mine(1).unwrap();
    devnet.shutdown().await.unwrap();

    // A chain of other rules becomes the one of the snapshot, on disk as well.
    let home = folder.path().join("home");
    let other = ChainRules {
        seed: "other".to_owned(),
        ..ChainRules::default()
    };
    let devnet = kept(&home, other).await.unwrap();
    devnet
        .chain()
        .call("devnet_restore", &[json!(file)])
        .unwrap();
    assert_eq!(devnet.chain().fluxnodes(), lists);
    assert_eq!(devnet.chain().account(0), chain.account(0));
    devnet.chain().mine(2).unwrap();
    let tip = devnet.chain().tip();
    devnet.shutdown().await.unwrap();
    let devnet = kept(&home, ChainRules::default()).await.unwrap();
    assert_eq!(devnet.chain().tip(), tip);
    assert_eq!(devnet.chain().nodes().len(), 1);
    devnet.shutdown().await.unwrap();
}

#[test]
fn only_a_snapshot_can_be_restored() {
    let chain = chain();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text");
    let missing = refused(&chain, "devnet_restore", &[json!(file)]);
    assert_eq!(missing.code, -20);
    std::fs::write(&file, "no chain").unwrap();
    let wrong = refused(&chain, "devnet_restore", &[json!(file)]);
    assert!(wrong.message.contains("no chain of a devnet"), "{wrong}");
    assert_eq!(chain.height(), 110);
}
