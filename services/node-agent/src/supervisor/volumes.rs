//! Folders of the machine that instances keep their data in.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use fluxplane_core::id::InstanceId;

use crate::domain::{ContainerSpec, container::Bind};

/// Inside a container any user may be the one that writes (FluxOS `createAppVolume` does the same).
const ANYONE: u32 = 0o777;

/// Outside, nobody else reaches it.
const OWNER_ONLY: u32 = 0o700;

#[derive(Debug, thiserror::Error)]
#[error("volume `{}`: {source}", path.display())]
pub(super) struct VolumeError {
    path: PathBuf,
    source: io::Error,
}

/// Makes the folders and files that containers mount. What exists stays as it is.
pub(super) async fn prepare(specs: &[ContainerSpec]) -> Result<(), VolumeError> {
    let binds: Vec<Bind> = specs.iter().flat_map(|spec| spec.binds.clone()).collect();
    run(move || {
        binds.iter().try_for_each(|bind| {
            make(bind).map_err(|source| VolumeError {
                path: bind.source.clone(),
                source,
            })
        })
    })
    .await
}

/// Deletes the data of an instance.
pub(super) async fn remove(folder: PathBuf) -> Result<(), VolumeError> {
    run(move || match fs::remove_dir_all(&folder) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(VolumeError {
            path: folder,
            source,
        }),
        Ok(()) | Err(_) => Ok(()),
    })
    .await
}

/// The instances that have a folder.
pub(super) async fn list(volumes: PathBuf) -> Result<BTreeSet<InstanceId>, VolumeError> {
    run(move || {
        let failed = |source| VolumeError {
            path: volumes.clone(),
            source,
        };
        let entries = match fs::read_dir(&volumes) {
            Ok(entries) => entries,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
            Err(err) => return Err(failed(err)),
        };
        let mut instances = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            instances.extend(name.to_string_lossy().parse::<InstanceId>().ok());
        }
        Ok(instances)
    })
    .await
}

fn make(bind: &Bind) -> io::Result<()> {
    if bind.source.symlink_metadata().is_ok() {
        return Ok(());
    }
    let parent = bind.source.parent().unwrap_or(Path::new("/"));
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY)
        .create(parent)?;
    if bind.file {
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&bind.source)?;
    } else {
        fs::create_dir(&bind.source)?;
    }
    // Set apart from the making, which the umask limits.
    fs::set_permissions(&bind.source, Permissions::from_mode(ANYONE))
}

async fn run<T, F>(work: F) -> Result<T, VolumeError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, VolumeError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(stopped) => Err(VolumeError {
            path: PathBuf::new(),
            source: io::Error::other(stopped),
        }),
    }
}
