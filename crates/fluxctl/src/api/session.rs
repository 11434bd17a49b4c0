//! Sessions: tokens, where they are kept, and their renewal.
//!
//! A refresh token works once, and the plane takes a second use for a theft and ends the session. So renewal is serialised:
//! within a process by a mutex, between processes by a lock beside the session file.

use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Client, Error, auth::Tokens};

/// A token is renewed this long before its end, so that it does not run out on the way.
const EARLY: TimeDelta = TimeDelta::seconds(20);

/// The tokens of one wallet with one plane.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The plane that gave the tokens; they are shown to no other.
    pub server: String,
    pub principal: String,
    pub access_token: String,
    pub refresh_token: String,
    pub expires_at: DateTime<Utc>,
    pub refresh_expires_at: DateTime<Utc>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({} at {})", self.principal, self.server)
    }
}

impl Session {
    pub(super) fn new(server: String, tokens: Tokens) -> Self {
        Self {
            server,
            principal: tokens.principal,
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token,
            expires_at: tokens.expires_at,
            refresh_expires_at: tokens.refresh_expires_at,
        }
    }
}

/// Why a session cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} the session file `{path}`")]
pub struct SessionError {
    action: &'static str,
    path: String,
    #[source]
    source: io::Error,
}

/// Where the session is.
#[derive(Debug)]
pub enum Keeper {
    Memory(Mutex<Option<Session>>),
    File(SessionFile),
}

impl Keeper {
    /// For one process; gone with it.
    pub fn memory() -> Self {
        Self::Memory(Mutex::new(None))
    }

    pub fn load(&self) -> Result<Option<Session>, SessionError> {
        match self {
            Self::Memory(session) => Ok(session
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()),
            Self::File(file) => file.load(),
        }
    }

    pub fn store(&self, session: Option<&Session>) -> Result<(), SessionError> {
        match self {
            Self::Memory(kept) => {
                *kept.lock().unwrap_or_else(PoisonError::into_inner) = session.cloned();
                Ok(())
            }
            Self::File(file) => match session {
                Some(session) => file.store(session),
                None => file.remove(),
            },
        }
    }

    async fn lock(&self) -> Result<Option<File>, SessionError> {
        match self {
            Self::Memory(_) => Ok(None),
            Self::File(file) => file.lock().await.map(Some),
        }
    }
}

/// A session in a file that only its owner can read.
#[derive(Debug, Clone)]
pub struct SessionFile {
    path: PathBuf,
}

impl SessionFile {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> SessionError {
        let path = self.path.display().to_string();
        move |source| SessionError {
            action,
            path,
            source,
        }
    }

    pub fn load(&self) -> Result<Option<Session>, SessionError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(self.failed("read")(err)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|err| self.failed("read")(err.into()))
    }

    /// Replaces the file in one step: a reader sees the old session or the new one.
    pub fn store(&self, session: &Session) -> Result<(), SessionError> {
        let text =
            serde_json::to_vec_pretty(session).map_err(|err| self.failed("write")(err.into()))?;
        write_private(&self.path, &text).map_err(self.failed("write"))
    }

    pub fn remove(&self) -> Result<(), SessionError> {
        match fs::remove_file(&self.path) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => Err(self.failed("remove")(err)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Waits until no other process renews this session. The lock lasts as long as the returned file.
    async fn lock(&self) -> Result<File, SessionError> {
        let path = self.path.with_extension("lock");
        let failed = self.failed("lock");
        let taken = tokio::task::spawn_blocking(move || {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(path)?;
            file.lock()?;
            Ok(file)
        });
        match taken.await {
            Ok(taken) => taken.map_err(failed),
            Err(join) => Err(failed(io::Error::other(join))),
        }
    }
}

/// Writes a file that only its owner can read, in one step.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

impl Client {
    /// The session with this plane, if there is one.
    pub fn session(&self) -> Result<Option<Session>, Error> {
        let session = self.keeper().load()?;
        Ok(session.filter(|session| session.server == self.server_name()))
    }

    /// A token that still lives, by our clock.
    pub(super) async fn access_token(&self) -> Result<String, Error> {
        let session = self.session()?.ok_or_else(|| self.not_signed_in())?;
        if session.expires_at > self.clock().now() + EARLY {
            return Ok(session.access_token);
        }
        Ok(self.renew(&session.access_token).await?.access_token)
    }

    /// Exchanges the refresh token, unless somebody else has done so since `stale` was read.
    pub(super) async fn renew(&self, stale: &str) -> Result<Session, Error> {
        let _this_process = self.renewing().lock().await;
        let _all_processes = self.keeper().lock().await?;
        let session = self.session()?.ok_or_else(|| self.not_signed_in())?;
        if session.access_token != stale {
            return Ok(session);
        }
        let over = || Error::SessionOver {
            server: self.server_name(),
        };
        if session.refresh_expires_at <= self.clock().now() {
            return Err(over());
        }
        match self.refresh(&session.refresh_token).await {
            Ok(tokens) => {
                let session = Session::new(self.server_name(), tokens);
                self.keeper().store(Some(&session))?;
                Ok(session)
            }
            // What the plane does not take it will never take again.
            Err(Error::Problem(problem)) if problem.status == 401 => {
                self.keeper().store(None)?;
                Err(over())
            }
            Err(err) => Err(err),
        }
    }

    fn not_signed_in(&self) -> Error {
        Error::NotSignedIn {
            server: self.server_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn session() -> Session {
        Session {
            server: "http://127.0.0.1:7000".to_owned(),
            principal: "1abc".to_owned(),
            access_token: "fxa_secret".to_owned(),
            refresh_token: "fxr_secret".to_owned(),
            expires_at: DateTime::UNIX_EPOCH,
            refresh_expires_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_session_file_is_private_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = SessionFile::new(dir.path().join("session-default.json"));
        assert_eq!(file.load().unwrap(), None);
        file.store(&session()).unwrap();
        assert_eq!(file.load().unwrap(), Some(session()));
        let mode = fs::metadata(&file.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        file.remove().unwrap();
        file.remove().unwrap();
        assert_eq!(file.load().unwrap(), None);
    }

    #[test]
    fn tokens_do_not_show_in_debug_output() {
        assert!(!format!("{:?}", session()).contains("secret"));
    }
}
