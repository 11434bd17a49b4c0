//! Payments from the chain: when they count, and what their owner is told.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;

/// What the chain says of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentState {
    /// In the mempool.
    Seen,
    /// In a block of the best chain, as far as was heard.
    Confirmed { height: u64, block_hash: String },
    /// Its block was undone; it may come again.
    Reorganised,
    /// Left the mempool without a block.
    Dropped,
}

impl PaymentState {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Confirmed { .. } => "confirmed",
            Self::Reorganised => "reorganised",
            Self::Dropped => "dropped",
        }
    }
}

/// Whose money a credited payment became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditedTo {
    Customer,
    /// Nobody knows what it is for, yet.
    Suspense,
}

impl CreditedTo {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Suspense => "suspense",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Customer, Self::Suspense]
            .into_iter()
            .find(|to| to.name() == name)
    }
}

/// Which payment made a revision run, for those who look it up on the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidBy {
    /// Empty when no payment did: the balance, or a free update.
    pub txid: String,
    pub height: u64,
    /// What all payments for the message brought in.
    pub received: Sat,
}

impl PaidBy {
    /// The last of the payments that became the customer's money; without one, the last block stands for its block.
    pub fn of(payments: &[Payment], received: Sat, tip: u64) -> Self {
        let last = payments
            .iter()
            .rfind(|payment| payment.credited_to == Some(CreditedTo::Customer));
        let height = match last.map(|payment| &payment.state) {
            Some(PaymentState::Confirmed { height, .. }) => *height,
            Some(PaymentState::Seen | PaymentState::Reorganised | PaymentState::Dropped) | None => {
                tip
            }
        };
        Self {
            txid: last.map(|payment| payment.txid.clone()).unwrap_or_default(),
            height,
            received,
        }
    }
}

/// A payment to an application address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub txid: String,
    /// 64 hex digits; empty when the payment carries none.
    pub message_hash: String,
    /// What it carries instead.
    pub memo_problem: String,
    pub total: Sat,
    pub state: PaymentState,
    /// As last reported.
    pub confirmations: u64,
    pub credited_to: Option<CreditedTo>,
    /// How often it was credited.
    pub credits: u32,
    /// Of the announcement the state is from; `None` before the first.
    pub sequence: Option<u64>,
    pub first_seen_at: DateTime<Utc>,
}

/// An output of a payment. Each is a deposit of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOutput {
    pub vout: u32,
    pub address: String,
    pub amount: Sat,
}

/// What is known of the chain around a payment's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth<'a> {
    /// Hash of our block at the payment's height; `None` when we do not have that height.
    pub known_hash: Option<&'a str>,
    /// Height of our newest block.
    pub tip: Option<u64>,
}

impl Payment {
    /// Whether the payment is deep enough to be money. Both ways of hearing of depth count, the report about the
    /// payment and our own copy of the chain, but a block that our chain does not have counts for nothing: so a stale
    /// report that overtakes a reorganisation credits nobody.
    pub fn counts(&self, depth: Depth<'_>, threshold: u64) -> bool {
        let PaymentState::Confirmed { height, block_hash } = &self.state else {
            return false;
        };
        match depth.known_hash {
            Some(known) if known != block_hash => false,
            Some(_) => {
                let above = depth.tip.map_or(0, |tip| (tip + 1).saturating_sub(*height));
                self.confirmations.max(above) >= threshold
            }
            None => self.confirmations >= threshold,
        }
    }

    /// Why nobody can be credited.
    pub fn suspense_reason(&self) -> String {
        let Self {
            txid,
            total,
            message_hash,
            memo_problem,
            ..
        } = self;
        if message_hash.is_empty() {
            format!(
                "{total} FLUX in transaction {txid} carry no message hash ({memo_problem}); an OP_RETURN output of 64 \
                 lower-case hexadecimal digits says what is paid. The money is kept until the plane's operator knows \
                 whose it is"
            )
        } else {
            format!(
                "{total} FLUX in transaction {txid} carry the message hash {message_hash}, which names no revision that \
                 was submitted; submit the signed message with this hash, and the money is its owner's"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(confirmations: u64) -> Payment {
        Payment {
            txid: "t".to_owned(),
            message_hash: "h".to_owned(),
            memo_problem: String::new(),
            total: Sat::new(1),
            state: PaymentState::Confirmed {
                height: 100,
                block_hash: "a".to_owned(),
            },
            confirmations,
            credited_to: None,
            credits: 0,
            sequence: None,
            first_seen_at: DateTime::UNIX_EPOCH,
        }
    }

    fn depth(known_hash: Option<&str>, tip: u64) -> Depth<'_> {
        Depth {
            known_hash,
            tip: Some(tip),
        }
    }

    #[test]
    fn a_payment_counts_by_report_or_by_our_own_blocks() {
        assert!(confirmed(10).counts(depth(None, 50), 10));
        assert!(!confirmed(9).counts(depth(None, 50), 10));
        assert!(confirmed(1).counts(depth(Some("a"), 109), 10));
        assert!(!confirmed(1).counts(depth(Some("a"), 108), 10));
    }

    #[test]
    fn a_payment_in_a_block_that_is_not_ours_counts_for_nothing() {
        assert!(!confirmed(40).counts(depth(Some("b"), 500), 10));
    }
}
