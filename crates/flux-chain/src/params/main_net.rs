//! The main network (fluxd `CMainParams`).

use fluxplane_core::{Sat, Tier};

use crate::{
    address::AddressSpace,
    params::{
        ChainParams, CollateralTransition, EmergencyRules, Funds, GENESIS_MERKLE_ROOT, Genesis,
        Network, NodeRules, OneTimeFund, PonRules, PowRules, SwapPool, Upgrade, Upgrades, address,
        checkpoints, emergency_collateral, hash, key, target, timed_keys,
    },
};

/// First block of Proof of Node.
const PON: u32 = 2_020_000;

impl ChainParams {
    pub fn main() -> Self {
        let upgrades = upgrades();
        let nodes = NodeRules {
            payments_from: 560_000,
            transitions: [
                CollateralTransition::new(Tier::Cumulus, 1_076_532, 1_086_612),
                CollateralTransition::new(Tier::Nimbus, 1_081_572, 1_092_372),
                CollateralTransition::new(Tier::Stratus, 1_087_332, 1_097_412),
            ],
            benchmark_keys: timed_keys(&BENCHMARK_KEYS),
            foundation_start_keys: timed_keys(&[(FOUNDATION_START_KEY, 0)]),
            ..NodeRules::new(&upgrades)
        };
        Self {
            network: Network::Main,
            currency: "ZEL",
            bip44_coin_type: 19_167,
            message_start: [0x24, 0xe9, 0x27, 0x64],
            p2p_port: 16_125,
            rpc_port: 16_124,
            genesis: Genesis {
                hash: hash("00052461a5006c2e3b74ce48992a08695607912d5604c3eb8da25749b0900444"),
                merkle_root: hash(GENESIS_MERKLE_ROOT),
                time: 1_516_980_000,
                bits: 0x1f07_ffff,
            },
            addresses: AddressSpace::Main,
            upgrades,
            pow: PowRules {
                spacing_s: 120,
                limit: target([0x00, 0x07], 0xff),
                slow_start_interval: 5_000,
                halving_interval: 655_350,
            },
            pon: PonRules {
                activation: i64::from(PON),
                spacing_s: 30,
                window: 30,
                limit: target([0x0f, 0xff], 0xff),
                start_limit: target([0x00, 0x0b], 0xff),
                max_future_s: 300,
                check_lots: true,
                test_bypass: None,
                initial_subsidy: Sat::from_flux(14),
                reduction_interval: 1_051_200,
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
            checkpoints: checkpoints::main(),
            require_standard: true,
        }
    }
}

fn upgrades() -> Upgrades {
    let mut upgrades = Upgrades::new([
        (Some(0), 170_002),
        (None, 170_002),
        (Some(125_000), 170_002),
        (Some(125_100), 170_002),
        (Some(250_000), 170_007),
        (Some(372_500), 170_012),
        (Some(558_000), 170_016),
        (Some(835_554), 170_017),
        (Some(1_076_532), 170_018),
        (Some(1_549_500), 170_019),
        (Some(PON), 170_020),
    ]);
    for (upgrade, block) in [
        (
            Upgrade::Acadia,
            "0000001d65fa78f2f6c172a51b5aca59ee1927e51f728647fca21b180becfe59",
        ),
        (
            Upgrade::Kamiooka,
            "00000052e2ac144c2872ff641c646e41dac166ac577bc9b0837f501aba19de4a",
        ),
        (
            Upgrade::Kamata,
            "000000a33d38f37f586b843a9c8cf6d1ff1269e6114b34604cabcd14c44268d4",
        ),
        (
            Upgrade::Flux,
            "000000ce99aa6765bdaae673cdf41f661ff20a116eb6f2fe0843488d8061f193",
        ),
        (
            Upgrade::Halving,
            "000000111f8643ce24d9753dbc324220877299075a8a6102da61ef4460296325",
        ),
        (
            Upgrade::P2shNodes,
            "00000009f9178347f3dea495a089400050c3388e07f9c871fb1ebddcab1f8044",
        ),
    ] {
        upgrades.get_mut(upgrade).activation_block = Some(hash(block));
    }
    upgrades
}

fn funds() -> Funds {
    Funds {
        exchange: OneTimeFund {
            address: address("t3PMbbA5YBMrjSD3dD16SSdXKuKovwmj6tS"),
            height: 836_274,
            amount: Sat::from_flux(7_500_000),
        },
        foundation: OneTimeFund {
            address: address("t3XjYMBvwxnXVv9jqg4CgokZ3f7kAoXPQL8"),
            height: 836_994,
            amount: Sat::from_flux(2_500_000),
        },
        swap_pool: SwapPool {
            address: address("t3ThbWogDoAjGuS6DEnmN1GWJBRbVjSUK4T"),
            start_height: 837_714,
            amount: Sat::from_flux(22_000_000),
            interval: 21_600,
            times: 10,
        },
        dev_fund: address("t3hPu1YDeGUCp8m7BQCnnNUmRMJBa5RadyA"),
    }
}

const BENCHMARK_KEYS: [(&str, u32); 5] = [
    (
        "042e79d7dd1483996157df6b16c831be2b14b31c69944ea2a585c63b5101af1f9517ba392cee5b1f45a62e9d936488429374535a2f76870bfa8eea6667b13eb39e",
        0,
    ),
    (
        "04517413e51fa9b2e94f200b254cca69beb86f2d74bf66ca53854ba66bc376dde9b52e9b4403731d9a4f3e8edd9687f1e1824b688fe26454bd9fb823a3307b4682",
        1_618_113_600,
    ),
    (
        "0480dff65aa9d4b4c4234e4723a5e7c5bf527ca683b53aa26a7225cc5eb16e6e79f9629eb5f96c12b173de7a20e9823b2d36575759f3490864922f7ed04e171fad",
        1_647_262_800,
    ),
    (
        "0437d58236a849ebe0e6558c1517e1f5c56749e04a2f7a7daedd4ef7c9fb6a773f32a33fe5ddad88b9af3ff496ee5ce79ce245c258bafa4e8d287baa3d54c6c65f",
        1_706_209_200,
    ),
    (
        "04e54965119e89861f80135b13f56c3b5cc55ad2b916d9705052fc91d2894f9cb19151a8d61c6e9ea4812075dd32f06fde5965589ffa1517ab1bd2ddbc66a39f42",
        1_743_534_000,
    ),
];

const FOUNDATION_START_KEY: &str = "04ab11edbb8a15f7cc2628a4a2c18cea095d250f8c9a2924cbd581b8d8fb3a8b91e39e5febddb7ffc60f20dfd352a40aa4f061aa60a9ace26d43e1b7a18aea4162";

const EMERGENCY_KEYS: [&str; 4] = [
    "025ee73f72d6996f94fe6ec9fac3f9ba6dcb947ed46dfbda530fc73ff99c667a4e",
    "026f4281124d10eb90589831bac405d715ad79051ac5243d21c322d2abf2fd81e2",
    "03083d65c2f57cfe4d1c34eb575bd9d836f5111dd0de86405d48211bf42ea30403",
    "03674c29f348124e998fd838228a3ff050ca26fe0c13ad98698585cbbf796b461e",
];
