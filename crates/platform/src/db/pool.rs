//! The connection pool of a service. The `search_path` selects the schema; the pool only bounds and names.

use std::time::Duration;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use crate::config;

/// A request that waits longer for a connection fails with "unavailable" instead of piling up.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// No statement of ours takes longer; a stuck one gives its locks back.
const STATEMENT_TIMEOUT: &str = "30s";

/// A transaction that does nothing for this long is ended by the server.
const IDLE_IN_TRANSACTION: &str = "60s";

/// Opens a pool for `schema`. Connections are made as needed, so Postgres may be away at first.
pub fn connect(config: &config::Db, schema: &str, application: &str) -> PgPool {
    let options = PgConnectOptions::new()
        .host(&config.host)
        .port(config.port)
        .database(&config.database)
        .username(&config.user)
        .password(config.password.expose())
        .ssl_mode(PgSslMode::Prefer)
        .application_name(application)
        .options([
            ("search_path", schema),
            ("statement_timeout", STATEMENT_TIMEOUT),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
        ]);
    PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}
