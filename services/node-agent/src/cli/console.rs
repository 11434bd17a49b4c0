//! What people and scripts read: results on stdout, progress and complaints on stderr.

use std::io::{self, IsTerminal as _, Write as _};

use fluxplane_platform::error::Remote;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::machine::Stage;

/// Prints a line of a result.
pub(super) fn say(line: &str) {
    // A reader that left early wants no more.
    writeln!(io::stdout().lock(), "{line}").ok();
}

/// Prints a result for scripts.
pub(super) fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    say(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Says what the command is about to do.
pub(super) fn announce(line: &str) {
    writeln!(io::stderr().lock(), "{line}").ok();
}

/// Says what went wrong, with everything the plane had to say about it.
pub(super) fn complain(err: &anyhow::Error) {
    announce(&format!("node-agent: {err:#}"));
    let refusal = err.chain().find_map(|cause| cause.downcast_ref::<Remote>());
    for violation in refusal.iter().flat_map(|remote| &remote.violations) {
        announce(&format!("  {violation}"));
    }
}

/// Progress of a measurement: a bar on a terminal, a line per stage elsewhere.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    stage: Option<Stage>,
}

/// Steps of the bar.
const STEPS: u64 = 1_000;

impl Progress {
    pub(super) fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:36} [{bar:30}] {percent:>3} %")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(STEPS).with_style(style)
        });
        Self { bar, stage: None }
    }

    pub(super) fn tell(&mut self, stage: Stage, share: f64) {
        let text = match stage {
            Stage::Size => "measuring: threads, memory, disk",
            Stage::Hash => "measuring: SHA-256 on one thread",
            Stage::Write => "measuring: sequential write",
        };
        let fresh = self.stage.replace(stage) != Some(stage);
        match &self.bar {
            Some(bar) => {
                if fresh {
                    bar.set_message(text);
                }
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    clippy::cast_precision_loss,
                    reason = "a share of a small number of steps"
                )]
                bar.set_position((share.clamp(0.0, 1.0) * STEPS as f64) as u64);
            }
            None if fresh => announce(text),
            None => {}
        }
    }

    pub(super) fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
