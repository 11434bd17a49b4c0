//! `devnet run` and `devnet replay`.

use std::{io::Write as _, path::Path, sync::Arc};

use anyhow::Context as _;
use fluxplane_core::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    cli::{ListenArgs, ReplayArgs, RuleArgs, RunArgs},
    options::{ChainRules, Credentials, Options},
    replay::Recording,
    server::Devnet,
    store::rules_in,
    wallet::SPACE,
};

/// File beside the chain with name and password, in the form of the daemon's cookie.
const COOKIE: &str = "rpc.cookie";

pub(super) async fn run(args: RunArgs) -> anyhow::Result<()> {
    let found = match &args.data {
        Some(folder) => rules_in(folder)?,
        None => None,
    };
    let rules = rules(args.rules, found.unwrap_or_default());
    let listen = args.listen;
    let options = Options {
        rules,
        data: args.data.clone(),
        rpc: listen.rpc_bind,
        zmq: (!listen.no_zmq).then_some(listen.zmq_bind),
        credentials: credentials(&listen),
        block_interval: args.block_interval,
        clock: Arc::new(SystemClock),
    };
    let devnet = Devnet::start(options).await?;
    let cookie = write_cookie(args.data.as_deref(), devnet.credentials())?;
    let greeting = greeting(&devnet, cookie.as_deref());
    show(&format!("{greeting}{}", keys(&devnet)))?;
    until_asked(devnet).await
}

pub(super) async fn replay(args: ReplayArgs) -> anyhow::Result<()> {
    let recording = Recording::read(&args.file)?;
    let recording = match args.until {
        Some(height) => recording.until(height)?,
        None => recording,
    };
    let last = recording.last();
    let listen = args.listen;
    let devnet = Devnet::replay(
        recording,
        args.interval,
        listen.rpc_bind,
        (!listen.no_zmq).then_some(listen.zmq_bind),
        credentials(&listen),
        Arc::new(SystemClock),
    )
    .await?;
    let greeting = greeting(&devnet, None);
    let file = args.file.display();
    show(&format!(
        "{greeting}Recording    {file} up to height {last}\n"
    ))?;
    until_asked(devnet).await
}

fn credentials(listen: &ListenArgs) -> Credentials {
    Credentials {
        user: listen.rpc_user.clone(),
        password: listen.rpc_password.clone(),
    }
}

/// What is asked for, and for the rest what the chain has.
fn rules(args: RuleArgs, found: ChainRules) -> ChainRules {
    ChainRules {
        seed: args.seed.unwrap_or(found.seed),
        reduction_interval: args.reduction_interval.unwrap_or(found.reduction_interval),
        max_reductions: args.max_reductions.unwrap_or(found.max_reductions),
        spacing_s: args.spacing.unwrap_or(found.spacing_s),
        payments_from: args.payments_from.unwrap_or(found.payments_from),
        collateral_depth: args.collateral_depth.unwrap_or(found.collateral_depth),
        start_expires_after: args.start_expires_after.or(found.start_expires_after),
        dos_leaves_after: args.dos_leaves_after.or(found.dos_leaves_after),
        confirm_expires_after: args.confirm_expires_after.or(found.confirm_expires_after),
        update_distance: args.update_distance.or(found.update_distance),
    }
}

fn write_cookie(
    folder: Option<&Path>,
    credentials: &Credentials,
) -> anyhow::Result<Option<String>> {
    let Some(folder) = folder else {
        return Ok(None);
    };
    let path = folder.join(COOKIE);
    let pair = format!("{}:{}", credentials.user, credentials.password);
    std::fs::write(&path, pair).with_context(|| format!("write {}", path.display()))?;
    Ok(Some(path.display().to_string()))
}

fn greeting(devnet: &Devnet, cookie: Option<&str>) -> String {
    let Credentials { user, password } = devnet.credentials();
    let zmq = devnet
        .zmq_address()
        .unwrap_or_else(|| "nothing is published".to_owned());
    let height = devnet.chain().height();
    let cookie = cookie.map_or_else(String::new, |path| format!(" (in {path})"));
    format!(
        "JSON-RPC     {}\nCredentials  {user}:{password}{cookie}\nZMQ          {zmq}\nHeight       {height}\n",
        devnet.rpc_url()
    )
}

/// The developer's keys as a table.
fn keys(devnet: &Devnet) -> String {
    let head = "\nKeys (none of them is a secret)".to_owned();
    let accounts = devnet.chain().accounts().into_iter().map(|account| {
        format!(
            "  {:<14} {}  {}  {:>20} FLUX",
            account.name,
            account.address,
            account.key.to_wif(SPACE),
            account.balance.to_string()
        )
    });
    let lines: Vec<String> = std::iter::once(head).chain(accounts).collect();
    lines.join("\n") + "\n"
}

fn show(text: &str) -> anyhow::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    Ok(())
}

/// Waits for a signal or for the RPC method `stop`, then stops cleanly.
async fn until_asked(devnet: Devnet) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
        () = devnet.stopped() => {}
    }
    tracing::info!("stopping");
    devnet.shutdown().await?;
    tracing::info!("stopped");
    Ok(())
}
