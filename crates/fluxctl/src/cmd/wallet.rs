//! `wallet new | address | sign | balance | pay`

use std::io::Read as _;

use fluxplane_flux_chain::message::Magic;
use serde::Serialize;

use super::{Context, session::warn_if_exposed};
use crate::{
    api::Amount,
    cli::wallet::{self as args, Command},
    error::Error,
    exit::Exit,
    render::{Facts, Paint},
    wallet::{self, Key, Paid, Payment},
};

pub(super) async fn run(context: &Context<'_>, command: Command) -> Result<Exit, Error> {
    match command {
        Command::New(args) => new(context, &args),
        Command::Address(args) => {
            let key = read(context, &args.key_file)?;
            let names = Names::of(&key);
            context.ui.show(&names, |paint| names.text(paint))?;
            Ok(Exit::Success)
        }
        Command::Sign(args) => sign(context, &args),
        Command::Balance(args) => balance(context, &args).await,
        Command::Pay(args) => pay(context, *args).await,
    }
}

fn read(context: &Context<'_>, path: &std::path::Path) -> Result<Key, Error> {
    let key = Key::read("--key-file", path)?;
    warn_if_exposed(context, path);
    Ok(key)
}

/// What a key is called.
#[derive(Debug, Serialize)]
struct Names {
    /// Signs in, owns applications.
    flux_id: String,
    /// Holds coins.
    address: String,
    network: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<String>,
}

impl Names {
    fn of(key: &Key) -> Self {
        Self {
            flux_id: key.flux_id().to_string(),
            address: key.address().to_string(),
            network: key.space().to_string(),
            key_file: None,
        }
    }

    fn text(&self, paint: Paint) -> String {
        Facts::new()
            .fact("FluxID", &self.flux_id)
            .fact("address", &self.address)
            .fact("network", &self.network)
            .maybe("key file", self.key_file.as_ref())
            .text(paint)
    }
}

fn new(context: &Context<'_>, args: &args::New) -> Result<Exit, Error> {
    let key = Key::generate(args.network.space())?;
    key.write("--key-file", &args.key_file)?;
    let names = Names {
        key_file: Some(args.key_file.display().to_string()),
        ..Names::of(&key)
    };
    context.ui.show(&names, |paint| names.text(paint))?;
    context.ui.note("Keep a copy of the key file in a safe place: without it the coins and applications are lost.");
    Ok(Exit::Success)
}

fn sign(context: &Context<'_>, args: &args::Sign) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Signed {
        signature: String,
        flux_id: String,
        address: String,
    }
    let key = read(context, &args.key_file)?;
    let mut text = args.text.clone();
    if text == "-" {
        text.clear();
        let read = std::io::stdin().lock().read_to_string(&mut text);
        read.map_err(|err| Error::file("read", std::path::Path::new("-"), err))?;
        if text.ends_with('\n') {
            text.pop();
        }
    }
    let magic = match args.magic {
        args::Magic::Bitcoin => Magic::BITCOIN,
        args::Magic::Flux => Magic::FLUX,
    };
    let signed = Signed {
        signature: key.sign_with(magic, &text),
        flux_id: key.flux_id().to_string(),
        address: key.address().to_string(),
    };
    context
        .ui
        .show(&signed, |_| format!("{}\n", signed.signature))?;
    Ok(Exit::Success)
}

async fn balance(context: &Context<'_>, args: &args::Balance) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Holds {
        address: String,
        confirmed: Amount,
        unconfirmed: Amount,
        coins: usize,
        height: u32,
    }
    let key = read(context, &args.key_file)?;
    let node = args.rpc.needed()?;
    let asking = wallet::balance(&node, &key);
    let balance = context
        .ui
        .progress()
        .during("asking the chain node", asking)
        .await?;
    let holds = Holds {
        address: key.address().to_string(),
        confirmed: Amount::flux(balance.confirmed),
        unconfirmed: Amount::flux(balance.unconfirmed),
        coins: balance.coins,
        height: balance.height,
    };
    context.ui.show(&holds, |paint| {
        Facts::new()
            .fact("address", &holds.address)
            .fact("confirmed", &holds.confirmed)
            .fact("unconfirmed", &holds.unconfirmed)
            .fact("coins", holds.coins)
            .fact("at block", holds.height)
            .text(paint)
    })?;
    Ok(Exit::Success)
}

/// A payment that was made, for people and programs.
#[derive(Debug, Serialize)]
pub(super) struct Receipt {
    pub(super) txid: String,
    to: String,
    amount: Amount,
    message_hash: Option<String>,
    fee: Amount,
    change: Amount,
    inputs: usize,
    hex: String,
}

impl Receipt {
    pub(super) fn new(payment: &Payment, paid: Paid) -> Self {
        Self {
            txid: paid.txid.to_string(),
            to: payment.to.to_string(),
            amount: Amount::flux(payment.amount),
            message_hash: payment.message_hash.as_ref().map(ToString::to_string),
            fee: Amount::flux(paid.fee),
            change: Amount::flux(paid.change),
            inputs: paid.inputs,
            hex: paid.hex,
        }
    }

    pub(super) fn text(&self, paint: Paint) -> String {
        Facts::new()
            .fact("paid", &self.amount)
            .fact("to", &self.to)
            .maybe("for message", self.message_hash.as_ref())
            .fact("fee", &self.fee)
            .fact("transaction", &self.txid)
            .text(paint)
    }
}

async fn pay(context: &Context<'_>, args: args::Pay) -> Result<Exit, Error> {
    let key = read(context, &args.key_file)?;
    let node = args.rpc.needed()?;
    let payment = Payment {
        to: args.to,
        amount: args.amount,
        message_hash: args.message_hash,
        fee_rate: args.fee_rate,
        spend_collateral: args.spend_collateral,
    };
    let paying = wallet::pay(&node, &key, &payment);
    let paid = context.ui.progress().during("paying", paying).await?;
    let receipt = Receipt::new(&payment, paid);
    context.ui.show(&receipt, |paint| receipt.text(paint))?;
    Ok(Exit::Success)
}
