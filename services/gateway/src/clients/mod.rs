//! The other services, as the gateway asks them.
//!
//! Every call has a deadline and is repeated while its service is away: reads have no effect, and changes carry an
//! idempotency key.

pub mod node_count;

use std::time::Instant;

use fluxplane_platform::{
    config::Peer,
    error::{Remote, ServiceError as _},
    grpc::{Client, client},
    tls::Credentials,
};
use fluxplane_proto::{
    billing::v1::{self as billing, billing_service_client::BillingServiceClient},
    chain_indexer::v1::{
        self as chain, chain_service_client::ChainServiceClient,
        evm_service_client::EvmServiceClient, fluxnode_service_client::FluxnodeServiceClient,
        ledger_service_client::LedgerServiceClient, payment_service_client::PaymentServiceClient,
    },
    node_registry::v1::{self as registry, node_service_client::NodeServiceClient},
    scheduler::v1::{
        self as scheduler, app_service_client::AppServiceClient,
        secret_service_client::SecretServiceClient,
    },
    validator::v1::{self as validator, validator_service_client::ValidatorServiceClient},
};
use tonic::Streaming;

use crate::{
    config::Config,
    metrics::{GatewayMetrics, PeerLabels},
};

/// Largest answer taken. A page of 200 applications with large specifications stays below.
const MAX_ANSWER_BYTES: usize = 32 * 1_024 * 1_024;

/// Everyone the gateway asks. Clones share connections.
#[derive(Debug, Clone)]
pub struct Peers {
    pub scheduler: Scheduler,
    pub secrets: Secrets,
    pub registry: Registry,
    pub billing: Billing,
    pub chain: Chain,
    pub ledger: Ledger,
    pub fluxnodes: Fluxnodes,
    pub payments: Payments,
    pub evm: Evm,
    pub validator: Validator,
}

impl Peers {
    /// Makes clients that connect when first used.
    pub fn connect(
        config: &Config,
        credentials: &Credentials,
        metrics: &GatewayMetrics,
    ) -> anyhow::Result<Self> {
        let connect = |peer: &Peer| client::connect(peer, credentials);
        let indexer = connect(&config.chain_indexer)?;
        let scheduler = connect(&config.scheduler)?;
        Ok(Self {
            scheduler: Scheduler::new(scheduler.clone(), metrics),
            secrets: Secrets::new(scheduler, metrics),
            registry: Registry::new(connect(&config.node_registry)?, metrics),
            billing: Billing::new(connect(&config.billing)?, metrics),
            chain: Chain::new(indexer.clone(), metrics),
            ledger: Ledger::new(indexer.clone(), metrics),
            fluxnodes: Fluxnodes::new(indexer.clone(), metrics),
            payments: Payments::new(indexer.clone(), metrics),
            evm: Evm::new(indexer, metrics),
            validator: Validator::new(connect(&config.validator)?, metrics),
        })
    }
}

/// Makes the client of one service out of the list of its methods.
macro_rules! peer {
    (
        $(#[$doc:meta])* $name:ident, $label:literal, $client:ident;
        $($method:ident: $request:ty => $reply:ty;)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            client: $client<Client>,
            metrics: GatewayMetrics,
        }

        impl $name {
            fn new(client: Client, metrics: &GatewayMetrics) -> Self {
                let client = $client::new(client).max_decoding_message_size(MAX_ANSWER_BYTES);
                Self { client, metrics: metrics.clone() }
            }

            $(
                pub async fn $method(&self, request: $request) -> Result<$reply, Remote> {
                    let started = Instant::now();
                    let answer = client::retry(|| {
                        let (mut client, request) = (self.client.clone(), request.clone());
                        async move { client.$method(request).await }
                    })
                    .await;
                    let answer = answer.map(tonic::Response::into_inner).map_err(Remote::from);
                    observe(&self.metrics, $label, stringify!($method), started, &answer);
                    answer
                }
            )+
        }
    };
}

peer! {
    /// Applications and where they run.
    Scheduler, "scheduler", AppServiceClient;
    submit_app: scheduler::SubmitAppRequest => scheduler::SubmitAppResponse;
    update_app: scheduler::UpdateAppRequest => scheduler::UpdateAppResponse;
    cancel_app: scheduler::CancelAppRequest => scheduler::CancelAppResponse;
    get_app: scheduler::GetAppRequest => scheduler::GetAppResponse;
    list_apps: scheduler::ListAppsRequest => scheduler::ListAppsResponse;
    list_instances: scheduler::ListInstancesRequest => scheduler::ListInstancesResponse;
    watch_timeline: scheduler::WatchTimelineRequest => Streaming<scheduler::TimelineEntry>;
    get_decision: scheduler::GetDecisionRequest => scheduler::GetDecisionResponse;
    list_published_messages: scheduler::ListPublishedMessagesRequest => scheduler::ListPublishedMessagesResponse;
    list_published_instances: scheduler::ListPublishedInstancesRequest => scheduler::ListPublishedInstancesResponse;
}

peer! {
    /// What owners entrust to the plane.
    Secrets, "scheduler", SecretServiceClient;
    put_secret: scheduler::PutSecretRequest => scheduler::PutSecretResponse;
    get_secret: scheduler::GetSecretRequest => scheduler::GetSecretResponse;
    list_secrets: scheduler::ListSecretsRequest => scheduler::ListSecretsResponse;
    delete_secret: scheduler::DeleteSecretRequest => scheduler::DeleteSecretResponse;
}

peer! {
    /// Machines of operators.
    Registry, "node-registry", NodeServiceClient;
    create_join_token: registry::CreateJoinTokenRequest => registry::CreateJoinTokenResponse;
    get_node: registry::GetNodeRequest => registry::GetNodeResponse;
    list_nodes: registry::ListNodesRequest => registry::ListNodesResponse;
    stream_logs: registry::StreamLogsRequest => Streaming<registry::StreamLogsResponse>;
}

peer! {
    /// Prices, money and settlement.
    Billing, "billing", BillingServiceClient;
    create_quote: billing::CreateQuoteRequest => billing::CreateQuoteResponse;
    get_quote: billing::GetQuoteRequest => billing::GetQuoteResponse;
    estimate_price: billing::EstimatePriceRequest => billing::EstimatePriceResponse;
    get_account: billing::GetAccountRequest => billing::GetAccountResponse;
    list_invoices: billing::ListInvoicesRequest => billing::ListInvoicesResponse;
    get_invoice: billing::GetInvoiceRequest => billing::GetInvoiceResponse;
    get_line_proof: billing::GetLineProofRequest => billing::GetLineProofResponse;
    list_earnings: billing::ListEarningsRequest => billing::ListEarningsResponse;
    list_epochs: billing::ListEpochsRequest => billing::ListEpochsResponse;
    get_epoch: billing::GetEpochRequest => billing::GetEpochResponse;
    stream_leaves: billing::StreamLeavesRequest => Streaming<billing::StreamLeavesResponse>;
    close_epoch: billing::CloseEpochRequest => billing::CloseEpochResponse;
    get_rate: billing::GetRateRequest => billing::GetRateResponse;
    override_rate: billing::OverrideRateRequest => billing::OverrideRateResponse;
}

peer! {
    /// What the chain says.
    Chain, "chain-indexer", ChainServiceClient;
    get_status: chain::GetStatusRequest => chain::GetStatusResponse;
    get_block: chain::GetBlockRequest => chain::GetBlockResponse;
    get_transaction: chain::GetTransactionRequest => chain::GetTransactionResponse;
    get_fluxnode: chain::GetFluxnodeRequest => chain::GetFluxnodeResponse;
    list_fluxnodes: chain::ListFluxnodesRequest => chain::ListFluxnodesResponse;
    list_payments: chain::ListPaymentsRequest => chain::ListPaymentsResponse;
}

peer! {
    /// Outputs, balances and supply.
    Ledger, "chain-indexer", LedgerServiceClient;
    get_address: chain::GetAddressRequest => chain::GetAddressResponse;
    list_address_transactions: chain::ListAddressTransactionsRequest => chain::ListAddressTransactionsResponse;
    list_unspent: chain::ListUnspentRequest => chain::ListUnspentResponse;
    get_output: chain::GetOutputRequest => chain::GetOutputResponse;
    list_rich: chain::ListRichRequest => chain::ListRichResponse;
    get_supply: chain::GetSupplyRequest => chain::GetSupplyResponse;
}

peer! {
    /// The fluxnode lists, and the coins the rules create.
    Fluxnodes, "chain-indexer", FluxnodeServiceClient;
    find_fluxnodes: chain::FindFluxnodesRequest => chain::FindFluxnodesResponse;
    list_fluxnodes_at: chain::ListFluxnodesAtRequest => chain::ListFluxnodesAtResponse;
    list_next_payees: chain::ListNextPayeesRequest => chain::ListNextPayeesResponse;
    get_tier_statistics: chain::GetTierStatisticsRequest => chain::GetTierStatisticsResponse;
    get_network_capacity: chain::GetNetworkCapacityRequest => chain::GetNetworkCapacityResponse;
    get_emission: chain::GetEmissionRequest => chain::GetEmissionResponse;
}

peer! {
    /// Payments without a message, anchors and price messages.
    Payments, "chain-indexer", PaymentServiceClient;
    list_unmatched_payments: chain::ListUnmatchedPaymentsRequest => chain::ListUnmatchedPaymentsResponse;
    get_payment: chain::GetPaymentRequest => chain::GetPaymentResponse;
    list_anchors: chain::ListChainAnchorsRequest => chain::ListChainAnchorsResponse;
    list_price_messages: chain::ListPriceMessagesRequest => chain::ListPriceMessagesResponse;
}

peer! {
    /// Tokens on other chains.
    Evm, "chain-indexer", EvmServiceClient;
    list_assets: chain::ListAssetsRequest => chain::ListAssetsResponse;
    get_asset_status: chain::GetAssetStatusRequest => chain::GetAssetStatusResponse;
    list_transfers: chain::ListTransfersRequest => chain::ListTransfersResponse;
}

peer! {
    /// Anchors of settlement epochs.
    Validator, "validator", ValidatorServiceClient;
    get_anchor: validator::GetAnchorRequest => validator::GetAnchorResponse;
}

fn observe<T>(
    metrics: &GatewayMetrics,
    peer: &'static str,
    method: &'static str,
    started: Instant,
    answer: &Result<T, Remote>,
) {
    let outcome = match answer {
        Ok(_) => "ok",
        Err(remote) => remote.reason().code(),
    };
    let labels = PeerLabels {
        peer,
        method,
        outcome,
    };
    metrics
        .peer_seconds
        .get_or_create(&labels)
        .observe(started.elapsed().as_secs_f64());
}
