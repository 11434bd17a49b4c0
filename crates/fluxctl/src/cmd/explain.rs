//! `explain`

use uuid::Uuid;

use super::Context;
use crate::{
    api::{Client, Listing, instances::Decision},
    cli::{app::Explain, value::Target},
    error::Error,
    exit::Exit,
    render::apps,
};

/// Applications that are searched for an instance.
const SEARCHED: u32 = 10_000;

pub(super) async fn run(context: &Context<'_>, args: Explain) -> Result<Exit, Error> {
    let client = context.client()?;
    let asking = decisions(&client, &args.target);
    let decisions = context
        .ui
        .progress()
        .during("asking the scheduler", asking)
        .await?;
    let list = Listing::whole(decisions);
    context.ui.show(&list, |paint| {
        let texts: Vec<String> = list
            .items
            .iter()
            .map(|decision| apps::decision(decision, paint))
            .collect();
        if texts.is_empty() {
            "no copies yet, so nothing was decided\n".to_owned()
        } else {
            texts.join("\n")
        }
    })?;
    Ok(Exit::Success)
}

async fn decisions(client: &Client, target: &Target) -> Result<Vec<Decision>, Error> {
    match target {
        Target::App(name) => {
            let mut decisions = Vec::new();
            for instance in client.instances(name.as_str(), false).await? {
                decisions.push(client.decision(name.as_str(), instance.instance_id).await?);
            }
            Ok(decisions)
        }
        Target::Instance(instance) => {
            let app = app_of(client, *instance).await?;
            Ok(vec![client.decision(&app, *instance).await?])
        }
    }
}

/// The caller's application that an instance belongs to.
async fn app_of(client: &Client, instance: Uuid) -> Result<String, Error> {
    for app in client.apps(SEARCHED).await?.items {
        let instances = client.instances(&app.name, true).await?;
        if instances.iter().any(|found| found.instance_id == instance) {
            return Ok(app.name);
        }
    }
    Err(Error::Ended {
        exit: Exit::NotFound,
        code: "not-found",
        detail: format!("none of your applications has an instance {instance}"),
    })
}
