//! `cargo xtask run`: builds the plane, starts it, demonstrates it, and keeps it up until Ctrl-C.

mod build;
mod terminal;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Args;
use fluxplane_testkit::{
    Durability,
    plane::{
        LocalPlane, Options,
        demo::{Demo, Kept},
        layout::Layout,
        services::Pace,
    },
};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{
    build::programs,
    terminal::{Terminal, say_stopping},
};

/// Folder of the plane's state, under the checkout.
const STATE: &str = ".plane";

#[derive(Args)]
pub(crate) struct Run {
    /// Leave the plane empty: no application is deployed.
    #[arg(long)]
    no_demo: bool,
    /// Build with optimisations, which takes longer and runs faster.
    #[arg(long)]
    release: bool,
    /// End after the demonstration instead of staying up.
    #[arg(long)]
    exit: bool,
    /// Keep the state in another folder.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Where traces are sent, OTLP over gRPC, such as `http://127.0.0.1:4317`.
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    otlp_endpoint: String,
}

pub(crate) fn run(root: &Path, arguments: &Run) -> Result<ExitCode> {
    let programs = programs(root, arguments.release)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let stop = CancellationToken::new();
    runtime.spawn(stop_on_signal(stop.clone()));
    let dir = arguments.state.clone().unwrap_or_else(|| root.join(STATE));
    let options = Options {
        dir: &dir,
        programs,
        pace: Pace::DEMO,
        durability: Durability::Full,
        otlp_endpoint: arguments.otlp_endpoint.clone(),
        lane: 0,
        stop: stop.clone(),
    };
    // On this thread, which lives as long as the plane: the kernel ends its processes with the thread that began them.
    runtime.block_on(async {
        let terminal = Terminal::new();
        let mut plane = match LocalPlane::start(options, &terminal).await {
            Err(_) if stop.is_cancelled() => return Ok(ExitCode::SUCCESS),
            started => started?,
        };
        terminal::addresses(&plane)?;
        let outcome = present(&mut plane, &terminal, arguments).await;
        if outcome.is_ok() && !arguments.exit {
            stop.cancelled().await;
        }
        // The last line of a run that ends by itself is the verified invoice.
        if stop.is_cancelled() {
            say_stopping();
        }
        plane.stop().await?;
        match outcome {
            Err(_) if stop.is_cancelled() => Ok(ExitCode::SUCCESS),
            outcome => outcome.map(|()| ExitCode::SUCCESS),
        }
    })
}

/// The demonstration, or what is left of the last one.
async fn present(plane: &mut LocalPlane, terminal: &Terminal, arguments: &Run) -> Result<()> {
    if arguments.no_demo {
        return Ok(());
    }
    let kept = Kept::load(&plane.layout)?;
    let demo = Demo {
        plane,
        report: terminal,
        before: &mut |_, _| Ok(()),
    };
    match kept {
        Some(kept) => demo.resume(&kept).map(drop),
        None => demo.run().await.map(drop),
    }
}

/// Forgets what earlier runs kept.
pub(crate) fn clean_state(root: &Path) -> Result<ExitCode> {
    let dir = root.join(STATE);
    if dir.exists() {
        // Refuses while a plane runs there.
        let lock = Layout::new(&dir)?.lock()?;
        std::fs::remove_dir_all(&dir).with_context(|| format!("remove {}", dir.display()))?;
        drop(lock);
    }
    Ok(ExitCode::SUCCESS)
}

async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    stop.cancel();
}
