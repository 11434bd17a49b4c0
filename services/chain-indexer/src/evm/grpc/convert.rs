//! Between wire and domain.

use alloy_primitives::{Address, B256};
use fluxplane_proto::chain_indexer::v1 as wire;

use crate::{
    evm::{
        app::{
            Error, Happened,
            queries::{Found, Wanted},
        },
        config::Token,
        db::assets::Asset,
        domain::{Change, Transfer},
    },
    grpc::convert::timestamp,
};

pub(super) fn asset_to_wire(asset: &Asset, followed: bool) -> wire::EvmAsset {
    wire::EvmAsset {
        name: asset.name.clone(),
        chain_id: asset.chain_id,
        contract: asset.contract.to_string(),
        decimals: asset.decimals.into(),
        start_block: asset.start_block,
        confirmations: asset.confirmations,
        height: asset.tip.map(|tip| tip.height),
        hash: asset
            .tip
            .map_or_else(String::new, |tip| tip.hash.to_string()),
        block_time: asset.block_time.map(timestamp),
        final_height: asset.final_height,
        node_height: asset.node_height,
        lag_blocks: asset.lag(),
        minted: asset.minted.clone(),
        burned: asset.burned.clone(),
        observed_supply: asset.observed_supply.clone(),
        transfer_count: asset.transfer_count,
        halted_reason: asset.halted_reason.clone(),
        problem: asset.problem.clone(),
        node_seen_at: asset.node_seen_at.map(timestamp),
        followed,
    }
}

pub(super) fn found_to_wire(found: &Found<'_>) -> wire::EvmTransfer {
    let asset = found.asset;
    wire::EvmTransfer {
        confirmations: found.confirmations,
        is_final: found.is_final,
        ..transfer_to_wire(
            &asset.name,
            asset.chain_id,
            asset.contract,
            asset.decimals,
            &found.transfer,
        )
    }
}

/// As it stands after what happened.
pub fn happened_to_wire(token: &Token, happened: &Happened) -> wire::EvmTransfer {
    wire::EvmTransfer {
        confirmations: happened.confirmations,
        is_final: happened.change == Change::Final,
        ..transfer_to_wire(
            &token.name,
            token.chain_id,
            token.contract,
            token.decimals,
            &happened.transfer,
        )
    }
}

fn transfer_to_wire(
    asset: &str,
    chain_id: u64,
    contract: Address,
    decimals: u8,
    transfer: &Transfer,
) -> wire::EvmTransfer {
    wire::EvmTransfer {
        asset: asset.to_owned(),
        chain_id,
        contract: contract.to_string(),
        height: transfer.block.height,
        block_hash: transfer.block.hash.to_string(),
        block_time: Some(timestamp(transfer.block_time)),
        tx_hash: transfer.tx_hash.to_string(),
        log_index: transfer.log_index,
        from: transfer.from.to_string(),
        to: transfer.to.to_string(),
        amount: transfer.amount.to_string(),
        decimals: decimals.into(),
        confirmations: 0,
        is_final: false,
    }
}

pub(super) fn wanted(request: wire::ListTransfersRequest) -> Result<Wanted, Error> {
    Ok(Wanted {
        address: optional(&request.address, address)?,
        tx_hash: optional(&request.tx_hash, tx_hash)?,
        min_height: request.min_height,
        max_height: request.max_height,
        asset: Some(request.asset).filter(|name| !name.is_empty()),
    })
}

/// Empty text is no wish.
fn optional<T>(text: &str, read: impl Fn(&str) -> Result<T, Error>) -> Result<Option<T>, Error> {
    (!text.is_empty()).then(|| read(text)).transpose()
}

fn address(text: &str) -> Result<Address, Error> {
    bytes(text).map(Address::from).ok_or_else(|| {
        let rule = "an address is 0x and 40 hexadecimal digits";
        Error::invalid("address", text, rule, "copy it as the wallet shows it")
    })
}

fn tx_hash(text: &str) -> Result<B256, Error> {
    bytes(text).map(B256::from).ok_or_else(|| {
        let rule = "a transaction hash is 0x and 64 hexadecimal digits";
        Error::invalid("tx_hash", text, rule, "copy it as the explorer shows it")
    })
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    Some(bytes)
}
