//! Whether the database answers and has the schema this binary needs.

use std::time::Duration;

use sqlx::{PgPool, migrate::Migrator};

use crate::{
    health::Component,
    reconciler::{Progress, Reconciler},
};

/// How often the database is asked.
pub const PERIOD: Duration = Duration::from_secs(2);

/// Keeps the database's health component true.
#[derive(Debug)]
pub struct DbHealth {
    pub pool: PgPool,
    pub migrations: &'static Migrator,
    pub component: Component,
}

impl Reconciler for DbHealth {
    const NAME: &'static str = "platform.db_health";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let wanted = self
            .migrations
            .iter()
            .map(|migration| migration.version)
            .max()
            .unwrap_or(0);
        match applied_version(&self.pool).await {
            Ok(applied) if applied >= wanted => {
                self.component.ready();
                Ok(Progress::done(format!("schema version {applied}")))
            }
            Ok(applied) => {
                let reason = format!("schema has version {applied}, needs {wanted}: run `migrate`");
                self.component.not_ready(&reason);
                anyhow::bail!(reason)
            }
            Err(err) => {
                self.component.not_ready(format!("database: {err}"));
                Err(err.into())
            }
        }
    }
}

/// Newest migration of the service itself; a newer one than ours is fine, the schema only grows.
async fn applied_version(pool: &PgPool) -> sqlx::Result<i64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the table belongs to sqlx and is not there when queries are checked"
    )]
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations WHERE success")
        .fetch_one(pool)
        .await
}
