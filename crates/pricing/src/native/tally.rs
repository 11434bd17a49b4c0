//! What a running order was charged so far.

use serde::{Deserialize, Serialize};

use super::{
    amount::MicroUsd,
    order::Order,
    price::{EXACT_PER_MICRO, PriceError, check, items},
    table::Table,
};

/// What was charged for an order so far, exactly.
///
/// Every charge is what the exact sum of all seconds so far, rounded down, has grown by. So the charges do not depend on
/// how the seconds were cut, and when every second of every copy was charged, they are the quote. Traffic is charged
/// once, by its own order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    charged: MicroUsd,
    /// What is owed beyond `charged`, in 10⁻²¹ micro-dollars; less than one.
    carried: u128,
}

impl Tally {
    /// The sum of all charges.
    pub const fn charged(&self) -> MicroUsd {
        self.charged
    }

    /// Charges one copy for the seconds `from..to` of its term, and returns what that adds.
    ///
    /// # Errors
    /// As [`super::price()`], and when the stretch is empty or lies beyond the order.
    pub fn charge(
        &mut self,
        table: &Table,
        order: &Order,
        from: u64,
        to: u64,
    ) -> Result<MicroUsd, PriceError> {
        check(order)?;
        if from >= to || to > order.seconds {
            return Err(PriceError::Stretch { from, to });
        }
        let brackets = table.brackets(order.plan);
        let weight = brackets.weigh(to) - brackets.weigh(from);
        let by_time = Order {
            egress_gib: 0,
            ..order.clone()
        };
        let amounts = items(table, &by_time)?;
        let exact = amounts.iter().try_fold(self.carried, |sum, item| {
            sum.checked_add(item.exact(weight)?)
        });
        let exact = exact.ok_or(PriceError::TooLarge)?;
        let whole = u64::try_from(exact / EXACT_PER_MICRO).map_err(|_| PriceError::TooLarge)?;
        let amount = MicroUsd::new(whole);
        self.charged = self
            .charged
            .checked_add(amount)
            .ok_or(PriceError::TooLarge)?;
        self.carried = exact % EXACT_PER_MICRO;
        Ok(amount)
    }
}
