//! A follower that moves when it is told to, over its own database.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use fluxplane_chain_indexer::{
    SERVICE, STORE,
    app::{Context, LEASE, Writer, load::load},
    config::{Config, NetworkName, StartMode},
    domain::{Rules, watch::WatchedAddress},
    metrics::ChainMetrics,
    source::{
        ChainSource, FluxdRpc, Quorum, metrics::SourceMetrics, quorum::Terms, rpc::RpcConfig,
    },
    tasks::{
        catch_up::{CatchUp, Ended, Pace},
        follow::Follower,
        heard::Heard,
    },
};
use fluxplane_core::{FixedClock, IdSource as _, SystemIds};
use fluxplane_flux_chain::Address;
use fluxplane_platform::{
    config::Secret,
    db::{PLATFORM_MIGRATIONS, lease},
    metrics::Metrics,
    reconciler::Reconciler as _,
    runner,
};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{BlockConnected, BlockDisconnected, FluxnodeChanged, PaymentChanged},
};
use fluxplane_testkit::TestDb;
use prost::Message as _;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    chain::{EXCHANGE_FUND, shop},
    daemon::{Daemon, PASSWORD, USER},
    dump::{Dump, dump},
};

/// A lease that outlives every test.
const TERM: Duration = Duration::from_hours(1);

/// How long payments may be missing here.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// How long a daemon may take for an answer.
const RPC_PATIENCE: Duration = Duration::from_secs(10);

/// How long one of several daemons is waited for.
pub(crate) const SOURCE_PATIENCE: Duration = Duration::from_millis(300);

/// The moment at which the clock of a test stands: after every recorded block.
pub(crate) fn noon() -> DateTime<Utc> {
    "2026-12-20T12:00:00Z".parse().unwrap()
}

/// The configuration of the recorded chain.
pub(crate) fn config() -> Config {
    let mut config: Config = runner::load(SERVICE, None).unwrap();
    config.chain.network = NetworkName::Devnet;
    config.chain.devnet.exchange_fund = Some(EXCHANGE_FUND.parse().unwrap());
    config.payments.addresses = vec![watched(shop())];
    config
}

pub(crate) fn watched(address: Address) -> WatchedAddress {
    WatchedAddress {
        address,
        from_height: 0,
    }
}

/// A database and what is needed to follow into it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) db: TestDb,
    pub(crate) clock: FixedClock,
    pub(crate) metrics: Metrics,
    pub(crate) chain_metrics: ChainMetrics,
    source_metrics: SourceMetrics,
    holder: Uuid,
    rules: Rules,
    pub(crate) pace: Pace,
}

impl Place {
    pub(crate) async fn new() -> Self {
        Self::with(config().rules().unwrap()).await
    }

    pub(crate) async fn with(rules: Rules) -> Self {
        let migrators = [&PLATFORM_MIGRATIONS, STORE.migrations];
        let metrics = Metrics::new("test", "0");
        let chain_metrics = ChainMetrics::register(&metrics);
        Self {
            db: TestDb::new(STORE.schema, &migrators).await.unwrap(),
            clock: FixedClock::at(noon()),
            source_metrics: SourceMetrics::register(&metrics, chain_metrics.garbled.clone()),
            chain_metrics,
            metrics,
            holder: SystemIds.next(),
            rules,
            pace: Pace {
                fetch_batch: 32,
                fetch_parallel: 4,
                blocks_per_transaction: 64,
            },
        }
    }

    /// Goes on with another configuration.
    pub(crate) fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    pub(crate) fn ctx(&self) -> Context {
        Context {
            pool: self.db.pool.clone(),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(SystemIds),
            rules: self.rules.clone(),
            writer: Writer::default(),
        }
    }

    pub(crate) fn source(&self, daemon: &Daemon, timeout: Duration) -> FluxdRpc {
        let config = RpcConfig {
            url: daemon.url(),
            user: USER.to_owned(),
            password: Secret::new(PASSWORD),
            timeout,
        };
        FluxdRpc::new(config, self.chain_metrics.clone()).unwrap()
    }

    /// Daemons named a, b, c and so on, of which a quorum must agree.
    pub(crate) fn quorum(&self, daemons: &[&Daemon], needed: usize) -> Quorum<FluxdRpc> {
        let sources = ('a'..)
            .zip(daemons)
            .map(|(name, daemon)| (name.to_string(), self.source(daemon, RPC_PATIENCE)))
            .collect();
        let params = &self.rules.params;
        let terms = Terms {
            needed,
            patience: SOURCE_PATIENCE,
            genesis: params.genesis.hash,
            network: params.network.to_string(),
        };
        Quorum::new(sources, terms, self.source_metrics.clone())
    }

    /// A follower in the term of this database's leader.
    pub(crate) async fn follower(&self, daemon: &Daemon) -> Follower<FluxdRpc> {
        self.follower_of(self.source(daemon, RPC_PATIENCE), 1).await
    }

    /// A follower of several daemons.
    pub(crate) async fn follower_of<S: ChainSource>(
        &self,
        source: S,
        needed: usize,
    ) -> Follower<S> {
        let mut conn = self.db.pool.acquire().await.unwrap();
        let token = lease::acquire(&mut conn, LEASE, self.holder, TERM)
            .await
            .unwrap()
            .unwrap();
        Follower {
            ctx: self.ctx(),
            source: Arc::new(source),
            start: StartMode::Genesis,
            needed,
            token,
            stop: CancellationToken::new(),
            pace: self.pace,
            drop_after: PATIENCE,
            metrics: self.chain_metrics.clone(),
            heard: Heard::default(),
            at: None,
            reported: None,
        }
    }

    pub(crate) async fn dump(&self) -> Dump {
        dump(&self.db.pool).await
    }

    /// Takes what was announced since the last time.
    #[expect(
        clippy::disallowed_methods,
        reason = "the tables belong to the platform"
    )]
    pub(crate) async fn announced(&self) -> Vec<Announced> {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
            "WITH gone AS (DELETE FROM outbox RETURNING seq, subject, payload)
             SELECT subject, payload FROM gone ORDER BY seq",
        )
        .fetch_all(&self.db.pool)
        .await
        .unwrap();
        rows.iter()
            .map(|(subject, payload)| Announced::decode(subject, payload))
            .collect()
    }
}

/// An event as a consumer gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Announced {
    Connected(BlockConnected),
    Disconnected(BlockDisconnected),
    Payment(PaymentChanged),
    Fluxnode(FluxnodeChanged),
}

impl Announced {
    pub(crate) fn decode(subject: &str, payload: &[u8]) -> Self {
        match subject {
            BlockConnected::SUBJECT => Self::Connected(BlockConnected::decode(payload).unwrap()),
            BlockDisconnected::SUBJECT => {
                Self::Disconnected(BlockDisconnected::decode(payload).unwrap())
            }
            PaymentChanged::SUBJECT => Self::Payment(PaymentChanged::decode(payload).unwrap()),
            FluxnodeChanged::SUBJECT => Self::Fluxnode(FluxnodeChanged::decode(payload).unwrap()),
            other => panic!("{other} is no subject of ours"),
        }
    }

    pub(crate) fn sequence(&self) -> u64 {
        match self {
            Self::Connected(event) => event.sequence,
            Self::Disconnected(event) => event.sequence,
            Self::Payment(event) => event.sequence,
            Self::Fluxnode(event) => event.sequence,
        }
    }

    pub(crate) fn payment(&self) -> Option<&PaymentChanged> {
        match self {
            Self::Payment(event) => Some(event),
            Self::Connected(_) | Self::Disconnected(_) | Self::Fluxnode(_) => None,
        }
    }
}

/// Looks until nothing is left to do. Returns what the last look found.
pub(crate) async fn settle<S: ChainSource>(follower: &mut Follower<S>) -> String {
    loop {
        let progress = follower.reconcile().await.unwrap();
        if !progress.more {
            return progress.summary;
        }
    }
}

/// The height of the follower's tip.
pub(crate) fn height<S>(follower: &Follower<S>) -> u32 {
    let at = follower.at.as_ref().unwrap();
    at.state.tip().unwrap().height
}

/// Applies the daemon's blocks as if all of them were final: many to a transaction.
pub(crate) async fn run_straight(place: &Place, daemon: &Daemon) {
    let follower = place.follower(daemon).await;
    let loaded = load(&follower.ctx).await.unwrap();
    let mut theirs = follower.source.position(None).await.unwrap().tip;
    theirs.height += 1_000;
    let work = CatchUp {
        ctx: &follower.ctx,
        token: follower.token,
        source: &follower.source,
        // One block a request: the first request beyond the end fails, and nothing else with it.
        pace: Pace {
            fetch_batch: 1,
            ..place.pace
        },
    };
    let ended = work.run(loaded.state, loaded.mempool, theirs, |_| ());
    assert!(matches!(ended.await.unwrap().ended, Some(Ended::Fetch(_))));
}
