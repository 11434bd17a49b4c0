//! `events`

use super::{Context, apps::note_more};
use crate::{
    cli::app::Events,
    error::Error,
    exit::Exit,
    render::timeline::{line, table},
};

pub(super) async fn run(context: &Context<'_>, args: Events) -> Result<Exit, Error> {
    let client = context.client()?;
    let name = args.name.as_str();
    if args.follow {
        let mut timeline = client.follow_timeline(name, args.after);
        loop {
            let entry = timeline.next().await?;
            context.ui.line(&entry, |paint| line(&entry, paint))?;
        }
    }
    let reading = client.timeline(name, args.after, args.limit.limit);
    let list = context
        .ui
        .progress()
        .during("reading the timeline", reading)
        .await?;
    context.ui.show(&list, |paint| table(&list.items, paint))?;
    note_more(context.ui, &list);
    Ok(Exit::Success)
}
