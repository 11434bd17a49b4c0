//! A plane in a temporary folder, and a report that goes into the test's output.

use std::time::Duration;

use anyhow::Result;
use fluxplane_testkit::{
    Durability,
    plane::{
        LocalPlane, Options, Programs,
        demo::{Demo, Part, Shown},
        engine::Engine,
        report::Report,
        services::Pace,
    },
    skip,
};
use tokio_util::sync::CancellationToken;

/// Prints what happens; test runners show it when the test fails.
pub(crate) struct Printed;

#[expect(clippy::print_stdout, reason = "shown when the test fails")]
impl Report for Printed {
    fn begin(&self, _: &str) {}

    fn done(&self, what: &str, took: Duration, outcome: &str) {
        println!("{what}: {outcome} ({:.1} s)", took.as_secs_f64());
    }

    fn chapter(&self, title: &str) {
        println!("\n{title}");
    }

    fn command(&self, line: &str) {
        println!("$ {line}");
    }

    fn text(&self, text: &str) {
        println!("{text}");
    }
}

/// A plane and its folder.
pub(crate) struct TestPlane {
    pub(crate) plane: LocalPlane,
    dir: tempfile::TempDir,
    otlp_endpoint: String,
}

impl TestPlane {
    /// `None`, with a line that says why, on a machine that cannot run containers.
    pub(crate) async fn start(otlp_endpoint: &str) -> Result<Option<Self>> {
        if let Some(why) = Engine::unavailable() {
            skip::say(&why);
            return Ok(None);
        }
        // Postgres runs as a user of its own, who must be able to pass through.
        let dir = tempfile::Builder::new()
            .prefix("fx-plane-")
            .tempdir_in("/tmp")?;
        let plane = launch(&dir, otlp_endpoint).await?;
        Ok(Some(Self {
            plane,
            dir,
            otlp_endpoint: otlp_endpoint.to_owned(),
        }))
    }

    pub(crate) async fn demo(
        &mut self,
        before: &mut dyn FnMut(Part, &LocalPlane) -> Result<()>,
    ) -> Result<Shown> {
        let demo = Demo {
            plane: &mut self.plane,
            report: &Printed,
            before,
        };
        demo.run().await
    }

    /// Stops it and starts it again with the state it kept.
    pub(crate) async fn restart(self) -> Result<Self> {
        self.plane.stop().await?;
        let plane = launch(&self.dir, &self.otlp_endpoint).await?;
        Ok(Self {
            plane,
            dir: self.dir,
            otlp_endpoint: self.otlp_endpoint,
        })
    }
}

async fn launch(dir: &tempfile::TempDir, otlp_endpoint: &str) -> Result<LocalPlane> {
    let options = Options {
        dir: &dir.path().join("plane"),
        programs: Programs::beside_tests()?,
        pace: Pace::TEST,
        durability: Durability::None,
        otlp_endpoint: otlp_endpoint.to_owned(),
        lane: lane(),
        stop: CancellationToken::new(),
    };
    LocalPlane::start(options, &Printed).await
}

/// Away from the plane somebody may run on this machine.
fn lane() -> u8 {
    let last = std::process::id().to_le_bytes()[0];
    last.max(1)
}

/// Values of the metrics whose line starts so, from what a listener exports.
pub(crate) fn values(exported: &str, start: &str) -> Vec<f64> {
    let lines = exported.lines().filter(|line| line.starts_with(start));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
        .collect()
}
