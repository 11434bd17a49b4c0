//! `quote`

use super::{Context, input};
use crate::{
    cli::{app::Quote, value::AppName},
    deploy::{Draft, Intent},
    error::Error,
    exit::Exit,
    render::apps,
};

pub(super) async fn run(context: &Context<'_>, args: Quote) -> Result<Exit, Error> {
    let draft = Draft::read(Intent::Register, &input::read(&args.file)?)?;
    let client = context.client()?;
    let update_of = args.update_of.as_ref().map(AppName::as_str);
    let asking = client.create_quote(draft.spec(), update_of);
    let quote = context
        .ui
        .progress()
        .during("asking for the price", asking)
        .await?;
    context
        .ui
        .show(&quote, |paint| apps::quote(&quote, paint))?;
    Ok(Exit::Success)
}
