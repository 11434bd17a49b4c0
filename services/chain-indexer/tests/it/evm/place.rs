//! A database, and followers that move when they are told to.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use alloy_primitives::Address;
use fluxplane_chain_indexer::{
    STORE,
    evm::{
        app::{Context, Lead, lease_of},
        config::Token,
        metrics::EvmMetrics,
        source::EthRpc,
        tasks::follow::Follower,
    },
};
use fluxplane_core::{IdSource as _, SystemClock, SystemIds};
use fluxplane_platform::{
    config::Secret,
    db::{PLATFORM_MIGRATIONS, lease},
    metrics::Metrics,
    reconciler::Reconciler as _,
};
use fluxplane_proto::{
    Event as _,
    chain_indexer::v1::{EvmTransfer, TransferFinal, TransferReorganised, TransferSeen},
};
use fluxplane_testkit::TestDb;
use prost::Message as _;
use sqlx::{AssertSqlSafe, PgPool, Row as _};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A lease that outlives every test.
const TERM: Duration = Duration::from_hours(1);

/// Time a request gets.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Name of the token in every test.
pub(crate) const NAME: &str = "test-token";

const TABLES: [&str; 3] = ["evm_asset", "evm_block", "evm_transfer"];

/// The rows of each table, sorted.
pub(crate) type Dump = BTreeMap<&'static str, Vec<String>>;

pub(crate) struct Place {
    pub(crate) db: TestDb,
    pub(crate) metrics: Metrics,
    families: EvmMetrics,
    holder: Uuid,
    lease: &'static str,
}

/// The token of a test: six confirmations, small ranges.
pub(crate) fn token(chain_id: u64, contract: Address) -> Token {
    Token {
        name: NAME.to_owned(),
        chain_id,
        contract,
        decimals: 8,
        start_block: 0,
        announce_from: 0,
        confirmations: 6,
        max_range: 1_000,
        stalled_after: Duration::from_mins(1),
    }
}

impl Place {
    pub(crate) async fn new() -> Self {
        let migrators = [&PLATFORM_MIGRATIONS, STORE.migrations];
        let metrics = Metrics::new("test", "0");
        Self {
            db: TestDb::new(STORE.schema, &migrators).await.unwrap(),
            families: EvmMetrics::register(&metrics),
            metrics,
            holder: SystemIds.next(),
            lease: lease_of(NAME),
        }
    }

    /// A follower in the term of this database's leader.
    pub(crate) async fn follower(&self, token: &Token, url: &str) -> Follower<EthRpc> {
        self.patient(token, url, PATIENCE, None).await
    }

    pub(crate) async fn patient(
        &self,
        token: &Token,
        url: &str,
        timeout: Duration,
        longest_answer: Option<usize>,
    ) -> Follower<EthRpc> {
        let mut conn = self.db.pool.acquire().await.unwrap();
        let term = lease::acquire(&mut conn, self.lease, self.holder, TERM)
            .await
            .unwrap()
            .unwrap();
        let lead = Lead {
            ctx: Context {
                pool: self.db.pool.clone(),
                clock: Arc::new(SystemClock),
                ids: Arc::new(SystemIds),
            },
            token: token.clone(),
            lease: self.lease,
            term,
        };
        let metrics = self.families.of(&token.name);
        let mut source = EthRpc::new(Secret::new(url), timeout, metrics.clone()).unwrap();
        if let Some(limit) = longest_answer {
            source = source.with_longest_answer(limit);
        }
        Follower::new(lead, Arc::new(source), CancellationToken::new(), metrics)
    }

    pub(crate) async fn dump(&self) -> Dump {
        dump(&self.db.pool).await
    }

    /// One value of the only asset, as text.
    #[expect(clippy::disallowed_methods, reason = "a look from outside")]
    pub(crate) async fn asset(&self, expression: &str) -> String {
        let sql = format!(
            "SELECT coalesce(({expression})::text, '-') FROM evm_asset a LEFT JOIN evm_node n ON n.asset_id = a.id"
        );
        sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&self.db.pool)
            .await
            .unwrap()
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Seen,
    Final,
    Reorganised,
}

/// An event as a consumer gets it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Announced {
    pub(crate) kind: Kind,
    pub(crate) transfer: EvmTransfer,
    pub(crate) sequence: u64,
}

impl Announced {
    fn decode(subject: &str, payload: &[u8]) -> Self {
        let (kind, transfer, sequence) = match subject {
            TransferSeen::SUBJECT => {
                let event = TransferSeen::decode(payload).unwrap();
                (Kind::Seen, event.transfer, event.sequence)
            }
            TransferFinal::SUBJECT => {
                let event = TransferFinal::decode(payload).unwrap();
                (Kind::Final, event.transfer, event.sequence)
            }
            TransferReorganised::SUBJECT => {
                let event = TransferReorganised::decode(payload).unwrap();
                (Kind::Reorganised, event.transfer, event.sequence)
            }
            other => panic!("{other} is no subject of transfers"),
        };
        Self {
            kind,
            transfer: transfer.unwrap(),
            sequence,
        }
    }

    /// What names a transfer.
    pub(crate) fn name(&self) -> (String, u32) {
        (self.transfer.block_hash.clone(), self.transfer.log_index)
    }
}

/// What follows from the chain. Numbers of assets are left out: a beginning that is interrupted uses one up.
#[expect(
    clippy::disallowed_methods,
    reason = "the same query for tables of every shape"
)]
pub(crate) async fn dump(pool: &PgPool) -> Dump {
    let mut dump = Dump::new();
    for table in TABLES {
        let sql = format!("SELECT (to_jsonb(t) - 'id' - 'asset_id')::text AS row FROM {table} t");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(pool)
            .await
            .unwrap();
        let mut rows: Vec<String> = rows.iter().map(|row| row.get("row")).collect();
        rows.sort();
        dump.insert(table, rows);
    }
    dump
}

/// Panics with the first row that differs.
#[track_caller]
pub(crate) fn assert_same(found: &Dump, expected: &Dump, context: &str) {
    for table in TABLES {
        let (found, expected) = (&found[table], &expected[table]);
        let differs = found.iter().zip(expected).find(|(a, b)| a != b);
        assert!(
            found == expected,
            "{context}: {table} has {} rows, expected {}; first difference: {differs:#?}",
            found.len(),
            expected.len()
        );
    }
}

/// Looks until nothing is left to do. Returns what the last look found.
pub(crate) async fn settle(follower: &mut Follower<EthRpc>) -> String {
    loop {
        let progress = follower.reconcile().await.unwrap();
        if !progress.more {
            return progress.summary;
        }
    }
}

/// Looks until the follower is level with the node, which must happen in a few looks.
pub(crate) async fn level(follower: &mut Follower<EthRpc>) {
    for _ in 0..20 {
        let last = settle(follower).await;
        if last.contains("level at") {
            return;
        }
    }
    panic!("not level with the node: {}", settle(follower).await);
}
