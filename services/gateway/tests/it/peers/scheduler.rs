//! The scheduler, faked.

use std::pin::Pin;

use fluxplane_app_spec::{
    json::{Limits, parse},
    legacy::LegacySpec,
    message::{message_hash, signed_text},
};
use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_proto::{
    common::v1::{Caller, PageInfo, PageRequest},
    scheduler::v1::{
        App, AppState, CancelAppRequest, CancelAppResponse, GetAppRequest, GetAppResponse,
        GetDecisionRequest, GetDecisionResponse, ListAppsRequest, ListAppsResponse,
        ListInstancesRequest, ListInstancesResponse, ListPublishedInstancesRequest,
        ListPublishedInstancesResponse, ListPublishedMessagesRequest,
        ListPublishedMessagesResponse, MessageStanding, PreviewPlacementRequest,
        PreviewPlacementResponse, ReserveRequest, ReserveResponse, SignedSpec, SubmitAppRequest,
        SubmitAppResponse, TimelineEntry, UpdateAppRequest, UpdateAppResponse,
        WatchTimelineRequest, app_service_server::AppService,
    },
};
use futures::{Stream, StreamExt as _, stream};
use tonic::{Request, Response, Status};

use super::{World, app, data::revision, not_found, refusal};

impl World {
    fn own_app(&self, caller: Option<&Caller>, name: &str) -> Result<App, Status> {
        let owner = caller
            .map(|caller| caller.principal.as_str())
            .unwrap_or_default();
        let state = self.state();
        let found = state
            .apps
            .iter()
            .find(|app| app.name == name && app.owner == owner);
        found
            .cloned()
            .ok_or_else(|| not_found(&format!("application {name}")))
    }
}

/// The hash of a message with a whole specification; those of most tests have none.
fn hash_of(signed: Option<&SignedSpec>) -> Option<String> {
    let signed = signed?;
    let kind = signed.r#type.parse().ok()?;
    let document = parse(signed.spec_json.as_bytes(), Limits::default()).ok()?;
    let spec = LegacySpec::from_value(document.value).ok()?;
    spec.components().first()?;
    let text = signed_text(kind, 1, &spec.canonical(), signed.timestamp_ms);
    Some(message_hash(&text, &signed.signature))
}

fn at_version(app: &App, expected: u64) -> Result<(), Status> {
    if app.version == expected {
        return Ok(());
    }
    let text = format!(
        "application {} has version {}, not {expected}",
        app.name, app.version
    );
    Err(refusal(
        ErrorKind::Stale,
        Reason::StaleVersion,
        &text,
        Vec::new(),
    ))
}

type Entries = Pin<Box<dyn Stream<Item = Result<TimelineEntry, Status>> + Send>>;

#[tonic::async_trait]
impl AppService for World {
    async fn submit_app(
        &self,
        request: Request<SubmitAppRequest>,
    ) -> Result<Response<SubmitAppResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "submit_app",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        self.held.subscribe().wait_for(|held| !held).await.unwrap();
        let owner = inner.caller.clone().unwrap_or_default().principal;
        let mut app = app(&owner, "demo");
        if let (Some(hash), Some(current)) = (hash_of(inner.signed_spec.as_ref()), &mut app.current)
        {
            current.message_hash = hash;
        }
        self.state().apps.push(app.clone());
        Ok(Response::new(SubmitAppResponse { app: Some(app) }))
    }

    async fn update_app(
        &self,
        request: Request<UpdateAppRequest>,
    ) -> Result<Response<UpdateAppResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "update_app",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        let mut app = self.own_app(inner.caller.as_ref(), &inner.name)?;
        at_version(&app, inner.expected_version)?;
        app.version += 1;
        let mut pending = revision(2);
        if let Some(hash) = hash_of(inner.signed_spec.as_ref()) {
            pending.message_hash = hash;
        }
        app.pending = Some(pending);
        Ok(Response::new(UpdateAppResponse { app: Some(app) }))
    }

    async fn cancel_app(
        &self,
        request: Request<CancelAppRequest>,
    ) -> Result<Response<CancelAppResponse>, Status> {
        let inner = request.get_ref();
        self.enter(
            "cancel_app",
            &request,
            inner.caller.as_ref(),
            &inner.idempotency_key,
        )?;
        let mut app = self.own_app(inner.caller.as_ref(), &inner.name)?;
        at_version(&app, inner.expected_version)?;
        app.version += 1;
        app.state = AppState::Cancelled.into();
        Ok(Response::new(CancelAppResponse { app: Some(app) }))
    }

    async fn get_app(
        &self,
        request: Request<GetAppRequest>,
    ) -> Result<Response<GetAppResponse>, Status> {
        let inner = request.get_ref();
        self.enter("get_app", &request, inner.caller.as_ref(), "")?;
        let app = self.own_app(inner.caller.as_ref(), &inner.name)?;
        Ok(Response::new(GetAppResponse { app: Some(app) }))
    }

    async fn list_apps(
        &self,
        request: Request<ListAppsRequest>,
    ) -> Result<Response<ListAppsResponse>, Status> {
        let inner = request.get_ref();
        self.enter("list_apps", &request, inner.caller.as_ref(), "")?;
        let owner = inner.caller.clone().unwrap_or_default().principal;
        let page = inner.page.clone().unwrap_or_default();
        let skip: usize = page.cursor.parse().unwrap_or(0);
        let size = usize::try_from(page.size).unwrap();
        let own: Vec<App> = self
            .state()
            .apps
            .iter()
            .filter(|app| app.owner == owner)
            .cloned()
            .collect();
        let apps: Vec<App> = own.iter().skip(skip).take(size).cloned().collect();
        let next = if skip + size < own.len() {
            (skip + size).to_string()
        } else {
            String::new()
        };
        Ok(Response::new(ListAppsResponse {
            apps,
            page: Some(PageInfo { next_cursor: next }),
        }))
    }

    async fn list_instances(
        &self,
        request: Request<ListInstancesRequest>,
    ) -> Result<Response<ListInstancesResponse>, Status> {
        let inner = request.get_ref();
        self.enter("list_instances", &request, inner.caller.as_ref(), "")?;
        self.own_app(inner.caller.as_ref(), &inner.name)?;
        let instances = self.state().instances.clone();
        Ok(Response::new(ListInstancesResponse { instances }))
    }

    type WatchTimelineStream = Entries;

    async fn watch_timeline(
        &self,
        request: Request<WatchTimelineRequest>,
    ) -> Result<Response<Entries>, Status> {
        let inner = request.get_ref();
        self.enter("watch_timeline", &request, inner.caller.as_ref(), "")?;
        self.own_app(inner.caller.as_ref(), &inner.name)?;
        let (after, follow) = (inner.after_sequence, !inner.no_follow);
        let state = (self.clone(), self.grown.subscribe(), after);
        let entries = stream::unfold(state, move |(world, mut grown, after)| async move {
            loop {
                grown.borrow_and_update();
                let next = world
                    .state()
                    .timeline
                    .iter()
                    .find(|entry| entry.sequence > after)
                    .cloned();
                if let Some(entry) = next {
                    let after = entry.sequence;
                    let broken = entry.stage == "broken";
                    let item = if broken {
                        Err(Status::internal("broken"))
                    } else {
                        Ok(entry)
                    };
                    return Some((item, (world, grown, after)));
                }
                if !follow {
                    return None;
                }
                grown.changed().await.ok()?;
            }
        });
        Ok(Response::new(entries.boxed()))
    }

    async fn preview_placement(
        &self,
        _: Request<PreviewPlacementRequest>,
    ) -> Result<Response<PreviewPlacementResponse>, Status> {
        Err(Status::unimplemented("the gateway does not ask"))
    }

    async fn reserve(
        &self,
        _: Request<ReserveRequest>,
    ) -> Result<Response<ReserveResponse>, Status> {
        Err(Status::unimplemented("the gateway does not ask"))
    }

    async fn get_decision(
        &self,
        request: Request<GetDecisionRequest>,
    ) -> Result<Response<GetDecisionResponse>, Status> {
        let inner = request.get_ref();
        self.enter("get_decision", &request, inner.caller.as_ref(), "")?;
        Ok(Response::new(GetDecisionResponse {
            record_json: r#"{"seed":7,"filters":{"cpu":3}}"#.to_owned(),
            explanation: "3 nodes lack cpu; node 40 has the most room".to_owned(),
        }))
    }

    async fn list_published_messages(
        &self,
        request: Request<ListPublishedMessagesRequest>,
    ) -> Result<Response<ListPublishedMessagesResponse>, Status> {
        let inner = request.get_ref();
        self.enter("list_published_messages", &request, None, "")?;
        let matches = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        let mut messages = self.state().messages.clone();
        messages.retain(|message| {
            let paid = message.funded_at.is_some();
            let standing = match inner.standing() {
                MessageStanding::Unspecified => true,
                MessageStanding::Waiting => !paid,
                MessageStanding::Paid => paid,
                MessageStanding::Current => paid && message.app_state() == AppState::Running,
            };
            standing
                && matches(&inner.message_hash, &message.message_hash)
                && matches(&inner.owner, &message.owner)
                && matches(&inner.name.to_lowercase(), &message.app_name.to_lowercase())
        });
        let (messages, page) = one_page(messages, inner.page.as_ref());
        Ok(Response::new(ListPublishedMessagesResponse {
            messages,
            page,
        }))
    }

    async fn list_published_instances(
        &self,
        request: Request<ListPublishedInstancesRequest>,
    ) -> Result<Response<ListPublishedInstancesResponse>, Status> {
        let inner = request.get_ref();
        self.enter("list_published_instances", &request, None, "")?;
        let name = inner.name.to_lowercase();
        let mut instances = self.state().locations.clone();
        instances.retain(|location| name.is_empty() || location.app_name.to_lowercase() == name);
        let (instances, page) = one_page(instances, inner.page.as_ref());
        Ok(Response::new(ListPublishedInstancesResponse {
            instances,
            page,
        }))
    }
}

/// Two entries at a time, so that whoever wants all must follow the cursor.
fn one_page<T>(all: Vec<T>, page: Option<&PageRequest>) -> (Vec<T>, Option<PageInfo>) {
    const SIZE: usize = 2;
    let from: usize = page.map_or(0, |page| page.cursor.parse().unwrap_or(0));
    let next = if from + SIZE < all.len() {
        (from + SIZE).to_string()
    } else {
        String::new()
    };
    let items = all.into_iter().skip(from).take(SIZE).collect();
    (items, Some(PageInfo { next_cursor: next }))
}
