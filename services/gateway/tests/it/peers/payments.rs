//! Payments without a message, anchors and price messages of the chain indexer, faked.

use fluxplane_proto::chain_indexer::v1::{
    ChainAnchor, ChainPriceMessage, Departure, GetPaymentRequest, GetPaymentResponse,
    ListChainAnchorsRequest, ListChainAnchorsResponse, ListPriceMessagesRequest,
    ListPriceMessagesResponse, ListUnmatchedPaymentsRequest, ListUnmatchedPaymentsResponse,
    MemoProblem, PaymentState, PriceRow, RecordedPayment, payment_service_server::PaymentService,
};
use tonic::{Request, Response, Status};

use super::{
    World,
    data::{at, payment},
};

/// Money whose text nobody understands.
fn unmatched() -> RecordedPayment {
    let mut payment = payment();
    payment.message_hash = String::new();
    RecordedPayment {
        payment: Some(payment),
        state: PaymentState::Mempool.into(),
        memo_problem: "the text has 3 characters instead of 64".to_owned(),
        problem: MemoProblem::Length.into(),
        first_seen_at: at(0),
        departure: Departure::Unspecified.into(),
        conflicting_txid: String::new(),
    }
}

#[tonic::async_trait]
impl PaymentService for World {
    async fn list_unmatched_payments(
        &self,
        request: Request<ListUnmatchedPaymentsRequest>,
    ) -> Result<Response<ListUnmatchedPaymentsResponse>, Status> {
        self.enter("list_unmatched_payments", &request, None, "")?;
        Ok(Response::new(ListUnmatchedPaymentsResponse {
            payments: vec![unmatched()],
            page: None,
        }))
    }

    async fn get_payment(
        &self,
        request: Request<GetPaymentRequest>,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        self.enter("get_payment", &request, None, "")?;
        let record = RecordedPayment {
            payment: Some(payment()),
            state: PaymentState::Dropped.into(),
            memo_problem: String::new(),
            problem: MemoProblem::Unspecified.into(),
            departure: Departure::DoubleSpent.into(),
            conflicting_txid: hex::encode([9; 32]),
            ..unmatched()
        };
        Ok(Response::new(GetPaymentResponse {
            payment: Some(record),
        }))
    }

    async fn list_anchors(
        &self,
        request: Request<ListChainAnchorsRequest>,
    ) -> Result<Response<ListChainAnchorsResponse>, Status> {
        self.enter("list_anchors", &request, None, "")?;
        let good = ChainAnchor {
            txid: hex::encode([9; 32]),
            epoch: 12,
            root: vec![0xab; 32],
            leaf_count: 2,
            problem: String::new(),
            payload: b"FXP1".to_vec(),
            senders: vec!["t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6".to_owned()],
            height: 2_100_000,
            block_hash: hex::encode([2; 32]),
            confirmations: 1,
            r#final: false,
        };
        let bad = ChainAnchor {
            epoch: 0,
            root: Vec::new(),
            leaf_count: 0,
            problem: "the payload has 4 bytes instead of 49".to_owned(),
            height: 0,
            block_hash: String::new(),
            confirmations: 0,
            ..good.clone()
        };
        Ok(Response::new(ListChainAnchorsResponse {
            anchors: vec![good, bad],
            page: None,
        }))
    }

    async fn list_price_messages(
        &self,
        request: Request<ListPriceMessagesRequest>,
    ) -> Result<Response<ListPriceMessagesResponse>, Status> {
        self.enter("list_price_messages", &request, None, "")?;
        let prices = PriceRow {
            cpu: "0.15".to_owned(),
            ram: "0.05".to_owned(),
            hdd: "0.02".to_owned(),
            min_price: "0.01".to_owned(),
            port: "2".to_owned(),
            scope: "6".to_owned(),
            static_ip: "3".to_owned(),
        };
        let message = ChainPriceMessage {
            txid: hex::encode([7; 32]),
            text: "p_0.15_0.05_0.02_0.01".to_owned(),
            prices: Some(prices),
            problem: String::new(),
            height: 1_594_832,
            block_hash: hex::encode([5; 32]),
            confirmations: 505_169,
            r#final: true,
        };
        Ok(Response::new(ListPriceMessagesResponse {
            messages: vec![message],
            page: None,
        }))
    }
}
