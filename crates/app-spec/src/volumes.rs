//! The grammar of `containerData`: which folders and files of which component are mounted where
//! (`ZelBack/src/services/utils/mountParser.js`).
//!
//! FluxOS checks it only when a node installs the application, so a mistake fails everywhere at once. We check at
//! submission, see [`crate::strict`].

use std::collections::HashSet;

/// How the primary folder is shared by the instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SyncFlags {
    /// `r`: synced; a new instance starts once it has received the data.
    pub receive_first: bool,
    /// `g`: as `r`, and only one instance runs, the others stand by.
    pub single_primary: bool,
    /// `s`: synced between all instances.
    pub synced: bool,
}

impl SyncFlags {
    /// The flags of a `containerData`; none when it has no valid primary mount.
    pub fn of(container_data: &str) -> Self {
        Volumes::parse(container_data).map_or_else(|_| Self::default(), |volumes| volumes.flags)
    }

    /// The flags of a segment such as `r` or `gs`; `None` when it holds anything else.
    fn parse(segment: &str) -> Option<Self> {
        let has = |flag| segment.contains(flag);
        let is_flags =
            !segment.is_empty() && segment.bytes().all(|b| matches!(b, b'r' | b'g' | b's'));
        is_flags.then(|| Self {
            receive_first: has('r'),
            single_primary: has('g'),
            synced: has('s'),
        })
    }
}

/// A parsed `containerData`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volumes {
    pub flags: SyncFlags,
    /// The primary mount first.
    pub mounts: Vec<Mount>,
}

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub source: Source,
    /// Absolute path in the container.
    pub path: String,
}

/// What is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// The primary folder of the own volume, `appdata`.
    Primary,
    /// A further folder of the own volume.
    Directory(String),
    /// A file of the own volume, created empty.
    File(String),
    /// The primary folder of another component.
    ComponentPrimary(usize),
    /// A folder of another component.
    ComponentDirectory(usize, String),
    /// A file of another component.
    ComponentFile(usize, String),
}

/// Why a `containerData` is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VolumeError {
    #[error("it must not be empty; use /tmp when no data is kept")]
    Empty,
    #[error("`{0}` is no primary mount; write /path or flags:/path with flags of r, g and s")]
    Primary(String),
    #[error("`{mount}` is incomplete; write {form}")]
    Form { mount: String, form: &'static str },
    #[error(
        "`{0}` is no mount; write m:folder:/path, f:file:/path, N:/path, c:N:folder:/path or cf:N:file:/path"
    )]
    Unknown(String),
    #[error("the path `{0}` must be absolute; start it with /")]
    RelativePath(String),
    #[error("the path `{0}` must not contain `..`; write the folder itself")]
    Traversal(String),
    #[error("a path must not contain a null character; remove it")]
    NullCharacter,
    #[error("the name `{0}` must not be empty or contain / or `..`; use a plain name")]
    Name(String),
    #[error("the name `{0}` is reserved; choose another")]
    ReservedName(String),
    #[error("the name `{0}` contains one of < > : \" | ? *; remove it")]
    NameCharacter(String),
    #[error("the name `{0}` is longer than 255 characters; shorten it")]
    LongName(String),
    #[error("`{0}` is no component number; count components from 0")]
    ComponentNumber(String),
    #[error("component {number} cannot be used by component {own}; only earlier components can")]
    LaterComponent { number: usize, own: usize },
    #[error("`{0}` is mounted to twice; give every mount its own path")]
    DuplicatePath(String),
    #[error("`{0}` is mounted twice; give every folder and file its own name")]
    DuplicateSource(String),
}

/// Names in the root of a volume that are not the owner's.
const RESERVED: [&str; 4] = ["appdata", "backup", ".", ".."];

impl Volumes {
    /// Parses a `containerData`.
    ///
    /// # Errors
    /// On what FluxOS refuses when it installs the application.
    pub fn parse(text: &str) -> Result<Self, VolumeError> {
        if text.is_empty() {
            return Err(VolumeError::Empty);
        }
        let mut parts = text.split('|');
        let (flags, primary) = primary_mount(parts.next().unwrap_or_default())?;
        let mut mounts = vec![primary];
        for part in parts {
            mounts.push(further_mount(part)?);
        }
        check_duplicates(&mounts)?;
        Ok(Self { flags, mounts })
    }

    /// Checks that every component mentioned comes before component number `own`.
    ///
    /// # Errors
    /// With the first component that does not.
    pub fn check_references(&self, own: usize) -> Result<(), VolumeError> {
        let numbers = self.mounts.iter().filter_map(|mount| match &mount.source {
            Source::Primary | Source::Directory(_) | Source::File(_) => None,
            Source::ComponentPrimary(number)
            | Source::ComponentDirectory(number, _)
            | Source::ComponentFile(number, _) => Some(*number),
        });
        match numbers.into_iter().find(|&number| number >= own) {
            Some(number) => Err(VolumeError::LaterComponent { number, own }),
            None => Ok(()),
        }
    }
}

fn primary_mount(text: &str) -> Result<(SyncFlags, Mount), VolumeError> {
    let error = || VolumeError::Primary(text.to_owned());
    let (flags, path) = match text.split_once(':') {
        None if SyncFlags::parse(text).is_some() => return Err(error()),
        None => (SyncFlags::default(), text),
        Some((segment, path)) if !path.contains(':') => {
            (SyncFlags::parse(segment).ok_or_else(error)?, path)
        }
        Some(_) => return Err(error()),
    };
    Ok((flags, mount(Source::Primary, path)?))
}

fn further_mount(text: &str) -> Result<Mount, VolumeError> {
    let parts: Vec<&str> = text.split(':').collect();
    let form = |form| VolumeError::Form {
        mount: text.to_owned(),
        form,
    };
    match parts.as_slice() {
        ["m", name, path] => mount(Source::Directory(checked_name(name)?), path),
        ["m", ..] => Err(form("m:folder:/path")),
        ["f", name, path] => mount(Source::File(checked_name(name)?), path),
        ["f", ..] => Err(form("f:file:/path")),
        ["c", number, name, path] => {
            let number = component_number(number)?;
            mount(
                Source::ComponentDirectory(number, checked_name(name)?),
                path,
            )
        }
        ["c", ..] => Err(form("c:N:folder:/path")),
        ["cf", number, name, path] => {
            let number = component_number(number)?;
            mount(Source::ComponentFile(number, checked_name(name)?), path)
        }
        ["cf", ..] => Err(form("cf:N:file:/path")),
        [number, rest @ ..] if is_digits(number) => match rest {
            [path] => mount(Source::ComponentPrimary(component_number(number)?), path),
            _ => Err(form("N:/path")),
        },
        _ => Err(VolumeError::Unknown(text.to_owned())),
    }
}

fn mount(source: Source, path: &str) -> Result<Mount, VolumeError> {
    if path.contains("..") {
        return Err(VolumeError::Traversal(path.to_owned()));
    }
    if !path.starts_with('/') {
        return Err(VolumeError::RelativePath(path.to_owned()));
    }
    if path.contains('\0') {
        return Err(VolumeError::NullCharacter);
    }
    let path = path.to_owned();
    Ok(Mount { source, path })
}

fn checked_name(name: &str) -> Result<String, VolumeError> {
    /// Longest name of a file on the volume's file system.
    const MAX_NAME: usize = 255;
    let own = || name.to_owned();
    if name.is_empty() || name.contains('/') || name.contains("..") {
        return Err(VolumeError::Name(own()));
    }
    if RESERVED.contains(&name) {
        return Err(VolumeError::ReservedName(own()));
    }
    if name.contains(['<', '>', ':', '"', '|', '?', '*', '\0']) {
        return Err(VolumeError::NameCharacter(own()));
    }
    if name.encode_utf16().count() > MAX_NAME {
        return Err(VolumeError::LongName(own()));
    }
    Ok(own())
}

fn component_number(text: &str) -> Result<usize, VolumeError> {
    let number = is_digits(text).then(|| text.parse().ok()).flatten();
    number.ok_or_else(|| VolumeError::ComponentNumber(text.to_owned()))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_duplicates(mounts: &[Mount]) -> Result<(), VolumeError> {
    let mut paths = HashSet::new();
    let mut names = HashSet::new();
    for mount in mounts {
        if !paths.insert(&mount.path) {
            return Err(VolumeError::DuplicatePath(mount.path.clone()));
        }
        // A folder and a file of one name are the same entry of the volume.
        let own = match &mount.source {
            Source::Directory(name) | Source::File(name) => name,
            Source::Primary
            | Source::ComponentPrimary(_)
            | Source::ComponentDirectory(..)
            | Source::ComponentFile(..) => continue,
        };
        if !names.insert(own) {
            return Err(VolumeError::DuplicateSource(own.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> VolumeError {
        Volumes::parse(text).unwrap_err()
    }

    #[test]
    fn every_form_of_mount_is_read() {
        let text = "gr:/data|m:logs:/var/log|f:app.yaml:/etc/app.yaml|0:/shared|c:1:x:/x|cf:2:y:/y";
        let volumes = Volumes::parse(text).unwrap();
        assert!(volumes.flags.receive_first && volumes.flags.single_primary);
        assert!(!volumes.flags.synced);
        let sources: Vec<_> = volumes
            .mounts
            .iter()
            .map(|mount| mount.source.clone())
            .collect();
        assert_eq!(
            sources,
            [
                Source::Primary,
                Source::Directory("logs".to_owned()),
                Source::File("app.yaml".to_owned()),
                Source::ComponentPrimary(0),
                Source::ComponentDirectory(1, "x".to_owned()),
                Source::ComponentFile(2, "y".to_owned()),
            ]
        );
        assert_eq!(volumes.check_references(3), Ok(()));
        assert_eq!(
            volumes.check_references(2),
            Err(VolumeError::LaterComponent { number: 2, own: 2 })
        );
    }

    #[test]
    fn flags_are_only_what_consists_of_flag_letters() {
        assert_eq!(SyncFlags::of("/dogs/data"), SyncFlags::default());
        assert_eq!(SyncFlags::of("logs:/data"), SyncFlags::default());
        assert!(SyncFlags::of("s:/data").synced);
        assert_eq!(
            error("logs:/data"),
            VolumeError::Primary("logs:/data".to_owned())
        );
        assert_eq!(error("r"), VolumeError::Primary("r".to_owned()));
        assert_eq!(error("r:/a:/b"), VolumeError::Primary("r:/a:/b".to_owned()));
    }

    #[test]
    fn every_mistake_is_named() {
        assert_eq!(error(""), VolumeError::Empty);
        assert_eq!(error("data"), VolumeError::RelativePath("data".to_owned()));
        assert_eq!(
            error("/a/../b"),
            VolumeError::Traversal("/a/../b".to_owned())
        );
        assert_eq!(error("/a\0"), VolumeError::NullCharacter);
        assert_eq!(error("/a|x:/b"), VolumeError::Unknown("x:/b".to_owned()));
        assert_eq!(error("/a|"), VolumeError::Unknown(String::new()));
        assert_eq!(
            error("/a|m:/b").to_string(),
            "`m:/b` is incomplete; write m:folder:/path"
        );
        assert_eq!(
            error("/a|0:/b:/c").to_string(),
            "`0:/b:/c` is incomplete; write N:/path"
        );
        assert_eq!(error("/a|m:a/b:/b"), VolumeError::Name("a/b".to_owned()));
        assert_eq!(error("/a|m::/b"), VolumeError::Name(String::new()));
        assert_eq!(
            error("/a|f:appdata:/b"),
            VolumeError::ReservedName("appdata".to_owned())
        );
        assert_eq!(
            error("/a|m:a*:/b"),
            VolumeError::NameCharacter("a*".to_owned())
        );
        assert_eq!(
            error("/a|c:x:y:/b"),
            VolumeError::ComponentNumber("x".to_owned())
        );
        assert_eq!(
            error("/a|m:x:/a"),
            VolumeError::DuplicatePath("/a".to_owned())
        );
        assert_eq!(
            error("/a|m:x:/b|f:x:/c"),
            VolumeError::DuplicateSource("x".to_owned())
        );
        let long = "n".repeat(256);
        assert_eq!(
            error(&format!("/a|m:{long}:/b")),
            VolumeError::LongName(long)
        );
    }
}
