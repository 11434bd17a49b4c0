//! The development chain of a plane on one machine.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::programs::{self, Programs};

/// User name of its JSON-RPC.
pub const RPC_USER: &str = "devnet";

/// How the chain's server is reached.
#[derive(Debug, Clone)]
pub struct Chain {
    pub programs: Programs,
    pub rpc_url: String,
    pub password: String,
}

/// A key of the chain's developer.
#[derive(Debug, Clone)]
pub struct Account {
    pub address: String,
    pub wif: String,
}

/// A fluxnode that the chain keeps confirmed.
#[derive(Debug, Clone)]
pub struct Fluxnode {
    /// `txid:vout`.
    pub collateral: String,
    /// WIF.
    pub node_key: String,
}

impl Chain {
    /// Runs a verb of the `devnet` command that answers JSON.
    pub fn call(&self, arguments: &[&str]) -> Result<Value> {
        programs::json(&mut self.command(arguments))
    }

    pub fn height(&self) -> Result<u64> {
        let height = self.call(&["height"])?;
        height["height"].as_u64().context("no height")
    }

    /// Rules that a follower of this chain must configure.
    pub fn params(&self) -> Result<Value> {
        self.call(&["params"])
    }

    pub fn account(&self, name: &str) -> Result<Account> {
        let accounts = self.call(&["accounts"])?;
        let mut all = accounts.as_array().into_iter().flatten();
        let found = all.find(|account| account["name"] == name);
        let found = found.with_context(|| format!("the chain has no account {name}"))?;
        Ok(Account {
            address: programs::text(found, "/address")?,
            wif: programs::text(found, "/wif")?,
        })
    }

    /// Gives coins away; the next block holds the payment.
    pub fn faucet(&self, address: &str, flux: &str) -> Result<()> {
        self.call(&["faucet", address, flux]).map(drop)
    }

    /// Starts and confirms a node, making the blocks this takes.
    pub fn add_node(&self, tier: &str, ip: &str) -> Result<Fluxnode> {
        let node = self.call(&["addnode", "--tier", tier, "--ip", ip, "--fast"])?;
        Ok(Fluxnode {
            collateral: programs::text(&node, "/collateral")?,
            node_key: programs::text(&node, "/node_key")?,
        })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.programs.command("devnet");
        command
            .args(arguments)
            .env("DEVNET_RPC_URL", &self.rpc_url)
            .env("DEVNET_RPC_USER", RPC_USER)
            .env("DEVNET_RPC_PASSWORD", &self.password);
        command
    }
}
