//! `fluxctl` as people type it, against a plane on this machine.

use std::{path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    chain::{Chain, RPC_USER},
    layout::Layout,
    poll, programs,
};
use crate::process;

/// Calls of one user, with a profile of their own.
#[derive(Debug, Clone)]
pub struct Ctl {
    chain: Chain,
    layout: Layout,
    server: String,
    profile: String,
    stop: CancellationToken,
}

/// A wallet in a file, and calls in its owner's name.
#[derive(Debug, Clone)]
pub struct Wallet {
    ctl: Ctl,
    pub key_file: PathBuf,
    /// FluxID: who owns applications and nodes.
    pub id: String,
    /// Where coins of the development chain go.
    pub address: String,
}

impl Ctl {
    pub(crate) fn new(
        layout: &Layout,
        chain: &Chain,
        server: String,
        stop: CancellationToken,
    ) -> Self {
        Self {
            chain: chain.clone(),
            layout: layout.clone(),
            server,
            profile: "default".to_owned(),
            stop,
        }
    }

    /// Variables that make a plain `fluxctl` talk to this plane.
    pub fn environment(&self) -> [(&'static str, String); 6] {
        let config = self.layout.file("fluxctl");
        [
            ("XDG_CONFIG_HOME", config.display().to_string()),
            ("FLUXCTL_SERVER", self.server.clone()),
            ("FLUXCTL_PROFILE", self.profile.clone()),
            ("FLUXCTL_RPC_URL", self.chain.rpc_url.clone()),
            ("FLUXCTL_RPC_USER", RPC_USER.to_owned()),
            ("FLUXCTL_RPC_PASSWORD", self.chain.password.clone()),
        ]
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.chain.programs.command("fluxctl");
        command.args(arguments).envs(self.environment());
        command
    }

    /// What a command prints with `--output json`.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        programs::json(self.command(arguments).args(["--output", "json"]))
    }

    /// Tries again until a command succeeds.
    pub fn until(&self, limit: Duration, arguments: &[&str]) -> Result<String> {
        poll::until(&self.stop, limit, || {
            process::read(&mut self.command(arguments))
        })
    }

    /// Asks until the answer is as wanted. `look` says why it is not yet.
    pub fn until_json<T>(
        &self,
        limit: Duration,
        arguments: &[&str],
        look: impl Fn(&Value) -> Result<T>,
    ) -> Result<T> {
        poll::until(&self.stop, limit, || look(&self.json(arguments)?))
            .with_context(|| format!("fluxctl {}", arguments.join(" ")))
    }

    /// Refuses when the plane is asked to stop.
    pub(crate) fn go_on(&self) -> Result<()> {
        poll::go_on(&self.stop)
    }

    /// The wallet of that name, made where it is missing.
    pub fn wallet(&self, name: &str) -> Result<Wallet> {
        let key_file = self.layout.dir("wallets")?.join(format!("{name}.wif"));
        let shown = key_file.display().to_string();
        if !key_file.exists() {
            self.json(&["wallet", "new", "--network", "test", "--key-file", &shown])?;
        }
        let about = self.json(&["wallet", "address", "--key-file", &shown])?;
        Ok(Wallet {
            ctl: Self {
                profile: name.to_owned(),
                ..self.clone()
            },
            key_file,
            id: programs::text(&about, "/flux_id")?,
            address: programs::text(&about, "/address")?,
        })
    }
}

impl Wallet {
    pub const fn ctl(&self) -> &Ctl {
        &self.ctl
    }

    /// Signs in, unless this wallet is.
    pub fn login(&self) -> Result<()> {
        if self.ctl.json(&["whoami"]).is_ok() {
            return Ok(());
        }
        let key_file = self.key_file.display().to_string();
        let login = ["login", "--key-file", &key_file];
        self.ctl.until(Duration::from_secs(20), &login).map(drop)
    }
}
