//! Data of a small plane.
#![expect(
    clippy::unnecessary_wraps,
    reason = "message fields of protobuf are optional"
)]

use fluxplane_proto::{
    billing::v1 as billing, chain_indexer::v1 as chain, common::v1 as common,
    node_registry::v1 as registry, scheduler::v1 as scheduler, validator::v1 as validator,
};
use prost_types::Timestamp;
use uuid::Uuid;

/// 2026-01-05T12:00:00Z and `seconds`.
pub(crate) fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_767_614_400 + seconds,
        nanos: 0,
    })
}

pub(crate) fn uuid(n: u128) -> String {
    Uuid::from_u128(n).to_string()
}

pub(crate) fn flux(units: i64) -> Option<common::Money> {
    Some(common::Money {
        units,
        currency: "FLUX".to_owned(),
    })
}

pub(crate) fn usd(units: i64) -> Option<common::Money> {
    Some(common::Money {
        units,
        currency: "USD".to_owned(),
    })
}

pub(crate) fn outpoint(n: u8) -> Option<common::OutPoint> {
    Some(common::OutPoint {
        txid: hex::encode([n; 32]),
        vout: 0,
    })
}

pub(crate) const MESSAGE_HASH: &str =
    "3f2a1b0c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8";
pub(crate) const PAYMENT_ADDRESS: &str = "t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX";
pub(crate) const QUOTE: u128 = 1;
/// A coinbase, recorded from a fluxd.
pub(crate) const RAW_TRANSACTION: &str = "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0402cc00\
    00ffffffff01a0c597430000000017a914708e8e6c05af3dbe237b8ac759a14c5f56d6d3128700000000\
    ";

pub(crate) fn quote(owner: &str) -> billing::Quote {
    billing::Quote {
        quote_id: uuid(QUOTE),
        owner: owner.to_owned(),
        app_name: "demo".to_owned(),
        spec_sha256: hex::encode([7; 32]),
        price: flux(60_000_000),
        price_usd: usd(42_000),
        rate_micro_usd: 70_000,
        term_blocks: Some(88_000),
        term_seconds: 2_640_000,
        instances: 3,
        payment_address: PAYMENT_ADDRESS.to_owned(),
        created_at: at(0),
        expires_at: at(3_600),
        price_table: "mainnet at 2100000".to_owned(),
        breakdown: vec!["cpu 0.1 x 3 = 0.045 USD".to_owned()],
        network_minimum: flux(1_000_000),
        rate: Some(rate()),
        lines: vec![
            price_line("list price", 45_000, 64_285_714),
            price_line("less for paying in FLUX", -3_000, -4_285_714),
        ],
        what_if: Some(billing::WhatIf {
            nodes_matching: 7,
            nodes_known: 9,
            instances_placeable: 3,
            pending_reason: String::new(),
            expected_start_seconds: Some(12),
            starts_measured: 200,
            instances_reserved: Some(2),
            reservation_shortage: "1 copy waits".to_owned(),
        }),
        name_reserved_until: at(3_600),
    }
}

fn price_line(item: &str, dollars: i64, sat: i64) -> billing::PriceLine {
    billing::PriceLine {
        item: item.to_owned(),
        usd: usd(dollars),
        flux: flux(sat),
    }
}

pub(crate) fn rate() -> billing::Rate {
    let said = |name: &str, state: billing::RateSourceState, micro_usd| billing::RateSource {
        name: name.to_owned(),
        state: state.into(),
        micro_usd,
        at: at(0),
        problem: String::new(),
    };
    billing::Rate {
        rate_id: 41,
        micro_usd: 70_000,
        at: at(0),
        source: "median of a, b".to_owned(),
        sources: vec![
            said("a", billing::RateSourceState::Used, 70_000),
            said("b", billing::RateSourceState::Used, 69_000),
            said("c", billing::RateSourceState::Far, 90_000),
        ],
        statement: None,
    }
}

pub(crate) fn revision(number: u32) -> scheduler::Revision {
    scheduler::Revision {
        revision_id: uuid(100 + u128::from(number)),
        number,
        spec_json: r#"{"version":4,"name":"demo","compose":[]}"#.to_owned(),
        message_hash: MESSAGE_HASH.to_owned(),
        quote_id: uuid(QUOTE),
        submitted_at: at(0),
        funded_at: None,
        pay_until: at(3_600),
    }
}

pub(crate) fn app(owner: &str, name: &str) -> scheduler::App {
    scheduler::App {
        app_id: uuid(10),
        name: name.to_owned(),
        owner: owner.to_owned(),
        state: scheduler::AppState::AwaitingPayment.into(),
        state_reason: "waits for 0.60000000 FLUX".to_owned(),
        current: Some(revision(1)),
        pending: None,
        instances_wanted: 3,
        instances_healthy: 0,
        created_at: at(0),
        expires_at: None,
        version: 7,
    }
}

pub(crate) fn instance(n: u128, node: Option<u128>) -> scheduler::Instance {
    let state = match node {
        Some(_) => scheduler::InstanceState::Healthy,
        None => scheduler::InstanceState::Pending,
    };
    scheduler::Instance {
        instance_id: uuid(n),
        app_id: uuid(10),
        slot: 0,
        state: state.into(),
        reason: String::new(),
        revision_id: uuid(101),
        node_id: node.map(uuid).unwrap_or_default(),
        assignment_epoch: 1,
        endpoints: vec!["203.0.113.9:31352".to_owned()],
        created_at: at(0),
        healthy_at: node.and_then(|_| at(5)),
        revision_number: 1,
    }
}

pub(crate) fn timeline_entry(sequence: u64, stage: &str) -> scheduler::TimelineEntry {
    scheduler::TimelineEntry {
        sequence,
        at: at(i64::try_from(sequence).unwrap()),
        stage: stage.to_owned(),
        instance_id: String::new(),
        node_id: String::new(),
        message: format!("the application reached {stage}"),
        revision_number: 1,
    }
}

pub(crate) fn node(n: u8, state: registry::NodeState) -> registry::Node {
    registry::Node {
        node_id: uuid(u128::from(n)),
        operator: "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd".to_owned(),
        collateral: outpoint(n),
        tier: common::Tier::Cumulus.into(),
        state: state.into(),
        state_reason: String::new(),
        capacity: Some(common::Resources {
            cpu_milli: 3_500,
            ram_mib: 7_000,
            disk_gib: 200,
        }),
        place: Some(common::Place {
            continent: "EU".to_owned(),
            country: "DE".to_owned(),
            region: "Bavaria".to_owned(),
        }),
        ip: "203.0.113.9".to_owned(),
        static_ip: true,
        agent_version: "0.1.0".to_owned(),
        runtime: "docker".to_owned(),
        joined_at: at(0),
        last_heartbeat_at: at(60),
        certificate_expires_at: at(2_592_000),
        version: 3,
        benchmark: Some(registry::Benchmark {
            threads: 4,
            ram_mib: 7_800,
            disk_gib: 220,
            hash_mib_s: 900,
            disk_write_mib_s: 400,
            measured_at: at(0),
        }),
        probe_port: 16_200,
    }
}

pub(crate) fn log_chunk(texts: &[&str]) -> registry::StreamLogsResponse {
    let lines = texts.iter().map(|text| registry::LogLine {
        at: at(0),
        stream: registry::log_line::Stream::Stdout.into(),
        text: (*text).to_owned(),
        component: "web".to_owned(),
    });
    registry::StreamLogsResponse {
        lines: lines.collect(),
    }
}

pub(crate) fn invoice(owner: &str) -> billing::Invoice {
    billing::Invoice {
        invoice_id: uuid(20),
        owner: owner.to_owned(),
        epoch: 12,
        from: at(0),
        to: at(3_600),
        total: flux(1_234),
        lines: vec![billing::InvoiceLine {
            number: 1,
            app_id: uuid(10),
            app_name: "demo".to_owned(),
            instance_id: uuid(30),
            node_id: uuid(40),
            quote_id: uuid(QUOTE),
            seconds: 3_600,
            from: at(0),
            to: at(3_600),
            amount: flux(1_234),
            leaf_index: 5,
        }],
        line_count: 1,
        epoch_state: billing::EpochState::Anchored.into(),
    }
}

pub(crate) fn epoch(number: u64) -> billing::Epoch {
    billing::Epoch {
        number,
        state: billing::EpochState::Anchored.into(),
        from: at(0),
        to: at(3_600),
        root: vec![0xab; 32],
        previous_root: Vec::new(),
        leaf_count: 2,
        charged: flux(1_234),
        paid_out: flux(308),
        anchor_txid: hex::encode([9; 32]),
        anchor_height: 2_100_000,
        anchor_confirmations: 3,
    }
}

pub(crate) fn earning() -> billing::Earning {
    billing::Earning {
        epoch: 12,
        node_id: uuid(40),
        availability: flux(200),
        hosting: flux(50),
        online_seconds: 3_600,
        hosted_seconds: 3_000,
        leaf_index: 1,
    }
}

pub(crate) fn anchor(epoch: u64) -> validator::Anchor {
    validator::Anchor {
        epoch,
        state: validator::AnchorState::Confirmed.into(),
        root: vec![0xab; 32],
        leaf_count: 2,
        txid: hex::encode([9; 32]),
        height: 2_100_000,
        confirmations: 3,
        reason: String::new(),
        updated_at: at(3_700),
    }
}

pub(crate) fn fluxnode(n: u8) -> chain::Fluxnode {
    chain::Fluxnode {
        collateral: outpoint(n),
        tier: common::Tier::Nimbus.into(),
        status: chain::FluxnodeStatus::Confirmed.into(),
        node_pubkey: hex::encode([2; 33]),
        payment_address: PAYMENT_ADDRESS.to_owned(),
        ip: "203.0.113.9:16127".to_owned(),
        added_height: 100,
        confirmed_height: 110,
        last_confirmed_height: 200,
        last_paid_height: 150,
        rank: Some(0),
        amount_sat: 1_250_000_000_000,
        added_at: at(10),
        last_paid_at: at(20),
    }
}

pub(crate) fn payment() -> chain::Payment {
    chain::Payment {
        txid: hex::encode([8; 32]),
        message_hash: MESSAGE_HASH.to_owned(),
        outputs: vec![chain::PaidOutput {
            vout: 0,
            address: PAYMENT_ADDRESS.to_owned(),
            amount_sat: 60_000_000,
        }],
        total_sat: 60_000_000,
        height: 0,
        block_hash: String::new(),
        confirmations: 0,
    }
}
