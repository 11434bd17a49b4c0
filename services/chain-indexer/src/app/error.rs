//! What can go wrong, one variant per operation.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_flux_chain::{
    Hash256, OutPoint,
    fluxnode::{ImportError, UndoError},
};
use fluxplane_platform::error::{ServiceError, db_kind, db_reason};

use crate::{
    domain::{IndexMode, Tip, ledger::settle::Contradiction},
    source::SourceError,
};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("database")]
    Db(#[from] sqlx::Error),
    #[error("the request is malformed")]
    Invalid(Vec<Violation>),
    #[error("there is no block {0} on the best chain")]
    NoBlock(String),
    #[error("transaction {0} is neither on the best chain nor in the mempool")]
    NoTransaction(Hash256),
    #[error("collateral {0} is on no list")]
    NoFluxnode(OutPoint),
    #[error("transaction {0} pays no watched address, or was never seen")]
    NoPayment(Hash256),
    #[error("no block was indexed yet, so there are no fluxnode lists")]
    NoLists,
    #[error("block {0} was reorganised away, and its list with it")]
    ListMoved(Tip),
    #[error(
        "the fluxnode lists are known after the blocks {from} to {to}, not after block {height}"
    )]
    HeightOutOfRange {
        height: u32,
        from: u32,
        to: u32,
        mode: IndexMode,
    },
    #[error(
        "the database follows network {found} with genesis block {found_genesis}, the configuration names {wanted} with \
         {wanted_genesis}; use another schema or correct chain.network"
    )]
    OtherNetwork {
        found: String,
        found_genesis: Hash256,
        wanted: String,
        wanted_genesis: Hash256,
    },
    #[error(
        "the database holds an index of mode {found}, the configuration asks for index.mode = \"{wanted}\"; a mode is kept for the \
         life of a database: set index.mode = \"{found}\", or start with an empty schema, which indexes the chain again"
    )]
    OtherMode { found: IndexMode, wanted: IndexMode },
    #[error("{0}; the database was changed by hand or the daemon is not what it should be")]
    Ledger(#[from] Contradiction),
    #[error("the supply after block {0} is missing: the database was changed by hand")]
    NoSupply(u32),
    #[error("{what} needs an index of mode full, this one has mode plane")]
    NeedsFull { what: &'static str },
    #[error("no block of the best chain makes output {0}")]
    NoOutput(OutPoint),
    #[error("output {0} is not watched, and this index of mode plane knows no others")]
    NotWatched(OutPoint),
    #[error("{0} never received anything")]
    NoAccount(String),
    #[error(
        "transaction {0} is not kept by this index of mode plane, and the daemon does not find it: a daemon without txindex=1 \
         knows transactions of blocks by their unspent outputs only"
    )]
    NotFoundByDaemon(Hash256),
    #[error("ask the daemon for what the index does not keep")]
    Daemon(#[source] SourceError),
    #[error("the stored fluxnode lists are no state")]
    Lists(#[source] ImportError),
    #[error("the record that takes back block {0} is missing")]
    NoUndo(u32),
    #[error("take the fluxnode lists back")]
    Undo(#[source] UndoError),
    #[error("another replica follows the chain now")]
    Superseded,
    #[error("apply blocks")]
    Work(#[source] tokio::task::JoinError),
}

impl ServiceError for Error {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Db(err) => db_kind(err),
            Self::Invalid(_) | Self::HeightOutOfRange { .. } => ErrorKind::Invalid,
            Self::NoBlock(_)
            | Self::NoTransaction(_)
            | Self::NoFluxnode(_)
            | Self::NoPayment(_)
            | Self::NoOutput(_)
            | Self::NoAccount(_)
            | Self::NotFoundByDaemon(_) => ErrorKind::NotFound,
            Self::ListMoved(_) => ErrorKind::Stale,
            Self::NeedsFull { .. } | Self::NotWatched(_) => ErrorKind::Conflict,
            Self::NoLists | Self::Daemon(_) => ErrorKind::Unavailable,
            Self::OtherNetwork { .. }
            | Self::OtherMode { .. }
            | Self::Ledger(_)
            | Self::NoSupply(_)
            | Self::Lists(_)
            | Self::NoUndo(_)
            | Self::Undo(_)
            | Self::Superseded
            | Self::Work(_) => ErrorKind::Internal,
        }
    }

    fn reason(&self) -> Reason {
        match self {
            Self::Db(err) => db_reason(err),
            Self::Invalid(_) | Self::HeightOutOfRange { .. } => Reason::InvalidRequest,
            Self::NoBlock(_)
            | Self::NoTransaction(_)
            | Self::NoFluxnode(_)
            | Self::NoPayment(_)
            | Self::NoOutput(_)
            | Self::NoAccount(_)
            | Self::NotFoundByDaemon(_) => Reason::NotFound,
            Self::ListMoved(_) => Reason::StaleVersion,
            Self::NeedsFull { .. } | Self::NotWatched(_) => Reason::NotIndexed,
            Self::NoLists | Self::Daemon(_) => Reason::Unavailable,
            Self::OtherNetwork { .. }
            | Self::OtherMode { .. }
            | Self::Ledger(_)
            | Self::NoSupply(_)
            | Self::Lists(_)
            | Self::NoUndo(_)
            | Self::Undo(_)
            | Self::Superseded
            | Self::Work(_) => Reason::Internal,
        }
    }

    fn violations(&self) -> Vec<Violation> {
        match self {
            Self::Invalid(violations) => violations.clone(),
            Self::HeightOutOfRange {
                height,
                from,
                to,
                mode,
            } => {
                let rule = format!("the lists are known after the blocks {from} to {to}");
                let remedy = match mode {
                    IndexMode::Plane => {
                        "leave the height out for the tip, or ask an index of mode full"
                    }
                    IndexMode::Full => {
                        "leave the height out for the tip, or name a block in that range"
                    }
                };
                vec![Violation::new("height", height, rule, remedy)]
            }
            Self::NeedsFull { what } => {
                let rule = format!("{what} needs an index of every transaction");
                vec![needs_full("index.mode", &"plane", rule)]
            }
            Self::NotWatched(outpoint) => {
                let rule =
                    "an index of mode plane knows collateral outputs and outputs of payments";
                vec![needs_full("outpoint", outpoint, rule.to_owned())]
            }
            Self::NotFoundByDaemon(txid) => {
                let rule = "an index of mode plane asks the daemon for most transactions, and it does not find this one";
                vec![Violation::new(
                    "txid",
                    txid,
                    rule,
                    "give the daemon txindex=1, or ask a plane whose chain indexer has index.mode = \"full\"",
                )]
            }
            Self::Db(_)
            | Self::NoBlock(_)
            | Self::NoTransaction(_)
            | Self::NoFluxnode(_)
            | Self::NoPayment(_)
            | Self::NoLists
            | Self::ListMoved(_)
            | Self::NoOutput(_)
            | Self::NoAccount(_)
            | Self::Daemon(_)
            | Self::OtherNetwork { .. }
            | Self::OtherMode { .. }
            | Self::Ledger(_)
            | Self::NoSupply(_)
            | Self::Lists(_)
            | Self::NoUndo(_)
            | Self::Undo(_)
            | Self::Superseded
            | Self::Work(_) => Vec::new(),
        }
    }
}

fn needs_full(field: &str, value: &dyn std::fmt::Display, rule: String) -> Violation {
    let remedy = "ask a plane whose chain indexer has index.mode = \"full\"; changing it needs an empty schema";
    Violation::new(field, value, rule, remedy)
}
