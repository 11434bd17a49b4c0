//! fluxd's JSON-RPC: the methods by family, the table that finds them, and the HTTP server in front.
//!
//! Names, order of fields, numbers and error codes are the daemon's (fluxd `src/rpc/*.cpp`). Methods of ours begin with `devnet_`.

mod addresses;
mod blocks;
mod chain_state;
mod developer;
mod emergency;
mod error;
mod fluxnodes;
mod http;
mod mempool;
mod mining;
mod network;
mod outputs;
mod params;
mod proofs;
mod raw;
mod signing;
mod transactions;
mod util;
mod view;

use std::{collections::HashMap, ops::RangeInclusive, sync::LazyLock};

use serde::Serialize;
use serde_json::value::RawValue;

pub use error::RpcError;
pub(crate) use http::{Server, serve};
pub(crate) use params::Params;

use crate::daemon::{Daemon, INTACT};
use error::METHOD_NOT_FOUND;

/// The answer of a method, as the JSON text it will be.
pub(crate) type Answer = Result<Box<RawValue>, RpcError>;

/// Turns an answer into its text.
pub(crate) fn answer(value: &impl Serialize) -> Answer {
    serde_json::value::to_raw_value(value)
        .map_err(|error| RpcError::misc(format!("the answer cannot be written: {error}")))
}

/// What a method does, and whether it changes anything.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    Read(fn(&Daemon, &Params) -> Answer),
    Write(fn(&mut Daemon, &Params) -> Answer),
}

/// A method.
#[derive(Debug, Clone)]
pub(crate) struct Method {
    pub(crate) name: &'static str,
    /// Older spellings.
    pub(crate) aliases: &'static [&'static str],
    /// What `help` shows after the name.
    pub(crate) usage: &'static str,
    pub(crate) about: &'static str,
    pub(crate) params: RangeInclusive<usize>,
    pub(crate) run: Run,
}

/// Short forms for the tables.
const fn read(
    name: &'static str,
    usage: &'static str,
    params: RangeInclusive<usize>,
    about: &'static str,
    run: fn(&Daemon, &Params) -> Answer,
) -> Method {
    Method {
        name,
        aliases: &[],
        usage,
        about,
        params,
        run: Run::Read(run),
    }
}

const fn write(
    name: &'static str,
    usage: &'static str,
    params: RangeInclusive<usize>,
    about: &'static str,
    run: fn(&mut Daemon, &Params) -> Answer,
) -> Method {
    Method {
        name,
        aliases: &[],
        usage,
        about,
        params,
        run: Run::Write(run),
    }
}

impl Method {
    const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The first line of its help.
    pub(crate) fn synopsis(&self) -> String {
        if self.usage.is_empty() {
            self.name.to_owned()
        } else {
            format!("{} {}", self.name, self.usage)
        }
    }

    pub(crate) fn help(&self) -> String {
        format!("{}\n\n{}\n", self.synopsis(), self.about)
    }
}

static METHODS: LazyLock<Vec<Method>> = LazyLock::new(|| {
    let families: [fn() -> Vec<Method>; 15] = [
        addresses::methods,
        blocks::methods,
        chain_state::methods,
        developer::methods,
        emergency::methods,
        fluxnodes::methods,
        mempool::methods,
        mining::methods,
        network::methods,
        outputs::methods,
        proofs::methods,
        raw::methods,
        signing::methods,
        transactions::methods,
        util::methods,
    ];
    families.into_iter().flat_map(|family| family()).collect()
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static Method>> = LazyLock::new(|| {
    METHODS
        .iter()
        .flat_map(|method| {
            let names = std::iter::once(method.name).chain(method.aliases.iter().copied());
            names.map(move |name| (name, method))
        })
        .collect()
});

/// All methods.
pub(crate) fn all_methods() -> &'static [Method] {
    &METHODS
}

/// The method with a name or an older spelling.
pub(crate) fn find_method(name: &str) -> Option<&'static Method> {
    BY_NAME.get(name).copied()
}

/// Carries out one call.
pub(crate) fn call(daemon: &std::sync::RwLock<Daemon>, name: &str, params: &Params) -> Answer {
    let method =
        find_method(name).ok_or_else(|| RpcError::new(METHOD_NOT_FOUND, "Method not found"))?;
    if !method.params.contains(&params.len()) {
        return Err(RpcError::misc(method.help()));
    }
    match method.run {
        Run::Read(run) => run(&daemon.read().expect(INTACT), params),
        Run::Write(run) => run(&mut daemon.write().expect(INTACT), params),
    }
}
