//! Machines of operators.

use super::{
    Facts, Table,
    facts::some,
    paint::{Paint, plain},
    time::moment,
};
use crate::api::nodes::{JoinToken, Node, Place};

pub fn table(nodes: &[Node], paint: Paint) -> String {
    let header = &[
        "NODE", "TIER", "STATE", "CPU", "RAM", "DISK", "PLACE", "IP", "RUNTIME", "REASON",
    ];
    let mut table = Table::new(header).numbers(&["CPU", "RAM", "DISK"]);
    for node in nodes {
        table.row([
            node.node_id.to_string(),
            node.tier.to_string(),
            paint.state(node.state.name()),
            cpu(node.capacity.cpu_milli),
            format!("{} MiB", node.capacity.ram_mib),
            format!("{} GiB", node.capacity.disk_gib),
            place(&node.place),
            plain(&node.ip),
            plain(&node.runtime),
            plain(&node.state_reason),
        ]);
    }
    table.text(paint, "no nodes")
}

pub fn facts(node: &Node, paint: Paint) -> String {
    let capacity = &node.capacity;
    let benchmark = node.benchmark.as_ref().map(|benchmark| {
        format!(
            "{} threads, {} MiB, {} GiB, SHA-256 {} MiB/s, disk {} MiB/s, measured {}",
            benchmark.threads,
            benchmark.ram_mib,
            benchmark.disk_gib,
            benchmark.hash_mib_s,
            benchmark.disk_write_mib_s,
            moment(benchmark.measured_at)
        )
    });
    let ip = plain(&node.ip);
    Facts::new()
        .fact("node", node.node_id)
        .fact("state", paint.state(node.state.name()))
        .maybe("reason", some(&node.state_reason).map(plain))
        .fact("tier", &node.tier)
        .fact("operator", plain(&node.operator))
        .fact("collateral", &node.collateral)
        .fact(
            "capacity",
            format!(
                "{} cpu, {} MiB, {} GiB",
                cpu(capacity.cpu_milli),
                capacity.ram_mib,
                capacity.disk_gib
            ),
        )
        .fact("place", place(&node.place))
        .fact(
            "ip",
            if node.static_ip {
                format!("{ip} (static)")
            } else {
                ip
            },
        )
        .fact("runtime", plain(&node.runtime))
        .fact("agent", plain(&node.agent_version))
        .maybe("benchmark", benchmark)
        .fact("joined", moment(node.joined_at))
        .maybe("last beat", node.last_heartbeat_at.map(moment))
        .fact(
            "certificate",
            format!("until {}", moment(node.certificate_expires_at)),
        )
        .text(paint)
}

pub fn token(token: &JoinToken, paint: Paint) -> String {
    Facts::new()
        .fact("token", plain(&token.token))
        .fact("works", format!("once, until {}", moment(token.expires_at)))
        .fact("plane", plain(&token.join_endpoint))
        .text(paint)
}

/// `EU DE Bavaria`.
fn place(place: &Place) -> String {
    let parts = [&place.continent, &place.country, &place.region];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| plain(part))
        .collect();
    parts.join(" ")
}

/// Thousandths of a thread as threads.
fn cpu(milli: u64) -> String {
    format!("{}.{:03}", milli / 1_000, milli % 1_000)
}
