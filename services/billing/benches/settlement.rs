//! How much usage billing takes and how fast it settles, on a Postgres that keeps what it acknowledges.
//!
//! `cargo bench -p fluxplane-billing` settles 100,000 lines; a number as argument settles that many. Prints one JSON object.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "the result")]

use std::{sync::Arc, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use fluxplane_billing::{
    SERVICE, STORE,
    app::{
        self,
        settle_epoch::settle_epoch,
        take_usage::{Taken, take_usage},
    },
    config::Config,
    db::{self, reports::SignedReport},
    domain::{
        epoch::EpochState,
        usage::{Ran, Report},
    },
    metrics::BillingMetrics,
};
use fluxplane_core::{FixedClock, SystemIds};
use fluxplane_ledger::interval::Interval;
use fluxplane_platform::{metrics::Metrics, runner};
use fluxplane_testkit::{Durability, Postgres};
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

const START: u64 = 1_800_000_000;
const EPOCH: u64 = 3_600;
const NODES: u128 = 1_000;
const COPIES: u64 = 3;

/// Instances per report, and reports per transaction where they are batched.
const PER_REPORT: u64 = 50;
const BATCH: usize = 64;

fn main() {
    let lines = std::env::args().find_map(|arg| arg.parse().ok());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(measure(lines.unwrap_or(100_000)));
}

async fn measure(lines: u64) {
    let dir = tempfile::Builder::new()
        .prefix("fluxplane-bench-")
        .tempdir_in("/tmp")
        .unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let postgres = Postgres::start_in(dir.path(), port, Durability::Full)
        .await
        .unwrap();
    let options: PgConnectOptions = postgres.url().parse().unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(8)
        .connect_with(options.options([("search_path", "billing")]))
        .await
        .unwrap();
    sqlx::raw_sql("CREATE SCHEMA billing")
        .execute(&pool)
        .await
        .unwrap();
    runner::migrate_store(&pool, STORE).await.unwrap();
    let ctx = context(&pool);
    let mut conn = pool.acquire().await.unwrap();
    db::epochs::open(&mut conn, 1, START, START + EPOCH)
        .await
        .unwrap();
    drop(conn);

    let apps = lines.div_ceil(COPIES);
    sell(&pool, apps).await;
    let single = take(&ctx, lines, 1, 0).await;
    let batched = take(&ctx, lines, BATCH, 1).await;
    let settled = settle(&ctx).await;
    println!(
        "{{\"lines\": {lines}, \"usage_lines_per_s_one_report_per_commit\": {single}, \
         \"usage_lines_per_s_{BATCH}_reports_per_commit\": {batched}, \"settle_ms\": {settled}}}"
    );
    pool.close().await;
}

fn time(seconds: u64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::try_from(seconds).unwrap())
}

fn context(pool: &PgPool) -> app::Context {
    let config: Config = runner::load(SERVICE, None).unwrap();
    app::Context {
        pool: pool.clone(),
        clock: Arc::new(FixedClock::at(time(START + EPOCH))),
        ids: Arc::new(SystemIds),
        rules: Arc::new(config.rules().unwrap()),
        metrics: BillingMetrics::register(&Metrics::new("bench", "0")),
    }
}

/// Applications, funded and assigned, three for each of their owners; their money is in the books.
async fn sell(pool: &PgPool, apps: u64) {
    let sql = format!(
        "INSERT INTO node SELECT lpad(to_hex(n), 32, '0')::uuid, '1Operator' || n / 4, 1, true, 'epoch', 1
             FROM generate_series(1, {NODES}) AS n;
         INSERT INTO quote SELECT lpad('a' || to_hex(n), 32, '0')::uuid, '1Owner' || n / 3, 'app' || n, '{{}}', decode(repeat('00', 32), 'hex'),
             NULL, 940000000, 940000000, 99, 24000000, 100000, 'bench', now(), 2250000, 1597156, 'bench', 88000, 2640000, {COPIES}, 't3', '{{}}', now(), now() + interval '1 hour'
             FROM generate_series(1, {apps}) AS n;
         INSERT INTO app SELECT lpad('b' || to_hex(n), 32, '0')::uuid, 'app' || n, '1Owner' || n / 3, NULL, now() FROM generate_series(1, {apps}) AS n;
         INSERT INTO revision SELECT lpad('c' || to_hex(n), 32, '0')::uuid, lpad('b' || to_hex(n), 32, '0')::uuid, 1, n::text,
             lpad('a' || to_hex(n), 32, '0')::uuid, 'balance', 'funded', '', now(), now(), now(), 2250000 FROM generate_series(1, {apps}) AS n;
         INSERT INTO term (revision_id, app_id, owner, quote_id, price_row, total_sat, seconds, instances, starts_at, ends_at, limit_seconds)
             SELECT lpad('c' || to_hex(n), 32, '0')::uuid, lpad('b' || to_hex(n), 32, '0')::uuid, '1Owner' || n / 3, lpad('a' || to_hex(n), 32, '0')::uuid,
             1597156, 940000000, 2640000, {COPIES}, {START}, {START} + 2640000, 2640000 * {COPIES} FROM generate_series(1, {apps}) AS n;
         INSERT INTO assignment SELECT lpad('d' || to_hex(n), 32, '0')::uuid, 1, lpad('b' || to_hex((n - 1) / {COPIES} + 1), 32, '0')::uuid,
             lpad('c' || to_hex((n - 1) / {COPIES} + 1), 32, '0')::uuid, lpad(to_hex((n - 1) / {PER_REPORT} % {NODES} + 1), 32, '0')::uuid, {START}, NULL
             FROM generate_series(1, {apps} * {COPIES}) AS n;
         INSERT INTO account (asset, name, kind) VALUES ('FLUX', 'chain_clearing', 'chain_clearing');
         INSERT INTO account (asset, name, kind) SELECT 'FLUX', 'customer_held:' || id, 'customer_held' FROM app;
         INSERT INTO transfer SELECT gen_random_uuid(), 'deposit', 'FLUX', 1, id, 940000000, now(), now(), NULL, '' FROM account WHERE kind = 'customer_held';
         ANALYZE;"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(pool)
        .await
        .unwrap();
}

/// The uuid that SQL makes of a prefix and a number.
fn id(prefix: u8, number: u128) -> Uuid {
    let digits = format!("{number:x}");
    let shift = u32::try_from(digits.len()).unwrap() * 4;
    Uuid::from_u128((u128::from(prefix) << shift) | number)
}

/// Reports every instance once; returns lines per second. The round tells the halves of the epoch apart.
async fn take(ctx: &app::Context, lines: u64, batch: usize, round: u64) -> u64 {
    let from = START + round * EPOCH / 2;
    let span = Interval::new(from, from + EPOCH / 2).unwrap();
    let reports: Vec<Taken> = (0..lines.div_ceil(PER_REPORT))
        .map(|number| {
            let node = id(0, u128::from(number) % NODES + 1).into();
            let sequence = u64::try_from(u128::from(number) / NODES).unwrap() * 2 + round;
            let first = number * PER_REPORT;
            let ran = (first..(first + PER_REPORT).min(lines)).map(|n| Ran {
                instance: id(0xd, u128::from(n) + 1).into(),
                assignment_epoch: 1,
                seconds: span,
            });
            Taken {
                report: Report {
                    node,
                    sequence,
                    up: Some(span),
                    ran: ran.collect(),
                },
                signed: SignedReport {
                    node,
                    sequence,
                    signed: vec![0; usize::try_from(PER_REPORT).unwrap() * 56],
                    signature: vec![0; 64],
                    agent_pubkey: vec![0; 32],
                    received_at: time(START + EPOCH),
                },
            }
        })
        .collect();
    let started = Instant::now();
    for reports in reports.chunks(batch) {
        let mut tx = fluxplane_platform::db::begin(&ctx.pool).await.unwrap();
        take_usage(&mut tx, ctx, reports.to_vec()).await.unwrap();
        tx.commit().await.unwrap();
    }
    per_second(lines, started)
}

fn per_second(count: u64, since: Instant) -> u64 {
    let micros = u64::try_from(since.elapsed().as_micros()).unwrap().max(1);
    count * 1_000_000 / micros
}

async fn settle(ctx: &app::Context) -> u128 {
    let mut conn = ctx.pool.acquire().await.unwrap();
    db::epochs::set_state(&mut conn, 1, EpochState::Closing, START + EPOCH)
        .await
        .unwrap();
    db::epochs::open(&mut conn, 2, START + EPOCH, START + 2 * EPOCH)
        .await
        .unwrap();
    sqlx::raw_sql("ANALYZE usage, assignment, term")
        .execute(&mut *conn)
        .await
        .unwrap();
    let started = Instant::now();
    settle_epoch(ctx, 1, None).await.unwrap();
    let took = started.elapsed().as_millis();
    let audit = db::ledger::audit(&mut conn).await.unwrap();
    assert_eq!(
        (audit.imbalance, audit.drifted_accounts, audit.drifted_terms),
        (0, 0, 0)
    );
    took
}
