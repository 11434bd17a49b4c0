//! Announcements of the validator, appended to the outbox in the caller's transaction.

use fluxplane_platform::db::outbox::{self, NewEvent};
use fluxplane_proto::{Event, validator::v1::AnchorChanged};
use sqlx::PgConnection;

use crate::{
    app::Context,
    domain::anchor::{Anchor, AnchorState},
    grpc::convert::anchor_to_wire,
};

/// Tells where an anchor stands, once there is something to tell.
pub async fn anchor_changed(
    conn: &mut PgConnection,
    ctx: &Context,
    anchor: &Anchor,
) -> sqlx::Result<()> {
    match anchor.state {
        AnchorState::Announced | AnchorState::Verified => return Ok(()),
        AnchorState::Refused
        | AnchorState::Signed
        | AnchorState::Broadcast
        | AnchorState::Confirmed
        | AnchorState::Final => {}
    }
    let event = AnchorChanged {
        anchor: Some(anchor_to_wire(anchor)),
    };
    let event = NewEvent::new(ctx.ids.next(), AnchorChanged::SUBJECT, &event);
    outbox::append(conn, &event).await
}
