use super::*;
use crate::config::{Config, DEFAULTS};

/// Reads a configuration file as the process would.
fn load(toml: &str) -> Result<Config, fluxplane_platform::config::Error> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    std::fs::write(&file, toml).unwrap();
    let defaults = format!("{DEFAULTS}\n{}", fluxplane_platform::config::BASE_DEFAULTS);
    fluxplane_platform::config::load("chain-indexer", &defaults, Some(file))
}

fn entry() -> EvmToken {
    EvmToken {
        name: "ethereum".to_owned(),
        chain_id: 1,
        url: Secret::new("http://127.0.0.1:8545"),
        contract: None,
        decimals: 8,
        start_block: 0,
        announce_from: 0,
        confirmations: 64,
        poll_interval: usual::poll_interval(),
        timeout: usual::timeout(),
        max_range: 1_000,
        stalled_after: usual::stalled_after(),
    }
}

#[test]
fn nothing_is_followed_unless_it_is_configured() {
    assert!(load("").unwrap().evm.is_empty());
}

#[test]
fn a_published_contract_needs_four_keys() {
    let toml = "[[evm]]\nname = \"ethereum\"\nchain_id = 1\nurl = \"https://node.example/key\"\nstart_block = 12000000\n\
                [[evm]]\nname = \"base\"\nchain_id = 8453\nurl = \"https://b.example\"\nstart_block = 1\nconfirmations = 5";
    let config = load(toml).unwrap();
    let tokens = tokens(&config.evm).unwrap();
    assert_eq!(tokens.len(), 2);
    assert_eq!(
        tokens[0].contract.to_string(),
        "0x720CD16b011b987Da3518fbf38c3071d4F0D1495"
    );
    assert_eq!((tokens[0].decimals, tokens[0].confirmations), (8, 64));
    assert_eq!(tokens[1].confirmations, 5);
    let shown = serde_json::to_string(&config).unwrap();
    assert!(!shown.contains("node.example"), "{shown}");
}

#[test]
fn an_unknown_key_is_refused() {
    let toml = "[[evm]]\nname = \"e\"\nchain_id = 1\nurl = \"http://e\"\nstart_block = 1\nconfirmation = 5";
    let said = load(toml).unwrap_err().to_string();
    assert!(said.contains("confirmation"), "{said}");
}

#[test]
fn what_cannot_be_followed_is_refused_by_the_name_of_its_key() {
    type Change = fn(&mut EvmToken);
    let cases: [(&str, Change); 10] = [
        ("evm.name", |entry| "Ethereum".clone_into(&mut entry.name)),
        ("evm.name", |entry| entry.name.clear()),
        ("evm.chain_id", |entry| entry.chain_id = 0),
        ("evm.url", |entry| entry.url = Secret::new("ws://node")),
        ("evm.url", |entry| entry.url = Secret::new("")),
        ("evm.contract", |entry| entry.chain_id = 31_337),
        ("evm.contract", |entry| {
            entry.contract = Some("720cd16b011b987da3518fbf38c3071d4f0d1495".to_owned());
        }),
        ("evm.contract", |entry| {
            // One letter of the wrong case.
            entry.contract = Some("0x720cD16b011b987Da3518fbf38c3071d4F0D1495".to_owned());
        }),
        ("evm.confirmations", |entry| entry.confirmations = 0),
        ("evm.max_range", |entry| entry.max_range = 0),
    ];
    for (key, change) in cases {
        let mut entry = entry();
        change(&mut entry);
        let said = entry.token().unwrap_err().to_string();
        assert!(said.contains(key), "{key}: {said}");
    }
}

#[test]
fn one_name_and_one_contract_are_followed_once() {
    let mut other = entry();
    other.chain_id = 137;
    let said = tokens(&[entry(), other.clone()]).unwrap_err().to_string();
    assert!(said.contains("ethereum"), "{said}");
    "polygon".clone_into(&mut other.name);
    assert_eq!(tokens(&[entry(), other.clone()]).unwrap().len(), 2);
    other.chain_id = 1;
    let said = tokens(&[entry(), other]).unwrap_err().to_string();
    assert!(said.contains("chain 1"), "{said}");
}
