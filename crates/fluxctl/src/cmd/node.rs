//! `node list | show | token | join`

use std::{path::Path, process::Command as Process};

use serde::Serialize;

use super::{Context, apps::note_more};
use crate::{
    api::{nodes::JoinToken, session::write_private},
    cli::node::{Command, Join, List, Token},
    error::Error,
    exit::Exit,
    render::nodes,
};

pub(super) async fn run(context: &Context<'_>, command: Command) -> Result<Exit, Error> {
    match command {
        Command::List(args) => list(context, args).await,
        Command::Show { id } => {
            let node = context.client()?.node(id).await?;
            context.ui.show(&node, |paint| nodes::facts(&node, paint))?;
            Ok(Exit::Success)
        }
        Command::Token(args) => token(context, &args).await,
        Command::Join(args) => join(context, &args).await,
    }
}

async fn list(context: &Context<'_>, args: List) -> Result<Exit, Error> {
    let client = context.client()?;
    let operator = if args.mine {
        Some(client.me().await?.principal)
    } else {
        args.operator
    };
    let state = args.state.map(Into::into);
    let reading = client.nodes(operator.as_deref(), state.as_ref(), args.limit.limit);
    let list = context
        .ui
        .progress()
        .during("reading nodes", reading)
        .await?;
    context
        .ui
        .show(&list, |paint| nodes::table(&list.items, paint))?;
    note_more(context.ui, &list);
    Ok(Exit::Success)
}

async fn token(context: &Context<'_>, args: &Token) -> Result<Exit, Error> {
    let token = context
        .client()?
        .create_join_token(&args.collateral, args.ttl)
        .await?;
    if let Some(path) = &args.token_file {
        keep(path, &token.token)?;
    }
    if let Some(path) = &args.authority_file {
        keep(path, &token.ca_pem)?;
    }
    context
        .ui
        .show(&token, |paint| nodes::token(&token, paint))?;
    Ok(Exit::Success)
}

fn keep(path: &Path, text: &str) -> Result<(), Error> {
    write_private(path, text.as_bytes()).map_err(|err| Error::file("write", path, err))
}

async fn join(context: &Context<'_>, args: &Join) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Planned {
        command: Vec<String>,
        expires_at: chrono::DateTime<chrono::Utc>,
    }
    let token = context
        .client()?
        .create_join_token(&args.collateral, None)
        .await?;
    let command = command(args, &token)?;
    if args.print {
        let planned = Planned {
            command,
            expires_at: token.expires_at,
        };
        context
            .ui
            .show(&planned, |_| format!("{}\n", shell(&planned.command)))?;
        return Ok(Exit::Success);
    }
    context.ui.note(shell(&command));
    let (program, arguments) = command
        .split_first()
        .map_or(("", &[][..]), |(p, a)| (p.as_str(), a));
    let status = Process::new(program).args(arguments).status();
    let status = status.map_err(|err| Error::file("run", Path::new(program), err))?;
    if status.success() {
        return Ok(Exit::Success);
    }
    Err(Error::failed(
        "agent-failed",
        format!("the agent did not join: {status}"),
    ))
}

/// Writes what the agent needs into files, and says how it is called. The token does not stand on the command line, where
/// everyone on the machine could read it.
fn command(args: &Join, token: &JoinToken) -> Result<Vec<String>, Error> {
    let (token_file, authority) = (
        args.files.join("join-token"),
        args.files.join("plane-ca.pem"),
    );
    keep(&token_file, &token.token)?;
    keep(&authority, &token.ca_pem)?;
    let shown = |path: &Path| path.display().to_string();
    let mut command = vec![shown(&args.agent)];
    if let Some(dir) = &args.data_dir {
        command.extend(["--data-dir".to_owned(), shown(dir)]);
    }
    let pairs = [
        ("--token-file", shown(&token_file)),
        ("--plane", token.join_endpoint.clone()),
        ("--ca", shown(&authority)),
        ("--collateral", args.collateral.to_string()),
        ("--node-key-file", shown(&args.node_key_file)),
        ("--ip", args.ip.to_string()),
        ("--place", args.place.clone()),
    ];
    command.push("join".to_owned());
    for (option, value) in pairs {
        command.extend([option.to_owned(), value]);
    }
    if args.static_ip {
        command.push("--static-ip".to_owned());
    }
    command.extend(args.more.iter().cloned());
    Ok(command)
}

/// A command as it is typed.
fn shell(command: &[String]) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&b);
    let quoted = command.iter().map(|word| {
        if !word.is_empty() && word.bytes().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let words = ["node-agent", "--place", "EU_DE_Upper Bavaria", "it's", ""];
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(
            shell(&words),
            r"node-agent --place 'EU_DE_Upper Bavaria' 'it'\''s' ''"
        );
    }
}
