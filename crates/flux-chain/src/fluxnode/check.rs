//! Judges a block on the state of its parent and says what it will do.
//!
//! The order of the checks is fluxd's (`CheckBlock`, `ContextualCheckBlock`, `ConnectBlock`), so that a block with several faults
//! is refused for the same one.

use std::collections::BTreeSet;

use crate::{
    fluxnode::{
        BlockView, CollateralSource, FluxnodeState, NodeAction, NodeFault, Payee, Rejection,
        Status, coinbase::check_coinbase,
    },
    hash::Hash256,
    outpoint::OutPoint,
    tx::{Fluxnode, Transaction},
};

/// How much to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every rule of consensus, as a chain node must.
    Validate,
    /// The blocks come from a daemon that validated them: signatures, collateral of confirms and distances are taken on trust.
    /// Payees and list membership are still judged, because a difference there means that the state is not the chain's.
    Follow,
}

/// What a valid block will do.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) height: u32,
    pub(super) payees: Vec<Payee>,
    pub(super) actions: Vec<(Hash256, NodeAction)>,
    /// Confirmed nodes whose collateral the block spends, and by which transaction.
    pub(super) spent: Vec<(OutPoint, Hash256)>,
}

impl FluxnodeState {
    pub(super) fn plan(
        &self,
        block: &BlockView<'_>,
        source: &impl CollateralSource,
        mode: Mode,
    ) -> Result<Plan, Rejection> {
        let expected = self.height.saturating_add(1);
        if block.height != expected {
            return Err(Rejection::WrongHeight {
                tip: self.height,
                expected,
                found: block.height,
            });
        }
        let coinbase = block
            .transactions
            .first()
            .filter(|first| first.is_coinbase());
        let outputs = coinbase.ok_or(Rejection::NoCoinbase)?.outputs();
        let fluxnodes: Vec<(usize, &Transaction<'_>, &Fluxnode<'_>)> = block
            .transactions
            .iter()
            .enumerate()
            .filter_map(|(index, transaction)| {
                Some((index, transaction, transaction.as_fluxnode()?))
            })
            .collect();
        check_each(&fluxnodes, unique_collateral())?;
        check_each(&fluxnodes, |index, _, fluxnode| {
            self.check_alone(fluxnode, &block.txid(index), mode)
        })?;
        check_each(&fluxnodes, |_, transaction, fluxnode| {
            self.check_activation(transaction, fluxnode, block.height)?;
            self.check_membership(fluxnode, source, block.height, mode)
        })?;
        let payees = self.next_payees();
        check_coinbase(self.params(), block.height, outputs, &payees)?;
        self.plan_transactions(block, source, mode, payees)
    }

    /// Judges one transaction as if it were in the next block, which is what a node does before it relays it.
    pub fn check_transaction(
        &self,
        transaction: &Transaction<'_>,
        source: &impl CollateralSource,
    ) -> Result<NodeAction, NodeFault> {
        let height = self.height.saturating_add(1);
        let mode = Mode::Validate;
        let txid = transaction.txid();
        let fluxnode = transaction.as_fluxnode().ok_or(NodeFault::UnknownType(0))?;
        self.check_alone(fluxnode, &txid, mode)?;
        self.check_activation(transaction, fluxnode, height)?;
        self.check_membership(fluxnode, source, height, mode)?;
        self.action(transaction, &txid, source, height, mode, |_| false)
    }

    /// Walks the block in order: what each fluxnode transaction does, and which nodes lose their collateral.
    fn plan_transactions(
        &self,
        block: &BlockView<'_>,
        source: &impl CollateralSource,
        mode: Mode,
        payees: Vec<Payee>,
    ) -> Result<Plan, Rejection> {
        let mut plan = Plan {
            height: block.height,
            payees,
            actions: Vec::new(),
            spent: Vec::new(),
        };
        let mut gone = BTreeSet::new();
        for (index, transaction) in block.transactions.iter().enumerate().skip(1) {
            if transaction.as_fluxnode().is_none() {
                for input in transaction.inputs() {
                    gone.insert(input.previous);
                    let node = self.node(&input.previous);
                    if node.is_some_and(|node| node.status == Status::Confirmed) {
                        plan.spent.push((input.previous, block.txid(index)));
                    }
                }
                continue;
            }
            let txid = block.txid(index);
            let action = self
                .action(transaction, &txid, source, block.height, mode, |out| {
                    gone.contains(out)
                })
                .map_err(|fault| Rejection::Transaction { index, fault })?;
            plan.actions.push((txid, action));
        }
        Ok(plan)
    }
}

type Indexed<'b, 'a> = (usize, &'b Transaction<'a>, &'b Fluxnode<'a>);

/// Applies a check to each fluxnode transaction; the first fault refuses the block.
fn check_each<'b, 'a>(
    fluxnodes: &[Indexed<'b, 'a>],
    mut check: impl FnMut(usize, &'b Transaction<'a>, &'b Fluxnode<'a>) -> Result<(), NodeFault>,
) -> Result<(), Rejection> {
    for (index, transaction, fluxnode) in fluxnodes {
        check(*index, transaction, fluxnode).map_err(|fault| Rejection::Transaction {
            index: *index,
            fault,
        })?;
    }
    Ok(())
}

/// One collateral may appear in one transaction of a block.
fn unique_collateral<'b, 'a: 'b>()
-> impl FnMut(usize, &'b Transaction<'a>, &'b Fluxnode<'a>) -> Result<(), NodeFault> {
    let mut seen = BTreeSet::new();
    move |_, _, fluxnode| {
        let collateral = fluxnode.collateral().unwrap_or(OutPoint::NULL);
        let first = seen.insert(collateral);
        first.then_some(()).ok_or(NodeFault::Duplicate)
    }
}
