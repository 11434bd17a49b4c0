//! Asks the scheduler where an application could run, and to keep its name and room.

use chrono::{DateTime, Utc};
use fluxplane_platform::{
    error::Remote,
    grpc::{Client, client::retry},
};
use fluxplane_proto::{
    common::v1::Caller,
    scheduler::v1::{
        PreviewPlacementRequest, ReserveRequest, app_service_client::AppServiceClient,
    },
};
use prost_types::Timestamp;

use crate::{
    domain::quote::{ReservedRoom, WhatIf},
    grpc::convert::timestamp,
};

/// Asks the scheduler.
#[derive(Debug, Clone)]
pub struct Scheduler(AppServiceClient<Client>);

impl Scheduler {
    pub fn new(client: Client) -> Self {
        Self(AppServiceClient::new(client))
    }

    /// What placement would do with a specification now.
    pub async fn preview(&self, owner: &str, spec_json: &str) -> Result<WhatIf, Remote> {
        let request = PreviewPlacementRequest {
            caller: Some(caller(owner)),
            spec_json: spec_json.to_owned(),
        };
        let answer = retry(|| {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.preview_placement(request).await }
        });
        let preview = answer.await.map_err(Remote::from)?.into_inner();
        Ok(WhatIf {
            nodes_matching: preview.nodes_matching,
            nodes_known: preview.nodes_known,
            instances_placeable: preview.instances_placeable,
            pending_reason: preview.pending_reason,
            expected_start_s: preview.expected_start_seconds,
            starts_measured: preview.starts_measured,
            reserved: None,
        })
    }

    /// Keeps name and room for an owner. `None`: a living application of the owner has the name.
    pub async fn reserve(
        &self,
        owner: &str,
        spec_json: &str,
        until: DateTime<Utc>,
    ) -> Result<Option<Reservation>, Remote> {
        let request = ReserveRequest {
            caller: Some(caller(owner)),
            spec_json: spec_json.to_owned(),
            until: Some(timestamp(until)),
        };
        let answer = retry(|| {
            let (mut client, request) = (self.0.clone(), request.clone());
            async move { client.reserve(request).await }
        });
        let answer = answer.await.map_err(Remote::from)?.into_inner();
        Ok(answer
            .name_until
            .and_then(read)
            .map(|name_until| Reservation {
                name_until,
                room: ReservedRoom {
                    instances: answer.instances_reserved,
                    shortage: answer.shortage,
                },
            }))
    }
}

/// What the scheduler keeps.
#[derive(Debug)]
pub struct Reservation {
    pub name_until: DateTime<Utc>,
    pub room: ReservedRoom,
}

fn caller(owner: &str) -> Caller {
    Caller {
        principal: owner.to_owned(),
        request_id: String::new(),
    }
}

fn read(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}
