//! FLUX's tokens on Ethereum and chains like it.

pub mod asset;
pub mod get_asset;
pub mod list_assets;
pub mod list_transfers;
