//! The real process, to be killed.

use std::process::{Child, Command, Stdio};

use super::{
    chain::EXCHANGE_FUND,
    daemon::{Daemon, PASSWORD, USER},
    service::Ground,
};

/// A running `chain-indexer`; gone when dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it on `ground` with further settings, named as in the environment without their prefix.
    pub(crate) fn start(ground: &Ground, daemon: &Daemon, settings: &[(&str, &str)]) -> Self {
        let config = ground.config(daemon);
        let mut command = Command::new(env!("CARGO_BIN_EXE_chain-indexer"));
        command
            .arg("run")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut set = |key: &str, value: &str| {
            command.env(format!("FLUXPLANE_CHAIN_INDEXER__{key}"), value);
        };
        set("DB__HOST", &config.db.host);
        set("DB__PORT", &config.db.port.to_string());
        set("DB__DATABASE", &config.db.database);
        set("DB__USER", &config.db.user);
        set("NATS__URL", &config.nats.url);
        set("TLS__CA_FILE", config.tls.ca_file.to_str().unwrap());
        set("TLS__CERT_FILE", config.tls.cert_file.to_str().unwrap());
        set("TLS__KEY_FILE", config.tls.key_file.to_str().unwrap());
        set("GRPC__LISTEN", &config.grpc.listen.to_string());
        set("BASE__ADMIN__LISTEN", "127.0.0.1:0");
        set("RPC__URL", &config.rpc.url);
        set("RPC__USER", USER);
        set("RPC__PASSWORD", PASSWORD);
        set("CHAIN__NETWORK", "devnet");
        set("CHAIN__DEVNET__EXCHANGE_FUND", EXCHANGE_FUND);
        for (key, value) in settings {
            set(key, value);
        }
        Self(command.spawn().unwrap())
    }

    pub(crate) fn kill(&mut self) {
        // SIGKILL: no signal handler, no flush.
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Lets a successor begin at once instead of after the dead leader's lease.
#[expect(
    clippy::disallowed_methods,
    reason = "the table belongs to the platform"
)]
pub(crate) async fn end_terms(pool: &sqlx::PgPool) {
    sqlx::query("UPDATE lease SET expires_at = now()")
        .execute(pool)
        .await
        .unwrap();
}
