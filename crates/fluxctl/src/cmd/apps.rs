//! `apps`, `instances`

use serde::Serialize;

use super::Context;
use crate::{
    api::Listing,
    cli::app::{Apps, Instances},
    error::Error,
    exit::Exit,
    render::{Ui, apps},
};

pub(super) async fn apps(context: &Context<'_>, args: Apps) -> Result<Exit, Error> {
    let client = context.client()?;
    if let Some(name) = &args.name {
        let app = client.app(name.as_str()).await?;
        context.ui.show(&app, |paint| apps::facts(&app, paint))?;
        return Ok(Exit::Success);
    }
    let reading = client.apps(args.limit.limit);
    let list = context
        .ui
        .progress()
        .during("reading applications", reading)
        .await?;
    context
        .ui
        .show(&list, |paint| apps::table(&list.items, paint))?;
    note_more(context.ui, &list);
    Ok(Exit::Success)
}

pub(super) async fn instances(context: &Context<'_>, args: Instances) -> Result<Exit, Error> {
    let client = context.client()?;
    let reading = client.instances(args.name.as_str(), args.all);
    let instances = context
        .ui
        .progress()
        .during("reading copies", reading)
        .await?;
    let list = Listing::whole(instances);
    context
        .ui
        .show(&list, |paint| apps::instances(&list.items, paint))?;
    Ok(Exit::Success)
}

/// Says that a list goes on.
pub(super) fn note_more<T: Serialize>(ui: &Ui, list: &Listing<T>) {
    if list.more {
        ui.note(format!(
            "the first {} are shown; --limit shows more",
            list.items.len()
        ));
    }
}
