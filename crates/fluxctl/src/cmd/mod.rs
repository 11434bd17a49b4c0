//! One module per verb: arguments in, calls made, result printed.

mod admin;
mod apps;
mod billing;
mod block_facts;
mod cancel;
mod chain;
mod decode;
mod deploy;
mod emission;
mod epoch_verify;
mod events;
mod explain;
mod init;
mod input;
mod invoice_verify;
mod lines;
mod logs;
mod native;
mod native_price;
mod node;
mod quote;
mod rate;
mod root_keys;
mod secret;
mod session;
mod spec;
mod verify_block;
mod wallet;

use std::{io, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};
use fluxplane_platform::tls;

use crate::{
    api::Client,
    cli::{self, Cli, Command},
    config::{Choice, Environment, Settings},
    error::Error,
    exit::Exit,
    render::{Ui, problem},
};

/// The program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refusal) => {
            refusal.print().ok();
            let exit = if refusal.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
            return exit.into();
        }
    };
    let environment = Environment::read();
    let ui = Ui::new(cli.global.output, environment.clone(), cli.global.progress);
    let err = match run(cli, &ui, &environment) {
        Ok(exit) => return exit.into(),
        Err(err) if err.is_broken_pipe() => return ExitCode::SUCCESS,
        Err(err) => err,
    };
    let document = err.document();
    match serde_json::to_string(&document) {
        Ok(json) if ui.is_json() => ui.note(json),
        Ok(_) | Err(_) => ui.note(problem::text(&document, ui.error_paint()).trim_end()),
    }
    err.exit().into()
}

/// What every verb that talks to somebody works with.
struct Context<'a> {
    ui: &'a Ui,
    settings: Settings,
}

impl Context<'_> {
    fn client(&self) -> Result<Client, Error> {
        self.settings.client()
    }

    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.settings.clock.now().timestamp_millis()).unwrap_or(0)
    }
}

fn run(cli: Cli, ui: &Ui, environment: &Environment) -> Result<Exit, Error> {
    // What needs nobody else neither reads a profile nor starts a runtime: a batch begins at once.
    match cli.command {
        Command::Spec(spec) => spec::run(ui, spec.command),
        Command::Chain(cli::chain::Chain {
            command: cli::chain::Command::Decode(decode),
        }) => decode::run(ui, &decode),
        Command::Chain(cli::chain::Chain {
            command: cli::chain::Command::Emission(emission),
        }) => emission::run(ui, &emission),
        Command::Completions(completions) => {
            let (mut command, mut out) = (Cli::command(), Vec::new());
            clap_complete::generate(completions.shell, &mut command, "fluxctl", &mut out);
            ui.write(&String::from_utf8_lossy(&out))?;
            Ok(Exit::Success)
        }
        command => online(command, cli.global, ui, environment),
    }
}

fn online(
    command: Command,
    global: cli::Global,
    ui: &Ui,
    environment: &Environment,
) -> Result<Exit, Error> {
    tls::install_crypto_provider();
    let choice = Choice {
        server: global.server,
        profile: global.profile,
        ca_file: global.ca_file,
    };
    let settings = Settings::load(environment, choice)?;
    let context = Context { ui, settings };
    runtime()?.block_on(Box::pin(dispatch(command, &context)))
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|err: io::Error| Error::Start(err))
}

async fn dispatch(command: Command, context: &Context<'_>) -> Result<Exit, Error> {
    match command {
        Command::Login(args) => session::login(context, args).await,
        Command::Logout(args) => session::logout(context, args).await,
        Command::Whoami(args) => session::whoami(context, args).await,
        Command::Wallet(args) => wallet::run(context, args.command).await,
        Command::Quote(args) => quote::run(context, args).await,
        Command::Rate(_) => rate::show(context).await,
        Command::Deploy(args) => deploy::deploy(context, *args).await,
        Command::Update(args) => deploy::update(context, *args).await,
        Command::Scale(args) => deploy::scale(context, *args).await,
        Command::Cancel(args) => cancel::run(context, args).await,
        Command::Apps(args) => apps::apps(context, args).await,
        Command::Instances(args) => apps::instances(context, args).await,
        Command::Events(args) => events::run(context, args).await,
        Command::Logs(args) => logs::run(context, args).await,
        Command::Explain(args) => explain::run(context, args).await,
        Command::Secret(args) => secret::run(context, args.command).await,
        Command::Account(args) => billing::account(context, args).await,
        Command::Invoice(args) => billing::invoice(context, args.command).await,
        Command::Epoch(args) => billing::epoch(context, args.command).await,
        Command::Earnings(args) => billing::earnings(context, args).await,
        Command::Node(args) => node::run(context, args.command).await,
        Command::Chain(args) => chain::run(context, args.command).await,
        Command::Admin(args) => admin::run(context, args.command).await,
        // Both were done before.
        Command::Spec(args) => spec::run(context.ui, args.command),
        Command::Completions(_) => Ok(Exit::Success),
    }
}
