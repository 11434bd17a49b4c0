//! `secret set | list | show | remove`

use std::{io::Read as _, path::Path};

use super::{Context, apps::note_more, input};
use crate::{
    api::secrets::SecretContent,
    cli::secret::{Command, Remove, Set},
    error::Error,
    exit::Exit,
    render::secrets,
};

/// More than the plane takes, so that the refusal is the plane's.
const MAX_READ: u64 = 1024 * 1024;

pub(super) async fn run(context: &Context<'_>, command: Command) -> Result<Exit, Error> {
    match command {
        Command::Set(args) => set(context, args).await,
        Command::List(args) => {
            let reading = context.client()?;
            let list = reading.secrets(args.limit.limit).await?;
            context
                .ui
                .show(&list, |paint| secrets::table(&list.items, paint))?;
            note_more(context.ui, &list);
            Ok(Exit::Success)
        }
        Command::Show { name } => {
            let secret = context.client()?.secret(&name).await?;
            context
                .ui
                .show(&secret, |paint| secrets::facts(&secret, paint))?;
            Ok(Exit::Success)
        }
        Command::Remove(args) => remove(context, args).await,
    }
}

async fn set(context: &Context<'_>, args: Set) -> Result<Exit, Error> {
    let text = value(args.from_file.as_deref())?;
    let content = match args.username {
        None => SecretContent::Value { value: text },
        Some(username) => SecretContent::Registry {
            registry: args.registry,
            username,
            password: text.trim_end_matches(['\r', '\n']).to_owned(),
        },
    };
    let secret = context.client()?.put_secret(&args.name, &content).await?;
    context
        .ui
        .show(&secret, |paint| secrets::facts(&secret, paint))?;
    Ok(Exit::Success)
}

/// A file is taken as it is; of the input, one line end at the end is what `echo` and editors put there.
fn value(file: Option<&Path>) -> Result<String, Error> {
    let (argument, shown) = match file {
        Some(path) => ("--from-file", path.display().to_string()),
        None => ("--stdin", "-".to_owned()),
    };
    let mut bytes = Vec::new();
    let path = file.unwrap_or(Path::new("-"));
    input::open(file)?
        .take(MAX_READ)
        .read_to_end(&mut bytes)
        .map_err(|err| Error::file("read", path, err))?;
    let mut text = String::from_utf8(bytes).map_err(|_| {
        let rule = "an environment holds text in UTF-8";
        let remedy = "encode binary values, for example in base64";
        Error::input(argument, shown, rule, remedy)
    })?;
    if file.is_none() {
        let end = text.strip_suffix('\n').unwrap_or(&text);
        let length = end.strip_suffix('\r').unwrap_or(end).len();
        text.truncate(length);
    }
    Ok(text)
}

async fn remove(context: &Context<'_>, args: Remove) -> Result<Exit, Error> {
    let client = context.client()?;
    let secret = client.secret(&args.name).await?;
    let users = if secret.used_by.is_empty() {
        "nothing uses it".to_owned()
    } else {
        format!("used by {}", secret.used_by.join(", "))
    };
    let question = format!("Destroy the secret {} ({users}) for good?", secret.name);
    context.ui.confirm(&question, args.yes)?;
    let secret = client.delete_secret(&args.name, args.force).await?;
    context
        .ui
        .show(&secret, |_| format!("{}: destroyed\n", secret.name))?;
    Ok(Exit::Success)
}
