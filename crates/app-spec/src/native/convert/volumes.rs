//! `containerData` both ways: one text with flags and mounts there, named volumes here.

use std::collections::BTreeMap;

use super::{import::label, plain};
use crate::{
    native::model::{Component, Source as Reference, Volume, VolumeKind},
    volumes::{Mount, Source, SyncFlags, Volumes},
};

/// The name of the volume that FluxOS calls primary.
const PRIMARY: &str = "data";

/// The names of a component's own volumes by FluxOS' names; `None` stands for the primary one.
pub(super) type Names = BTreeMap<Option<String>, String>;

/// The volumes of a component, and their names. None when the text is no `containerData` or names what is not there.
pub(super) fn read(
    text: &str,
    components: &[String],
    folders: &[Names],
) -> (BTreeMap<String, Volume>, Names) {
    let Ok(parsed) = Volumes::parse(text) else {
        return (BTreeMap::new(), Names::new());
    };
    let mut volumes = BTreeMap::new();
    let mut names = Names::new();
    for mount in &parsed.mounts {
        let Some((wanted, volume)) = volume(mount, parsed.flags, components, folders) else {
            return (BTreeMap::new(), Names::new());
        };
        let mut name = wanted.clone();
        let mut number = 1;
        while volumes.contains_key(&name) {
            number += 1;
            let stem: String = wanted.chars().take(56).collect();
            name = format!("{stem}-{number}");
        }
        match &mount.source {
            Source::Primary => names.insert(None, name.clone()),
            Source::Directory(own) | Source::File(own) => {
                names.insert(Some(own.clone()), name.clone())
            }
            Source::ComponentPrimary(_)
            | Source::ComponentDirectory(..)
            | Source::ComponentFile(..) => None,
        };
        volumes.insert(name, volume);
    }
    (volumes, names)
}

/// A volume with the name it should have.
fn volume(
    mount: &Mount,
    flags: SyncFlags,
    components: &[String],
    folders: &[Names],
) -> Option<(String, Volume)> {
    let mut volume = plain::VOLUME.clone();
    volume.path.clone_from(&mount.path);
    let mut other = |number: usize, name: Option<&String>| {
        let component = components.get(number)?;
        let own = folders.get(number)?.get(&name.cloned())?;
        volume.source = Some(Reference {
            component: component.clone(),
            volume: own.clone(),
        });
        Some(own.clone())
    };
    let name = match &mount.source {
        Source::Primary => {
            volume.kind = kind(flags);
            volume.start_after_sync = flags.receive_first && volume.kind == VolumeKind::Synced;
            PRIMARY.to_owned()
        }
        Source::Directory(name) => label(&name.as_str().into(), "folder"),
        Source::File(name) => {
            volume.file = true;
            label(&name.as_str().into(), "file")
        }
        Source::ComponentPrimary(number) => other(*number, None)?,
        Source::ComponentDirectory(number, name) | Source::ComponentFile(number, name) => {
            other(*number, Some(name))?
        }
    };
    Some((name, volume))
}

const fn kind(flags: SyncFlags) -> VolumeKind {
    if flags.single_primary {
        VolumeKind::Exclusive
    } else if flags.synced || flags.receive_first {
        VolumeKind::Synced
    } else {
        VolumeKind::Local
    }
}

/// The name of the volume that becomes the primary one: `data`, or else the first own folder.
pub(super) fn primary(component: &Component) -> Option<&str> {
    let is_own_folder = |volume: &Volume| volume.source.is_none() && !volume.file;
    let named = component
        .volumes
        .get(PRIMARY)
        .filter(|volume| is_own_folder(volume));
    if named.is_some() {
        return Some(PRIMARY);
    }
    let mut folders = component
        .volumes
        .iter()
        .filter(|(_, volume)| is_own_folder(volume));
    folders.next().map(|(name, _)| name.as_str())
}

/// The `containerData` of a component; `place` finds the number and the value of an earlier component.
///
/// # Errors
/// With the name of a volume and the reason why it has no place.
pub(super) fn write<'a>(
    component: &Component,
    place: impl Fn(&str) -> Option<(usize, &'a Component)>,
) -> Result<String, (String, String)> {
    let Some(primary_name) = primary(component) else {
        return match component.volumes.keys().next() {
            // FluxOS' convention for "no data is kept".
            None => Ok("/tmp".to_owned()),
            Some(name) => Err((
                name.clone(),
                "FluxOS needs an own folder before anything else".to_owned(),
            )),
        };
    };
    let mut text = String::new();
    if let Some(volume) = component.volumes.get(primary_name) {
        text.push_str(match (volume.kind, volume.start_after_sync) {
            (VolumeKind::Local, _) => "",
            (VolumeKind::Synced, false) => "s:",
            (VolumeKind::Synced, true) => "r:",
            (VolumeKind::Exclusive, _) => "g:",
        });
        text.push_str(&volume.path);
    }
    for (name, volume) in component
        .volumes
        .iter()
        .filter(|(name, _)| *name != primary_name)
    {
        let part = further(name, volume, &place).map_err(|reason| (name.clone(), reason))?;
        text.push('|');
        text.push_str(&part);
    }
    Ok(text)
}

fn further<'a>(
    name: &str,
    volume: &Volume,
    place: impl Fn(&str) -> Option<(usize, &'a Component)>,
) -> Result<String, String> {
    let path = &volume.path;
    let Some(source) = &volume.source else {
        if volume.kind != VolumeKind::Local {
            return Err("FluxOS syncs the first folder of a component only".to_owned());
        }
        let letter = if volume.file { "f" } else { "m" };
        return Ok(format!("{letter}:{name}:{path}"));
    };
    let Some((number, component)) = place(&source.component) else {
        return Err("FluxOS takes volumes of earlier components only".to_owned());
    };
    let own = &source.volume;
    if primary(component) == Some(own.as_str()) {
        return Ok(format!("{number}:{path}"));
    }
    let letter = if component.volumes.get(own).is_some_and(|volume| volume.file) {
        "cf"
    } else {
        "c"
    };
    Ok(format!("{letter}:{number}:{own}:{path}"))
}
