//! `GET /v1/epochs/{number}/leaves`

use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use fluxplane_platform::error::Remote;
use fluxplane_proto::billing::v1::{StreamLeavesRequest, StreamLeavesResponse};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::EpochPath;
use crate::rest::{
    Failure, Gateway,
    extract::{ClientIp, PathParams},
    sse::OpenStream,
};

/// Media type of one JSON document a line.
const NDJSON: &str = "application/x-ndjson";

/// Longest time one download may take.
const DOWNLOAD_LIMIT: Duration = Duration::from_mins(15);

/// One line of the download.
#[derive(Debug, Serialize, ToSchema)]
pub struct Leaf {
    #[schema(example = 0)]
    pub index: u64,
    /// The leaf's canonical bytes, lower-case hex.
    pub leaf: String,
}

/// Download the leaves of a closed epoch
///
/// One JSON document a line, in tree order. A download that breaks off was not complete; compare with `leaf_count`.
#[utoipa::path(
    get,
    path = "/v1/epochs/{number}/leaves",
    tag = "settlement",
    params(EpochPath),
    responses((
        status = 200, description = "Leaves, one a line",
        body = Leaf, content_type = "application/x-ndjson",
    )),
)]
pub async fn stream_leaves(
    State(gateway): State<Gateway>,
    ClientIp(ip): ClientIp,
    PathParams(path): PathParams<EpochPath>,
) -> Result<Response, Failure> {
    let open = OpenStream::open(&gateway, &ip.to_string(), "leaves")?;
    let request = StreamLeavesRequest { epoch: path.number };
    let batches = gateway.peers.billing.stream_leaves(request).await?;
    let (stop, deadline) = (gateway.stop.clone(), Instant::now() + DOWNLOAD_LIMIT);
    let state = Some((batches, open));
    // An error here breaks the connection off, so that nobody takes a part for the whole.
    let lines = stream::unfold(state, move |state| {
        let stop = stop.clone();
        async move {
            let (mut batches, open) = state?;
            let batch = tokio::select! {
                biased;
                () = stop.cancelled() => Err("the gateway stops".to_owned()),
                () = tokio::time::sleep_until(deadline) => Err("the download took too long".to_owned()),
                batch = batches.next() => {
                    batch?.map_err(|status| Remote::from(status).to_string())
                }
            };
            match batch {
                Ok(batch) => Some((Ok(write(&batch)), Some((batches, open)))),
                Err(reason) => {
                    tracing::warn!(reason, "broke a download of leaves off");
                    Some((Err(std::io::Error::other(reason)), None))
                }
            }
        }
    });
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(NDJSON))];
    Ok((headers, Body::from_stream(lines)).into_response())
}

fn write(batch: &StreamLeavesResponse) -> Bytes {
    let mut text = Vec::new();
    for (index, leaf) in (batch.first_index..).zip(&batch.leaves) {
        let leaf = Leaf {
            index,
            leaf: hex::encode(leaf),
        };
        serde_json::to_writer(&mut text, &leaf).expect("a number and a text have a JSON form");
        text.push(b'\n');
    }
    text.into()
}
