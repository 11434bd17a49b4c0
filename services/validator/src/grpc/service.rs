//! Questions of other services.

use fluxplane_core::error::Violation;
use fluxplane_platform::{db::paging::Page, error::refuse, metrics::Metrics};
use fluxplane_proto::{
    common::v1::PageInfo,
    validator::v1::{
        GetAnchorRequest, GetAnchorResponse, ListAnchorsRequest, ListAnchorsResponse,
        validator_service_server::ValidatorService,
    },
};
use tonic::{Request, Response, Status};

use super::convert::anchor_to_wire;
use crate::app::{Context, Error, queries};

#[derive(Debug, Clone)]
pub struct ValidatorGrpc {
    pub ctx: Context,
    pub metrics: Metrics,
}

impl ValidatorGrpc {
    fn answer<T>(&self, result: Result<T, Error>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|err| refuse(&self.metrics, &err))
    }

    async fn anchor(&self, request: GetAnchorRequest) -> Result<GetAnchorResponse, Error> {
        let anchor = queries::get_anchor(&self.ctx, request.epoch).await?;
        Ok(GetAnchorResponse {
            anchor: Some(anchor_to_wire(&anchor)),
        })
    }

    async fn anchors(&self, request: ListAnchorsRequest) -> Result<ListAnchorsResponse, Error> {
        let wish = request.page.unwrap_or_default();
        let page = Page::parse(wish.size, &wish.cursor)
            .map_err(|violation: Violation| Error::Invalid(vec![violation]))?;
        let (anchors, next_cursor) = queries::list_anchors(&self.ctx, &page).await?;
        Ok(ListAnchorsResponse {
            anchors: anchors.iter().map(anchor_to_wire).collect(),
            page: Some(PageInfo { next_cursor }),
        })
    }
}

#[tonic::async_trait]
impl ValidatorService for ValidatorGrpc {
    async fn get_anchor(
        &self,
        request: Request<GetAnchorRequest>,
    ) -> Result<Response<GetAnchorResponse>, Status> {
        self.answer(self.anchor(request.into_inner()).await)
    }

    async fn list_anchors(
        &self,
        request: Request<ListAnchorsRequest>,
    ) -> Result<Response<ListAnchorsResponse>, Status> {
        self.answer(self.anchors(request.into_inner()).await)
    }
}
