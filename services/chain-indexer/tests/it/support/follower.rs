//! A follower that moves when it is told to, over its own database.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use fluxplane_chain_indexer::{
    SERVICE, STORE,
    app::{Context, LEASE},
    config::{Config, NetworkName},
    domain::{Rules, watch::WatchedAddress},
    metrics::ChainMetrics,
    source::{FluxdRpc, rpc::RpcConfig},
    tasks::{catch_up::Pace, follow::Follower, heard::Heard},
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
        Self {
            db: TestDb::new(STORE.schema, &migrators).await.unwrap(),
            clock: FixedClock::at(noon()),
            chain_metrics: ChainMetrics::register(&metrics),
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

    pub(crate) fn ctx(&self) -> Context {
        Context {
            pool: self.db.pool.clone(),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(SystemIds),
            rules: self.rules.clone(),
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

    /// A follower in the term of this database's leader.
    pub(crate) async fn follower(&self, daemon: &Daemon) -> Follower<FluxdRpc> {
        let mut conn = self.db.pool.acquire().await.unwrap();
        let token = lease::acquire(&mut conn, LEASE, self.holder, TERM)
            .await
            .unwrap()
            .unwrap();
        Follower {
            ctx: self.ctx(),
            source: Arc::new(self.source(daemon, Duration::from_secs(10))),
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
pub(crate) async fn settle(follower: &mut Follower<FluxdRpc>) -> String {
    loop {
        let progress = follower.reconcile().await.unwrap();
        if !progress.more {
            return progress.summary;
        }
    }
}

/// The height of the follower's tip.
pub(crate) fn height(follower: &Follower<FluxdRpc>) -> u32 {
    let at = follower.at.as_ref().unwrap();
    at.state.tip().unwrap().height
}
