//! Money returns to whoever paid it.
//!
//! An application may be paid for by several: its owner, a sponsor, a grant. What is left unused returns to them in
//! proportion to what each put in, to the last sat; nobody receives more than they paid.

use fluxplane_core::Sat;

use crate::share::apportion;

/// Why nothing can be returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    #[error("a payment is {0}, but must not be negative")]
    NegativePayment(Sat),
    #[error("unused is {unused}, but must be between 0 and the {paid} that was paid")]
    MoreThanPaid { unused: Sat, paid: Sat },
    #[error("the payments add up to more than any amount")]
    TooLarge,
}

/// Divides what is left unused among the payers, in their order; one entry per payer.
pub fn return_to_payers<K: Ord + Clone>(
    payments: &[(K, Sat)],
    unused: Sat,
) -> Result<Vec<(K, Sat)>, RefundError> {
    let negative = payments.iter().find(|(_, paid)| paid.is_negative());
    if let Some((_, paid)) = negative {
        return Err(RefundError::NegativePayment(*paid));
    }
    let paid = Sat::checked_sum(payments.iter().map(|(_, paid)| *paid));
    let paid = paid.ok_or(RefundError::TooLarge)?;
    if unused.is_negative() || unused > paid {
        return Err(RefundError::MoreThanPaid { unused, paid });
    }
    let weights: Vec<(K, u64)> = payments
        .iter()
        .map(|(payer, paid)| (payer.clone(), paid.get().unsigned_abs()))
        .collect();
    let shares = apportion(unused, &weights).unwrap_or_else(|| vec![Sat::ZERO; payments.len()]);
    Ok(weights
        .into_iter()
        .map(|(payer, _)| payer)
        .zip(shares)
        .collect())
}
