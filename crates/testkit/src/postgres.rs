//! A private Postgres server, and a fresh migrated database per test.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::process::{self, Signal};

/// Variable that names the server tests use.
pub const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

/// Time a server gets to come up; crash recovery takes seconds.
const START_LIMIT: Duration = Duration::from_mins(1);

/// Unix user that runs the server when we are root, which Postgres refuses.
const UNPRIVILEGED: &str = "postgres";

/// Whether a crash of the machine may lose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// For tests: no fsync.
    None,
    /// As in production.
    Full,
}

/// A private Postgres server on a TCP port of the loopback interface, stopped on drop.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    pub port: u16,
    temporary: Option<tempfile::TempDir>,
}

impl Postgres {
    /// Starts on `port` with a temporary data folder.
    pub async fn start(port: u16) -> Result<Self> {
        // Under /tmp and not under a home folder, because the unprivileged user must reach it.
        let dir = tempfile::Builder::new()
            .prefix("fluxplane-pg-")
            .tempdir_in("/tmp")?;
        let mut server = Self::start_in(dir.path(), port, Durability::None).await?;
        server.temporary = Some(dir);
        Ok(server)
    }

    /// Starts on `port` with its data in `dir`, which is made on first use.
    pub async fn start_in(dir: &Path, port: u16, durability: Durability) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        let bin = bin_dir()?;
        let data = dir.join("data");
        let user = User::for_dir(dir)?;
        if !data.join("PG_VERSION").exists() {
            let mut initdb = user.command(&bin.join("initdb"));
            initdb
                .arg("-D")
                .arg(&data)
                .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"]);
            initdb.arg("--locale=C.UTF-8");
            if durability == Durability::None {
                initdb.arg("--no-sync");
            }
            run(&mut initdb)?;
        }
        let mut command = user.command(&bin.join("postgres"));
        command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        command.args([
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=300",
        ]);
        command
            .arg("-c")
            .arg(format!("unix_socket_directories={}", dir.display()));
        if durability == Durability::None {
            for setting in [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
            ] {
                command.args(["-c", setting]);
            }
        }
        let log = std::fs::File::create(dir.join("log"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("start postgres; `make setup` installs it")?;
        let mut server = Self {
            child,
            port,
            temporary: None,
        };
        server.wait_until_ready(dir).await?;
        Ok(server)
    }

    /// For the superuser and database `postgres`.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Every row of every table of a database, as text; bytes in hexadecimal.
    pub fn dump(&self, database: &str) -> Result<String> {
        let url = format!("postgres://postgres@127.0.0.1:{}/{database}", self.port);
        let mut dump = Command::new(bin_dir()?.join("pg_dump"));
        process::read(dump.args(["--data-only", "--dbname"]).arg(url))
    }

    async fn wait_until_ready(&mut self, dir: &Path) -> Result<()> {
        let options: PgConnectOptions = self.url().parse()?;
        let deadline = Instant::now() + START_LIMIT;
        loop {
            match PgConnection::connect_with(&options).await {
                Ok(conn) => return Ok(conn.close().await?),
                Err(err) => {
                    let ended = self.child.try_wait()?;
                    if ended.is_some() || Instant::now() >= deadline {
                        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
                        anyhow::bail!("postgres did not start: {err}; its log:\n{log}");
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT asks for a fast shutdown; SIGKILL would need crash recovery at the next start.
        process::signal(self.child.id(), Signal::INT).ok();
        self.child.wait().ok();
    }
}

/// A fresh database, cloned from a migrated template.
#[derive(Debug)]
pub struct TestDb {
    pub pool: PgPool,
    options: PgConnectOptions,
}

static DATABASES: AtomicU32 = AtomicU32::new(0);

impl TestDb {
    /// Clones the template for `migrators`, all of which run in `schema`. The template is built once per content.
    pub async fn new(schema: &str, migrators: &[&Migrator]) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "set by `make test`")]
        let url = std::env::var(TEST_DATABASE_URL)
            .context("TEST_DATABASE_URL is unset; run tests through `make test`")?;
        let base: PgConnectOptions = url.parse()?;
        let mut admin = PgConnection::connect_with(&base).await?;
        let template = template_name(schema, migrators);
        // One process at a time builds a template; the lock dies with the connection.
        admin.execute("SELECT pg_advisory_lock(7462)").await?;
        build_template(&mut admin, &base, &template, schema, migrators).await?;
        admin.execute("SELECT pg_advisory_unlock(7462)").await?;
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("t_{:x}_{number}", std::process::id());
        execute(&mut admin, format!("DROP DATABASE IF EXISTS {name}")).await?;
        let create = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
        execute(&mut admin, create).await?;
        admin.close().await?;
        let options = base.database(&name).options([("search_path", schema)]);
        let pool = PgPoolOptions::new()
            .max_connections(20)
            .connect_with(options.clone())
            .await?;
        Ok(Self { pool, options })
    }

    /// How to reach this database, for a second pool.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }
}

async fn build_template(
    admin: &mut PgConnection,
    base: &PgConnectOptions,
    template: &str,
    schema: &str,
    migrators: &[&Migrator],
) -> Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a catalogue query, the same in every database"
    )]
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)")
            .bind(template)
            .fetch_one(&mut *admin)
            .await?;
    if exists {
        return Ok(());
    }
    let building = format!("{template}_building");
    execute(admin, format!("DROP DATABASE IF EXISTS {building}")).await?;
    execute(admin, format!("CREATE DATABASE {building}")).await?;
    let options = base
        .clone()
        .database(&building)
        .options([("search_path", schema)]);
    let mut conn = PgConnection::connect_with(&options).await?;
    execute(&mut conn, format!("CREATE SCHEMA IF NOT EXISTS {schema}")).await?;
    for migrator in migrators {
        migrator.run(&mut conn).await?;
    }
    conn.close().await?;
    execute(
        admin,
        format!("ALTER DATABASE {building} RENAME TO {template}"),
    )
    .await
}

async fn execute(conn: &mut PgConnection, sql: String) -> Result<()> {
    conn.execute(AssertSqlSafe(sql)).await?;
    Ok(())
}

fn template_name(schema: &str, migrators: &[&Migrator]) -> String {
    // FNV-1a: names need no more than to differ.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let checksums = migrators
        .iter()
        .flat_map(|m| m.iter())
        .flat_map(|m| m.checksum.iter().copied());
    for byte in schema.bytes().chain(checksums) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("tpl_{hash:016x}")
}

/// Where this machine keeps `initdb` and `postgres`; the newest version wins.
fn bin_dir() -> Result<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, bin)| bin)
        .context("no Postgres server under /usr/lib/postgresql; `make setup` installs one")
}

/// As whom the server runs: it refuses to be root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum User {
    /// As we do.
    Ourselves,
    /// As the system's user for Postgres.
    Unprivileged,
    /// As root that takes itself for somebody else, in a user namespace: for folders that nobody but root can reach, such as
    /// those under `/root`.
    Mapped,
}

impl User {
    /// Who can use `dir`; it is made theirs.
    fn for_dir(dir: &Path) -> Result<Self> {
        if !process::as_root() {
            return Ok(Self::Ourselves);
        }
        let reaches = Self::Unprivileged
            .command(Path::new("test"))
            .arg("-x")
            .arg(dir.parent().unwrap_or(dir))
            .status()?;
        if !reaches.success() {
            return Ok(Self::Mapped);
        }
        run(Command::new("chown").arg(UNPRIVILEGED).arg(dir))?;
        Ok(Self::Unprivileged)
    }

    /// A program that shuts down when we end, however that happens.
    fn command(self, program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "INT"]).process_group(0);
        match self {
            Self::Ourselves => command.arg("--"),
            Self::Unprivileged => command
                .args(["--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED])
                .args(["--clear-groups", "--"]),
            // By a name that this machine knows: `initdb` looks it up.
            Self::Mapped => command.args(["--", "unshare", "--user"]).args([
                "--map-user",
                UNPRIVILEGED,
                "--map-group",
                UNPRIVILEGED,
            ]),
        };
        command.arg(program);
        command
    }
}

fn run(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("run {command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?} failed: {stderr}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_runs_in_a_folder_that_only_its_owner_reaches() {
        use std::os::unix::fs::PermissionsExt as _;
        let closed = tempfile::tempdir().unwrap();
        std::fs::set_permissions(closed.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let dir = closed.path().join("postgres");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        // Twice: what the first made, the second must be able to read.
        for _ in 0..2 {
            let server = Postgres::start_in(&dir, port, Durability::None)
                .await
                .unwrap();
            assert_eq!(server.port, port);
        }
    }
}
