//! The fluxnode lists as a whole.

use super::{
    Table,
    paint::{Paint, Tone, plain},
    time::moment,
};
use crate::api::tiers::{Hardware, ListBlock, NetworkCapacity, NextPayees, Tiers};

fn after(block: &ListBlock, paint: Paint) -> String {
    let line = format!("after block {} of {}", block.height, moment(block.time));
    format!("{}\n", paint.tone(Tone::Quiet, &line))
}

pub fn next_payees(payees: &NextPayees, paint: Paint) -> String {
    let header = &["BLOCK", "DUE", "TIER", "AMOUNT", "PAYS TO", "COLLATERAL"];
    let mut table = Table::new(header).numbers(&["BLOCK", "AMOUNT"]);
    for payee in &payees.items {
        table.row([
            payee.height.to_string(),
            moment(payee.expected_at),
            payee.tier.to_string(),
            payee.amount.to_string(),
            plain(payee.payment_address.as_deref().unwrap_or("a script")),
            payee.collateral.to_string(),
        ]);
    }
    table.text(paint, "nobody is paid") + &after(&payees.block, paint)
}

pub fn tiers(tiers: &Tiers, paint: Paint) -> String {
    let header = &[
        "TIER",
        "CONFIRMED",
        "STARTED",
        "DOS",
        "LOCKED",
        "REWARD",
        "EVERY",
        "CAME",
        "LEFT",
    ];
    let numbers = &[
        "CONFIRMED",
        "STARTED",
        "DOS",
        "LOCKED",
        "REWARD",
        "EVERY",
        "CAME",
        "LEFT",
    ];
    let mut table = Table::new(header).numbers(numbers);
    for tier in &tiers.items {
        let every = tier.payment_interval_blocks;
        table.row([
            tier.tier.to_string(),
            tier.confirmed.to_string(),
            tier.started.to_string(),
            tier.dos.to_string(),
            tier.locked.to_string(),
            tier.reward.to_string(),
            every.map_or_else(String::new, |blocks| format!("{blocks} blocks")),
            tier.recent.confirmed.to_string(),
            (tier.recent.expired + tier.recent.spent).to_string(),
        ]);
    }
    let window = format!("came and left within {} blocks\n", tiers.window_blocks);
    table.text(paint, "no tiers") + &paint.tone(Tone::Quiet, &window) + &after(&tiers.block, paint)
}

pub fn capacity(capacity: &NetworkCapacity, paint: Paint) -> String {
    let header = &["TIER", "NODES", "CORES", "THREADS", "RAM", "SSD"];
    let numbers = &["NODES", "CORES", "THREADS", "RAM", "SSD"];
    let mut table = Table::new(header).numbers(numbers);
    let mut row = |name: String, hardware: &Hardware| {
        table.row([
            name,
            hardware.nodes.to_string(),
            hardware.cores.to_string(),
            hardware.threads.to_string(),
            format!("{} GB", hardware.ram_gb),
            format!("{} GB", hardware.ssd_gb),
        ]);
    };
    for tier in &capacity.tiers {
        row(tier.tier.to_string(), &tier.total);
    }
    row("all".to_owned(), &capacity.total);
    table.text(paint, "no tiers") + &after(&capacity.block, paint)
}
