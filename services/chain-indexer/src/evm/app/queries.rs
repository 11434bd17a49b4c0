//! Questions about tokens. Answers that take several statements see one moment of the database.

use std::collections::BTreeMap;

use alloy_primitives::{Address, B256};
use fluxplane_platform::db::{
    begin_snapshot,
    paging::{MAX_SIZE, Page},
};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::{Context, Error};
use crate::evm::{
    db::{
        self,
        assets::{Asset, NameKey},
        transfers::{Filter, PlaceKey, Stored},
    },
    domain::Transfer,
};

pub async fn asset(ctx: &Context, name: &str) -> Result<Asset, Error> {
    let mut conn = ctx.pool.acquire().await?;
    named(&mut conn, name).await
}

async fn named(conn: &mut PgConnection, name: &str) -> Result<Asset, Error> {
    if name.is_empty() {
        let rule = "an asset is named as in the configuration";
        return Err(Error::invalid("asset", "", rule, "list the assets"));
    }
    db::assets::by_name(conn, name)
        .await?
        .ok_or_else(|| Error::NoAsset(name.to_owned()))
}

/// A page of assets, by name.
pub async fn assets(ctx: &Context, page: &Page<NameKey>) -> Result<(Vec<Asset>, String), Error> {
    let mut conn = ctx.pool.acquire().await?;
    let mut assets = db::assets::list(&mut conn, page).await?;
    let next_cursor = page.cut(&mut assets, |asset| NameKey(asset.name.clone()));
    Ok((assets, next_cursor))
}

/// Which transfers are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Name of an asset; all without one.
    pub asset: Option<String>,
    /// Sender or receiver.
    pub address: Option<Address>,
    pub tx_hash: Option<B256>,
    pub min_height: u64,
    pub max_height: Option<u64>,
}

/// A transfer with its asset.
#[derive(Debug, Clone)]
pub struct Found<'a> {
    pub asset: &'a Asset,
    pub transfer: Transfer,
    pub confirmations: u64,
    pub is_final: bool,
}

/// A page of transfers.
#[derive(Debug, Clone)]
pub struct TransferPage {
    assets: BTreeMap<i32, Asset>,
    rows: Vec<Stored>,
    pub next_cursor: String,
}

impl TransferPage {
    pub fn transfers(&self) -> impl Iterator<Item = Found<'_>> {
        self.rows.iter().filter_map(|row| {
            let asset = self.assets.get(&row.asset_id)?;
            let height = row.transfer.block.height;
            let tip = asset.tip.map_or(height, |tip| tip.height);
            Some(Found {
                asset,
                transfer: row.transfer,
                confirmations: tip.saturating_sub(height) + 1,
                is_final: asset.final_height.is_some_and(|last| height <= last),
            })
        })
    }
}

/// Transfers, newest first; of all assets, asset by asset.
pub async fn transfers(
    ctx: &Context,
    wanted: &Wanted,
    page: &Page<PlaceKey>,
) -> Result<TransferPage, Error> {
    let bounded = wanted.min_height > 0 || wanted.max_height.is_some();
    if bounded && wanted.asset.is_none() {
        let rule = "heights of several chains have nothing in common";
        return Err(Error::invalid("asset", "", rule, "name an asset too"));
    }
    let mut tx = begin_snapshot(&ctx.pool).await?;
    let asset_id = match &wanted.asset {
        Some(name) => Some(named(&mut tx, name).await?.id),
        None => None,
    };
    let filter = Filter {
        asset_id,
        address: wanted.address,
        tx_hash: wanted.tx_hash,
        min_height: wanted.min_height,
        max_height: wanted.max_height,
    };
    let mut rows = db::transfers::list(&mut tx, &filter, page).await?;
    let next_cursor = page.cut(&mut rows, Stored::key);
    Ok(TransferPage {
        assets: all_assets(&mut tx).await?,
        rows,
        next_cursor,
    })
}

/// Every asset by its number: as many as were ever configured.
async fn all_assets(conn: &mut PgConnection) -> Result<BTreeMap<i32, Asset>, Error> {
    let mut assets = BTreeMap::new();
    let mut page = Page {
        size: MAX_SIZE,
        after: None,
    };
    loop {
        let mut part = db::assets::list(conn, &page).await?;
        let more = !page
            .cut(&mut part, |asset| NameKey(asset.name.clone()))
            .is_empty();
        page.after = part.last().map(|asset| NameKey(asset.name.clone()));
        assets.extend(part.into_iter().map(|asset| (asset.id, asset)));
        if !more {
            return Ok(assets);
        }
    }
}

/// Reads a page wish.
pub fn page<K: DeserializeOwned>(size: u32, cursor: &str) -> Result<Page<K>, Error> {
    Page::parse(size, cursor).map_err(|violation| Error::Invalid(vec![violation]))
}
