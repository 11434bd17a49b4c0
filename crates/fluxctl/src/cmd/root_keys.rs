//! `admin root-keys add | use | remove | list`

use std::path::Path;

use fluxplane_envelope::{RootRing, SystemEntropy};
use fluxplane_platform::keyring;
use serde::Serialize;

use super::Context;
use crate::{cli::admin::RootKeysCommand, error::Error, exit::Exit};

pub(super) fn run(context: &Context<'_>, command: RootKeysCommand) -> Result<Exit, Error> {
    let (path, ring) = match command {
        RootKeysCommand::Add(at) => {
            let ring = add(&at.file)?;
            (at.file, ring)
        }
        RootKeysCommand::Use { version, at } => {
            let mut ring = load(&at.file)?;
            if !ring.promote(version) {
                return Err(failed(format!("it has no key of version {version}")));
            }
            save(&at.file, &ring)?;
            (at.file, ring)
        }
        RootKeysCommand::Remove { version, at } => {
            let mut ring = load(&at.file)?;
            if !ring.remove(version) {
                let why = format!("version {version} is not in it, or is the one that wraps");
                return Err(failed(why));
            }
            save(&at.file, &ring)?;
            (at.file, ring)
        }
        RootKeysCommand::List(at) => {
            let ring = load(&at.file)?;
            (at.file, ring)
        }
    };
    show(context, &path, &ring)
}

fn add(path: &Path) -> Result<RootRing, Error> {
    let ring = if path.exists() {
        let mut ring = load(path)?;
        ring.add(&SystemEntropy)
            .map_err(|err| failed(err.to_string()))?;
        ring
    } else {
        RootRing::generate(&SystemEntropy).map_err(|err| failed(err.to_string()))?
    };
    save(path, &ring)?;
    Ok(ring)
}

fn show(context: &Context<'_>, path: &Path, ring: &RootRing) -> Result<Exit, Error> {
    #[derive(Serialize)]
    struct Shown {
        file: String,
        /// Version of the key that wraps.
        wraps: u32,
        versions: Vec<u32>,
    }
    let shown = Shown {
        file: path.display().to_string(),
        wraps: ring.active(),
        versions: ring.versions().collect(),
    };
    context.ui.show(&shown, |_| {
        let versions: Vec<String> = shown.versions.iter().map(u32::to_string).collect();
        let versions = versions.join(", ");
        format!(
            "{}: versions {versions}; {} wraps\n",
            shown.file, shown.wraps
        )
    })?;
    Ok(Exit::Success)
}

fn load(path: &Path) -> Result<RootRing, Error> {
    keyring::load(path).map_err(|err| failed(format!("{err:#}")))
}

fn save(path: &Path, ring: &RootRing) -> Result<(), Error> {
    keyring::save(path, ring).map_err(|err| failed(format!("{err:#}")))
}

fn failed(why: String) -> Error {
    Error::failed("root-keys", why)
}
