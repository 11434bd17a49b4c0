//! What a funded revision bought: seconds of copies, charged as they are evidenced, given back as they cannot be used.
//!
//! A term owns a part of what is held for its application: total, less what was charged, less what was returned. When an
//! update or an end cuts the term short, what lies behind the cut returns at once; what lies before it waits for late
//! evidence until the epoch of the cut is settled.

use fluxplane_core::{
    Sat,
    id::{AppId, QuoteId, RevisionId},
};
use fluxplane_ledger::{
    account::Party,
    accrual::{Accrual, Term as Price, TermError},
    interval::Interval,
};

use super::price_list::PriceList;

/// A term. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub revision: RevisionId,
    pub app: AppId,
    /// Who paid, and gets back what is left.
    pub owner: Party,
    pub quote: QuoteId,
    pub list: PriceList,
    pub price: Price,
    pub instances: u32,
    pub starts_at: u64,
    pub ends_at: u64,
    /// Instance-seconds that may be charged.
    pub limit: u64,
    /// Instance-seconds that were charged.
    pub used: u64,
    pub charged: Sat,
    pub returned: Sat,
    /// An update or an end cut it short.
    pub cut: bool,
    /// What was left was given back; nothing is charged any more.
    pub settled: bool,
}

/// What a new term is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub revision: RevisionId,
    pub app: AppId,
    pub owner: Party,
    pub quote: QuoteId,
    pub list: PriceList,
    pub total: Sat,
    pub seconds: u64,
    pub instances: u32,
    pub starts_at: u64,
}

impl Term {
    pub fn new(purchase: Purchase) -> Result<Self, TermError> {
        let price = Price::new(purchase.total, purchase.seconds, purchase.instances)?;
        Ok(Self {
            revision: purchase.revision,
            app: purchase.app,
            owner: purchase.owner,
            quote: purchase.quote,
            list: purchase.list,
            price,
            instances: purchase.instances,
            starts_at: purchase.starts_at,
            ends_at: purchase.starts_at.saturating_add(purchase.seconds),
            limit: price.instance_seconds(),
            used: 0,
            charged: Sat::ZERO,
            returned: Sat::ZERO,
            cut: false,
            settled: false,
        })
    }

    /// The seconds that are charged to it; none when it was cut before it began, or is settled.
    pub fn window(&self) -> Option<Interval> {
        if self.settled {
            return None;
        }
        Interval::new(self.starts_at, self.ends_at).ok()
    }

    /// Its part of what is held.
    pub fn held(&self) -> Sat {
        let spent = self.charged.get() + self.returned.get();
        Sat::new(self.price.total().get() - spent)
    }

    /// Charges evidenced seconds of one or more copies; those beyond what the term has cost nothing.
    pub fn charge(&mut self, seconds: u64) -> Sat {
        if self.settled {
            return Sat::ZERO;
        }
        let mut accrual = self.accrual(self.used);
        let charge = accrual
            .charge(seconds.min(self.limit - self.used))
            .expect("the limit is at most what the term has");
        self.used = accrual.used();
        self.charged = accrual.charged();
        charge.amount
    }

    /// Ends the term at `at` and returns what can no longer be used.
    pub fn cut(&mut self, at: u64) -> Sat {
        if self.cut || self.settled || at >= self.ends_at {
            return Sat::ZERO;
        }
        let ran = at.saturating_sub(self.starts_at);
        let limit = ran.saturating_mul(u64::from(self.instances));
        // Seconds behind the cut that were charged before it was known stay charged.
        self.limit = self.limit.min(limit).max(self.used);
        self.ends_at = self.starts_at + ran;
        self.cut = true;
        let returned = self.accrual(self.limit).unused();
        self.returned = returned;
        returned
    }

    /// Gives back what is left, after the last evidence.
    pub fn settle(&mut self) -> Sat {
        let left = self.held();
        self.returned = Sat::new(self.returned.get() + left.get());
        self.settled = true;
        left
    }

    fn accrual(&self, used: u64) -> Accrual {
        let mut accrual = Accrual::new(self.price);
        accrual
            .charge(used)
            .expect("at most the limit is used, and the limit is at most what the term has");
        accrual
    }
}

/// How the money behind a cut is divided when an update replaces a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// Becomes part of the new term.
    pub kept: Sat,
    /// More than the new term is worth; returns to the customer.
    pub excess: Sat,
}

/// Divides `freed`, what the cut of the old term freed, given the price of the new one and what it is worth without
/// credit. The new term never costs more than a fresh one would.
pub fn carry(freed: Sat, price: Sat, value: Sat) -> Carried {
    let room = (value.get() - price.get()).max(0);
    let kept = freed.get().min(room);
    Carried {
        kept: Sat::new(kept),
        excess: Sat::new(freed.get() - kept),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn term(total: i64, seconds: u64, instances: u32) -> Term {
        Term::new(Purchase {
            revision: Uuid::nil().into(),
            app: Uuid::nil().into(),
            owner: "owner".parse().unwrap(),
            quote: Uuid::nil().into(),
            list: PriceList::FluxOs { row: 0 },
            total: Sat::new(total),
            seconds,
            instances,
            starts_at: 1_000,
        })
        .unwrap()
    }

    #[test]
    fn a_cut_returns_what_lies_behind_it_and_keeps_the_rest_for_late_evidence() {
        let mut term = term(3_000, 1_000, 3);
        assert_eq!(term.charge(300), Sat::new(300));
        assert_eq!(term.cut(1_200), Sat::new(3_000 - 600));
        assert_eq!(term.held(), Sat::new(300));
        assert_eq!(term.charge(200), Sat::new(200));
        // Only 600 instance-seconds lie before the cut.
        assert_eq!(term.charge(200), Sat::new(100));
        assert_eq!(term.settle(), Sat::ZERO);
        assert_eq!(term.charge(1), Sat::ZERO);
    }

    #[test]
    fn a_second_cut_and_a_cut_after_the_end_change_nothing() {
        let mut cut_late = term(100, 10, 1);
        assert_eq!(cut_late.cut(1_010), Sat::ZERO);
        let mut twice = term(100, 10, 1);
        assert_eq!(twice.cut(1_004), Sat::new(60));
        assert_eq!(twice.cut(1_002), Sat::ZERO);
    }

    #[test]
    fn a_cut_before_the_beginning_returns_everything() {
        let mut term = term(100, 10, 1);
        assert_eq!(term.cut(900), Sat::new(100));
        assert_eq!(term.window(), None);
    }

    #[test]
    fn a_new_term_never_costs_more_than_a_fresh_one() {
        let carried = carry(Sat::new(70), Sat::new(40), Sat::new(100));
        assert_eq!((carried.kept, carried.excess), (Sat::new(60), Sat::new(10)));
        let carried = carry(Sat::new(50), Sat::new(40), Sat::new(100));
        assert_eq!((carried.kept, carried.excess), (Sat::new(50), Sat::ZERO));
        let carried = carry(Sat::new(50), Sat::new(100), Sat::new(100));
        assert_eq!((carried.kept, carried.excess), (Sat::ZERO, Sat::new(50)));
    }

    proptest! {
        #[test]
        fn every_sat_is_charged_returned_or_held(
            total in 0_i64..10_000_000_000,
            seconds in 1_u64..100_000,
            instances in 1_u32..20,
            steps in prop::collection::vec((0_u64..30_000, 0_u64..120_000), 0..8),
        ) {
            let mut term = term(total, seconds, instances);
            let mut returned = 0;
            let mut charged = 0;
            for (second, at) in steps {
                charged += term.charge(second).get();
                if at % 3 == 0 {
                    returned += term.cut(1_000 + at).get();
                }
                prop_assert_eq!(term.charged.get(), charged);
                prop_assert_eq!(term.returned.get(), returned);
                prop_assert!(term.held().get() >= 0);
                prop_assert!(term.used <= term.limit);
            }
            returned += term.settle().get();
            prop_assert_eq!(charged + returned, total);
            prop_assert_eq!(term.held(), Sat::ZERO);
        }
    }
}
