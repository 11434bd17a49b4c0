//! The node registry, faked.

use std::pin::Pin;

use fluxplane_proto::{
    common::v1::PageInfo,
    node_registry::v1::{
        CreateJoinTokenRequest, CreateJoinTokenResponse, GetNodeRequest, GetNodeResponse,
        ListNodesRequest, ListNodesResponse, NodeState, StreamLogsRequest, StreamLogsResponse,
        node_service_server::NodeService,
    },
};
use futures::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status};

use super::{World, data::at, not_found};

type Logs = Pin<Box<dyn Stream<Item = Result<StreamLogsResponse, Status>> + Send>>;

#[tonic::async_trait]
impl NodeService for World {
    async fn create_join_token(
        &self,
        request: Request<CreateJoinTokenRequest>,
    ) -> Result<Response<CreateJoinTokenResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "create_join_token",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        Ok(Response::new(CreateJoinTokenResponse {
            token: "fxj_secret".to_owned(),
            expires_at: at(3_600),
            join_endpoint: "https://join.example:7443".to_owned(),
            ca_pem: "PEM".to_owned(),
        }))
    }

    async fn get_node(
        &self,
        request: Request<GetNodeRequest>,
    ) -> Result<Response<GetNodeResponse>, Status> {
        let id = request.get_ref().node_id.clone();
        self.enter("get_node", &request, None, "")?;
        let node = self
            .state()
            .nodes
            .iter()
            .find(|node| node.node_id == id)
            .cloned();
        let node = node.ok_or_else(|| not_found(&format!("node {id}")))?;
        Ok(Response::new(GetNodeResponse { node: Some(node) }))
    }

    async fn list_nodes(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        self.enter("list_nodes", &request, None, "")?;
        let wanted = request.get_ref().state();
        let mut nodes = self.state().nodes.clone();
        nodes.retain(|node| wanted == NodeState::Unspecified || node.state() == wanted);
        let page = Some(PageInfo {
            next_cursor: String::new(),
        });
        Ok(Response::new(ListNodesResponse { nodes, page }))
    }

    type StreamLogsStream = Logs;

    async fn stream_logs(
        &self,
        request: Request<StreamLogsRequest>,
    ) -> Result<Response<Logs>, Status> {
        self.enter("stream_logs", &request, None, "")?;
        let chunks = self.state().logs.clone();
        let follow = request.get_ref().follow;
        let logs = stream::iter(chunks);
        let logs = if follow {
            logs.chain(stream::pending()).boxed()
        } else {
            logs.boxed()
        };
        Ok(Response::new(logs))
    }
}
