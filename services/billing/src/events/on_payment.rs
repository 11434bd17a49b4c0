//! Payments to application addresses.

use anyhow::Context as _;
use fluxplane_core::Sat;
use fluxplane_platform::bus::{Handler, HandlerError};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{Payment, PaymentChanged, payment_changed},
};
use prost::Message as _;
use sqlx::PgConnection;

use super::refused;
use crate::{
    app::{
        Context,
        payments::{self, Announced, Change},
    },
    domain::payment::PaidOutput,
};

/// Turns payments into money.
#[derive(Debug)]
pub struct OnPayment {
    pub ctx: Context,
}

impl Handler for OnPayment {
    const CONSUMER: &'static str = "billing-payments";
    const PRODUCER: &'static str = "chain-indexer";
    const SUBJECT: &'static str = PaymentChanged::SUBJECT;

    async fn apply(
        &self,
        conn: &mut PgConnection,
        _subject: &str,
        payload: &[u8],
    ) -> Result<(), HandlerError> {
        let event = PaymentChanged::decode(payload).map_err(HandlerError::poison)?;
        let announced = read(event).map_err(HandlerError::poison)?;
        payments::payment_changed(conn, &self.ctx, announced)
            .await
            .map_err(refused)
    }
}

fn read(event: PaymentChanged) -> anyhow::Result<Announced> {
    let kind = event.change();
    let payment = event.payment.context("payment is missing")?;
    anyhow::ensure!(!payment.txid.is_empty(), "payment.txid is missing");
    let change = change(kind, &payment)?;
    let outputs: Vec<PaidOutput> = payment
        .outputs
        .into_iter()
        .filter(|output| output.amount_sat > 0)
        .map(|output| PaidOutput {
            vout: output.vout,
            address: output.address,
            amount: Sat::new(output.amount_sat),
        })
        .collect();
    // What is booked is the sum of the outputs; a total that says otherwise is not to be trusted.
    let total = Sat::checked_sum(outputs.iter().map(|output| output.amount));
    let total = total.context("payment.outputs add up to no amount")?;
    anyhow::ensure!(
        total.get() == payment.total_sat,
        "payment.total_sat is {}, but the outputs add up to {}",
        payment.total_sat,
        total.get()
    );
    Ok(Announced {
        txid: payment.txid,
        message_hash: payment.message_hash,
        memo_problem: event.memo_problem,
        total,
        outputs,
        change,
        sequence: event.sequence,
    })
}

fn change(kind: payment_changed::Change, payment: &Payment) -> anyhow::Result<Change> {
    use payment_changed::Change as Wire;
    Ok(match kind {
        Wire::Seen => Change::Seen,
        Wire::Confirmed | Wire::Final => Change::Confirmed {
            height: payment.height.into(),
            block_hash: payment.block_hash.clone(),
            confirmations: payment.confirmations.into(),
        },
        Wire::Reorganised => Change::Reorganised,
        Wire::Dropped => Change::Dropped,
        Wire::Unspecified => anyhow::bail!("change is missing"),
    })
}
