//! Streams the leaves of a closed epoch in pages, so that neither side holds them all.

use fluxplane_platform::error::to_status;
use fluxplane_proto::billing::v1::StreamLeavesResponse;
use futures::{Stream, stream};
use tonic::Status;

use crate::app::{Context, queries};

/// Leaves per message: at 207 bytes each, well below the 4 MiB that gRPC clients take.
const PAGE: i64 = 4_000;

/// Messages with the leaves of an epoch, in tree order.
pub(super) fn stream(
    ctx: Context,
    epoch: u64,
) -> impl Stream<Item = Result<StreamLeavesResponse, Status>> + Send {
    stream::try_unfold(0, move |first| {
        let ctx = ctx.clone();
        async move {
            let leaves = queries::leaves(&ctx, epoch, first, PAGE).await;
            let leaves = leaves.map_err(|err| to_status(&err))?;
            if leaves.is_empty() {
                return Ok(None);
            }
            let next = first + u64::try_from(leaves.len()).unwrap_or(u64::MAX);
            let message = StreamLeavesResponse {
                first_index: first,
                leaves,
            };
            Ok(Some((message, next)))
        }
    })
}
