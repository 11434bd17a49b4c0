//! What fluxd is to its clients: the chain, the memory pool and the wallet behind one lock, with their effects on each other.
//!
//! Everything here is synchronous and in order. Whoever changes the chain also brings the memory pool in step, numbers the messages
//! for subscribers, writes the log and lets the developer's nodes send what is due, before the lock is released.

mod blocks;
mod errors;
mod nodes;
mod snapshot;
mod transactions;

use std::{path::Path, sync::Arc, time::Duration};

use fluxplane_core::Clock;
use fluxplane_flux_chain::{ChainParams, PrivateKey, params::PonRules};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use blocks::Reorganisation;
pub(crate) use blocks::Submission;
pub use errors::DevnetError;
pub(crate) use errors::SendError;
pub use nodes::{NewNode, NodeView};

use crate::{
    chain::{BlockRef, Chain, Checks},
    mempool::Mempool,
    options::ChainRules,
    replay::Recording,
    store::{Record, Store, StoreError, Stored},
    wallet::{Account, Keyring, Wallet, WalletState},
    zmq::Notifier,
};

/// Why the lock around a daemon may be taken without a look at its poison.
pub(crate) const INTACT: &str = "whoever panicked with the chain in hand left it unusable";

/// Where the blocks come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The chain grows here.
    Grown,
    /// The chain is a recording that is shown block by block.
    Recorded(Recording),
}

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Zero: on demand only.
    pub(crate) interval: Duration,
    pub(crate) on: bool,
}

impl Schedule {
    pub(crate) const ON_DEMAND: Self = Self {
        interval: Duration::ZERO,
        on: true,
    };
}

/// The handles to what runs around the daemon.
#[derive(Debug)]
pub(crate) struct Controls {
    pub(crate) schedule: watch::Sender<Schedule>,
    pub(crate) stop: CancellationToken,
}

/// The node.
#[derive(Debug)]
pub(crate) struct Daemon {
    pub(crate) chain: Chain,
    pub(crate) mempool: Mempool,
    pub(crate) wallet: Wallet,
    pub(crate) rules: ChainRules,
    pub(crate) source: Source,
    pub(crate) notifier: Notifier,
    pub(crate) controls: Controls,
    pub(crate) last_assembly: LastAssembly,
    store: Option<Store>,
    clock: Arc<dyn Clock>,
    mock_time: Option<u32>,
    started_at: u32,
    tip: watch::Sender<BlockRef>,
}

/// Figures of the block made last, which the daemon tells.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LastAssembly {
    pub(crate) transactions: usize,
    pub(crate) bytes: usize,
}

impl Daemon {
    /// A chain that grows. Its folder is replayed; a new chain gets its first blocks.
    pub(crate) fn grown(
        rules: ChainRules,
        folder: Option<&Path>,
        clock: Arc<dyn Clock>,
        schedule: Schedule,
    ) -> Result<Self, DevnetError> {
        let params = rules.params();
        let (store, stored) = match folder {
            Some(folder) => {
                let (store, stored) = Store::open(folder, &rules)?;
                (Some(store), Some(stored))
            }
            None => (None, None),
        };
        let mut daemon = Self::empty(rules, params, Source::Grown, clock, schedule);
        if let Some(Stored { records, wallet }) = stored {
            daemon.wallet.state = wallet;
            daemon.replay_log(&records);
        }
        daemon.store = store;
        if daemon.chain.height() == 0 {
            daemon.premine()?;
        }
        daemon.operate_nodes();
        Ok(daemon)
    }

    /// A recorded chain, at its genesis block.
    pub(crate) fn recorded(
        recording: Recording,
        clock: Arc<dyn Clock>,
        schedule: Schedule,
    ) -> Self {
        let params = ChainParams::regtest_nodes();
        let source = Source::Recorded(recording);
        Self::empty(ChainRules::default(), params, source, clock, schedule)
    }

    fn empty(
        rules: ChainRules,
        params: ChainParams,
        source: Source,
        clock: Arc<dyn Clock>,
        schedule: Schedule,
    ) -> Self {
        let chain = Chain::new(Arc::new(params));
        let tip = chain.tip_ref();
        let keys = Keyring::new(&rules.seed);
        let mut daemon = Self {
            notifier: Notifier::new(tip),
            wallet: Wallet::new(keys, WalletState::default()),
            chain,
            mempool: Mempool::default(),
            rules,
            source,
            controls: Controls {
                schedule: watch::Sender::new(schedule),
                stop: CancellationToken::new(),
            },
            last_assembly: LastAssembly::default(),
            store: None,
            clock,
            mock_time: None,
            started_at: 0,
            tip: watch::Sender::new(tip),
        };
        daemon.started_at = daemon.now();
        daemon
    }

    /// Brings the chain to where the log says. What it holds was validated when it was written.
    fn replay_log(&mut self, records: &[Record]) {
        for record in records {
            self.apply_record(record);
        }
        let tip = self.chain.tip_ref();
        self.notifier.start_from(tip);
        self.tip.send_replace(tip);
    }

    fn apply_record(&mut self, record: &Record) {
        match record {
            Record::Rules(_) => {}
            Record::Wallet(wallet) => self.wallet.state = wallet.clone(),
            Record::Block(raw) => {
                if let Err(error) = self.chain.accept(raw, 0, Checks::Trusted) {
                    tracing::warn!(%error, "a block of the log is left out");
                    return;
                }
                self.chain.activate_best(Checks::Trusted);
            }
            Record::Invalidated(hash) => {
                self.chain.invalidate(hash, Checks::Trusted);
            }
            Record::Reconsidered(hash) => {
                self.chain.reconsider(hash, Checks::Trusted);
            }
        }
    }

    /// The time of day in Unix seconds.
    pub(crate) fn now(&self) -> u32 {
        self.mock_time.unwrap_or_else(|| {
            u32::try_from(self.clock.now().timestamp().max(0)).unwrap_or(u32::MAX)
        })
    }

    /// The time headers are measured against. Blocks made on demand may run ahead of the day; the limit moves with them.
    pub(crate) fn chain_time(&self) -> u32 {
        self.now().max(self.chain.tip().time)
    }

    /// Sets the clock to a moment, or back to the machine's.
    pub(crate) const fn set_mock_time(&mut self, time: Option<u32>) {
        self.mock_time = time;
    }

    pub(crate) const fn started_at(&self) -> u32 {
        self.started_at
    }

    /// Watches the tip.
    pub(crate) fn watch_tip(&self) -> watch::Receiver<BlockRef> {
        self.tip.subscribe()
    }

    /// Waits for the disk and lets go of the folder.
    pub(crate) fn close(&mut self) -> Result<(), StoreError> {
        self.store.take().map_or(Ok(()), |store| store.sync())
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.store.as_ref().map(Store::folder)
    }

    /// The collateral that produces blocks here.
    pub(crate) fn bypass(&self) -> fluxplane_flux_chain::OutPoint {
        let rules: &PonRules = &self.chain.params().pon;
        rules
            .test_bypass
            .expect("the parameters of our chains have a bypass")
    }

    /// The key with an id, if the wallet has it.
    pub(crate) fn key_of(&self, id: &fluxplane_flux_chain::Hash160) -> Option<PrivateKey> {
        self.wallet.key_of(id)
    }

    /// The developer's keys and what they can spend.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.wallet.accounts(&self.chain, &self.mempool)
    }

    fn save_wallet(&self) -> Result<(), StoreError> {
        match &self.store {
            Some(store) => store.save_wallet(&self.wallet.state),
            None => Ok(()),
        }
    }

    /// Refuses what only a growing chain can do.
    pub(crate) fn require_grown(&self, verb: &'static str) -> Result<(), DevnetError> {
        match self.source {
            Source::Grown => Ok(()),
            Source::Recorded(_) => Err(DevnetError::Recorded { verb }),
        }
    }
}
