//! What the chain says.

use super::{
    Facts, Table,
    paint::{Paint, Tone, plain},
    time::moment,
};
use crate::api::chain::{
    Block, ChainPayment, ChainSource, ChainStatus, ChainTransaction, Fluxnode, RecordedPayment,
};

pub fn status(status: &ChainStatus, paint: Paint) -> String {
    let behind = status.daemon_height.saturating_sub(status.height);
    let height = match behind {
        0 => status.height.to_string(),
        _ => format!("{} ({behind} behind the chain node)", status.height),
    };
    Facts::new()
        .fact("network", plain(&status.network))
        .fact("height", height)
        .fact("block", plain(&status.hash))
        .maybe("time", status.block_time.map(moment))
        .maybe(
            "halted",
            status
                .halted_reason
                .as_deref()
                .map(|why| paint.tone(Tone::Bad, &plain(why))),
        )
        .maybe(
            "waits",
            status
                .sources_problem
                .as_deref()
                .map(|why| paint.tone(Tone::Busy, &plain(why))),
        )
        .several(
            "chain nodes",
            status.sources.iter().map(|one| source(one, paint)),
        )
        .maybe("must agree", status.quorum)
        .maybe(
            "begins after",
            status.base_height.map(|height| format!("block {height}")),
        )
        .fact("genesis", plain(&status.genesis_hash))
        .several(
            "payments to",
            status.payment_addresses.iter().map(|text| plain(text)),
        )
        .text(paint)
}

fn source(source: &ChainSource, paint: Paint) -> String {
    let name = plain(&source.name);
    let at = source
        .height
        .map_or_else(String::new, |height| format!(" at {height}"));
    match &source.problem {
        Some(problem) => {
            let problem = paint.tone(Tone::Bad, &plain(problem));
            format!("{name}{at}: {problem}")
        }
        None if source.agrees => format!("{name}{at}, agrees"),
        None => format!("{name}{at}, {}", paint.tone(Tone::Bad, "differs")),
    }
}

pub fn block(block: &Block, paint: Paint) -> String {
    let paid = block.coinbase_outputs.iter().map(|output| {
        let to = output.address.as_deref().unwrap_or(&output.script);
        format!("{} to {}", output.amount, plain(to))
    });
    Facts::new()
        .fact("height", block.height)
        .fact("hash", plain(&block.hash))
        .fact("previous", plain(&block.previous_hash))
        .fact("time", moment(block.time))
        .fact("size", format!("{} bytes", block.size_bytes))
        .several("pays", paid)
        .several("transactions", block.txids.iter().map(|txid| plain(txid)))
        .text(paint)
}

pub fn transaction(transaction: &ChainTransaction, decoded: &str, paint: Paint) -> String {
    let place = match (transaction.height, &transaction.block_hash) {
        (Some(height), Some(hash)) => {
            let deep = transaction.confirmations;
            format!("block {height}, {deep} confirmations, {}", plain(hash))
        }
        _ => "in the mempool".to_owned(),
    };
    let facts = Facts::new()
        .fact("transaction", plain(&transaction.txid))
        .fact("in", place);
    format!("{}{decoded}\n", facts.text(paint))
}

pub fn fluxnodes(nodes: &[Fluxnode], paint: Paint) -> String {
    let header = &[
        "COLLATERAL",
        "TIER",
        "STATUS",
        "RANK",
        "PAID",
        "IP",
        "PAYS TO",
    ];
    let mut table = Table::new(header).numbers(&["RANK", "PAID"]);
    for node in nodes {
        table.row([
            node.collateral.to_string(),
            node.tier.to_string(),
            paint.state(node.status.name()),
            node.rank.map(|rank| rank.to_string()).unwrap_or_default(),
            node.last_paid_height.to_string(),
            plain(&node.ip),
            plain(&node.payment_address),
        ]);
    }
    table.text(paint, "no fluxnodes")
}

pub fn fluxnode(node: &Fluxnode, paint: Paint) -> String {
    Facts::new()
        .fact("collateral", &node.collateral)
        .fact("tier", &node.tier)
        .fact("status", paint.state(node.status.name()))
        .maybe("rank", node.rank)
        .fact("key", plain(&node.node_pubkey))
        .fact("pays to", plain(&node.payment_address))
        .fact("ip", plain(&node.ip))
        .fact("added", format!("block {}", node.added_height))
        .fact("confirmed", format!("block {}", node.confirmed_height))
        .fact(
            "confirmed last",
            format!("block {}", node.last_confirmed_height),
        )
        .fact("paid last", format!("block {}", node.last_paid_height))
        .text(paint)
}

pub fn payments(payments: &[ChainPayment], paint: Paint) -> String {
    let mut table = Table::new(&["TRANSACTION", "TOTAL", "BLOCK", "CONF", "OUTPUTS"])
        .numbers(&["TOTAL", "BLOCK", "CONF"]);
    for payment in payments {
        let outputs: Vec<String> = payment
            .outputs
            .iter()
            .map(|output| format!("{} to {}", output.amount, plain(&output.address)))
            .collect();
        table.row([
            plain(&payment.txid),
            payment.total.to_string(),
            payment
                .height
                .map_or_else(|| "mempool".to_owned(), |height| height.to_string()),
            payment.confirmations.to_string(),
            outputs.join(", "),
        ]);
    }
    table.text(paint, "no payment with that message hash was seen")
}

/// One payment with its history.
pub fn recorded(record: &RecordedPayment, paint: Paint) -> String {
    let payment = &record.payment;
    let place = match (payment.height, &payment.block_hash) {
        (Some(height), Some(hash)) => {
            let deep = payment.confirmations;
            format!("block {height}, {deep} confirmations, {}", plain(hash))
        }
        _ => "no block".to_owned(),
    };
    let outputs = payment.outputs.iter().map(|output| {
        let to = plain(&output.address);
        format!("{} to {to}", output.amount)
    });
    Facts::new()
        .fact("transaction", plain(&payment.txid))
        .fact("state", paint.state(record.state.name()))
        .maybe(
            "because",
            record
                .departure
                .as_ref()
                .map(|why| why.name().replace('_', " ")),
        )
        .maybe("instead", record.conflicting_txid.as_deref().map(plain))
        .fact("in", place)
        .fact("total", &payment.total)
        .several("pays", outputs)
        .maybe(
            "message",
            Some(plain(&payment.message_hash)).filter(|hash| !hash.is_empty()),
        )
        .maybe(
            "no message",
            record
                .problem_detail
                .as_deref()
                .map(|why| paint.tone(Tone::Bad, &plain(why))),
        )
        .fact("first seen", moment(record.first_seen_at))
        .text(paint)
}

/// Payments that name no message.
pub fn unmatched(records: &[RecordedPayment], paint: Paint) -> String {
    let mut table = Table::new(&["TRANSACTION", "TOTAL", "STATE", "BLOCK", "SEEN", "PROBLEM"])
        .numbers(&["TOTAL", "BLOCK"]);
    for record in records {
        let payment = &record.payment;
        table.row([
            plain(&payment.txid),
            payment.total.to_string(),
            paint.state(record.state.name()),
            payment
                .height
                .map_or_else(String::new, |height| height.to_string()),
            moment(record.first_seen_at),
            plain(record.problem_detail.as_deref().unwrap_or_default()),
        ]);
    }
    table.text(paint, "every payment names a message")
}
