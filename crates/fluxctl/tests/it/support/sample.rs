//! Documents as the gateway writes them.

use serde_json::{Value, json};

pub(crate) const OWNER: &str = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd";
pub(crate) const HASH: &str = "6b1f2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef0123456789abcde0";

pub(crate) fn uuid(number: u32) -> String {
    format!("0198c0de-7e57-7000-8000-{number:012}")
}

pub(crate) fn flux(units: i64) -> Value {
    let amount = fluxplane_core::Sat::new(units).to_string();
    json!({ "amount": amount, "currency": "FLUX", "units": units })
}

pub(crate) fn usd(units: i64) -> Value {
    let (sign, size) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    let amount = format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000);
    json!({ "amount": amount, "currency": "USD", "units": units })
}

pub(crate) fn spec(owner: &str, instances: u32) -> String {
    format!(
        r#"{{"version":8,"name":"shop","description":"A shop","owner":"{owner}","compose":[{{"name":"web","description":"front","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":[],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":0.5,"ram":500,"hdd":5,"repoauth":""}}],"instances":{instances},"contacts":[],"geolocation":[],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}}"#
    )
}

pub(crate) fn quote(owner: &str) -> Value {
    json!({
        "quote_id": uuid(1), "owner": owner, "app_name": "shop", "spec_sha256": "ab".repeat(32),
        "price": flux(250_000_000), "price_usd": usd(125_000), "rate": usd(50_000),
        "term_blocks": 88_000, "term_seconds": 2_640_000, "instances": 3,
        "payment_address": PAYMENT_ADDRESS,
        "created_at": "2026-11-22T08:50:00Z", "expires_at": "2026-11-22T09:20:00Z",
        "price_table": "fluxos 1594832",
        "breakdown": ["3 copies of 0.5 cpu, 500 MB, 5 GB", "88000 blocks of 88000: factor 1"],
        "network_minimum": flux(200_000_000),
        "rate_basis": {
            "rate_id": 41, "price": usd(50_000), "at": "2026-11-22T08:49:40Z", "source": "median of a, b",
            "sources": [], "statement": null,
        },
        "lines": [
            { "item": "list price", "usd": usd(135_000), "flux": flux(270_000_000) },
            { "item": "less for paying in FLUX", "usd": usd(-10_000), "flux": flux(-20_000_000) },
        ],
        "what_if": {
            "nodes_matching": 7, "nodes_known": 9, "instances_placeable": 3, "pending_reason": null,
            "expected_start_seconds": 12, "starts_measured": 200,
            "instances_reserved": 2, "reservation_shortage": "1 copy waits: no node has room",
        },
        "name_reserved_until": "2026-11-22T09:20:00Z",
    })
}

/// An address of the test networks.
pub(crate) const PAYMENT_ADDRESS: &str = "tmAQzNvsWkqJmCxQg2ZeUH8epmtZG7KsSpH";

pub(crate) fn revision(number: u32, spec: Option<&str>, funded: bool) -> Value {
    let mut revision = json!({
        "revision_id": uuid(20 + number), "number": number, "message_hash": HASH, "quote_id": uuid(1),
        "submitted_at": "2026-11-22T08:51:00Z",
        "funded_at": funded.then_some("2026-11-22T08:51:05Z"),
        "pay_until": (!funded).then_some("2026-11-22T09:21:00Z"),
    });
    if let Some(spec) = spec {
        revision["spec"] = serde_json::from_str(spec).unwrap();
    }
    revision
}

pub(crate) fn app(state: &str, current: &Value, pending: &Value) -> Value {
    let healthy = if state == "running" { 3 } else { 0 };
    json!({
        "app_id": uuid(10), "name": "shop", "owner": OWNER, "state": state,
        "state_reason": if state == "degraded" { "1 of 3 copies is starting" } else { "" },
        "current": current, "pending": pending, "instances_wanted": 3, "instances_healthy": healthy,
        "created_at": "2026-11-22T08:51:00Z",
        "expires_at": (state == "running").then_some("2026-12-22T21:11:05Z"), "version": 7,
    })
}

pub(crate) fn submitted(owner: &str, paid_by_chain: bool) -> Value {
    let current = revision(1, Some(&spec(owner, 3)), !paid_by_chain);
    let payment = json!({
        "quote_id": uuid(1), "address": PAYMENT_ADDRESS, "amount": flux(250_000_000),
        "message_hash": HASH, "pay_until": "2026-11-22T09:21:00Z",
    });
    let state = if paid_by_chain {
        "awaiting_payment"
    } else {
        "deploying"
    };
    json!({
        "app": app(state, &current, &Value::Null),
        "payment": if paid_by_chain { payment } else { Value::Null },
    })
}

pub(crate) fn instance(slot: u32, state: &str) -> Value {
    let placed = state != "pending";
    json!({
        "instance_id": uuid(100 + slot), "slot": slot, "state": state,
        "reason": if placed { "" } else { "no node has 64 GiB of memory free" },
        "revision_id": uuid(21), "revision_number": 1, "node_id": placed.then(|| uuid(200 + slot)),
        "assignment_epoch": 1,
        "endpoints": if placed { json!([format!("203.0.113.{}:31000", slot + 1)]) } else { json!([]) },
        "created_at": "2026-11-22T08:51:06Z",
        "healthy_at": (state == "healthy").then_some("2026-11-22T08:51:09Z"),
    })
}

pub(crate) fn page(items: &[Value]) -> Value {
    json!({ "items": items, "next_cursor": null })
}

/// An entry `millis` after the acceptance.
pub(crate) fn entry(
    sequence: u64,
    millis: u32,
    stage: &str,
    slot: Option<u32>,
    message: &str,
) -> Value {
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    json!({
        "sequence": sequence, "at": format!("2026-11-22T08:51:{seconds:02}.{millis:03}Z"),
        "stage": stage, "instance_id": slot.map(|slot| uuid(100 + slot)),
        "node_id": slot.map(|slot| uuid(200 + slot)), "message": message, "revision_number": 1,
    })
}

pub(crate) fn log_line(millis: u32, stream: &str, text: &str) -> Value {
    let (seconds, millis) = (millis / 1_000, millis % 1_000);
    json!({
        "at": format!("2026-11-22T08:52:{seconds:02}.{millis:03}Z"), "stream": stream,
        "text": text, "component": "web",
    })
}

pub(crate) fn node(number: u32, state: &str) -> Value {
    json!({
        "node_id": uuid(200 + number), "operator": OWNER,
        "collateral": { "txid": format!("{number:02x}").repeat(32), "vout": 0 },
        "tier": "cumulus", "state": state,
        "state_reason": if state == "lost" { "silent since 08:40:00, probe failed" } else { "" },
        "capacity": { "cpu_milli": 3_500, "ram_mib": 7_000, "disk_gib": 200 },
        "place": { "continent": "EU", "country": "DE", "region": "Bavaria" },
        "ip": format!("203.0.113.{number}"), "static_ip": true, "agent_version": "0.1.0",
        "runtime": "docker", "joined_at": "2026-11-20T10:00:00Z",
        "last_heartbeat_at": "2026-11-22T08:59:58Z",
        "certificate_expires_at": "2026-12-20T10:00:00Z",
        "benchmark": {
            "threads": 4, "ram_mib": 8_000, "disk_gib": 250, "hash_mib_s": 1_900,
            "disk_write_mib_s": 420, "measured_at": "2026-11-20T09:59:00Z",
        },
        "version": 3,
    })
}
