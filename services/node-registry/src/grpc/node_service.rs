//! Questions and commands of other services.

use std::{pin::Pin, time::Duration};

use fluxplane_core::error::Violation;
use fluxplane_platform::{db::idempotency, error::refuse, metrics::Metrics};
use fluxplane_proto::{
    common::v1::PageInfo,
    node_registry::v1::{
        CreateJoinTokenRequest, CreateJoinTokenResponse, GetNodeRequest, GetNodeResponse,
        ListNodesRequest, ListNodesResponse, StreamLogsRequest, StreamLogsResponse,
        node_service_server::NodeService,
    },
};
use futures::Stream;
use tonic::{Request, Response, Status};

use super::convert;
use crate::{
    app::{
        self, Context, Error,
        create_join_token::{CreateJoinToken, TokenKey},
        queries,
    },
    session::Hub,
};

/// Most lines of the past that may be asked for.
const MAX_TAIL: u32 = 10_000;

#[derive(Debug, Clone)]
pub struct NodeGrpc {
    pub ctx: Context,
    pub token_key: TokenKey,
    pub hub: Hub,
    /// Where agents dial, and the authority they must find there.
    pub join_endpoint: String,
    pub ca_pem: String,
    pub metrics: Metrics,
}

impl NodeGrpc {
    async fn new_token(
        &self,
        mut request: CreateJoinTokenRequest,
    ) -> Result<CreateJoinTokenResponse, Error> {
        let principal = request.caller.take().unwrap_or_default().principal;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency::Request::new(&principal, &key, "CreateJoinToken", &request)
            .map_err(|violation| Error::Invalid(vec![violation]))?;
        let command = CreateJoinToken {
            operator: principal,
            collateral: convert::collateral(request.collateral)?,
            life: Duration::from_secs(request.ttl_seconds.into()),
        };
        let created = app::create_join_token::create_join_token(
            &self.ctx,
            &self.token_key,
            &idempotency,
            command,
        )
        .await?;
        Ok(CreateJoinTokenResponse {
            token: created.token,
            expires_at: Some(convert::timestamp(created.expires_at)),
            join_endpoint: self.join_endpoint.clone(),
            ca_pem: self.ca_pem.clone(),
        })
    }

    async fn node(&self, request: GetNodeRequest) -> Result<GetNodeResponse, Error> {
        let id = convert::node_id("node_id", &request.node_id)?;
        let node = queries::get_node(&self.ctx, id).await?;
        Ok(GetNodeResponse {
            node: Some(convert::node_to_wire(&node)),
        })
    }

    async fn nodes(&self, request: ListNodesRequest) -> Result<ListNodesResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = queries::page(wish.size, &wish.cursor)?;
        let state = convert::state_from_wire(request.state)?;
        let (nodes, next_cursor) =
            queries::list_nodes(&self.ctx, &request.operator, state, &page).await?;
        Ok(ListNodesResponse {
            nodes: nodes.iter().map(convert::node_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn logs(&self, request: StreamLogsRequest) -> Result<LogStream, Error> {
        let node = convert::node_id("node_id", &request.node_id)?;
        if request.tail_lines > MAX_TAIL {
            return Err(Error::Invalid(vec![Violation::new(
                "tail_lines",
                request.tail_lines,
                format!("at most {MAX_TAIL} lines of the past"),
                "ask for less",
            )]));
        }
        let request_id = self.ctx.ids.next();
        let lines = self.hub.open_logs(node, request_id, request).await?;
        Ok(Box::pin(lines))
    }
}

type LogStream = Pin<Box<dyn Stream<Item = Result<StreamLogsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl NodeService for NodeGrpc {
    async fn create_join_token(
        &self,
        request: Request<CreateJoinTokenRequest>,
    ) -> Result<Response<CreateJoinTokenResponse>, Status> {
        let result = self.new_token(request.into_inner()).await;
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn get_node(
        &self,
        request: Request<GetNodeRequest>,
    ) -> Result<Response<GetNodeResponse>, Status> {
        let result = self.node(request.into_inner()).await;
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn list_nodes(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        let result = self.nodes(request.into_inner()).await;
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    type StreamLogsStream = LogStream;

    async fn stream_logs(
        &self,
        request: Request<StreamLogsRequest>,
    ) -> Result<Response<LogStream>, Status> {
        let result = self.logs(request.into_inner()).await;
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }
}
