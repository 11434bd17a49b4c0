//! Billing, played: closed epochs and their leaves.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
};

use fluxplane_core::{
    Sat,
    id::{EpochNumber, InvoiceId},
};
use fluxplane_ledger::{
    Asset,
    settlement::{
        EpochLeaves, Hash32, Salt,
        commitment::{Commitment, Role},
        epoch::{EpochOpening, recompute},
        leaf::{InvoiceLine, LineKind},
    },
};
use fluxplane_proto::billing::v1::{
    self as wire, EpochClosed, billing_service_server::BillingService,
};
use futures::{Stream, stream};
use tonic::{Request, Response, Status};
use uuid::Uuid;

/// Epochs are an hour each.
const FIRST: u64 = 1_800_000_000;

/// A closed epoch as billing publishes it.
#[derive(Debug, Clone)]
pub(crate) struct Closed {
    pub(crate) number: u64,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) root: Hash32,
    pub(crate) previous_root: Hash32,
    pub(crate) leaf_count: u64,
}

impl Closed {
    /// An epoch with one line of this many sat; without any for 0.
    pub(crate) fn new(number: u64, previous_root: Hash32, sat: i64) -> Self {
        let opened_at = FIRST + number * 3_600;
        let opening = EpochOpening {
            epoch: EpochNumber(number),
            previous_root,
            opened_at,
            closed_at: opened_at + 3_600,
            asset: Asset::FLUX,
        };
        let lines = (sat > 0).then(|| line(number, opened_at, sat));
        let leaves = EpochLeaves::new(opening, lines.into_iter().collect(), Vec::new()).unwrap();
        let leaves: Vec<Vec<u8>> = leaves.iter().map(|leaf| leaf.encode()).collect();
        let (_, anchor) = recompute(&leaves).unwrap();
        Self {
            number,
            leaves,
            root: anchor.root,
            previous_root,
            leaf_count: anchor.count.into(),
        }
    }

    pub(crate) fn announced(&self) -> EpochClosed {
        EpochClosed {
            epoch: self.number,
            root: self.root.0.to_vec(),
            previous_root: self.previous_root.0.to_vec(),
            leaf_count: self.leaf_count,
            closed_at: None,
        }
    }
}

fn line(epoch: u64, opened_at: u64, sat: i64) -> InvoiceLine {
    let id = |number| Uuid::from_u128(number);
    let owner = "1CustomerOfTheseTests".parse().unwrap();
    InvoiceLine {
        epoch: EpochNumber(epoch),
        invoice: InvoiceId::new(id(1)),
        number: 1,
        customer: Commitment::new(Role::Customer, &Salt::new([3; 32]), &owner),
        app: id(2).into(),
        instance: id(3).into(),
        node: id(4).into(),
        quote: id(5).into(),
        price_table: 1,
        from: opened_at,
        to: opened_at + 60,
        seconds: 60,
        kind: LineKind::Usage,
        amount: Sat::new(sat),
        asset: Asset::FLUX,
        evidence: Hash32([4; 32]),
    }
}

/// What billing has. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Billing(Arc<Mutex<BTreeMap<u64, Closed>>>);

impl Billing {
    pub(crate) fn epochs(&self) -> MutexGuard<'_, BTreeMap<u64, Closed>> {
        self.0.lock().unwrap()
    }

    /// Closes the next epoch, with a line of this many sat.
    pub(crate) fn close(&self, sat: i64) -> Closed {
        let mut epochs = self.epochs();
        let last = epochs.last_key_value();
        let (number, root) = last.map_or((0, Hash32::ZERO), |(number, last)| (*number, last.root));
        let closed = Closed::new(number + 1, root, sat);
        epochs.insert(closed.number, closed.clone());
        closed
    }

    fn get(&self, number: u64) -> Result<Closed, Status> {
        let epochs = self.epochs();
        let found = epochs.get(&number).cloned();
        found.ok_or_else(|| Status::not_found("no such epoch"))
    }
}

type Leaves = Pin<Box<dyn Stream<Item = Result<wire::StreamLeavesResponse, Status>> + Send>>;

/// Answers methods that the validator has no business with.
macro_rules! unimplemented {
    ($($method:ident($request:ident) -> $response:ident;)+) => {
        #[tonic::async_trait]
        impl BillingService for Billing {
            async fn get_epoch(
                &self,
                request: Request<wire::GetEpochRequest>,
            ) -> Result<Response<wire::GetEpochResponse>, Status> {
                let closed = self.get(request.into_inner().number)?;
                Ok(Response::new(wire::GetEpochResponse {
                    epoch: Some(wire::Epoch {
                        number: closed.number,
                        state: wire::EpochState::Closed.into(),
                        root: closed.root.0.to_vec(),
                        previous_root: closed.previous_root.0.to_vec(),
                        leaf_count: closed.leaf_count,
                        ..wire::Epoch::default()
                    }),
                }))
            }

            type StreamLeavesStream = Leaves;

            /// One leaf a message, so that their order is looked at.
            async fn stream_leaves(
                &self,
                request: Request<wire::StreamLeavesRequest>,
            ) -> Result<Response<Leaves>, Status> {
                let closed = self.get(request.into_inner().epoch)?;
                let messages = (0..).zip(closed.leaves).map(|(first_index, leaf)| {
                    Ok(wire::StreamLeavesResponse { first_index, leaves: vec![leaf] })
                });
                Ok(Response::new(Box::pin(stream::iter(messages))))
            }

            $(async fn $method(
                &self,
                _: Request<wire::$request>,
            ) -> Result<Response<wire::$response>, Status> {
                Err(Status::unimplemented("not for the validator"))
            })+
        }
    };
}

unimplemented! {
    create_quote(CreateQuoteRequest) -> CreateQuoteResponse;
    get_quote(GetQuoteRequest) -> GetQuoteResponse;
    estimate_price(EstimatePriceRequest) -> EstimatePriceResponse;
    get_account(GetAccountRequest) -> GetAccountResponse;
    list_invoices(ListInvoicesRequest) -> ListInvoicesResponse;
    get_invoice(GetInvoiceRequest) -> GetInvoiceResponse;
    get_line_proof(GetLineProofRequest) -> GetLineProofResponse;
    list_earnings(ListEarningsRequest) -> ListEarningsResponse;
    list_epochs(ListEpochsRequest) -> ListEpochsResponse;
    close_epoch(CloseEpochRequest) -> CloseEpochResponse;
    get_rate(GetRateRequest) -> GetRateResponse;
    override_rate(OverrideRateRequest) -> OverrideRateResponse;
}
