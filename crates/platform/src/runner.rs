//! A service's `main`: reads the configuration, runs a subcommand, and turns the end into an exit code.

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use async_nats::jetstream;
use clap::{Parser, Subcommand};
use fluxplane_core::{Clock, IdSource, SystemClock, SystemIds};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{PgPool, migrate::Migrator};

use crate::{
    Lifecycle,
    admin::{self, Admin},
    bus, config,
    db::{
        self,
        leader::{Candidate, Term},
    },
    health::Health,
    metrics::Metrics,
    reconciler::{Driver, Nudge, Reconciler, TaskBoard},
    telemetry, tls,
};

/// How often what can no longer be asked for is forgotten.
const SWEEP_PERIOD: Duration = Duration::from_hours(1);

/// How long a leader that fell silent keeps its successor waiting.
const LEADER_TTL: Duration = Duration::from_secs(6);

/// What is particular about a service's process.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// As in `services/<name>`.
    pub name: &'static str,
    pub version: &'static str,
    /// Defaults of its configuration, TOML, without the `base` section.
    pub defaults: &'static str,
    /// Schema and migrations, for services that keep state in Postgres.
    pub store: Option<Store>,
}

/// Where a service keeps its state.
#[derive(Debug, Clone, Copy)]
pub struct Store {
    pub schema: &'static str,
    pub migrations: &'static Migrator,
}

/// Configuration of a service.
pub trait Config: DeserializeOwned + Serialize + Send + 'static {
    fn base(&self) -> &config::Base;

    /// Postgres, for services with a [`Store`].
    fn db(&self) -> Option<&config::Db> {
        None
    }

    /// Checks what types cannot say: rules between keys. The error names the key, its value and the remedy.
    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

/// What a service gets to start with.
#[derive(Debug)]
pub struct Start<C> {
    pub service: Service,
    pub config: C,
    pub lifecycle: Lifecycle,
    pub health: Health,
    pub metrics: Metrics,
    pub tasks: TaskBoard,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

impl<C> Start<C> {
    /// Spawns a reconciler on its period.
    pub fn spawn_reconciler<R>(&self, work: R, period: Duration, nudge: &Nudge)
    where
        R: Reconciler + 'static,
    {
        let driver = self.driver(period, nudge);
        self.lifecycle
            .spawn(R::NAME, driver.drive(work, self.lifecycle.drain()));
    }

    /// Spawns what every service with a [`Store`] needs: the outbox relay, the sweeper and the database's health.
    pub fn spawn_store(&self, store: Store, pool: &PgPool, jetstream: &jetstream::Context) {
        let relay = db::outbox::Relay {
            pool: pool.clone(),
            jetstream: jetstream.clone(),
            metrics: self.metrics.clone(),
            health: self.health.register("outbox"),
        };
        self.lifecycle
            .spawn("outbox", relay.run(self.lifecycle.drain()));
        let sweeper = db::sweep::Sweeper { pool: pool.clone() };
        self.spawn_reconciler(sweeper, SWEEP_PERIOD, &Nudge::default());
        let health = db::health::DbHealth {
            pool: pool.clone(),
            migrations: store.migrations,
            component: self.health.register("database"),
        };
        self.spawn_reconciler(health, db::health::PERIOD, &Nudge::default());
    }

    /// Spawns a consumer of another service's events.
    pub fn spawn_consumer<H>(&self, pool: &PgPool, jetstream: &jetstream::Context, handler: H)
    where
        H: bus::Handler + 'static,
    {
        let subscription = bus::Subscription {
            service: self.service.name,
            pool: pool.clone(),
            jetstream: jetstream.clone(),
            handler,
            metrics: self.metrics.clone(),
            health: self.health.register(H::CONSUMER),
        };
        self.lifecycle
            .spawn(H::CONSUMER, subscription.run(self.lifecycle.drain()));
    }

    /// Spawns work that only one replica does at a time. `work` is run once per term of leadership.
    pub fn spawn_leader<F, Fut>(&self, pool: &PgPool, lease: &'static str, work: F)
    where
        F: FnMut(Term) -> Fut + Send + 'static,
        Fut: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let candidate = Candidate {
            pool: pool.clone(),
            name: lease,
            holder: self.ids.next(),
            ttl: LEADER_TTL,
            metrics: self.metrics.clone(),
        };
        self.lifecycle
            .spawn(lease, candidate.run(self.lifecycle.drain(), work));
    }

    /// For reconcilers that run only while leading.
    pub fn driver(&self, period: Duration, nudge: &Nudge) -> Driver {
        Driver {
            period,
            nudge: nudge.clone(),
            board: self.tasks.clone(),
            metrics: self.metrics.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}

#[derive(Parser)]
#[command(about = "A service of Fluxplane.", long_about = None)]
struct Cli {
    /// Configuration file; keys not in it keep their defaults, and the environment overrides both.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Run,
    /// Bring the database schema to the version this binary needs, then exit.
    Migrate,
    /// Print the configuration in effect, secrets masked, then exit. Fails when it is not valid.
    CheckConfig,
}

/// Runs a service. Everything the process does begins here.
pub fn main<C, F, Fut>(service: Service, start: F) -> ExitCode
where
    C: Config,
    F: FnOnce(Start<C>) -> Fut,
    Fut: Future<Output = anyhow::Result<Lifecycle>>,
{
    tls::install_crypto_provider();
    let cli = Cli::parse();
    let result = load::<C>(service, cli.config).and_then(|config| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            match cli.command {
                Command::Run => run(service, config, start).await,
                Command::Migrate => migrate(service, &config).await,
                Command::CheckConfig => print_config(&config),
            }
        })
    });
    result.unwrap_or_else(|err| {
        #[expect(clippy::print_stderr, reason = "logging may not have started")]
        {
            eprintln!("{}: {err:#}", service.name);
        }
        ExitCode::FAILURE
    })
}

/// Reads a service's configuration as its process would.
pub fn load<C: Config>(service: Service, file: Option<PathBuf>) -> anyhow::Result<C> {
    let defaults = format!("{}\n{}", service.defaults, config::BASE_DEFAULTS);
    let config: C = config::load(service.name, &defaults, file)?;
    config.check()?;
    Ok(config)
}

/// Serves until SIGTERM or SIGINT. For processes with subcommands of their own; call it inside the runtime.
pub async fn run<C, F, Fut>(service: Service, config: C, start: F) -> anyhow::Result<ExitCode>
where
    C: Config,
    F: FnOnce(Start<C>) -> Fut,
    Fut: Future<Output = anyhow::Result<Lifecycle>>,
{
    let base = config.base().clone();
    let guard = telemetry::init(service.name, service.version, &base.telemetry)?;
    let health = Health::default();
    let start_context = Start {
        service,
        config,
        lifecycle: Lifecycle::new(
            health.clone(),
            base.shutdown.drain_delay.0,
            base.shutdown.grace.0,
        ),
        health: health.clone(),
        metrics: Metrics::new(service.name, service.version),
        tasks: TaskBoard::default(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
    };
    let admin = Admin {
        service: service.name,
        version: service.version,
        health,
        metrics: start_context.metrics.clone(),
        tasks: start_context.tasks.clone(),
    };
    let listener = admin::bind(base.admin.listen).await?;
    let drain = start_context.lifecycle.drain();
    start_context
        .lifecycle
        .spawn("admin", admin::serve(admin, listener, drain));
    tracing::info!(
        service = service.name,
        version = service.version,
        "starting"
    );
    let lifecycle = Box::pin(start(start_context)).await.context("start")?;
    let code = lifecycle.run().await;
    tracing::info!(service = service.name, "ended");
    // Exporting blocks on the network.
    tokio::task::spawn_blocking(move || guard.flush()).await?;
    code
}

async fn migrate<C: Config>(service: Service, config: &C) -> anyhow::Result<ExitCode> {
    let (Some(store), Some(db_config)) = (service.store, config.db()) else {
        anyhow::bail!("{} keeps no state in Postgres", service.name);
    };
    let pool = db::connect(db_config, store.schema, service.name);
    migrate_store(&pool, store).await?;
    pool.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Applies the platform's and the service's migrations in the schema of `pool`.
pub async fn migrate_store(pool: &PgPool, store: Store) -> anyhow::Result<()> {
    db::PLATFORM_MIGRATIONS
        .run(pool)
        .await
        .with_context(|| format!("migrate platform tables of {}", store.schema))?;
    store
        .migrations
        .run(pool)
        .await
        .with_context(|| format!("migrate {}", store.schema))?;
    Ok(())
}

/// Prints a configuration, secrets masked.
pub fn print_config<C: Config>(config: &C) -> anyhow::Result<ExitCode> {
    #[expect(clippy::print_stdout, reason = "this is the subcommand's output")]
    {
        println!("{}", serde_json::to_string_pretty(config)?);
    }
    Ok(ExitCode::SUCCESS)
}
