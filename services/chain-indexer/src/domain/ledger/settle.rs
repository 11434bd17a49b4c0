//! From blocks to rows: which outputs are made and spent, what every script received and sent, how much there is.
//!
//! Several blocks are settled at once. An output that one of them makes and a later one spends is written once, as spent; what
//! was made before comes with [`Known`]. Numbers of new scripts are given in the order of the chain, so that the same chain always
//! gives the same rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use fluxplane_flux_chain::{Hash256, OutPoint};

use super::flows::{BlockFlows, NewOutput, Spend};

/// The number of a script.
pub type Account = i32;

/// A block to settle.
#[derive(Debug, Clone, Copy)]
pub struct Unsettled<'b> {
    pub height: u32,
    pub flows: &'b BlockFlows,
}

/// Place of a transaction on the best chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub height: u32,
    pub position: u32,
}

/// The input that spends an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpentBy {
    pub at: Place,
    pub vin: u32,
}

/// An output that was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MadeOutput {
    pub at: Place,
    pub vout: u32,
    pub account: Account,
    pub value: i64,
    pub spent: bool,
}

/// What the blocks refer to and what they go on from.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Outputs of earlier blocks among those that are spent.
    pub outputs: HashMap<OutPoint, MadeOutput>,
    /// Scripts of earlier blocks among those that are paid.
    pub accounts: HashMap<Vec<u8>, Account>,
    /// The highest number given to a script, 0 for none.
    pub last_account: Account,
    /// After the block before the first.
    pub supply: Supply,
}

/// How much there is after a block, in sat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Supply {
    pub transparent: i64,
    pub shielded: i64,
}

/// A row for an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputRow {
    pub at: Place,
    pub vout: u32,
    pub account: Account,
    pub value: i64,
    pub spent: Option<SpentBy>,
}

/// An output of an earlier block is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpentRow {
    pub at: Place,
    pub vout: u32,
    pub by: SpentBy,
}

/// What a transaction gave to and took from a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryRow {
    pub account: Account,
    pub at: Place,
    pub received: i64,
    pub sent: i64,
}

/// What the blocks add to a balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BalanceChange {
    pub received: i64,
    pub sent: i64,
    pub transactions: i32,
    pub first_height: u32,
    pub last_height: u32,
}

/// Supply after a block, and what the block added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupplyRow {
    pub height: u32,
    pub coinbase: i64,
    pub fees: i64,
    pub after: Supply,
}

/// What is to be written.
#[derive(Debug, Clone, Default)]
pub struct Settled<'b> {
    pub accounts: Vec<(Account, &'b [u8])>,
    pub outputs: Vec<OutputRow>,
    pub spent: Vec<SpentRow>,
    pub entries: Vec<EntryRow>,
    pub balances: BTreeMap<Account, BalanceChange>,
    pub supplies: Vec<SupplyRow>,
}

/// The blocks contradict what is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    #[error("transaction {txid} of block {height} spends {previous}, which no block made")]
    Unmade {
        height: u32,
        txid: Hash256,
        previous: OutPoint,
    },
    #[error("transaction {txid} of block {height} spends {previous}, which is spent already")]
    Spent {
        height: u32,
        txid: Hash256,
        previous: OutPoint,
    },
    #[error("block {0} moves more than any amount of FLUX")]
    Overflow(u32),
    #[error("more scripts are paid than have numbers; block {0} pays another one")]
    Accounts(u32),
}

/// Outputs the blocks spend and do not make themselves.
pub fn foreign<'b>(blocks: &'b [Unsettled<'b>]) -> Vec<OutPoint> {
    let made: HashSet<&Hash256> = blocks
        .iter()
        .flat_map(|block| &block.flows.outputs)
        .map(|output| &output.outpoint.txid)
        .collect();
    blocks
        .iter()
        .flat_map(|block| &block.flows.spends)
        .map(|spend| spend.previous)
        .filter(|previous| !made.contains(&previous.txid))
        .collect()
}

/// The scripts the blocks pay, each once.
pub fn scripts<'b>(blocks: &'b [Unsettled<'b>]) -> Vec<&'b [u8]> {
    let scripts: HashSet<&[u8]> = blocks
        .iter()
        .flat_map(|block| &block.flows.outputs)
        .map(|output| &*output.script)
        .collect();
    scripts.into_iter().collect()
}

/// Settles blocks in order.
pub fn settle<'b>(
    blocks: &'b [Unsettled<'b>],
    known: &'b Known,
) -> Result<Settled<'b>, Contradiction> {
    let accounts = known.accounts.iter();
    let mut settling = Settling {
        known,
        accounts: accounts.map(|(script, id)| (&**script, *id)).collect(),
        last_account: known.last_account,
        supply: known.supply,
        made: HashMap::new(),
        taken: HashSet::new(),
        moves: Vec::new(),
        rows: Settled::default(),
    };
    for block in blocks {
        settling.block(block)?;
    }
    Ok(settling.rows)
}

/// What one transaction did to one script.
struct Move {
    position: u32,
    account: Account,
    received: i64,
    sent: i64,
}

struct Settling<'b> {
    known: &'b Known,
    accounts: HashMap<&'b [u8], Account>,
    last_account: Account,
    supply: Supply,
    /// Rows of the outputs made so far.
    made: HashMap<OutPoint, usize>,
    /// Known outputs spent so far.
    taken: HashSet<OutPoint>,
    /// Of the block in hand.
    moves: Vec<Move>,
    rows: Settled<'b>,
}

impl<'b> Settling<'b> {
    fn block(&mut self, block: &Unsettled<'b>) -> Result<(), Contradiction> {
        let (height, flows) = (block.height, block.flows);
        let (mut gave, mut took) = (0_i64, 0_i64);
        let overflow = || Contradiction::Overflow(height);
        let mut spends = flows.spends.iter().peekable();
        for output in &flows.outputs {
            // What an earlier transaction of the block made may be spent by a later one, not the other way round.
            while let Some(spend) = spends.next_if(|spend| spend.position <= output.position) {
                took = took
                    .checked_add(self.spend(height, spend)?)
                    .ok_or_else(overflow)?;
            }
            gave = gave.checked_add(output.value).ok_or_else(overflow)?;
            self.make(height, output)?;
        }
        for spend in spends {
            took = took
                .checked_add(self.spend(height, spend)?)
                .ok_or_else(overflow)?;
        }
        self.close(height)?;
        self.count(height, flows, gave, took).ok_or_else(overflow)
    }

    fn make(&mut self, height: u32, output: &'b NewOutput) -> Result<(), Contradiction> {
        let account = self.account(height, &output.script)?;
        self.made.insert(output.outpoint, self.rows.outputs.len());
        self.rows.outputs.push(OutputRow {
            at: Place {
                height,
                position: output.position,
            },
            vout: output.outpoint.n,
            account,
            value: output.value,
            spent: None,
        });
        self.moves.push(Move {
            position: output.position,
            account,
            received: output.value,
            sent: 0,
        });
        Ok(())
    }

    fn account(&mut self, height: u32, script: &'b [u8]) -> Result<Account, Contradiction> {
        if let Some(account) = self.accounts.get(script) {
            return Ok(*account);
        }
        self.last_account = self
            .last_account
            .checked_add(1)
            .ok_or(Contradiction::Accounts(height))?;
        self.accounts.insert(script, self.last_account);
        self.rows.accounts.push((self.last_account, script));
        Ok(self.last_account)
    }

    /// Marks an output as spent. Returns its value.
    fn spend(&mut self, height: u32, spend: &Spend) -> Result<i64, Contradiction> {
        let by = SpentBy {
            at: Place {
                height,
                position: spend.position,
            },
            vin: spend.vin,
        };
        let previous = spend.previous;
        let twice = || Contradiction::Spent {
            height,
            txid: spend.txid,
            previous,
        };
        let made = self.made.get(&previous);
        let row = made.and_then(|row| self.rows.outputs.get_mut(*row));
        let (account, value) = if let Some(row) = row {
            if row.spent.replace(by).is_some() {
                return Err(twice());
            }
            (row.account, row.value)
        } else {
            let made = self.known.outputs.get(&previous);
            let made = made.ok_or(Contradiction::Unmade {
                height,
                txid: spend.txid,
                previous,
            })?;
            if made.spent || !self.taken.insert(previous) {
                return Err(twice());
            }
            self.rows.spent.push(SpentRow {
                at: made.at,
                vout: made.vout,
                by,
            });
            (made.account, made.value)
        };
        self.moves.push(Move {
            position: spend.position,
            account,
            received: 0,
            sent: value,
        });
        Ok(value)
    }

    /// Adds up what the block did to each script.
    fn close(&mut self, height: u32) -> Result<(), Contradiction> {
        let overflow = || Contradiction::Overflow(height);
        let mut moves = std::mem::take(&mut self.moves);
        moves.sort_unstable_by_key(|step| (step.position, step.account));
        for of_one in
            moves.chunk_by(|one, next| (one.position, one.account) == (next.position, next.account))
        {
            let Some(first) = of_one.first() else {
                continue;
            };
            let (mut received, mut sent) = (0_i64, 0_i64);
            for step in of_one {
                received = received.checked_add(step.received).ok_or_else(overflow)?;
                sent = sent.checked_add(step.sent).ok_or_else(overflow)?;
            }
            self.rows.entries.push(EntryRow {
                account: first.account,
                at: Place {
                    height,
                    position: first.position,
                },
                received,
                sent,
            });
            let balance = self.rows.balances.entry(first.account);
            let balance = balance.or_insert(BalanceChange {
                first_height: height,
                ..BalanceChange::default()
            });
            balance.received = balance
                .received
                .checked_add(received)
                .ok_or_else(overflow)?;
            balance.sent = balance.sent.checked_add(sent).ok_or_else(overflow)?;
            balance.transactions = balance.transactions.checked_add(1).ok_or_else(overflow)?;
            balance.last_height = height;
        }
        moves.clear();
        self.moves = moves;
        Ok(())
    }

    /// Adds up what the block did to the whole.
    fn count(&mut self, height: u32, flows: &BlockFlows, gave: i64, took: i64) -> Option<()> {
        let before = self.supply;
        let after = Supply {
            transparent: before.transparent.checked_add(gave)?.checked_sub(took)?,
            shielded: before.shielded.checked_add(flows.shielded)?,
        };
        // What goes into transactions and does not come out again, to owners or to the shielded pools.
        let fees = took
            .checked_sub(gave.checked_sub(flows.coinbase)?)?
            .checked_sub(flows.shielded)?;
        self.rows.supplies.push(SupplyRow {
            height,
            coinbase: flows.coinbase,
            fees,
            after,
        });
        self.supply = after;
        Some(())
    }
}

#[cfg(test)]
mod tests;
