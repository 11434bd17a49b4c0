//! Intent, instances, timelines and decisions, for the owners of applications.

use std::pin::Pin;

use fluxplane_core::error::Violation;
use fluxplane_platform::{
    db::{idempotency, paging::Page},
    error::refuse,
    metrics::Metrics,
    reconciler::Nudge,
};
use fluxplane_proto::{
    common::v1::PageInfo,
    scheduler::v1::{
        CancelAppRequest, CancelAppResponse, GetAppRequest, GetAppResponse, GetDecisionRequest,
        GetDecisionResponse, ListAppsRequest, ListAppsResponse, ListInstancesRequest,
        ListInstancesResponse, ListPublishedInstancesRequest, ListPublishedInstancesResponse,
        ListPublishedMessagesRequest, ListPublishedMessagesResponse, PreviewPlacementRequest,
        PreviewPlacementResponse, ReserveRequest, ReserveResponse, SubmitAppRequest,
        SubmitAppResponse, TimelineEntry, UpdateAppRequest, UpdateAppResponse,
        WatchTimelineRequest, app_service_server::AppService,
    },
};
use futures::Stream;
use prost::Message;
use tonic::{Request, Response, Status};

use super::{Watchers, convert};
use crate::{
    app::{
        Context, Error,
        cancel_app::{CancelApp, cancel_app},
        known_fleet::KnownFleet,
        preview::Previews,
        queries,
        reserve::{Reserve, reserve},
        submit_app::{SubmitApp, submit_app},
        update_app::{UpdateApp, update_app},
    },
    domain::Refusal,
};

#[derive(Debug, Clone)]
pub struct AppGrpc {
    pub ctx: Context,
    pub previews: Previews,
    pub fleet: KnownFleet,
    pub watchers: Watchers,
    pub nudge: Nudge,
    pub metrics: Metrics,
}

impl AppGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn submit(&self, mut request: SubmitAppRequest) -> Result<SubmitAppResponse, Error> {
        let principal = convert::principal(request.caller.take())?;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency_request(&principal, &key, "SubmitApp", &request)?;
        let command = SubmitApp {
            principal,
            signed: convert::signed_spec(request.signed_spec)?,
            quote_id: convert::quote_id(request.quote_id)?,
            funding: convert::funding(request.funding)?,
            published: request.published,
        };
        let details = submit_app(&self.ctx, &idempotency, command).await?;
        Ok(SubmitAppResponse {
            app: Some(convert::app_to_wire(&details)),
        })
    }

    async fn update(&self, mut request: UpdateAppRequest) -> Result<UpdateAppResponse, Error> {
        let principal = convert::principal(request.caller.take())?;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency_request(&principal, &key, "UpdateApp", &request)?;
        let command = UpdateApp {
            principal,
            name: convert::name(request.name)?,
            expected_version: request.expected_version,
            signed: convert::signed_spec(request.signed_spec)?,
            quote_id: convert::quote_id(request.quote_id)?,
            funding: convert::funding(request.funding)?,
        };
        let details = update_app(&self.ctx, &idempotency, command).await?;
        Ok(UpdateAppResponse {
            app: Some(convert::app_to_wire(&details)),
        })
    }

    async fn cancel(&self, mut request: CancelAppRequest) -> Result<CancelAppResponse, Error> {
        let principal = convert::principal(request.caller.take())?;
        let key = std::mem::take(&mut request.idempotency_key);
        let idempotency = idempotency_request(&principal, &key, "CancelApp", &request)?;
        let command = CancelApp {
            principal,
            name: convert::name(request.name)?,
            expected_version: request.expected_version,
        };
        let details = cancel_app(&self.ctx, &idempotency, command).await?;
        self.nudge.nudge();
        Ok(CancelAppResponse {
            app: Some(convert::app_to_wire(&details)),
        })
    }

    async fn get(&self, request: GetAppRequest) -> Result<GetAppResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let name = convert::name(request.name)?;
        let details = queries::get_app(&self.ctx, &principal, &name).await?;
        Ok(GetAppResponse {
            app: Some(convert::app_to_wire(&details)),
        })
    }

    async fn list(&self, request: ListAppsRequest) -> Result<ListAppsResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let wish = request.page.unwrap_or_default();
        let page = Page::parse(wish.size, &wish.cursor).map_err(Refusal::invalid)?;
        let (apps, next_cursor) = queries::list_apps(&self.ctx, &principal, &page).await?;
        Ok(ListAppsResponse {
            apps: apps.iter().map(convert::app_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn instances(
        &self,
        request: ListInstancesRequest,
    ) -> Result<ListInstancesResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let name = convert::name(request.name)?;
        let ended = request.include_ended;
        let instances = queries::list_instances(&self.ctx, &principal, &name, ended).await?;
        Ok(ListInstancesResponse {
            instances: instances.iter().map(convert::instance_to_wire).collect(),
        })
    }

    async fn watch(&self, request: WatchTimelineRequest) -> Result<Timeline, Error> {
        let principal = convert::principal(request.caller)?;
        let name = convert::name(request.name)?;
        let app = queries::watched(&self.ctx, &principal, &name).await?;
        let (after, follow) = (request.after_sequence, !request.no_follow);
        let entries = self.watchers.watch(self.ctx.clone(), app, after, follow);
        Ok(Box::pin(entries))
    }

    async fn decision(&self, request: GetDecisionRequest) -> Result<GetDecisionResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let instance = convert::instance_id(&request.instance_id)?;
        let explained = queries::get_decision(&self.ctx, &principal, instance).await?;
        Ok(GetDecisionResponse {
            record_json: explained.record_json,
            explanation: explained.explanation,
        })
    }

    async fn preview(
        &self,
        request: PreviewPlacementRequest,
    ) -> Result<PreviewPlacementResponse, Error> {
        let principal = convert::principal(request.caller)?;
        let previews = &self.previews;
        let preview = previews
            .preview(&self.ctx, &principal, &request.spec_json)
            .await?;
        Ok(convert::preview_to_wire(preview))
    }

    async fn keep(&self, request: ReserveRequest) -> Result<ReserveResponse, Error> {
        let command = Reserve {
            owner: convert::principal(request.caller)?,
            spec_json: request.spec_json,
            until: convert::time("until", request.until)?,
        };
        let reserved = reserve(&self.ctx, &self.fleet, &command).await?;
        Ok(ReserveResponse {
            name_until: reserved.name_until.map(convert::timestamp),
            instances_reserved: reserved.copies,
            shortage: reserved.shortage,
        })
    }
}

impl AppGrpc {
    async fn published_messages(
        &self,
        request: ListPublishedMessagesRequest,
    ) -> Result<ListPublishedMessagesResponse, Error> {
        let wish = request.page.clone().unwrap_or_default();
        let page = Page::parse(wish.size, &wish.cursor).map_err(Refusal::invalid)?;
        let wanted = convert::wanted(request)?;
        let (messages, next_cursor) =
            queries::list_published_messages(&self.ctx, &wanted, &page).await?;
        let messages = messages.into_iter().map(convert::message_to_wire);
        Ok(ListPublishedMessagesResponse {
            messages: messages.collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }

    async fn published_instances(
        &self,
        request: ListPublishedInstancesRequest,
    ) -> Result<ListPublishedInstancesResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = Page::parse(wish.size, &wish.cursor).map_err(Refusal::invalid)?;
        let (locations, next_cursor) =
            queries::list_published_instances(&self.ctx, &request.name, &page).await?;
        let instances = locations.into_iter().map(convert::location_to_wire);
        Ok(ListPublishedInstancesResponse {
            instances: instances.collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }
}

/// `message` is the request without caller and key, which may differ between repetitions.
fn idempotency_request(
    principal: &str,
    key: &str,
    method: &str,
    message: &impl Message,
) -> Result<idempotency::Request, Refusal> {
    idempotency::Request::new(principal, key, method, message)
        .map_err(|violation: Violation| Refusal::invalid(violation))
}

type Timeline = Pin<Box<dyn Stream<Item = Result<TimelineEntry, Status>> + Send>>;

#[tonic::async_trait]
impl AppService for AppGrpc {
    async fn submit_app(
        &self,
        request: Request<SubmitAppRequest>,
    ) -> Result<Response<SubmitAppResponse>, Status> {
        self.answer(self.submit(request.into_inner()).await)
    }

    async fn update_app(
        &self,
        request: Request<UpdateAppRequest>,
    ) -> Result<Response<UpdateAppResponse>, Status> {
        self.answer(self.update(request.into_inner()).await)
    }

    async fn cancel_app(
        &self,
        request: Request<CancelAppRequest>,
    ) -> Result<Response<CancelAppResponse>, Status> {
        self.answer(self.cancel(request.into_inner()).await)
    }

    async fn get_app(
        &self,
        request: Request<GetAppRequest>,
    ) -> Result<Response<GetAppResponse>, Status> {
        self.answer(self.get(request.into_inner()).await)
    }

    async fn list_apps(
        &self,
        request: Request<ListAppsRequest>,
    ) -> Result<Response<ListAppsResponse>, Status> {
        self.answer(self.list(request.into_inner()).await)
    }

    async fn list_instances(
        &self,
        request: Request<ListInstancesRequest>,
    ) -> Result<Response<ListInstancesResponse>, Status> {
        self.answer(self.instances(request.into_inner()).await)
    }

    type WatchTimelineStream = Timeline;

    async fn watch_timeline(
        &self,
        request: Request<WatchTimelineRequest>,
    ) -> Result<Response<Timeline>, Status> {
        self.answer(self.watch(request.into_inner()).await)
    }

    async fn get_decision(
        &self,
        request: Request<GetDecisionRequest>,
    ) -> Result<Response<GetDecisionResponse>, Status> {
        self.answer(self.decision(request.into_inner()).await)
    }

    async fn preview_placement(
        &self,
        request: Request<PreviewPlacementRequest>,
    ) -> Result<Response<PreviewPlacementResponse>, Status> {
        self.answer(self.preview(request.into_inner()).await)
    }

    async fn reserve(
        &self,
        request: Request<ReserveRequest>,
    ) -> Result<Response<ReserveResponse>, Status> {
        self.answer(self.keep(request.into_inner()).await)
    }

    async fn list_published_messages(
        &self,
        request: Request<ListPublishedMessagesRequest>,
    ) -> Result<Response<ListPublishedMessagesResponse>, Status> {
        self.answer(self.published_messages(request.into_inner()).await)
    }

    async fn list_published_instances(
        &self,
        request: Request<ListPublishedInstancesRequest>,
    ) -> Result<Response<ListPublishedInstancesResponse>, Status> {
        self.answer(self.published_instances(request.into_inner()).await)
    }
}
