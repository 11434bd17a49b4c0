//! Lines become invoices, one per customer and epoch.

use fluxplane_core::{
    Sat,
    id::{EpochNumber, InvoiceId},
};
use fluxplane_ledger::{
    Asset,
    settlement::{
        Salt,
        commitment::{Commitment, Role},
        leaf::{InvoiceLine, LineKind},
    },
};

use super::{Invoice, Line, SettleError};
use crate::domain::term::Term;

/// An invoice with the indices of its lines.
#[derive(Debug)]
pub(super) struct Billed {
    pub(super) invoice: Invoice,
    lines: Vec<usize>,
}

/// One invoice per owner, in order of id; lines in order of application, term, instance and node.
pub(super) fn invoices(
    lines: &[Line],
    terms: &[Term],
    next_id: &mut dyn FnMut() -> InvoiceId,
    salt: &mut dyn FnMut() -> Salt,
) -> Result<Vec<Billed>, SettleError> {
    let owner = |line: usize| &terms[lines[line].term].owner;
    let mut order: Vec<usize> = (0..lines.len()).collect();
    // Stable: lines of one owner keep their order.
    order.sort_by(|one, other| owner(*one).cmp(owner(*other)));
    let mut billed = Vec::new();
    for group in order.chunk_by(|one, other| owner(*one) == owner(*other)) {
        let Some(first) = group.first() else { continue };
        let total = Sat::checked_sum(group.iter().map(|line| lines[*line].amount));
        billed.push(Billed {
            invoice: Invoice {
                id: next_id(),
                owner: owner(*first).clone(),
                salt: salt(),
                total: total.ok_or(SettleError::TooLarge("the lines of an invoice"))?,
                lines: u32::try_from(group.len()).map_err(|_| SettleError::TooLarge("lines"))?,
                first_leaf: 0,
            },
            lines: group.to_vec(),
        });
    }
    billed.sort_unstable_by_key(|billed| billed.invoice.id);
    Ok(billed)
}

/// The leaves of all lines, in tree order.
pub(super) fn leaves(
    epoch: EpochNumber,
    lines: &[Line],
    terms: &[Term],
    billed: &[Billed],
) -> Vec<InvoiceLine> {
    let mut leaves = Vec::with_capacity(lines.len());
    for Billed {
        invoice,
        lines: own,
    } in billed
    {
        let customer = Commitment::new(Role::Customer, &invoice.salt, &invoice.owner);
        for (number, index) in (1..).zip(own) {
            let line = &lines[*index];
            let term = &terms[line.term];
            leaves.push(InvoiceLine {
                epoch,
                invoice: invoice.id,
                number,
                customer,
                app: term.app,
                instance: line.instance,
                node: line.node,
                quote: term.quote,
                price_table: term.list.number(),
                from: line.span.from(),
                to: line.span.to(),
                seconds: line.seconds,
                kind: LineKind::Usage,
                amount: line.amount,
                asset: Asset::FLUX,
                evidence: line.evidence,
            });
        }
    }
    leaves
}

/// The header is leaf 0; the lines follow it, invoice by invoice.
pub(super) fn number_leaves(billed: &mut [Billed]) {
    let mut next = 1;
    for Billed { invoice, .. } in billed {
        invoice.first_leaf = next;
        next += u64::from(invoice.lines);
    }
}
