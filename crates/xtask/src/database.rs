//! Which schema each crate's checked queries are checked against.

use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, Executor as _, PgConnection, migrate::Migrator};

/// A crate with checked queries.
pub(crate) struct Schema {
    /// Folder of the crate.
    pub(crate) crate_dir: &'static str,
    /// Variable its `sqlx.toml` names.
    pub(crate) url_var: &'static str,
    /// Postgres schema, also the last part of its folder under `migrations/` with `-` for `_`.
    pub(crate) name: &'static str,
    /// Own migrations besides the platform's.
    pub(crate) migrations: Option<&'static str>,
}

pub(crate) const SCHEMAS: &[Schema] = &[
    Schema {
        crate_dir: "crates/platform",
        url_var: "PLATFORM_DATABASE_URL",
        name: "platform",
        migrations: None,
    },
    Schema {
        crate_dir: "services/billing",
        url_var: "BILLING_DATABASE_URL",
        name: "billing",
        migrations: Some("billing"),
    },
    Schema {
        crate_dir: "services/chain-indexer",
        url_var: "INDEXER_DATABASE_URL",
        name: "indexer",
        migrations: Some("chain-indexer"),
    },
    Schema {
        crate_dir: "services/gateway",
        url_var: "GATEWAY_DATABASE_URL",
        name: "gateway",
        migrations: Some("gateway"),
    },
    Schema {
        crate_dir: "services/node-registry",
        url_var: "REGISTRY_DATABASE_URL",
        name: "registry",
        migrations: Some("node-registry"),
    },
    Schema {
        crate_dir: "services/scheduler",
        url_var: "SCHEDULER_DATABASE_URL",
        name: "scheduler",
        migrations: Some("scheduler"),
    },
    Schema {
        crate_dir: "services/validator",
        url_var: "VALIDATOR_DATABASE_URL",
        name: "validator",
        migrations: Some("validator"),
    },
];

/// Brings every schema of the database behind `url` to the newest version.
pub(crate) async fn migrate(root: &Path, url: &str) -> Result<()> {
    let mut platform = Migrator::new(root.join("migrations/platform")).await?;
    platform.dangerous_set_table_name("_platform_migrations");
    for schema in SCHEMAS {
        let mut conn = PgConnection::connect(&schema_url(url, schema)).await?;
        conn.execute(sqlx::AssertSqlSafe(format!(
            "CREATE SCHEMA IF NOT EXISTS {}",
            schema.name
        )))
        .await?;
        platform.run(&mut conn).await?;
        if let Some(dir) = schema.migrations {
            let own = Migrator::new(root.join("migrations").join(dir)).await?;
            own.run(&mut conn)
                .await
                .with_context(|| format!("migrations/{dir}"))?;
        }
        conn.close().await?;
    }
    Ok(())
}

/// `url` with the search path of `schema`.
pub(crate) fn schema_url(url: &str, schema: &Schema) -> String {
    format!("{url}?options=-c%20search_path%3D{}", schema.name)
}
