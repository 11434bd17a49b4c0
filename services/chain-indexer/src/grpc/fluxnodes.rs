//! Between wire and domain: the lists, what they add up to, and the coins of the years.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fluxplane_core::Tier;
use fluxplane_flux_chain::{
    Address, ChainParams, PublicKey,
    address::AddressSpace,
    emission::{CalendarYear, Schedule},
    fluxnode::Status,
    subsidy::block_subsidy,
};
use fluxplane_proto::chain_indexer::v1 as wire;

use super::convert;
use crate::{
    app::{Error, nodes::View},
    domain::{
        nodes::{
            capacity::Hardware,
            find::{Key, NodeIp},
            payees::NextPayee,
            statistics::{TierStatistics, spacing},
        },
        turnover::Turnover,
    },
};

pub(super) fn block_to_wire(view: &View) -> wire::ListBlock {
    wire::ListBlock {
        height: view.block.height,
        hash: view.block.hash.to_string(),
        time: Some(convert::timestamp(view.time)),
    }
}

/// What a node is looked for by.
pub(super) fn key(
    key: Option<wire::find_fluxnodes_request::Key>,
    space: AddressSpace,
) -> Result<Key, Error> {
    use wire::find_fluxnodes_request::Key as Wire;
    match key {
        Some(Wire::Collateral(outpoint)) => {
            convert::collateral(Some(outpoint)).map(Key::Collateral)
        }
        Some(Wire::Ip(text)) => text.parse::<NodeIp>().map(Key::Ip).map_err(|err| {
            let remedy = "write it as the node's confirm states it";
            Error::invalid("ip", &text, err.to_string(), remedy)
        }),
        Some(Wire::NodePubkey(text)) => node_key(&text).map(Key::NodeKey),
        Some(Wire::PaymentAddress(text)) => {
            let address = Address::parse_in(&text, space).map_err(|err| {
                let remedy = "use an address of the followed network";
                Error::invalid("payment_address", &text, err.to_string(), remedy)
            })?;
            Ok(Key::Payee(address.script()))
        }
        None => Err(Error::invalid(
            "key",
            "",
            "a node is found by its collateral, ip, node_pubkey or payment_address",
            "set one of them",
        )),
    }
}

fn node_key(text: &str) -> Result<PublicKey, Error> {
    let bytes = hex::decode(text).ok();
    let key = bytes.and_then(|bytes| PublicKey::parse(&bytes));
    key.ok_or_else(|| {
        let rule = "a public key is 66 or 130 hexadecimal digits";
        let remedy = "copy it from the start transaction or from the list";
        Error::invalid("node_pubkey", text, rule, remedy)
    })
}

/// `None` for all statuses.
pub(super) fn status_from_wire(status: i32) -> Result<Option<Status>, Error> {
    let known = wire::FluxnodeStatus::try_from(status).map_err(|_| {
        Error::invalid(
            "status",
            status,
            "a status is 1 (started), 2 (DoS) or 3 (confirmed)",
            "leave it out for all nodes",
        )
    })?;
    Ok(match known {
        wire::FluxnodeStatus::Unspecified => None,
        wire::FluxnodeStatus::Started => Some(Status::Started),
        wire::FluxnodeStatus::Dos => Some(Status::Dos),
        wire::FluxnodeStatus::Confirmed => Some(Status::Confirmed),
    })
}

pub(super) fn payee_to_wire(
    payee: &NextPayee<'_>,
    view: &View,
    params: &ChainParams,
) -> wire::NextPayee {
    let ahead = payee.height.saturating_sub(view.block.height);
    let expected = view.time + spacing(params, payee.height) * ahead;
    wire::NextPayee {
        height: payee.height,
        tier: convert::tier_to_wire(payee.node.tier).into(),
        collateral: Some(convert::outpoint_to_wire(&payee.node.collateral)),
        payment_address: convert::address_of(
            payee.node.payment_script.as_script(),
            params.addresses,
        ),
        amount_sat: payee.amount.get(),
        expected_at: Some(convert::timestamp(expected)),
    }
}

pub(super) fn statistics_to_wire(
    statistics: &TierStatistics,
    turnover: Turnover,
) -> wire::TierStatistics {
    wire::TierStatistics {
        tier: convert::tier_to_wire(statistics.tier).into(),
        started: statistics.started,
        confirmed: statistics.confirmed,
        dos: statistics.dos,
        locked_sat: statistics.locked.get(),
        reward_sat: statistics.reward.get(),
        // One node of the tier is paid per block.
        payment_interval_blocks: statistics.confirmed,
        newly_started: turnover.started,
        newly_confirmed: turnover.confirmed,
        newly_expired: turnover.expired,
        newly_spent: turnover.spent,
        newly_dos: turnover.dos,
    }
}

pub(super) fn capacity_to_wire(nodes: u64, hardware: Hardware) -> wire::Capacity {
    wire::Capacity {
        nodes,
        cores: hardware.cores,
        threads: hardware.threads,
        ram_gb: hardware.ram_gb,
        ssd_gb: hardware.ssd_gb,
    }
}

pub(super) fn tier_capacity_to_wire(
    tier: Tier,
    minimum: Hardware,
    nodes: u64,
) -> wire::TierCapacity {
    wire::TierCapacity {
        tier: convert::tier_to_wire(tier).into(),
        minimum: Some(capacity_to_wire(1, minimum)),
        total: Some(capacity_to_wire(nodes, minimum.times(nodes))),
    }
}

pub(super) fn year_to_wire(year: &CalendarYear, params: &ChainParams) -> wire::EmissionYear {
    wire::EmissionYear {
        year: year.year,
        first_height: year.first_height,
        last_height: year.last_height,
        emission_sat: year.emission.get(),
        supply_at_start_sat: year.supply_at_start.get(),
        inflation_ppm: year.inflation().parts_per_million(),
        subsidy_sat: block_subsidy(params, year.first_height).get(),
    }
}

pub(super) fn anchor_time(schedule: &Schedule) -> DateTime<Utc> {
    DateTime::from_timestamp(schedule.anchor_time, 0).unwrap_or_default()
}

pub(super) fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
