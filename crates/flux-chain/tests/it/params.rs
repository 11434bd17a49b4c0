//! The parameters against the data read from the daemon's source.

use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Address, ChainParams,
    address::AddressSpace,
    params::{Upgrade, Upgrades},
};
use serde_json::Value;

use crate::support::fixture::{list, number, read, small, text};

const NAMES: [(&str, Upgrade); 11] = [
    ("BASE_SPROUT", Upgrade::BaseSprout),
    ("TESTDUMMY", Upgrade::TestDummy),
    ("LWMA", Upgrade::Lwma),
    ("EQUI144_5", Upgrade::Equi144_5),
    ("ACADIA", Upgrade::Acadia),
    ("KAMIOOKA", Upgrade::Kamiooka),
    ("KAMATA", Upgrade::Kamata),
    ("FLUX", Upgrade::Flux),
    ("HALVING", Upgrade::Halving),
    ("P2SHNODES", Upgrade::P2shNodes),
    ("PON", Upgrade::Pon),
];

#[test]
fn the_three_networks_have_their_constants() {
    let data = read("fluxd-chainparams.json");
    for (name, params) in [
        ("main", ChainParams::main()),
        ("test", ChainParams::test()),
        ("regtest", ChainParams::regtest()),
    ] {
        let expected = &data[name];
        assert_eq!(params.network.chain_name(), text(expected, "network_id"));
        assert_eq!(params.currency, text(expected, "currency"));
        assert_eq!(params.bip44_coin_type, small(expected, "bip44_coin_type"));
        assert_eq!(
            hex::encode(params.message_start),
            text(expected, "message_start")
        );
        assert_eq!(u64::from(params.p2p_port), number(expected, "p2p_port"));
        assert_eq!(u64::from(params.rpc_port), number(expected, "rpc_port"));
        let genesis = &expected["genesis"];
        assert_eq!(params.genesis.hash.to_string(), text(genesis, "hash"));
        assert_eq!(
            params.genesis.merkle_root.to_string(),
            text(genesis, "merkle_root")
        );
        assert_eq!(params.genesis.time, small(genesis, "time"));
        if let Some(bits) = genesis["bits"].as_str() {
            assert_eq!(format!("{:08x}", params.genesis.bits), bits);
        }
        assert_eq!(params.pow.spacing_s, small(expected, "pow_spacing_s"));
        assert_eq!(params.pow.limit.to_string(), text(expected, "pow_limit"));
        assert_eq!(
            params.pow.slow_start_interval,
            small(expected, "slow_start_interval")
        );
        assert_eq!(
            params.pow.halving_interval,
            small(expected, "halving_interval")
        );
        assert_eq!(params.pon.spacing_s, small(expected, "pon_spacing_s"));
        assert_eq!(params.pon.window, small(expected, "pon_difficulty_window"));
        assert_eq!(params.pon.limit.to_string(), text(expected, "pon_limit"));
        assert_eq!(
            params.pon.start_limit.to_string(),
            text(expected, "pon_start_limit")
        );
        let pon = &expected["pon"];
        assert_eq!(params.pon.initial_subsidy, flux(pon, "initial_subsidy"));
        assert_eq!(
            params.pon.reduction_interval,
            small(pon, "reduction_interval")
        );
        assert_eq!(params.pon.max_reductions, small(pon, "max_reductions"));
        assert_eq!(
            params.require_standard,
            expected["require_standard"].as_bool().unwrap()
        );
        check_upgrades(&params.upgrades, expected);
        check_addresses(params.addresses, &expected["address_prefixes"]);
        check_funds(&params, &expected["funds"]);
        check_nodes(&params, expected);
        check_emergency(&params, expected);
    }
}

fn flux(value: &Value, field: &str) -> Sat {
    Sat::from_flux(value[field].as_i64().unwrap())
}

fn check_upgrades(upgrades: &Upgrades, expected: &Value) {
    let list = list(expected, "upgrades");
    assert_eq!(list.len(), NAMES.len());
    for ((name, upgrade), expected) in NAMES.into_iter().zip(list) {
        assert_eq!(text(expected, "name"), name);
        let info = upgrades.get(upgrade);
        let height = expected["activation_height"].as_u64();
        assert_eq!(info.activation_height.map(u64::from), height, "{name}");
        assert_eq!(
            info.protocol_version,
            small(expected, "protocol_version"),
            "{name}"
        );
        assert_eq!(
            format!("{:08x}", upgrade.branch_id()),
            text(expected, "branch_id")
        );
        assert_eq!(
            info.activation_block
                .map(|hash| hash.to_string())
                .as_deref(),
            expected["activation_block_hash"].as_str(),
            "{name}"
        );
    }
}

fn check_addresses(space: AddressSpace, expected: &Value) {
    assert_eq!(hex::encode(space.key_prefix()), text(expected, "p2pkh"));
    assert_eq!(hex::encode(space.script_prefix()), text(expected, "p2sh"));
    assert_eq!(hex::encode([space.wif_prefix()]), text(expected, "wif"));
}

fn check_funds(params: &ChainParams, expected: &Value) {
    for (fund, name) in [
        (&params.funds.exchange, "exchange"),
        (&params.funds.foundation, "foundation"),
    ] {
        let expected = &expected[name];
        assert_eq!(fund.address.to_string(), text(expected, "address"));
        assert_eq!(fund.height, small(expected, "height"));
        assert_eq!(fund.amount, flux(expected, "amount"));
    }
    let pool = &params.funds.swap_pool;
    let swap = &expected["swap_pool"];
    assert_eq!(pool.address.to_string(), text(swap, "address"));
    assert_eq!(pool.start_height, small(swap, "start_height"));
    assert_eq!(pool.amount, flux(swap, "amount"));
    assert_eq!(pool.interval, small(swap, "interval"));
    assert_eq!(pool.times, small(swap, "times"));
    let last = small(swap, "last_height");
    assert!(pool.is_due(last) && !pool.is_due(last + pool.interval) && !pool.is_due(last - 1));
    let dev = &expected["dev_fund"];
    assert_eq!(params.funds.dev_fund.to_string(), text(dev, "address"));
    if let Some(script) = dev["script_pubkey"].as_str() {
        assert_eq!(hex::encode(&*params.funds.dev_fund.script()), script);
    }
}

fn check_nodes(params: &ChainParams, expected: &Value) {
    assert_eq!(
        params.nodes.payments_from,
        small(expected, "fluxnode_payments_start")
    );
    for (tier, name) in Tier::ALL.into_iter().zip(["cumulus", "nimbus", "stratus"]) {
        let window = &expected["collateral_transition"][name];
        let transition = params.nodes.transition(tier);
        assert_eq!(Some(u64::from(transition.start)), window[0].as_u64());
        assert_eq!(Some(u64::from(transition.end)), window[1].as_u64());
    }
    for (keys, name) in [
        (&params.nodes.benchmark_keys, "benchmark_keys"),
        (&params.nodes.foundation_start_keys, "p2sh_start_keys"),
    ] {
        let list = list(expected, name);
        assert_eq!(keys.len(), list.len());
        for (key, expected) in keys.iter().zip(list) {
            assert_eq!(key.key.to_string(), text(expected, "pubkey"));
            assert_eq!(key.valid_from, small(expected, "valid_from_unix"));
        }
    }
}

fn check_emergency(params: &ChainParams, expected: &Value) {
    let emergency = &expected["emergency"];
    assert_eq!(
        params.emergency.collateral.to_string(),
        text(emergency, "collateral")
    );
    assert_eq!(
        u64::try_from(params.emergency.min_signatures).unwrap(),
        number(emergency, "min_signatures")
    );
    let keys: Vec<String> = params
        .emergency
        .keys
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected_keys: Vec<&str> = list(emergency, "keys")
        .iter()
        .map(|key| key.as_str().unwrap())
        .collect();
    assert_eq!(keys, expected_keys);
    assert_eq!(
        params
            .pon
            .test_bypass
            .map(|bypass| bypass.to_string())
            .as_deref(),
        expected["test_bypass_collateral"].as_str()
    );
    let checkpoints: Vec<(u64, String)> = params
        .checkpoints
        .iter()
        .map(|(height, hash)| (u64::from(*height), hash.to_string()))
        .collect();
    let listed: Vec<(u64, String)> = expected["checkpoints"]
        .as_array()
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .map(|entry| (number(entry, "height"), text(entry, "hash").to_owned()))
        .collect();
    assert_eq!(checkpoints, listed);
}

#[test]
fn the_node_tables_change_at_their_heights() {
    let rules = read("fluxd-fluxnode-rules.json");
    let nodes = ChainParams::main().nodes;
    for (table, rows) in [
        (
            &nodes.start_expires_after,
            &rules["start"]["expires_after_blocks"],
        ),
        (
            &nodes.dos_leaves_after,
            &rules["dos"]["leaves_after_blocks_from_added_height"],
        ),
        (
            &nodes.confirm_expires_after,
            &rules["confirm"]["expires_after_blocks"],
        ),
        (
            &nodes.update_distance,
            &rules["confirm"]["min_blocks_between_updates"],
        ),
    ] {
        let rows = rows.as_array().unwrap();
        for (index, row) in rows.iter().enumerate() {
            let since = small(row, "since");
            assert_eq!(table.at(since), small(row, "blocks"));
            if let Some(before) = index.checked_sub(1).and_then(|index| rows.get(index)) {
                assert_eq!(table.at(since - 1), small(before, "blocks"));
            }
        }
    }
    assert_eq!(
        nodes.collateral_depth,
        small(&rules, "min_collateral_confirmations")
    );
    assert_eq!(
        nodes.ip_change_distance,
        small(&rules["confirm"]["min_blocks_ip_change"], "blocks")
    );
    for (tier, row) in Tier::ALL.into_iter().zip(list(&rules, "tiers")) {
        assert_eq!(u64::from(tier.number()), number(row, "id"));
        assert_eq!(tier.name(), text(row, "name"));
        let transition = nodes.transition(tier);
        assert_eq!(transition.before, flux(row, "collateral_v1"));
        assert_eq!(transition.after, flux(row, "collateral_v2"));
    }
}

#[test]
fn collateral_amounts_overlap_in_their_window_only() {
    let params = ChainParams::main();
    let tier_of = |flux, height| params.tier_of_amount(Sat::from_flux(flux), height);
    for (tier, before, after, start, end) in [
        (Tier::Cumulus, 10_000, 1_000, 1_076_532, 1_086_612),
        (Tier::Nimbus, 25_000, 12_500, 1_081_572, 1_092_372),
        (Tier::Stratus, 100_000, 40_000, 1_087_332, 1_097_412),
    ] {
        assert_eq!(tier_of(before, start - 1), Some(tier));
        assert_eq!(tier_of(after, start - 1), None);
        for height in [start, end - 1] {
            assert_eq!(tier_of(before, height), Some(tier));
            assert_eq!(tier_of(after, height), Some(tier));
        }
        assert_eq!(tier_of(before, end), None);
        assert_eq!(tier_of(after, end), Some(tier));
    }
    assert_eq!(
        params.tier_of_amount(Sat::new(100_000_000_001), 2_500_000),
        None
    );
}

#[test]
fn stock_regtest_takes_never_for_a_height() {
    let params = ChainParams::regtest();
    assert!(params.is_pon(0));
    assert!(!params.is_active(Upgrade::Pon, u32::MAX));
    assert_eq!(params.branch_id(1_000), 0);
    let nodes = ChainParams::regtest_nodes();
    assert!(nodes.is_pon(1) && !nodes.is_pon(0));
    assert_eq!(nodes.branch_id(1), 0x76b8_09bb);
    assert_eq!(
        nodes.funds.exchange.address,
        "tmAQzNvsWkqJmCxQg2ZeUH8epmtZG7KsSpH"
            .parse::<Address>()
            .unwrap()
    );
}
