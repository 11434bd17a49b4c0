//! The demonstration: an application's life, from its price to its verified invoice, by the commands people type.
//!
//! | module | part |
//! |---|---|
//! | [`app`] | the specification, a template of FluxOS' marketplace |
//! | [`shell`] | running `fluxctl` where people watch |
//! | [`resume`] | what a plane that was started again shows of it |
//! | [`settle`] | the epoch, its anchor, the invoice |

mod app;
mod resume;
mod settle;
mod shell;

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use self::shell::Shell;
pub use app::App;
pub use resume::Kept;

use super::{
    LocalPlane,
    ctl::Wallet,
    engine::ImageSource,
    nodes::{NODES, Node},
    programs,
    report::{Report, Step},
};
use crate::process;

/// How long copies may take to run, to move, or to change their revision.
const RUNNING_LIMIT: Duration = Duration::from_mins(5);

/// Coins of a customer's wallet.
const ALLOWANCE_FLUX: &str = "100";

/// A part of the demonstration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Quote,
    Deploy,
    Visit,
    LoseNode,
    Update,
    Settle,
}

/// What the demonstration showed.
#[derive(Debug, Clone)]
pub struct Shown {
    pub app: String,
    pub epoch: u64,
    pub invoice: String,
    /// The last line of the verification.
    pub verdict: String,
    /// The machine whose power was cut.
    pub lost_node: Node,
}

/// The demonstration on a plane.
pub struct Demo<'a> {
    pub plane: &'a mut LocalPlane,
    pub report: &'a dyn Report,
    /// Called before each part; for tests that make trouble.
    pub before: &'a mut dyn FnMut(Part, &LocalPlane) -> Result<()>,
}

impl std::fmt::Debug for Demo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Demo").finish_non_exhaustive()
    }
}

impl Demo<'_> {
    /// Runs it with a new application to its end. The lost machine stays lost.
    pub async fn run(mut self) -> Result<Shown> {
        let customer = self.customer()?;
        self.clear_away(&customer)?;
        let app = self.prepare(&customer)?;
        self.quote(&customer)?;
        self.deploy(&customer, &app)?;
        self.visit(&customer, &app)?;
        let lost_node = self.lose_node(&customer, &app).await?;
        let app = self.update(&customer, &app)?;
        let settled = self.settle(&customer)?;
        let shown = Shown {
            app: app.name,
            epoch: settled.epoch,
            invoice: settled.invoice,
            verdict: settled.verdict,
            lost_node,
        };
        resume::keep(self.plane, &shown)?;
        Ok(shown)
    }

    fn shell<'s>(&'s self, customer: &'s Wallet) -> Shell<'s> {
        Shell {
            ctl: customer.ctl(),
            report: self.report,
        }
    }

    fn begin(&mut self, part: Part, title: &str) -> Result<()> {
        self.report.chapter(title);
        (self.before)(part, self.plane)
    }

    fn customer(&self) -> Result<Wallet> {
        let customer = self.plane.ctl.wallet("customer")?;
        Step::run(self.report, "customer", || {
            self.plane.chain.faucet(&customer.address, ALLOWANCE_FLUX)?;
            customer.login()?;
            let told = format!("{} with {ALLOWANCE_FLUX} FLUX, signed in", customer.id);
            Ok((customer, told))
        })
    }

    /// Ends what an interrupted demonstration left behind: it would hold the port.
    fn clear_away(&self, customer: &Wallet) -> Result<()> {
        let list = customer.ctl().json(&["apps"])?;
        let apps = list["items"].as_array().into_iter().flatten();
        let live = apps.filter(|app| app["state"] != "cancelled" && app["state"] != "expired");
        for app in live {
            let name = programs::text(app, "/name")?;
            self.shell(customer).run(&["cancel", &name, "--yes"])?;
        }
        Ok(())
    }

    fn prepare(&self, customer: &Wallet) -> Result<App> {
        let app = App::from_template(&customer.id)?;
        app.write(&self.plane.layout)?;
        Step::run(self.report, "image", || {
            let engine = &self.plane.engine;
            let source = engine.provide_image(&app.image, app.container_port)?;
            let told = match source {
                ImageSource::Present => format!("{} is here", app.image),
                ImageSource::Pulled => format!("{} from its registry", app.image),
                ImageSource::StandIn => format!(
                    "no registry in reach: a demo image stands in for {}",
                    app.image
                ),
            };
            Ok(((), told))
        })?;
        Ok(app)
    }

    fn quote(&mut self, customer: &Wallet) -> Result<()> {
        self.begin(Part::Quote, "What does it cost?")?;
        let file = App::file(&self.plane.layout);
        self.shell(customer)
            .run(&["spec", "check", "--file", &file])?;
        self.shell(customer).run(&["quote", "--file", &file])
    }

    fn deploy(&mut self, customer: &Wallet, app: &App) -> Result<()> {
        self.begin(
            Part::Deploy,
            "Deploy it, signed by the customer's key and paid on the chain",
        )?;
        self.submit("deploy", customer, app)
    }

    /// Submits, pays and watches until all copies run.
    fn submit(&self, verb: &str, customer: &Wallet, app: &App) -> Result<()> {
        let file = App::file(&self.plane.layout);
        let key = customer.key_file.display().to_string();
        let shell = self.shell(customer);
        shell.run(&[
            verb,
            "--file",
            &file,
            "--key-file",
            &key,
            "--pay-with",
            &key,
            "--yes",
            "--watch",
        ])?;
        shell.run(&["instances", &app.name])
    }

    /// Asks every copy for its page.
    fn visit(&mut self, customer: &Wallet, app: &App) -> Result<()> {
        self.begin(Part::Visit, "Every copy answers")?;
        self.curl_all(customer, app)
    }

    fn curl_all(&self, customer: &Wallet, app: &App) -> Result<()> {
        self.visit_all(&healthy(customer, app)?)
    }

    fn visit_all(&self, instances: &[Value]) -> Result<()> {
        for instance in instances {
            let endpoint = programs::text(instance, "/endpoints/0")?;
            let url = format!("http://{endpoint}/");
            self.report.command(&format!("curl {url}"));
            let page = process::read(std::process::Command::new("curl").args([
                "--silent",
                "--show-error",
                "--fail",
                // A plane that was started again shows its copies as it knew them until their machines report.
                "--retry",
                "30",
                "--retry-delay",
                "1",
                "--retry-connrefused",
                "--max-time",
                "60",
                &url,
            ]))?;
            self.report.text(&said(&page));
        }
        Ok(())
    }

    async fn lose_node(&mut self, customer: &Wallet, app: &App) -> Result<Node> {
        self.begin(Part::LoseNode, "A machine loses its power")?;
        let before = healthy(customer, app)?;
        let first = before.first().context("no copy is healthy")?;
        let lost_id = programs::text(first, "/node_id")?;
        let node = NODES
            .into_iter()
            .find(|node| self.plane.node_id(node).is_ok_and(|id| id == lost_id))
            .context("a copy runs on a machine that is none of ours")?;
        let killed = self.plane.cut_power(&node).await?;
        self.report.text(&format!(
            "{} at {} is dead: its agent and {killed} container got SIGKILL",
            node.name,
            self.plane.ip(&node)
        ));
        Step::run(self.report, "replacement", || {
            let wanted = u64::try_from(before.len())?;
            let moved =
                customer
                    .ctl()
                    .until_json(RUNNING_LIMIT, &["instances", &app.name], |found| {
                        let now = healthy_of(found, &app.name)?;
                        anyhow::ensure!(
                            now.iter().all(|instance| instance["node_id"] != *lost_id),
                            "a copy still counts on the dead machine"
                        );
                        anyhow::ensure!(
                            now.len() as u64 == wanted,
                            "{} of {wanted} healthy",
                            now.len()
                        );
                        now.into_iter()
                            .find(|instance| {
                                !before
                                    .iter()
                                    .any(|old| old["node_id"] == instance["node_id"])
                            })
                            .context("no copy on another machine")
                    })?;
            let told = format!("healthy at {}", programs::text(&moved, "/endpoints/0")?);
            Ok(((), told))
        })?;
        self.shell(customer).run(&["events", &app.name])?;
        self.curl_all(customer, app)?;
        Ok(node)
    }

    fn update(&mut self, customer: &Wallet, app: &App) -> Result<App> {
        self.begin(Part::Update, "Update it, one copy at a time")?;
        let next = app.revised();
        next.write(&self.plane.layout)?;
        self.submit("update", customer, &next)?;
        self.curl_all(customer, &next)?;
        Ok(next)
    }
}

/// Copies that are well.
fn healthy(customer: &Wallet, app: &App) -> Result<Vec<Value>> {
    healthy_of(&customer.ctl().json(&["instances", &app.name])?, &app.name)
}

fn healthy_of(list: &Value, app: &str) -> Result<Vec<Value>> {
    let items = list["items"].as_array();
    let items = items.with_context(|| format!("no instances of {app}"))?;
    let well = items
        .iter()
        .filter(|instance| instance["state"] == "healthy");
    Ok(well.cloned().collect())
}

/// The text of a small page, in one line.
fn said(page: &str) -> String {
    /// More than the demo image says.
    const MOST: usize = 300;
    let mut text = String::new();
    let mut inside = false;
    let body = page.split_once("</style>").map_or(page, |(_, body)| body);
    for character in body.chars() {
        match character {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            _ if !inside => text.push(character),
            _ => {}
        }
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shown_without_its_markup() {
        let page = "<style>dt{color:red}</style><h1>shop runs</h1>\n<dt>node</dt><dd>one</dd>";
        assert_eq!(said(page), "shop runs node one");
    }
}
