//! Carries out what a valid block does. Every question is asked of the state before the block.

use std::collections::BTreeSet;

use fluxplane_core::Tier;

use crate::{
    fluxnode::{
        BlockDelta, Event, ExpiryReason, FluxnodeState, Ip, NodeAction, NodeChange, NodeEntry,
        Status, Undo, check::Plan, event::DelegateChange,
    },
    hash::Hash256,
    key::PublicKey,
    outpoint::OutPoint,
};

/// Heights after the last transition for which outlawed amounts are still looked for (fluxd
/// `GetUndoDataForExpiredConfirmFluxnodes`).
const TRANSITION_TAIL: u32 = 10;

/// What the rules of time take from the lists in one block.
struct Exits {
    dos_left: Vec<OutPoint>,
    expired: Vec<(OutPoint, ExpiryReason)>,
    dos_entered: Vec<OutPoint>,
}

/// The record of a block in the making.
struct Recorder<'s> {
    state: &'s mut FluxnodeState,
    height: u32,
    touched: BTreeSet<OutPoint>,
    events: Vec<Event>,
    undo: Undo,
}

impl FluxnodeState {
    pub(super) fn carry_out(&mut self, plan: Plan) -> BlockDelta {
        let exits = self.exits(&plan);
        let height = plan.height;
        let mut recorder = Recorder {
            state: self,
            height,
            touched: BTreeSet::new(),
            events: Vec::new(),
            undo: Undo {
                height,
                nodes: Vec::new(),
                delegates: Vec::new(),
            },
        };
        for payee in &plan.payees {
            recorder.events.push(Event::Paid {
                collateral: payee.collateral,
                tier: payee.tier,
                amount: payee.amount,
            });
        }
        for (txid, action) in plan.actions {
            recorder.act(txid, action);
        }
        recorder.leave(exits.dos_left, |collateral| Event::DosLeft { collateral });
        for (collateral, reason) in exits.expired {
            recorder.set(collateral, None);
            recorder.events.push(Event::Expired { collateral, reason });
        }
        for payee in &plan.payees {
            // A node that expired in this very block is paid and gone.
            recorder.change(payee.collateral, |entry| entry.last_paid_height = height);
        }
        for collateral in exits.dos_entered {
            recorder.change(collateral, |entry| entry.status = Status::Dos);
            recorder.events.push(Event::DosEntered { collateral });
        }
        let Recorder { events, undo, .. } = recorder;
        self.height = height;
        BlockDelta {
            height,
            events,
            undo,
        }
    }

    fn exits(&self, plan: &Plan) -> Exits {
        let height = plan.height;
        let rules = &self.params().nodes;
        let up_to = |status, blocks: u32| {
            height
                .checked_sub(blocks)
                .into_iter()
                .flat_map(move |last| self.index.aged(status, 0..=last))
        };
        let confirmed: BTreeSet<OutPoint> =
            plan.actions
                .iter()
                .filter_map(|(_, action)| match action {
                    NodeAction::Confirm { collateral, .. }
                    | NodeAction::Update { collateral, .. } => Some(*collateral),
                    NodeAction::Start { .. } => None,
                })
                .collect();
        let in_time = |collateral: &OutPoint| !confirmed.contains(collateral);
        // A confirm lasts its period and one block more: the daemon removes what is older than height minus period.
        let period = rules.confirm_expires_after.at(height).saturating_add(1);
        let silent = up_to(Status::Confirmed, period).filter(in_time);
        let mut expired: Vec<(OutPoint, ExpiryReason)> = self
            .outlawed(height)
            .map(|collateral| (collateral, ExpiryReason::AmountOutlawed))
            .chain(silent.map(|collateral| (collateral, ExpiryReason::NotConfirmed)))
            .chain(plan.spent.iter().map(|(collateral, txid)| {
                (*collateral, ExpiryReason::CollateralSpent { txid: *txid })
            }))
            .collect();
        let mut seen = BTreeSet::new();
        expired.retain(|(collateral, _)| seen.insert(*collateral));
        Exits {
            dos_left: up_to(Status::Dos, rules.dos_leaves_after.at(height)).collect(),
            expired,
            dos_entered: up_to(Status::Started, rules.start_expires_after.at(height))
                .filter(in_time)
                .collect(),
        }
    }

    /// Confirmed nodes whose collateral stopped to count. Looked for around the change of amounts only, and by looking at every
    /// node, as the daemon does.
    fn outlawed(&self, height: u32) -> impl Iterator<Item = OutPoint> {
        let params = self.params();
        let start = params.nodes.transition(Tier::Cumulus).start;
        let end = params.nodes.transition(Tier::Stratus).end;
        let looking = (start..end.saturating_add(TRANSITION_TAIL)).contains(&height);
        looking
            .then(|| self.nodes())
            .into_iter()
            .flatten()
            .filter(move |node| {
                node.status == Status::Confirmed
                    && height >= params.nodes.transition(node.tier).end
                    && params.tier_of_amount(node.amount, height).is_none()
            })
            .map(|node| node.collateral)
    }
}

impl Recorder<'_> {
    fn act(&mut self, txid: Hash256, action: NodeAction) {
        match action {
            NodeAction::Start { entry, delegates } => self.start(txid, *entry, delegates),
            NodeAction::Confirm { collateral, ip } => self.confirm(txid, collateral, ip),
            NodeAction::Update { collateral, ip } => self.update(txid, collateral, ip),
        }
    }

    fn start(&mut self, txid: Hash256, entry: NodeEntry, delegates: Option<Vec<PublicKey>>) {
        let collateral = entry.collateral;
        self.events.push(Event::Started {
            collateral,
            txid,
            tier: entry.tier,
            amount: entry.amount,
        });
        self.set(collateral, Some(entry));
        if let Some(keys) = delegates {
            let before = self.state.set_delegates(collateral, keys.clone());
            self.undo
                .delegates
                .push(DelegateChange { collateral, before });
            self.events
                .push(Event::DelegatesChanged { collateral, keys });
        }
    }

    fn confirm(&mut self, txid: Hash256, collateral: OutPoint, ip: Ip) {
        let height = self.height;
        let shown = ip.clone();
        self.change(collateral, |entry| {
            entry.status = Status::Confirmed;
            entry.confirmed_height = height;
            entry.last_confirmed_height = height;
            entry.last_paid_height = 0;
            entry.ip = ip;
        });
        self.events.push(Event::Confirmed {
            collateral,
            txid,
            ip: shown,
        });
    }

    fn update(&mut self, txid: Hash256, collateral: OutPoint, ip: Ip) {
        let height = self.height;
        let before = self.state.node(&collateral).map(|entry| entry.ip.clone());
        let moved_from = before.filter(|before| *before != ip);
        let shown = ip.clone();
        self.change(collateral, |entry| {
            entry.last_confirmed_height = height;
            entry.ip = ip;
        });
        self.events.push(Event::Updated {
            collateral,
            txid,
            ip: shown,
            moved_from,
        });
    }

    fn leave(&mut self, nodes: Vec<OutPoint>, event: impl Fn(OutPoint) -> Event) {
        for collateral in nodes {
            self.set(collateral, None);
            self.events.push(event(collateral));
        }
    }

    fn change(&mut self, collateral: OutPoint, edit: impl FnOnce(&mut NodeEntry)) {
        if let Some(mut entry) = self.state.node(&collateral).cloned() {
            edit(&mut entry);
            self.set(collateral, Some(entry));
        }
    }

    /// Sets an entry and keeps what was there before the block.
    fn set(&mut self, collateral: OutPoint, entry: Option<NodeEntry>) {
        let before = self.state.index.set(collateral, entry);
        if self.touched.insert(collateral) {
            self.undo.nodes.push(NodeChange { collateral, before });
        }
    }
}
