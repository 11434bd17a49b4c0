//! `account`, `invoice list | show`, `epoch list | show`, `earnings`

use serde::Serialize;

use super::{Context, apps::note_more, epoch_verify, invoice_verify};
use crate::{
    api::epochs::{Anchor, Epoch, EpochState},
    cli::billing::{Account, Earnings, EpochCommand, InvoiceCommand},
    error::Error,
    exit::Exit,
    render::billing,
};

pub(super) async fn account(context: &Context<'_>, _: Account) -> Result<Exit, Error> {
    let account = context.client()?.account().await?;
    context
        .ui
        .show(&account, |paint| billing::account(&account, paint))?;
    Ok(Exit::Success)
}

pub(super) async fn invoice(context: &Context<'_>, command: InvoiceCommand) -> Result<Exit, Error> {
    let ui = context.ui;
    match command {
        InvoiceCommand::List(limit) => {
            let client = context.client()?;
            let list = ui
                .progress()
                .during("reading invoices", client.invoices(limit.limit))
                .await?;
            ui.show(&list, |paint| billing::invoices(&list.items, paint))?;
            note_more(ui, &list);
        }
        InvoiceCommand::Show { id } => {
            let invoice = context.client()?.invoice(id).await?;
            ui.show(&invoice, |paint| billing::invoice(&invoice, paint))?;
        }
        InvoiceCommand::Verify(args) => return invoice_verify::run(context, *args).await,
    }
    Ok(Exit::Success)
}

pub(super) async fn epoch(context: &Context<'_>, command: EpochCommand) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Whole {
        #[serde(flatten)]
        epoch: Epoch,
        /// The anchor as the validator sees it; null before it has one.
        validator: Option<Anchor>,
    }
    let ui = context.ui;
    match command {
        EpochCommand::List(limit) => {
            let client = context.client()?;
            let list = ui
                .progress()
                .during("reading epochs", client.epochs(limit.limit))
                .await?;
            ui.show(&list, |paint| billing::epochs(&list.items, paint))?;
            note_more(ui, &list);
        }
        EpochCommand::Show { number } => {
            let client = context.client()?;
            let epoch = client.epoch(number).await?;
            let validator = match epoch.state {
                EpochState::Open => None,
                EpochState::Closed
                | EpochState::Anchored
                | EpochState::Sealed
                | EpochState::Other(_) => found(client.anchor(number).await)?,
            };
            let whole = Whole { epoch, validator };
            ui.show(&whole, |paint| {
                billing::epoch(&whole.epoch, whole.validator.as_ref(), paint)
            })?;
        }
        EpochCommand::Verify(args) => return epoch_verify::run(context, *args).await,
    }
    Ok(Exit::Success)
}

/// What does not exist is nothing, not a failure.
fn found<T>(answer: Result<T, crate::api::Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(err) if err.exit() == Exit::NotFound => Ok(None),
        Err(err) => Err(err.into()),
    }
}

pub(super) async fn earnings(context: &Context<'_>, args: Earnings) -> Result<Exit, Error> {
    let client = context.client()?;
    let reading = client.earnings(args.limit.limit);
    let list = context
        .ui
        .progress()
        .during("reading earnings", reading)
        .await?;
    context
        .ui
        .show(&list, |paint| billing::earnings(&list.items, paint))?;
    note_more(context.ui, &list);
    Ok(Exit::Success)
}
