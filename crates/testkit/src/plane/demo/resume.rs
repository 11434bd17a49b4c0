//! What a plane that was started again shows: the application of the last run is back, and its invoice still verifies.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Demo, RUNNING_LIMIT, Shown, healthy_of};
use crate::plane::{LocalPlane, layout::Layout, programs, report::Step};

/// Where the demonstration's outcome is kept.
const FILE: &str = "demo/shown.json";

/// What an earlier run showed.
#[derive(Debug, Clone)]
pub struct Kept {
    pub app: String,
    invoice: String,
}

pub(super) fn keep(plane: &LocalPlane, shown: &Shown) -> Result<()> {
    let kept = json!({ "app": shown.app, "invoice": shown.invoice });
    plane.layout.write(FILE, &kept.to_string()).map(drop)
}

impl Kept {
    /// `None` when no run came to its end.
    pub fn load(layout: &Layout) -> Result<Option<Self>> {
        let path = layout.file(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path)?;
        let kept: Value =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok(Some(Self {
            app: programs::text(&kept, "/app")?,
            invoice: programs::text(&kept, "/invoice")?,
        }))
    }
}

impl Demo<'_> {
    /// Shows that the application runs again and verifies its invoice again. Returns the last line of the verification.
    pub fn resume(self, kept: &Kept) -> Result<String> {
        let customer = self.plane.ctl.wallet("customer")?;
        customer.login()?;
        self.report
            .chapter("The application of the last run is back");
        Step::run(self.report, "copies", || {
            let get = ["apps", &kept.app];
            customer.ctl().until_json(RUNNING_LIMIT, &get, |app| {
                anyhow::ensure!(app["state"] == "running", "it is {}", app["state"]);
                Ok(())
            })?;
            Ok(((), format!("{} runs", kept.app)))
        })?;
        let shell = self.shell(&customer);
        shell.run(&["apps", &kept.app])?;
        shell.run(&["instances", &kept.app])?;
        let list = customer.ctl().json(&["instances", &kept.app])?;
        self.visit_all(&healthy_of(&list, &kept.app)?)?;
        let printed = shell.read(&["invoice", "verify", &kept.invoice])?;
        let verdict = printed.lines().last().context("nothing was verified")?;
        Ok(verdict.to_owned())
    }
}
