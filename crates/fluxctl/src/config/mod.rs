//! Where the plane is and who is signed in, from arguments, the environment and the profile file.
//!
//! `$XDG_CONFIG_HOME/fluxctl/config.json` names the planes; `session-<profile>.json` beside it holds the tokens, readable
//! by its owner alone. An argument goes before the environment, the environment before the file.

mod environment;
mod profiles;

use std::{path::PathBuf, sync::Arc};

use fluxplane_core::{Clock, IdSource, SystemClock, SystemIds};
use reqwest::Url;

pub use environment::Environment;
pub use profiles::{Profile, ProfileName, Profiles};

use crate::{
    api::{self, Client, Keeper, Options, SessionFile},
    exit::Exit,
};

/// Where a plane on this machine is.
pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7000";

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is no place for the configuration; set XDG_CONFIG_HOME or HOME")]
    NoHome,
    #[error("cannot {action} `{path}`")]
    File {
        action: &'static str,
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{path}` is no profile file; correct it or delete it")]
    Malformed {
        path: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("cannot read the authority `{path}` of profile `{profile}`")]
    Authority {
        path: String,
        profile: String,
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    pub const fn exit(&self) -> Exit {
        Exit::Usage
    }
}

/// What holds for this run.
#[derive(Debug)]
pub struct Settings {
    dir: Option<PathBuf>,
    pub profile: ProfileName,
    pub server: Url,
    ca_file: Option<PathBuf>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

/// What the command line says about it.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    pub server: Option<Url>,
    pub profile: Option<ProfileName>,
    pub ca_file: Option<PathBuf>,
}

impl Settings {
    /// Reads the profile, if there is one.
    pub fn load(environment: &Environment, choice: Choice) -> Result<Self, Error> {
        let dir = environment.config_dir();
        let profiles = match &dir {
            Some(dir) => Profiles::load(dir)?,
            None => Profiles::default(),
        };
        let profile = choice.profile.unwrap_or_else(|| profiles.current.clone());
        let known = profiles.profiles.get(&profile);
        let default = || {
            DEFAULT_SERVER
                .parse()
                .expect("the default address is a URL")
        };
        let server = choice
            .server
            .or_else(|| known.map(|known| known.server.clone()));
        Ok(Self {
            dir,
            server: server.unwrap_or_else(default),
            ca_file: choice
                .ca_file
                .or_else(|| known.and_then(|known| known.ca_file.clone())),
            profile,
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        })
    }

    /// A client with the session of the profile.
    pub fn client(&self) -> Result<Client, crate::Error> {
        let ca_pem = match &self.ca_file {
            None => None,
            Some(path) => Some(std::fs::read(path).map_err(|source| Error::Authority {
                path: path.display().to_string(),
                profile: self.profile.to_string(),
                source,
            })?),
        };
        let keeper = match &self.dir {
            Some(dir) => {
                let name = format!("session-{}.json", self.profile);
                Keeper::File(SessionFile::new(dir.join(name)))
            }
            None => Keeper::memory(),
        };
        let options = Options {
            server: self.server.clone(),
            ca_pem,
            keeper,
            clock: Arc::clone(&self.clock),
            ids: Arc::clone(&self.ids),
        };
        Ok(Client::new(options).map_err(|err| match err {
            api::Error::Setup(_) if self.ca_file.is_some() => api::Error::Foreign {
                server: self.server.to_string(),
                status: 0,
                what: "an authority file that is no PEM certificate".to_owned(),
            },
            other => other,
        })?)
    }

    /// Keeps server and authority as the profile, and makes it the current one. The folder must exist before a session can
    /// be kept.
    pub fn save_profile(&self) -> Result<(), Error> {
        let dir = self.dir.as_ref().ok_or(Error::NoHome)?;
        let mut profiles = Profiles::load(dir)?;
        let profile = Profile {
            server: self.server.clone(),
            ca_file: self.ca_file.clone(),
        };
        profiles.current = self.profile.clone();
        profiles.profiles.insert(self.profile.clone(), profile);
        profiles.save(dir)
    }
}
