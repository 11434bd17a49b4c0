//! Whether a revision that waits for its money has it, and what its owner is told.

use chrono::{DateTime, Utc};
use fluxplane_core::Sat;

/// What is known when money came in for a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Till {
    /// Price of the revision.
    pub due: Sat,
    /// Credited payments that carry the revision's hash.
    pub received: Sat,
    /// What its owner can spend.
    pub available: Sat,
    pub pay_until: DateTime<Utc>,
    /// When the money counts.
    pub now: DateTime<Utc>,
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fund,
    /// Not enough was paid.
    Missing(Sat),
    /// Enough was paid, but spent on something else since.
    Spent(Sat),
    /// The money came after its time and is credit.
    Late,
}

impl Till {
    pub fn verdict(&self) -> Verdict {
        if self.now > self.pay_until {
            return Verdict::Late;
        }
        if self.received < self.due {
            return Verdict::Missing(Sat::new(self.due.get() - self.received.get()));
        }
        if self.available < self.due {
            return Verdict::Spent(Sat::new(self.due.get() - self.available.get()));
        }
        Verdict::Fund
    }

    /// What the owner should know or do.
    pub fn message(&self, verdict: Verdict) -> String {
        let Self { due, received, .. } = self;
        match verdict {
            Verdict::Fund => {
                let over = Sat::new(received.get() - due.get());
                if over > Sat::ZERO {
                    format!(
                        "paid; {received} FLUX came and {due} FLUX were due, so {over} FLUX more than due are on your \
                         balance, from which other revisions can be paid"
                    )
                } else {
                    "paid".to_owned()
                }
            }
            Verdict::Missing(missing) => format!(
                "{received} of {due} FLUX are there; send {missing} FLUX more with the same message hash until {}",
                self.pay_until.format("%FT%TZ")
            ),
            Verdict::Spent(missing) => format!(
                "{received} FLUX were paid, but other applications spent part of the balance; send {missing} FLUX more with the same message hash"
            ),
            Verdict::Late => format!(
                "{received} FLUX of {due} FLUX due counted only after {}; they are on your balance, submit again and pay \
                 from it",
                self.pay_until.format("%FT%TZ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn till(received: i64, available: i64, now: i64) -> Till {
        let at = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        Till {
            due: Sat::new(100),
            received: Sat::new(received),
            available: Sat::new(available),
            pay_until: at(1_000),
            now: at(now),
        }
    }

    #[test]
    fn the_price_decides() {
        assert_eq!(till(100, 100, 950).verdict(), Verdict::Fund);
        assert_eq!(till(130, 500, 950).verdict(), Verdict::Fund);
        assert_eq!(till(99, 500, 950).verdict(), Verdict::Missing(Sat::new(1)));
        assert_eq!(till(100, 40, 950).verdict(), Verdict::Spent(Sat::new(60)));
    }

    #[test]
    fn what_counts_after_its_time_is_credit() {
        assert_eq!(till(100, 100, 1_000).verdict(), Verdict::Fund);
        assert_eq!(till(100, 100, 1_001).verdict(), Verdict::Late);
    }
}
