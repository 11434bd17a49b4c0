//! How a chain node is reached.

use std::path::PathBuf;

use clap::Args;
use reqwest::Url;

use super::value;
use crate::{
    chain_rpc::{Access, Node},
    error::Error,
};

/// A fluxd-compatible node of your choice.
#[derive(Debug, Clone, Args)]
pub struct Rpc {
    /// JSON-RPC address of a fluxd-compatible chain node; user and password may stand in it.
    #[arg(long, env = "FLUXCTL_RPC_URL", hide_env_values = true, value_name = "URL", value_parser = value::server)]
    pub rpc_url: Option<Url>,
    /// User of the chain node, `rpcuser`.
    #[arg(
        long,
        env = "FLUXCTL_RPC_USER",
        hide_env_values = true,
        value_name = "USER"
    )]
    pub rpc_user: Option<String>,
    /// Password of the chain node, `rpcpassword`; better given by the environment or a file.
    #[arg(
        long,
        env = "FLUXCTL_RPC_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD",
        conflicts_with = "rpc_password_file"
    )]
    pub rpc_password: Option<String>,
    /// File with the password of the chain node.
    #[arg(long, value_name = "FILE")]
    pub rpc_password_file: Option<PathBuf>,
}

impl Rpc {
    /// The node, if one is named.
    pub fn node(&self) -> Result<Option<Node>, Error> {
        let Some(url) = &self.rpc_url else {
            return Ok(None);
        };
        let password = match (&self.rpc_password, &self.rpc_password_file) {
            (Some(password), _) => password.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|err| Error::file("read", path, err))?
                .trim()
                .to_owned(),
            (None, None) => url.password().unwrap_or_default().to_owned(),
        };
        let user = self
            .rpc_user
            .clone()
            .unwrap_or_else(|| url.username().to_owned());
        let mut bare = url.clone();
        bare.set_username("").ok();
        bare.set_password(None).ok();
        let access = Access {
            url: bare,
            user,
            password,
        };
        Ok(Some(Node::new(access)?))
    }

    /// The node, which must be named.
    pub fn needed(&self) -> Result<Node, Error> {
        self.node()?.ok_or_else(|| {
            let rule = "this asks a chain node";
            let remedy = "add --rpc-url, or set FLUXCTL_RPC_URL";
            Error::input("--rpc-url", "not given", rule, remedy)
        })
    }
}
