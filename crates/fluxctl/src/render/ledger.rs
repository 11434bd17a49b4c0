//! Coins: who has them, and how many there are.

use super::{
    Facts, Table,
    paint::{Paint, plain},
    time::moment,
};
use crate::api::ledger::{
    Address, AddressSummary, AddressTransaction, ChainOutput, RichOwner, Supply, UnspentOutput,
};

/// The address, or the script of an owner that has none.
fn owner(summary: &AddressSummary) -> String {
    plain(summary.address.as_deref().unwrap_or(&summary.script))
}

pub fn address(address: &Address, paint: Paint) -> String {
    let summary = &address.summary;
    let (first, last) = (summary.first_height, summary.last_height);
    Facts::new()
        .fact("address", owner(summary))
        .fact("balance", &summary.balance)
        .fact("received", &summary.received)
        .fact("sent", &summary.sent)
        .fact("transactions", summary.transaction_count)
        .fact("blocks", format!("{first} to {last}"))
        .fact("as of", format!("block {}", address.height))
        .fact("script", plain(&summary.script))
        .text(paint)
}

pub fn transactions(transactions: &[AddressTransaction], paint: Paint) -> String {
    let header = &["TRANSACTION", "BLOCK", "TIME", "RECEIVED", "SENT"];
    let mut table = Table::new(header).numbers(&["BLOCK", "RECEIVED", "SENT"]);
    for one in transactions {
        table.row([
            plain(&one.txid),
            one.height.to_string(),
            moment(one.block_time),
            one.received.to_string(),
            one.sent.to_string(),
        ]);
    }
    table.text(paint, "no transactions")
}

pub fn unspent(outputs: &[UnspentOutput], paint: Paint) -> String {
    let mut table = Table::new(&["OUTPUT", "AMOUNT", "BLOCK", ""]).numbers(&["AMOUNT", "BLOCK"]);
    for output in outputs {
        let kind = if output.coinbase { "coinbase" } else { "" };
        table.row([
            output.outpoint.to_string(),
            output.amount.to_string(),
            output.height.to_string(),
            kind.to_owned(),
        ]);
    }
    table.text(paint, "nothing to spend")
}

pub fn output(output: &ChainOutput, paint: Paint) -> String {
    let spent = output.spent_by.as_ref().map_or_else(
        || format!("not up to block {}", output.tip_height),
        |spend| {
            let (txid, vin, height) = (plain(&spend.txid), spend.vin, spend.height);
            format!("block {height}, input {vin} of {txid}")
        },
    );
    let owner = output.address.as_deref().unwrap_or(&output.script);
    Facts::new()
        .fact("output", &output.outpoint)
        .fact("amount", &output.amount)
        .fact("owner", plain(owner))
        .fact("made in", format!("block {}", output.height))
        .fact("spent", spent)
        .text(paint)
}

pub fn rich(owners: &[RichOwner], paint: Paint) -> String {
    let header = &["RANK", "OWNER", "BALANCE", "TRANSACTIONS", "LAST BLOCK"];
    let numbers = &["RANK", "BALANCE", "TRANSACTIONS", "LAST BLOCK"];
    let mut table = Table::new(header).numbers(numbers);
    for one in owners {
        let summary = &one.summary;
        table.row([
            one.rank.to_string(),
            owner(summary),
            summary.balance.to_string(),
            summary.transaction_count.to_string(),
            summary.last_height.to_string(),
        ]);
    }
    table.text(paint, "nobody has anything")
}

pub fn supply(supply: &Supply, paint: Paint) -> String {
    Facts::new()
        .fact(
            "block",
            format!("{} {}", supply.height, plain(&supply.block_hash)),
        )
        .fact("time", moment(supply.block_time))
        .fact("transparent", &supply.transparent)
        .fact("shielded", &supply.shielded)
        .fact("total", &supply.total)
        .fact("scheduled", &supply.scheduled)
        .fact("unclaimed", &supply.unclaimed)
        .fact("coinbase", &supply.coinbase)
        .fact("fees", &supply.fees)
        .text(paint)
}
