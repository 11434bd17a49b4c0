//! What everybody may read: messages of applications that were registered here, and where they run.
//!
//! FluxOS publishes every application. This plane publishes those whose owners registered them on this surface; what was
//! registered over `/v1` stays its owner's matter.

use fluxplane_proto::{
    common::v1::{PageInfo, PageRequest},
    scheduler::v1::{
        AppState, ListPublishedInstancesRequest, ListPublishedMessagesRequest, MessageStanding,
        PublishedInstance, PublishedMessage,
    },
};

use crate::rest::{Gateway, fluxos::envelope::Refused};

/// Entries asked for at a time.
const PAGE: u32 = 200;

/// Most entries in one answer. FluxOS has no pages, and an answer that leaves something out would be taken for all there is.
const MAX_ENTRIES: usize = 20_000;

/// Which messages are wanted; an empty text stands for any.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub standing: MessageStanding,
    pub message_hash: String,
    pub owner: String,
    pub name: String,
}

/// All messages that are wanted, oldest first.
pub(super) async fn messages(
    gateway: &Gateway,
    wanted: &Wanted,
) -> Result<Vec<PublishedMessage>, Refused> {
    let mut all = Vec::new();
    let mut cursor = Some(String::new());
    while let Some(at) = cursor {
        let request = ListPublishedMessagesRequest {
            page: Some(PageRequest {
                size: PAGE,
                cursor: at,
            }),
            standing: wanted.standing.into(),
            message_hash: wanted.message_hash.clone(),
            owner: wanted.owner.clone(),
            name: wanted.name.clone(),
        };
        let answer = gateway
            .peers
            .scheduler
            .list_published_messages(request)
            .await?;
        all.extend(answer.messages);
        cursor = next(answer.page, all.len())?;
    }
    Ok(all)
}

/// All copies that run, of one application or of all.
pub(super) async fn instances(
    gateway: &Gateway,
    name: &str,
) -> Result<Vec<PublishedInstance>, Refused> {
    let mut all = Vec::new();
    let mut cursor = Some(String::new());
    while let Some(at) = cursor {
        let request = ListPublishedInstancesRequest {
            page: Some(PageRequest {
                size: PAGE,
                cursor: at,
            }),
            name: name.to_owned(),
        };
        let answer = gateway
            .peers
            .scheduler
            .list_published_instances(request)
            .await?;
        all.extend(answer.instances);
        cursor = next(answer.page, all.len())?;
    }
    Ok(all)
}

fn next(page: Option<PageInfo>, so_far: usize) -> Result<Option<String>, Refused> {
    let cursor = page.unwrap_or_default().next_cursor;
    if cursor.is_empty() {
        return Ok(None);
    }
    if so_far >= MAX_ENTRIES {
        return Err(Refused::error(format!(
            "There are more than {MAX_ENTRIES} entries; ask for one application, owner or hash."
        )));
    }
    Ok(Some(cursor))
}

/// The message that a living application runs, if it is published.
pub(super) async fn current(
    gateway: &Gateway,
    name: &str,
) -> Result<Option<PublishedMessage>, Refused> {
    let wanted = Wanted {
        standing: MessageStanding::Current,
        name: name.to_owned(),
        ..Wanted::default()
    };
    Ok(messages(gateway, &wanted).await?.pop())
}

/// Whether the application of a message has not ended.
pub(super) fn lives(message: &PublishedMessage) -> bool {
    !matches!(
        message.app_state(),
        AppState::Cancelled | AppState::Expired | AppState::Unspecified
    )
}
