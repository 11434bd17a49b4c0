//! The end of the demonstration: the epoch closes, its root is anchored, and the customer verifies the invoice.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{super::ctl::Wallet, Demo, Part};
use crate::plane::{programs, report::Step};

/// How long the root may take into a block, and 40 blocks on top of it.
const SEALED_LIMIT: Duration = Duration::from_mins(5);

/// How long the last reports of an epoch may take.
const CLOSED_LIMIT: Duration = Duration::from_mins(2);

/// What came of it.
pub(super) struct Settled {
    pub(super) epoch: u64,
    pub(super) invoice: String,
    pub(super) verdict: String,
}

impl Demo<'_> {
    pub(super) fn settle(&mut self, customer: &Wallet) -> Result<Settled> {
        self.begin(
            Part::Settle,
            "The epoch closes, is anchored on the chain, and the invoice is verified",
        )?;
        let epoch = self.close()?;
        let number = epoch.to_string();
        Step::run(self.report, "40 confirmations", || {
            let show = ["epoch", "show", &number];
            let txid = customer.ctl().until_json(SEALED_LIMIT, &show, |epoch| {
                anyhow::ensure!(epoch["state"] == "sealed", "epoch is {}", epoch["state"]);
                programs::text(epoch, "/anchor/txid")
            })?;
            Ok(((), format!("anchor {txid}")))
        })?;
        let shell = self.shell(customer);
        shell.run(&["epoch", "show", &number])?;
        let list = customer.ctl().json(&["invoice", "list"])?;
        let mut invoices = list["items"].as_array().into_iter().flatten();
        let ours = invoices.find(|invoice| invoice["epoch"] == epoch);
        let ours = ours.with_context(|| format!("no invoice of epoch {epoch}: {list}"))?;
        let invoice = programs::text(ours, "/invoice_id")?;
        shell.run(&["invoice", "show", &invoice])?;
        let printed = shell.read(&["invoice", "verify", &invoice])?;
        let verdict = printed.lines().last().context("nothing was verified")?;
        Ok(Settled {
            epoch,
            invoice,
            verdict: verdict.to_owned(),
        })
    }

    /// Closes the running epoch as the administrator. Returns its number once it has a root.
    fn close(&self) -> Result<u64> {
        let admin = &self.plane.admin;
        admin.login()?;
        let closing = admin.ctl().json(&["admin", "close-epoch"])?;
        let epoch = closing["number"].as_u64();
        let epoch = epoch.with_context(|| format!("no number: {closing}"))?;
        self.report.command("fluxctl admin close-epoch");
        Step::run(self.report, "closing", || {
            let number = epoch.to_string();
            let show = ["epoch", "show", &number];
            let leaves = admin.ctl().until_json(CLOSED_LIMIT, &show, |epoch| {
                anyhow::ensure!(epoch["state"] != "open", "still open");
                epoch["leaf_count"].as_u64().context("no leaves")
            })?;
            Ok(((), format!("epoch {epoch}, {leaves} leaves")))
        })?;
        Ok(epoch)
    }
}
