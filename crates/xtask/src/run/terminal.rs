//! What the person at the terminal sees.

use std::{
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::Result;
use console::style;
use fluxplane_testkit::plane::{LocalPlane, report::Report, services::SERVICES};
use indicatif::ProgressBar;

use crate::output::{say, say_aside};

/// Results on stdout, what passes on stderr. Without a terminal, plain lines.
pub(crate) struct Terminal {
    spinner: Mutex<Option<ProgressBar>>,
}

impl Terminal {
    pub(crate) const fn new() -> Self {
        Self {
            spinner: Mutex::new(None),
        }
    }

    fn replace(&self, next: Option<ProgressBar>) {
        // A spinner is whole at any time.
        let mut spinner = self.spinner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = std::mem::replace(&mut *spinner, next) {
            old.finish_and_clear();
        }
    }
}

impl Report for Terminal {
    fn begin(&self, what: &str) {
        let bar = ProgressBar::new_spinner().with_message(format!("{what} …"));
        bar.enable_steady_tick(Duration::from_millis(100));
        self.replace(Some(bar));
    }

    fn done(&self, what: &str, took: Duration, outcome: &str) {
        self.replace(None);
        let seconds = format!("{:.1} s", took.as_secs_f64());
        say(&format!(
            "{} {what:<20} {outcome} {}",
            style("✓").green(),
            style(format!("({seconds})")).dim()
        ));
    }

    fn chapter(&self, title: &str) {
        say(&format!("\n{}", style(title).bold().underlined()));
    }

    fn command(&self, line: &str) {
        say(&format!("\n{} {}", style("$").cyan(), style(line).cyan()));
    }

    fn text(&self, text: &str) {
        say(text);
    }
}

/// Said when everything is about to end.
pub(crate) fn say_stopping() {
    say_aside("stopping what was started …");
}

/// Where everything is.
pub(crate) fn addresses(plane: &LocalPlane) -> Result<()> {
    let gateway = plane.addresses.http("gateway");
    let environment = environment(plane)?;
    let mut text = String::new();
    let admin = SERVICES.map(|service| {
        let port = plane.addresses.port(&format!("{}-admin", service.name));
        format!("{} {port}", service.name)
    });
    writeln!(text, "\n{}", style("The plane is up").bold().underlined())?;
    for (what, at) in [
        ("status", gateway.clone()),
        ("API, browsable", format!("{gateway}/docs")),
        ("API", format!("{gateway}/v1")),
        ("chain, JSON-RPC", plane.chain.rpc_url.clone()),
        ("metrics, /metrics at", admin.join(", ")),
        ("logs", plane.logs()),
        ("a shell for it", format!(". {environment}")),
    ] {
        writeln!(text, "  {what:<21} {at}")?;
    }
    say(text.trim_end());
    Ok(())
}

/// Writes a file that makes `fluxctl` and `devnet` in a shell talk to this plane.
fn environment(plane: &LocalPlane) -> Result<String> {
    let mut text = String::from("# Source this: `fluxctl` and `devnet` then talk to this plane.\n");
    let programs = plane.chain.programs.dir().display();
    writeln!(text, "export PATH='{programs}':\"$PATH\"")?;
    for (name, value) in plane.customer_environment()? {
        writeln!(text, "export {name}='{value}'")?;
    }
    writeln!(text, "export DEVNET_RPC_URL='{}'", plane.chain.rpc_url)?;
    writeln!(
        text,
        "export DEVNET_RPC_PASSWORD='{}'",
        plane.chain.password
    )?;
    let admin = plane.addresses.admin_urls().join(",");
    writeln!(text, "export FLUXCTL_ADMIN_URLS='{admin}'")?;
    let path = plane.layout.write("env", &text)?;
    Ok(path.display().to_string())
}
