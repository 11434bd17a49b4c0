//! `chain status | block | tx | nodes | payments`

use super::{Context, apps::note_more, decode, emission};
use crate::{
    api::Listing,
    cli::chain::{Command, Network, Nodes},
    error::Error,
    exit::Exit,
    render::{chain, json::indent},
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
        Command::Nodes(args) => nodes(context, args).await?,
        Command::Payments { hash } => {
            let payments = context.client()?.payments(&hash.to_string()).await?;
            let list = Listing::whole(payments);
            ui.show(&list, |paint| chain::payments(&list.items, paint))?;
        }
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

async fn nodes(context: &Context<'_>, args: Nodes) -> Result<(), Error> {
    let client = context.client()?;
    if let Some(collateral) = &args.collateral {
        let node = client.fluxnode(collateral).await?;
        return context
            .ui
            .show(&node, |paint| chain::fluxnode(&node, paint));
    }
    let tier = args.tier.map(Into::into);
    let reading = client.fluxnodes(tier.as_ref(), args.limit.limit);
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
