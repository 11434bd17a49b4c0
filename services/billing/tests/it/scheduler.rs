//! The scheduler as billing asks it: foresees what it is told to, and keeps names.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex},
};

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::{
    error::{ServiceError, to_status},
    grpc::{Policy, Server, server, server::Allow},
    metrics::Metrics,
    tls::Credentials,
};
use fluxplane_proto::scheduler::v1::{
    CancelAppRequest, CancelAppResponse, GetAppRequest, GetAppResponse, GetDecisionRequest,
    GetDecisionResponse, ListAppsRequest, ListAppsResponse, ListInstancesRequest,
    ListInstancesResponse, ListPublishedInstancesRequest, ListPublishedInstancesResponse,
    ListPublishedMessagesRequest, ListPublishedMessagesResponse, PreviewPlacementRequest,
    PreviewPlacementResponse, ReserveRequest, ReserveResponse, SubmitAppRequest, SubmitAppResponse,
    TimelineEntry, UpdateAppRequest, UpdateAppResponse, WatchTimelineRequest,
    app_service_server::{AppService, AppServiceServer},
};
use futures::Stream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};

/// Only billing asks here.
const POLICY: Policy = Policy {
    rules: &[("/fluxplane.", Allow::Services(&["billing"]))],
};

/// What the scheduler says. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Scheduler {
    pub(crate) endpoint: String,
    state: Arc<Mutex<State>>,
    serving: Arc<Mutex<JoinSet<()>>>,
}

#[derive(Default)]
struct State {
    preview: PreviewPlacementResponse,
    /// Owners of names, and how often each was kept.
    names: HashMap<String, (String, u32)>,
    previews: u32,
}

impl Scheduler {
    pub(crate) async fn serve(credentials: &Credentials) -> Self {
        let listener = server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let scheduler = Self {
            endpoint: format!("https://{}", listener.local_addr().unwrap()),
            ..Self::default()
        };
        scheduler.foresees(PreviewPlacementResponse {
            nodes_matching: 7,
            nodes_known: 9,
            instances_wanted: 3,
            instances_placeable: 3,
            pending_reason: String::new(),
            expected_start_seconds: Some(12),
            starts_measured: 200,
        });
        let server = Server {
            listener,
            tls: credentials.server(),
            policy: POLICY,
            metrics: Metrics::new("scheduler", "0"),
        };
        let routes = Routes::new(AppServiceServer::new(scheduler.clone()));
        let serving = async move {
            let end = CancellationToken::new();
            server.serve(routes, end).await.unwrap();
        };
        scheduler.serving.lock().unwrap().spawn(serving);
        scheduler
    }

    pub(crate) fn foresees(&self, preview: PreviewPlacementResponse) {
        self.state.lock().unwrap().preview = preview;
    }

    /// How often it was asked for a preview, and to keep a name.
    pub(crate) fn asked(&self, name: &str) -> (u32, u32) {
        let state = self.state.lock().unwrap();
        let kept = state.names.get(name).map_or(0, |(_, times)| *times);
        (state.previews, kept)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the name `{0}` is reserved by another owner's quote")]
struct Taken(String);

impl ServiceError for Taken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::AlreadyExists
    }

    fn reason(&self) -> Reason {
        Reason::NameTaken
    }

    fn violations(&self) -> Vec<Violation> {
        vec![Violation::new("spec.name", &self.0, "it is kept", "wait")]
    }
}

fn never<T>() -> Result<T, Status> {
    Err(Status::unimplemented("billing does not ask"))
}

#[tonic::async_trait]
impl AppService for Scheduler {
    async fn list_published_messages(
        &self,
        _: Request<ListPublishedMessagesRequest>,
    ) -> Result<Response<ListPublishedMessagesResponse>, Status> {
        never()
    }

    async fn list_published_instances(
        &self,
        _: Request<ListPublishedInstancesRequest>,
    ) -> Result<Response<ListPublishedInstancesResponse>, Status> {
        never()
    }

    async fn preview_placement(
        &self,
        _: Request<PreviewPlacementRequest>,
    ) -> Result<Response<PreviewPlacementResponse>, Status> {
        let mut state = self.state.lock().unwrap();
        state.previews += 1;
        Ok(Response::new(state.preview.clone()))
    }

    async fn reserve(
        &self,
        request: Request<ReserveRequest>,
    ) -> Result<Response<ReserveResponse>, Status> {
        let ReserveRequest {
            caller,
            spec_json,
            until,
        } = request.into_inner();
        let spec: serde_json::Value = serde_json::from_str(&spec_json).unwrap();
        let name = spec["name"].as_str().unwrap().to_owned();
        let owner = caller.unwrap().principal;
        let mut state = self.state.lock().unwrap();
        let kept = state
            .names
            .entry(name.clone())
            .or_insert((owner.clone(), 0));
        if kept.0 != owner {
            return Err(to_status(&Taken(name)));
        }
        kept.1 += 1;
        Ok(Response::new(ReserveResponse {
            name_until: until,
            instances_reserved: 2,
            shortage: "1 copy waits".to_owned(),
        }))
    }

    async fn submit_app(
        &self,
        _: Request<SubmitAppRequest>,
    ) -> Result<Response<SubmitAppResponse>, Status> {
        never()
    }

    async fn update_app(
        &self,
        _: Request<UpdateAppRequest>,
    ) -> Result<Response<UpdateAppResponse>, Status> {
        never()
    }

    async fn cancel_app(
        &self,
        _: Request<CancelAppRequest>,
    ) -> Result<Response<CancelAppResponse>, Status> {
        never()
    }

    async fn get_app(&self, _: Request<GetAppRequest>) -> Result<Response<GetAppResponse>, Status> {
        never()
    }

    async fn list_apps(
        &self,
        _: Request<ListAppsRequest>,
    ) -> Result<Response<ListAppsResponse>, Status> {
        never()
    }

    async fn list_instances(
        &self,
        _: Request<ListInstancesRequest>,
    ) -> Result<Response<ListInstancesResponse>, Status> {
        never()
    }

    type WatchTimelineStream = Pin<Box<dyn Stream<Item = Result<TimelineEntry, Status>> + Send>>;

    async fn watch_timeline(
        &self,
        _: Request<WatchTimelineRequest>,
    ) -> Result<Response<Self::WatchTimelineStream>, Status> {
        never()
    }

    async fn get_decision(
        &self,
        _: Request<GetDecisionRequest>,
    ) -> Result<Response<GetDecisionResponse>, Status> {
        never()
    }
}
