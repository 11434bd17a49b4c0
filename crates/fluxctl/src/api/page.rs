//! Lists. The API hands them out page by page; callers get them whole, up to a limit they choose.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Client, Error, call::Call};

/// Most entries of one page (the gateway's own limit).
const PAGE_SIZE: u32 = 200;

/// A page as the API sends it.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// Entries of a list, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// Whether the list goes on behind the limit.
    pub more: bool,
}

impl<T> Listing<T> {
    /// A list that came whole.
    pub const fn whole(items: Vec<T>) -> Self {
        Self { items, more: false }
    }
}

impl<T> From<Page<T>> for Listing<T> {
    fn from(page: Page<T>) -> Self {
        Self {
            items: page.items,
            more: page.next_cursor.is_some(),
        }
    }
}

impl Client {
    /// Reads pages until `limit` entries or the end.
    pub(super) async fn listing<T: DeserializeOwned>(
        &self,
        call: Call,
        limit: u32,
    ) -> Result<Listing<T>, Error> {
        self.listing_from(call, None, limit).await
    }

    /// The same from a cursor on.
    pub(super) async fn listing_from<T: DeserializeOwned>(
        &self,
        call: Call,
        start: Option<String>,
        limit: u32,
    ) -> Result<Listing<T>, Error> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        let mut cursor = start;
        loop {
            let missing = u32::try_from(most - items.len()).unwrap_or(u32::MAX);
            let size = missing.clamp(1, PAGE_SIZE).to_string();
            let mut page = call.clone().query("page_size", size);
            if let Some(cursor) = &cursor {
                page = page.query("cursor", cursor);
            }
            let page: Page<T> = self.json(&page).await?;
            let empty = page.items.is_empty();
            items.extend(page.items);
            let full = items.len() >= most;
            let surplus = items.len() > most;
            items.truncate(most);
            // An empty page that leads on would lead on for ever.
            if page.next_cursor.is_none() || full || empty {
                let more = page.next_cursor.is_some() || surplus;
                return Ok(Listing { items, more });
            }
            cursor = page.next_cursor;
        }
    }
}
