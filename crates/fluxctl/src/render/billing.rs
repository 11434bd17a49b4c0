//! Balances, invoices, epochs, earnings.

use super::{
    Facts, Table,
    facts::some,
    paint::{Paint, plain},
    time::{moment, span},
    timeline::short,
};
use crate::api::{
    Amount,
    billing::{Account, Earning, Invoice},
    epochs::{Anchor, Epoch},
};

pub fn account(account: &Account, paint: Paint) -> String {
    Facts::new()
        .fact("principal", plain(&account.principal))
        .fact("available", &account.available)
        .fact("held", &account.held)
        .fact("spent", &account.spent)
        .text(paint)
}

pub fn invoices(invoices: &[Invoice], paint: Paint) -> String {
    let mut table = Table::new(&["INVOICE", "EPOCH", "STATE", "FROM", "TO", "LINES", "TOTAL"])
        .numbers(&["EPOCH", "LINES", "TOTAL"]);
    for invoice in invoices {
        table.row([
            invoice.invoice_id.to_string(),
            invoice.epoch.to_string(),
            paint.state(invoice.epoch_state.name()),
            moment(invoice.from),
            moment(invoice.to),
            invoice.line_count.to_string(),
            invoice.total.to_string(),
        ]);
    }
    table.text(
        paint,
        "no invoices; the first comes when an epoch closes in which something of yours ran",
    )
}

pub fn invoice(invoice: &Invoice, paint: Paint) -> String {
    let facts = Facts::new()
        .fact("invoice", invoice.invoice_id)
        .fact("owner", plain(&invoice.owner))
        .fact(
            "epoch",
            format!(
                "{} ({})",
                invoice.epoch,
                paint.state(invoice.epoch_state.name())
            ),
        )
        .fact("from", moment(invoice.from))
        .fact("to", moment(invoice.to))
        .fact("total", &invoice.total);
    let header = &[
        "LINE",
        "APPLICATION",
        "INSTANCE",
        "NODE",
        "FROM",
        "RAN",
        "AMOUNT",
        "LEAF",
    ];
    let mut table = Table::new(header).numbers(&["LINE", "RAN", "AMOUNT", "LEAF"]);
    for line in invoice.lines.iter().flatten() {
        table.row([
            line.number.to_string(),
            plain(&line.app_name),
            line.instance_id.map(short).unwrap_or_default(),
            line.node_id.map(short).unwrap_or_default(),
            moment(line.from),
            span(line.seconds),
            line.amount.to_string(),
            line.leaf_index.to_string(),
        ]);
    }
    format!("{}\n{}", facts.text(paint), table.text(paint, "no lines"))
}

pub fn epochs(epochs: &[Epoch], paint: Paint) -> String {
    let mut table = Table::new(&[
        "EPOCH", "STATE", "FROM", "TO", "LEAVES", "CHARGED", "PAID OUT", "CONF",
    ])
    .numbers(&["EPOCH", "LEAVES", "CHARGED", "PAID OUT", "CONF"]);
    for epoch in epochs {
        table.row([
            epoch.number.to_string(),
            paint.state(epoch.state.name()),
            moment(epoch.from),
            epoch.to.map(moment).unwrap_or_default(),
            epoch.leaf_count.to_string(),
            epoch.charged.to_string(),
            epoch.paid_out.to_string(),
            epoch
                .anchor
                .as_ref()
                .map(|anchor| anchor.confirmations.to_string())
                .unwrap_or_default(),
        ]);
    }
    table.text(paint, "no epochs")
}

pub fn epoch(epoch: &Epoch, anchor: Option<&Anchor>, paint: Paint) -> String {
    let place = epoch.anchor.as_ref().map(|anchor| match anchor.height {
        Some(height) => {
            let deep = anchor.confirmations;
            format!(
                "{} in block {height}, {deep} confirmations",
                plain(&anchor.txid)
            )
        }
        None => format!("{} in the mempool", plain(&anchor.txid)),
    });
    let validator = anchor.map(|anchor| {
        let state = paint.state(anchor.state.name());
        match some(&anchor.reason) {
            Some(reason) => format!("{state}: {}", plain(reason)),
            None => state,
        }
    });
    Facts::new()
        .fact("epoch", epoch.number)
        .fact("state", paint.state(epoch.state.name()))
        .fact("from", moment(epoch.from))
        .maybe("to", epoch.to.map(moment))
        .fact("leaves", epoch.leaf_count)
        .fact("charged", &epoch.charged)
        .fact("paid out", &epoch.paid_out)
        .maybe("root", epoch.root.as_deref().map(plain))
        .maybe("root before", epoch.previous_root.as_deref().map(plain))
        .maybe("anchor", place)
        .maybe("validator", validator)
        .text(paint)
}

pub fn earnings(earnings: &[Earning], paint: Paint) -> String {
    let header = &[
        "EPOCH",
        "NODE",
        "ONLINE",
        "HOSTED",
        "FOR ONLINE",
        "FOR HOSTING",
        "TOTAL",
    ];
    let mut table = Table::new(header).numbers(&[
        "EPOCH",
        "ONLINE",
        "HOSTED",
        "FOR ONLINE",
        "FOR HOSTING",
        "TOTAL",
    ]);
    for earning in earnings {
        table.row([
            earning.epoch.to_string(),
            earning.node_id.to_string(),
            span(earning.online_seconds),
            span(earning.hosted_seconds),
            earning.availability.to_string(),
            earning.hosting.to_string(),
            total(&earning.availability, &earning.hosting),
        ]);
    }
    table.text(paint, "no earnings yet; they come when an epoch closes")
}

fn total(online: &Amount, hosting: &Amount) -> String {
    let sum = online.units.checked_add(hosting.units);
    match sum {
        Some(sum) if online.currency == hosting.currency && online.currency == "FLUX" => {
            Amount::flux(fluxplane_core::Sat::new(sum)).to_string()
        }
        Some(_) | None => String::new(),
    }
}
