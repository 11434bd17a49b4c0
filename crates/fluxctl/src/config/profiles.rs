//! The profile file: the planes a person works with, by name.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::Error;
use crate::api::session::write_private;

/// Name of a profile. It becomes part of a file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProfileName(String);

/// A text that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no profile name; use 1 to 64 letters, digits, `-` and `_`")]
pub struct ProfileNameError(String);

impl FromStr for ProfileName {
    type Err = ProfileNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProfileNameError(text.to_owned()))
        }
    }
}

impl TryFrom<String> for ProfileName {
    type Error = ProfileNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ProfileName> for String {
    fn from(name: ProfileName) -> Self {
        name.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Default for ProfileName {
    fn default() -> Self {
        Self("default".to_owned())
    }
}

/// One plane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    #[serde(with = "url_text")]
    pub server: Url,
    /// An authority to trust besides the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

/// An address as its text.
mod url_text {
    use reqwest::Url;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(url: &Url, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(url.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// All planes, and the one that is meant when none is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    pub current: ProfileName,
    pub profiles: BTreeMap<ProfileName, Profile>,
}

impl Profiles {
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let path = file(dir);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(err) => return Err(failed("read", &path, err)),
        };
        serde_json::from_slice(&text).map_err(|source| Error::Malformed {
            path: path.display().to_string(),
            source,
        })
    }

    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        fs::create_dir_all(dir).map_err(|err| failed("make", dir, err))?;
        let path = file(dir);
        let text = serde_json::to_vec_pretty(self).map_err(|source| Error::Malformed {
            path: path.display().to_string(),
            source,
        })?;
        write_private(&path, &text).map_err(|err| failed("write", &path, err))
    }
}

fn file(dir: &Path) -> PathBuf {
    dir.join("config.json")
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.display().to_string(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_read_back_and_a_missing_file_is_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("fluxctl");
        assert_eq!(Profiles::load(&dir).unwrap(), Profiles::default());
        let mut profiles = Profiles::default();
        let profile = Profile {
            server: "https://plane.example".parse().unwrap(),
            ca_file: Some("/etc/ca.pem".into()),
        };
        profiles.profiles.insert("work".parse().unwrap(), profile);
        profiles.save(&dir).unwrap();
        assert_eq!(Profiles::load(&dir).unwrap(), profiles);
    }

    #[test]
    fn a_name_cannot_leave_its_folder() {
        for wrong in ["", "..", "a/b", "a.b", "ä", &"x".repeat(65)] {
            assert!(wrong.parse::<ProfileName>().is_err(), "{wrong}");
        }
    }
}
