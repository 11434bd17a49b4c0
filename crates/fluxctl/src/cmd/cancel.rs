//! `cancel`

use super::Context;
use crate::{cli::app::Cancel, error::Error, exit::Exit};

pub(super) async fn run(context: &Context<'_>, args: Cancel) -> Result<Exit, Error> {
    let client = context.client()?;
    let app = client.app(args.name.as_str()).await?;
    let question = format!(
        "Stop {} ({}, {} of {} copies healthy) for good?",
        app.name, app.state, app.instances_healthy, app.instances_wanted
    );
    context.ui.confirm(&question, args.yes)?;
    let app = client.cancel_app(args.name.as_str(), app.version).await?;
    context.ui.show(&app, |paint| {
        format!("{}: {}\n", app.name, paint.state(app.state.name()))
    })?;
    Ok(Exit::Success)
}
