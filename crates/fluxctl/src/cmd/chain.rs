//! `chain` and its verbs that ask the plane.

use super::{Context, apps::note_more, decode, emission, verify_block};
use crate::{
    api::{Listing, chain::FluxnodeQuery},
    cli::chain::{
        Address, AtHeight, Command, Network, NextPayees, Nodes, Payments, TierArg, Transfers,
    },
    error::Error,
    exit::Exit,
    render::{chain, evm, json::indent, ledger, tiers},
};

pub(super) async fn run(context: &Context<'_>, command: Command) -> Result<Exit, Error> {
    let ui = context.ui;
    match command {
        Command::Status => {
            let status = context.client()?.chain_status().await?;
            ui.show(&status, |paint| chain::status(&status, paint))?;
        }
        Command::Block { key } => {
            let block = context.client()?.block(&key).await?;
            ui.show(&block, |paint| chain::block(&block, paint))?;
        }
        Command::Tx { txid } => transaction(context, &txid).await?,
        Command::Address(args) => address(context, args).await?,
        Command::Output { outpoint } => {
            let output = context.client()?.output(&outpoint).await?;
            ui.show(&output, |paint| ledger::output(&output, paint))?;
        }
        Command::Rich(limit) => {
            let list = context.client()?.rich_list(limit.limit).await?;
            ui.show(&list, |paint| ledger::rich(&list.items, paint))?;
            note_more(ui, &list);
        }
        Command::Supply(AtHeight { height }) => {
            let supply = context.client()?.supply(height).await?;
            ui.show(&supply, |paint| ledger::supply(&supply, paint))?;
        }
        Command::Nodes(args) => nodes(context, args).await?,
        Command::NextPayees(args) => next_payees(context, args).await?,
        Command::Tiers(AtHeight { height }) => {
            let answer = context.client()?.tiers(height).await?;
            ui.show(&answer, |paint| tiers::tiers(&answer, paint))?;
        }
        Command::Capacity(AtHeight { height }) => {
            let answer = context.client()?.capacity(height).await?;
            ui.show(&answer, |paint| tiers::capacity(&answer, paint))?;
        }
        Command::Payments(args) => payments(context, args).await?,
        Command::Assets(limit) => {
            let list = context.client()?.evm_assets(limit.limit).await?;
            ui.show(&list, |paint| evm::assets(&list.items, paint))?;
            note_more(ui, &list);
        }
        Command::Transfers(args) => transfers(context, args).await?,
        Command::VerifyBlock(args) => return verify_block::run(context, *args).await,
        // Both are done without a plane.
        Command::Decode(args) => return decode::run(ui, &args),
        Command::Emission(args) => return emission::run(ui, &args),
    }
    Ok(Exit::Success)
}

async fn transaction(context: &Context<'_>, txid: &str) -> Result<(), Error> {
    let client = context.client()?;
    let transaction = client.transaction(txid).await?;
    if context.ui.is_json() {
        return context.ui.show(&transaction, |_| String::new());
    }
    let network = match client.chain_status().await?.network.as_str() {
        "main" => Network::Main,
        "test" => Network::Test,
        _ => Network::Regtest,
    };
    let decoded = decode::decode("tx", &transaction.raw, network);
    context.ui.show(&transaction, |paint| {
        chain::transaction(&transaction, &indent(&decoded), paint)
    })
}

async fn address(context: &Context<'_>, args: Address) -> Result<(), Error> {
    let (ui, client) = (context.ui, context.client()?);
    let limit = args.limit.limit;
    if args.transactions {
        let reading = client.address_transactions(&args.address, limit);
        let list = ui.progress().during("reading the history", reading).await?;
        ui.show(&list, |paint| ledger::transactions(&list.items, paint))?;
        note_more(ui, &list);
    } else if args.unspent {
        let reading = client.unspent(&args.address, limit);
        let list = ui.progress().during("reading the outputs", reading).await?;
        ui.show(&list, |paint| ledger::unspent(&list.items, paint))?;
        note_more(ui, &list);
    } else {
        let address = client.address(&args.address).await?;
        ui.show(&address, |paint| ledger::address(&address, paint))?;
    }
    Ok(())
}

async fn nodes(context: &Context<'_>, args: Nodes) -> Result<(), Error> {
    let client = context.client()?;
    if let Some(collateral) = &args.collateral {
        let node = client.fluxnode(collateral).await?;
        return context
            .ui
            .show(&node, |paint| chain::fluxnode(&node, paint));
    }
    let query = FluxnodeQuery {
        tier: args.tier.map(Into::into),
        status: args.status.map(Into::into),
        height: args.height,
        ip: args.ip,
        node_pubkey: args.key,
        payment_address: args.payment_address,
    };
    let reading = client.fluxnodes(&query, args.limit.limit);
    let list = context
        .ui
        .progress()
        .during("reading the list", reading)
        .await?;
    context
        .ui
        .show(&list, |paint| chain::fluxnodes(&list.items, paint))?;
    note_more(context.ui, &list);
    Ok(())
}

async fn next_payees(context: &Context<'_>, args: NextPayees) -> Result<(), Error> {
    let tier = args.tier.map(TierArg::into);
    let client = context.client()?;
    let payees = client
        .next_payees(args.at.height, tier.as_ref(), args.blocks)
        .await?;
    context
        .ui
        .show(&payees, |paint| tiers::next_payees(&payees, paint))
}

async fn payments(context: &Context<'_>, args: Payments) -> Result<(), Error> {
    let (ui, client) = (context.ui, context.client()?);
    if let Some(hash) = args.hash {
        let list = Listing::whole(client.payments(&hash.to_string()).await?);
        return ui.show(&list, |paint| chain::payments(&list.items, paint));
    }
    if let Some(txid) = &args.tx {
        let record = client.payment(txid).await?;
        return ui.show(&record, |paint| chain::recorded(&record, paint));
    }
    let list = client.unmatched_payments(args.limit.limit).await?;
    ui.show(&list, |paint| chain::unmatched(&list.items, paint))?;
    note_more(ui, &list);
    Ok(())
}

async fn transfers(context: &Context<'_>, args: Transfers) -> Result<(), Error> {
    let (asset, address) = (args.asset.as_deref(), args.address.as_deref());
    let client = context.client()?;
    let list = client
        .evm_transfers(asset, address, args.limit.limit)
        .await?;
    context
        .ui
        .show(&list, |paint| evm::transfers(&list.items, paint))?;
    note_more(context.ui, &list);
    Ok(())
}
