//! The public test network (fluxd `CTestNetParams`).

use fluxplane_core::{Sat, Tier};

use crate::{
    address::AddressSpace,
    params::{
        ChainParams, CollateralTransition, EmergencyRules, Funds, GENESIS_MERKLE_ROOT, Genesis,
        Network, NodeRules, OneTimeFund, PonRules, PowRules, SwapPool, Upgrades, address,
        emergency_collateral, hash, key, target, test_bypass, timed_keys,
    },
};

/// The foundation's key for P2SH starts, and the emergency keys, are shared with regtest.
pub(super) const FOUNDATION_START_KEY: &str = "04276f105ff36a670a56e75c2462cff05a4a7864756e6e1af01022e32752d6fe57b1e13cab4f2dbe3a6a51b4e0de83a5c4627345f5232151867850018c9a3c3a1d";

pub(super) const EMERGENCY_KEYS: [&str; 4] = [
    "029a1c55fa7e69dd99087f7ca799797052ae21327b94159e60b8cc5704eb188583",
    "023c806b01f35a18b42b08f23f5c7e8490801a7da8fd6f6e77708d9f26f22c423e",
    "02615c78e21078c21a63cb21cc4d29eaa148d97c3dcbe7be5d9d4dda4e969bb05a",
    "033d301dc7ef7ab653da36da1285063ea9be1448d601e3c9f99185476b9d4ae1d1",
];

const BENCHMARK_KEYS: [(&str, u32); 2] = [
    (
        "04d422e01f5acff68504b92df96a9004cf61be432a20efe83fe8a94c1aa730fe7dece5d2e8298f2d5672d4e569c55d9f0a73268ef7b92990d8c014e828a7cc48dd",
        0,
    ),
    (
        "042023568fbcc4715c34d8596feaabf0683b3dfa7280b2f4df0436311a31086a73fdf507d63c3ec89455037ba738375d17b309c2cd226f173a5ef7841400cd09ec",
        1_617_508_800,
    ),
];

/// First block of Proof of Node.
const PON: u32 = 800;

impl ChainParams {
    pub fn test() -> Self {
        let upgrades = Upgrades::new([
            (Some(0), 170_002),
            (None, 170_002),
            (Some(70), 170_002),
            (Some(140), 170_002),
            (Some(210), 170_007),
            (Some(280), 170_012),
            (Some(350), 170_016),
            (Some(420), 170_017),
            (Some(520), 170_018),
            (Some(600), 170_019),
            (Some(PON), 170_020),
        ]);
        let nodes = NodeRules {
            payments_from: 350,
            transitions: Tier::ALL.map(|tier| CollateralTransition::new(tier, 420, 520)),
            benchmark_keys: timed_keys(&BENCHMARK_KEYS),
            foundation_start_keys: timed_keys(&[(FOUNDATION_START_KEY, 0)]),
            ..NodeRules::new(&upgrades)
        };
        Self {
            network: Network::Test,
            currency: "TESTFLUX",
            bip44_coin_type: 1,
            message_start: [0xfa, 0x1a, 0xf9, 0xbf],
            p2p_port: 26_125,
            rpc_port: 26_124,
            genesis: Genesis {
                hash: hash("0042202a64a929fc25cc10e68615ddbe38007b1b40da08acd3f530f83c79b9d1"),
                merkle_root: hash(GENESIS_MERKLE_ROOT),
                time: 1_582_228_940,
                bits: 0x2007_ffff,
            },
            addresses: AddressSpace::Test,
            upgrades,
            pow: PowRules {
                spacing_s: 60,
                limit: target([0x0e, 0xff], 0xff),
                slow_start_interval: 1,
                halving_interval: 655_350,
            },
            pon: PonRules {
                activation: i64::from(PON),
                spacing_s: 30,
                window: 60,
                limit: target([0x0f, 0xff], 0xff),
                start_limit: target([0x7f, 0xff], 0xff),
                max_future_s: 300,
                check_lots: true,
                test_bypass: Some(test_bypass()),
                initial_subsidy: Sat::from_flux(14),
                reduction_interval: 525_600,
                max_reductions: 20,
            },
            funds: funds(),
            nodes,
            emergency: EmergencyRules {
                collateral: emergency_collateral(),
                min_signatures: 2,
                keys: EMERGENCY_KEYS.map(key).to_vec(),
                any_key: false,
            },
            checkpoints: Vec::new(),
            require_standard: true,
        }
    }
}

fn funds() -> Funds {
    let shared = address("tmRucHD85zgSigtA4sJJBDbPkMUJDcw5XDE");
    Funds {
        exchange: OneTimeFund {
            address: shared,
            height: 4_100,
            amount: Sat::from_flux(7_500_000),
        },
        foundation: OneTimeFund {
            address: shared,
            height: 4_200,
            amount: Sat::from_flux(2_500_000),
        },
        swap_pool: SwapPool {
            address: shared,
            start_height: 4_300,
            amount: Sat::from_flux(2_200_000),
            interval: 100,
            times: 10,
        },
        dev_fund: address("t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"),
    }
}
