//! The private test network of the daemon (fluxd `CRegTestParams`). Its upgrades say "never", yet every block after genesis is a
//! proof-of-node block; see [`PonRules::activation`](crate::params::PonRules::activation).

use fluxplane_core::{Sat, Tier};

use crate::{
    address::AddressSpace,
    params::{
        ChainParams, CollateralTransition, EmergencyRules, Funds, GENESIS_MERKLE_ROOT, Genesis,
        Network, NodeRules, OneTimeFund, PonRules, PowRules, SwapPool, Upgrades, address,
        emergency_collateral, hash, key, target, test_bypass, test_net, timed_keys,
    },
};

/// What "never" is to the daemon when it compares heights.
const NEVER: i64 = -1;

const BENCHMARK_KEYS: [(&str, u32); 2] = [
    (
        "04cf3c34f01486bbb34c1a7ca11c2ddb1b3d98698c3f37d54452ff91a8cd5e92a6910ce5fc2cc7ad63547454a965df53ff5be740d4ef4ac89848c2bafd1e40e6b7",
        0,
    ),
    (
        "045d54130187b4c4bba25004bf615881c2d79b16950a59114df27dc9858d8e531fda4f3a27aa95ceb2bcc87ddd734be40a6808422655e5350fa9417874556b7342",
        1_617_508_800,
    ),
];

impl ChainParams {
    pub fn regtest() -> Self {
        let upgrades = upgrades(None);
        let nodes = node_rules(&upgrades);
        Self {
            network: Network::Regtest,
            currency: "REG",
            bip44_coin_type: 1,
            message_start: [0xaa, 0xe8, 0x3f, 0x5f],
            p2p_port: 26_126,
            rpc_port: 26_124,
            genesis: Genesis {
                hash: hash("01998760a88dc2b5715f69d2f18c1d90e0b604612242d9099eaff3048dd1e0ce"),
                merkle_root: hash(GENESIS_MERKLE_ROOT),
                time: 1_296_688_602,
                bits: 0x200f_0f0f,
            },
            addresses: AddressSpace::Test,
            upgrades,
            pow: PowRules {
                spacing_s: 120,
                limit: target([0x0f, 0x0f], 0x0f),
                slow_start_interval: 0,
                halving_interval: 150,
            },
            pon: PonRules {
                activation: NEVER,
                spacing_s: 30,
                window: 60,
                limit: target([0x0f, 0x0f], 0x0f),
                start_limit: target([0x7f, 0xff], 0xff),
                // The daemon's limit for chains on which LWMA never activates.
                max_future_s: 7_200,
                check_lots: false,
                test_bypass: Some(test_bypass()),
                initial_subsidy: Sat::from_flux(14),
                reduction_interval: 100,
                max_reductions: 10,
            },
            funds: funds(),
            nodes,
            emergency: EmergencyRules {
                collateral: emergency_collateral(),
                min_signatures: 1,
                keys: test_net::EMERGENCY_KEYS.map(key).to_vec(),
                any_key: true,
            },
            checkpoints: Vec::new(),
            require_standard: false,
        }
    }
}

/// Upgrades with everything from ACADIA on at one height. LWMA and Equihash 144,5 stay off: they concern mining.
pub(super) fn upgrades(height: Option<u32>) -> Upgrades {
    Upgrades::new([
        (Some(0), 170_002),
        (None, 170_002),
        (None, 170_002),
        (None, 170_002),
        (height, 170_006),
        (height, 170_012),
        (height, 170_016),
        (height, 170_017),
        (height, 170_018),
        (height, 170_019),
        (height, 170_020),
    ])
}

pub(super) fn node_rules(upgrades: &Upgrades) -> NodeRules {
    NodeRules {
        payments_from: 100,
        transitions: [
            CollateralTransition::new(Tier::Cumulus, 0, 1_000),
            CollateralTransition::new(Tier::Nimbus, 0, 1_000),
            CollateralTransition::new(Tier::Stratus, 0, 100),
        ],
        benchmark_keys: timed_keys(&BENCHMARK_KEYS),
        foundation_start_keys: timed_keys(&[(test_net::FOUNDATION_START_KEY, 0)]),
        ..NodeRules::new(upgrades)
    }
}

fn funds() -> Funds {
    Funds {
        exchange: OneTimeFund {
            address: address("tmRucHD85zgSigtA4sJJBDbPkMUJDcw5XDE"),
            height: 10,
            amount: Sat::from_flux(3_000_000),
        },
        foundation: OneTimeFund {
            address: address("t2DFGpj2tciojsGKKrGVwQ92hUwAxWQQgJ9"),
            height: 10,
            amount: Sat::from_flux(2_500_000),
        },
        swap_pool: SwapPool {
            address: address("t2Dsexh4v5g2dpL2LLCsR1p9TshMm63jSBM"),
            start_height: 10,
            amount: Sat::from_flux(2_100_000),
            interval: 10,
            times: 5,
        },
        dev_fund: address("t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"),
    }
}
