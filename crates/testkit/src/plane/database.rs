//! The database of a plane on one machine: one role and one schema per service.

use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions,
};

use super::layout::Layout;

/// Name of the database.
pub(crate) const DATABASE: &str = "fluxplane";

/// Roles of the services, which are also their schemas.
const ROLES: [&str; 6] = [
    "gateway",
    "scheduler",
    "registry",
    "billing",
    "indexer",
    "validator",
];

/// Makes the database, and whatever else `deploy/postgres/bootstrap.sql` makes, as far as they are missing.
pub(crate) async fn bootstrap(layout: &Layout, server: &str) -> Result<()> {
    let options: PgConnectOptions = server.parse()?;
    let mut admin = PgConnection::connect_with(&options).await?;
    let create = format!("CREATE DATABASE {DATABASE}");
    match admin.execute(AssertSqlSafe(create)).await {
        Ok(_) => {}
        Err(sqlx::Error::Database(err)) if err.code().as_deref() == Some("42P04") => {}
        Err(err) => return Err(err).context("create the database"),
    }
    admin.close().await?;

    let mut owner = PgConnection::connect_with(&options.database(DATABASE)).await?;
    for role in ROLES {
        let (_, password) = layout.secret(&format!("db-{role}"))?;
        // Made here, out of hexadecimal digits.
        let set = format!("SET fluxplane.password_{role} = '{password}'");
        owner.execute(AssertSqlSafe(set)).await?;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/postgres/bootstrap.sql");
    let script = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    owner
        .execute(AssertSqlSafe(script))
        .await
        .with_context(|| format!("run {}", file.display()))?;
    owner.close().await?;
    Ok(())
}
