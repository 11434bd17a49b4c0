//! Announcements of transfers, appended to the outbox in the transaction of the change.

use fluxplane_core::IdSource;
use fluxplane_platform::db::outbox::{self, NewEvent};
use fluxplane_proto::{
    Event,
    chain_indexer::v1::{TransferFinal, TransferReorganised, TransferSeen},
};
use sqlx::PgConnection;

use super::{
    app::{Happened, Lead},
    domain::Change,
    grpc::convert,
};
use crate::db::chain::next_sequences;

/// Announces what happened, in its order, but for what is older than the asset's announcements.
pub async fn announce(
    conn: &mut PgConnection,
    lead: &Lead,
    happened: &[Happened],
) -> sqlx::Result<()> {
    let from = lead.token.announce_from;
    let news: Vec<&Happened> = happened
        .iter()
        .filter(|news| news.transfer.block.height >= from)
        .collect();
    if news.is_empty() {
        return Ok(());
    }
    let numbers = next_sequences(conn, news.len()).await?;
    let ids = &*lead.ctx.ids;
    let events: Vec<NewEvent> = news
        .into_iter()
        .zip(numbers)
        .map(|(news, sequence)| encode(lead, news, sequence, ids))
        .collect();
    outbox::append_all(conn, &events).await
}

fn encode(lead: &Lead, news: &Happened, sequence: u64, ids: &dyn IdSource) -> NewEvent {
    let transfer = Some(convert::happened_to_wire(&lead.token, news));
    match news.change {
        Change::Seen => new(ids, &TransferSeen { transfer, sequence }),
        Change::Final => new(ids, &TransferFinal { transfer, sequence }),
        Change::Reorganised => new(ids, &TransferReorganised { transfer, sequence }),
    }
}

fn new<E: Event>(ids: &dyn IdSource, event: &E) -> NewEvent {
    NewEvent::new(ids.next(), E::SUBJECT, event)
}
