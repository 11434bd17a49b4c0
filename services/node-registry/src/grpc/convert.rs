//! Between wire and domain. Unknown enum values are errors inbound, never defaults.

use chrono::{DateTime, Utc};
use fluxplane_core::{NodeState, Place, Resources, Tier, error::Violation, id::NodeId};
use fluxplane_proto::{common::v1 as common, node_registry::v1 as wire};
use prost_types::Timestamp;

use crate::{
    app::Error,
    domain::{Benchmark, Collateral, Node, join::Claim},
};

pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

pub fn node_to_wire(node: &Node) -> wire::Node {
    wire::Node {
        node_id: node.id.to_string(),
        operator: node.operator.clone(),
        collateral: Some(common::OutPoint {
            txid: node.collateral.txid.clone(),
            vout: node.collateral.vout,
        }),
        tier: tier_to_wire(node.tier).into(),
        state: state_to_wire(node.state).into(),
        state_reason: node.state_reason.clone(),
        capacity: Some(resources_to_wire(node.capacity)),
        place: Some(common::Place {
            continent: node.place.continent.clone(),
            country: node.place.country.clone(),
            region: node.place.region.clone(),
        }),
        ip: node.ip.clone(),
        static_ip: node.static_ip,
        agent_version: node.agent_version.clone(),
        runtime: node.runtime.clone(),
        joined_at: Some(timestamp(node.joined_at)),
        last_heartbeat_at: node.last_heartbeat_at.map(timestamp),
        certificate_expires_at: Some(timestamp(node.certificate_expires_at)),
        version: node.version,
        benchmark: Some(wire::Benchmark {
            threads: node.benchmark.threads,
            ram_mib: node.benchmark.ram_mib,
            disk_gib: node.benchmark.disk_gib,
            hash_mib_s: node.benchmark.hash_mib_s,
            disk_write_mib_s: node.benchmark.disk_write_mib_s,
            measured_at: Some(timestamp(node.benchmark.measured_at)),
        }),
        probe_port: u32::from(node.probe_port),
    }
}

const fn tier_to_wire(tier: Tier) -> common::Tier {
    match tier {
        Tier::Cumulus => common::Tier::Cumulus,
        Tier::Nimbus => common::Tier::Nimbus,
        Tier::Stratus => common::Tier::Stratus,
    }
}

const fn state_to_wire(state: NodeState) -> wire::NodeState {
    match state {
        NodeState::Joined => wire::NodeState::Joined,
        NodeState::Ready => wire::NodeState::Ready,
        NodeState::Suspect => wire::NodeState::Suspect,
        NodeState::Lost => wire::NodeState::Lost,
        NodeState::Ineligible => wire::NodeState::Ineligible,
        NodeState::Retired => wire::NodeState::Retired,
    }
}

/// `None` for "all states".
pub fn state_from_wire(state: i32) -> Result<Option<NodeState>, Error> {
    let known = wire::NodeState::try_from(state).map_err(|_| {
        let rule = "a state of NodeState";
        Error::Invalid(vec![Violation::new(
            "state",
            state,
            rule,
            "leave it out for all states",
        )])
    })?;
    Ok(match known {
        wire::NodeState::Unspecified => None,
        wire::NodeState::Joined => Some(NodeState::Joined),
        wire::NodeState::Ready => Some(NodeState::Ready),
        wire::NodeState::Suspect => Some(NodeState::Suspect),
        wire::NodeState::Lost => Some(NodeState::Lost),
        wire::NodeState::Ineligible => Some(NodeState::Ineligible),
        wire::NodeState::Retired => Some(NodeState::Retired),
    })
}

pub const fn resources_to_wire(resources: Resources) -> common::Resources {
    common::Resources {
        cpu_milli: resources.cpu_milli,
        ram_mib: resources.ram_mib,
        disk_gib: resources.disk_gib,
    }
}

pub fn resources_from_wire(resources: Option<common::Resources>) -> Resources {
    let wire = resources.unwrap_or_default();
    Resources {
        cpu_milli: wire.cpu_milli,
        ram_mib: wire.ram_mib,
        disk_gib: wire.disk_gib,
    }
}

pub fn node_id(field: &'static str, text: &str) -> Result<NodeId, Error> {
    text.parse().map_err(|_| {
        Error::Invalid(vec![Violation::new(
            field,
            text,
            "a node id is a UUID",
            "list the nodes",
        )])
    })
}

pub fn collateral(outpoint: Option<common::OutPoint>) -> Result<Collateral, Error> {
    let missing = |value: &str| {
        let rule = "a collateral is txid (64 lower-case hex digits) and output number";
        let remedy = "take them from the start transaction";
        Error::Invalid(vec![Violation::new("collateral", value, rule, remedy)])
    };
    let outpoint = outpoint.ok_or_else(|| missing("missing"))?;
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if outpoint.txid.len() != 64 || !outpoint.txid.chars().all(hex) {
        return Err(missing(&outpoint.txid));
    }
    Ok(Collateral {
        txid: outpoint.txid,
        vout: outpoint.vout,
    })
}

/// What a joining machine says of itself, with the parts of the request that have limits of their own.
pub fn claim(request: &wire::JoinRequest) -> Result<(Claim, Place, u16), Error> {
    let invalid = |field: &str, value: String, rule: &str, remedy: &str| {
        Error::Invalid(vec![Violation::new(field, value, rule, remedy)])
    };
    let benchmark = request.benchmark.ok_or_else(|| {
        invalid(
            "benchmark",
            "missing".to_owned(),
            "a machine measures itself",
            "update the agent",
        )
    })?;
    let measured_at = benchmark
        .measured_at
        .and_then(|at| DateTime::from_timestamp(at.seconds, 0))
        .ok_or_else(|| {
            let rule = "a benchmark has its time";
            invalid(
                "benchmark.measured_at",
                "missing".to_owned(),
                rule,
                "update the agent",
            )
        })?;
    let ip: std::net::IpAddr = request.ip.parse().map_err(|_| {
        invalid(
            "ip",
            request.ip.clone(),
            "an IPv4 or IPv6 address",
            "give the public address",
        )
    })?;
    let probe_port = u16::try_from(request.probe_port)
        .ok()
        .filter(|port| *port != 0);
    let probe_port = probe_port.ok_or_else(|| {
        let rule = "a port from 1 to 65535";
        invalid(
            "probe_port",
            request.probe_port.to_string(),
            rule,
            "update the agent",
        )
    })?;
    let place = request.place.clone().unwrap_or_default();
    for (field, text, longest) in [
        ("place.continent", &place.continent, 2),
        ("place.country", &place.country, 2),
        ("place.region", &place.region, 60),
    ] {
        if text.chars().count() > longest {
            let rule = format!("at most {longest} characters");
            return Err(invalid(
                field,
                text.clone(),
                &rule,
                "use the code or shorten it",
            ));
        }
    }
    let claim = Claim {
        collateral: collateral(request.collateral.clone())?,
        ip: ip.to_string(),
        benchmark: Benchmark {
            threads: benchmark.threads,
            ram_mib: benchmark.ram_mib,
            disk_gib: benchmark.disk_gib,
            hash_mib_s: benchmark.hash_mib_s,
            disk_write_mib_s: benchmark.disk_write_mib_s,
            measured_at,
        },
    };
    let place = Place {
        continent: place.continent,
        country: place.country,
        region: place.region,
    };
    Ok((claim, place, probe_port))
}
