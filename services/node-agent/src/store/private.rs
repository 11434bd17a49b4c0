//! Private parts, sealed under a key of this folder, so that a container can be made again while the plane is away.
//!
//! Whoever has the whole folder has the key too; what the seal is for is that a copied or forgotten file says nothing, and
//! that removing the key destroys all of them.

use std::{fs, io, path::PathBuf, sync::PoisonError};

use fluxplane_core::id::{InstanceId, NodeId, RevisionId};
use fluxplane_envelope::{Entropy, RootRing, Row, TenantKey, Zeroizing};
use fluxplane_platform::keyring;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{DataDir, StoreError, io_error, make_folder};
use crate::domain::Instance;

const KEY: &str = "private.key";
const FOLDER: &str = "private";

/// What a private part is kept for; for anything else it does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFor {
    pub node: NodeId,
    pub instance: InstanceId,
    pub revision: RevisionId,
    /// Of the components, in order.
    pub versions: Vec<String>,
}

impl KeptFor {
    pub fn of(node: NodeId, instance: &Instance) -> Self {
        let versions = instance.components.iter();
        Self {
            node,
            instance: instance.id,
            revision: instance.revision,
            versions: versions
                .map(|component| component.private_version.clone())
                .collect(),
        }
    }

    fn row<'a>(&self, node: &'a str) -> Row<'a> {
        Row {
            schema: "node-agent",
            table: "private",
            tenant: node,
            row: self.instance.uuid(),
            version: 1,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Kept {
    revision: RevisionId,
    versions: Vec<String>,
    key_id: Uuid,
    /// Wrapped, hexadecimal.
    key: String,
    /// Hexadecimal.
    sealed: String,
}

impl DataDir {
    /// Keeps the private part of an instance; an older one is replaced.
    pub fn keep_private(
        &self,
        of: &KeptFor,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<(), StoreError> {
        let no_entropy = |err| StoreError::Key(anyhow::Error::new(err));
        let ring = self.private_key(entropy)?;
        let node = of.node.to_string();
        let mut id = [0; 16];
        entropy.fill(&mut id).map_err(no_entropy)?;
        let key_id = Uuid::from_bytes(id);
        let key = TenantKey::generate(key_id, entropy).map_err(no_entropy)?;
        let sealed = key
            .seal(&of.row(&node), plaintext, entropy)
            .map_err(no_entropy)?;
        let wrapped = key.wrap(&ring, &node, entropy).map_err(no_entropy)?;
        make_folder(&self.root().join(FOLDER))?;
        self.write(
            &file(of.instance),
            &Kept {
                revision: of.revision,
                versions: of.versions.clone(),
                key_id,
                key: hex::encode(wrapped),
                sealed: hex::encode(sealed),
            },
        )
    }

    /// The key of this folder; the first time, a new one.
    fn private_key(&self, entropy: &dyn Entropy) -> Result<RootRing, StoreError> {
        // A holder that panicked left the old file or the new one.
        let held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.root().join(KEY);
        let ring = if path.exists() {
            keyring::load(&path).map_err(StoreError::Key)?
        } else {
            let ring = RootRing::generate(entropy)
                .map_err(|err| StoreError::Key(anyhow::Error::new(err)))?;
            keyring::save(&path, &ring).map_err(StoreError::Key)?;
            ring
        };
        drop(held);
        Ok(ring)
    }

    /// What is kept of an instance, if it is for this; `None` too when it does not open: the plane has it.
    pub fn kept_private(&self, of: &KeptFor) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        let remedy = "remove it; the plane gives it again";
        let Some(kept) = self.read::<Kept>(&file(of.instance), remedy)? else {
            return Ok(None);
        };
        if kept.revision != of.revision || kept.versions != of.versions {
            return Ok(None);
        }
        let ring = keyring::load(&self.root().join(KEY)).map_err(StoreError::Key)?;
        let node = of.node.to_string();
        let opened = || {
            let wrapped = hex::decode(&kept.key).ok()?;
            let sealed = hex::decode(&kept.sealed).ok()?;
            let key = TenantKey::unwrap(&wrapped, &ring, &node, kept.key_id).ok()?;
            key.open(&of.row(&node), &sealed).ok()
        };
        let opened = opened();
        if opened.is_none() {
            tracing::warn!(instance.id = %of.instance, "a private part that was kept does not open");
        }
        Ok(opened)
    }

    /// Forgets what is kept of an instance.
    pub fn forget_private(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.remove(&file(instance))
    }

    /// Instances of which something is kept.
    pub fn private_instances(&self) -> Result<Vec<InstanceId>, StoreError> {
        let folder: PathBuf = self.root().join(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|err| io_error("list", &folder, err))?,
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names
            .filter_map(|name| name.strip_suffix(".json")?.parse().ok())
            .collect())
    }

    /// Forgets all of it, and the key.
    pub(super) fn forget_all_private(&self) -> Result<(), StoreError> {
        self.remove(KEY)?;
        for instance in self.private_instances()? {
            self.forget_private(instance)?;
        }
        Ok(())
    }
}

fn file(instance: InstanceId) -> String {
    format!("{FOLDER}/{instance}.json")
}

#[cfg(test)]
mod tests {
    use fluxplane_envelope::SystemEntropy;

    use super::*;

    fn kept_for() -> KeptFor {
        let id = |n| Uuid::from_u128(n);
        KeptFor {
            node: id(1).into(),
            instance: id(2).into(),
            revision: id(3).into(),
            versions: vec!["environment".to_owned()],
        }
    }

    #[test]
    fn what_is_kept_is_sealed_and_comes_back_for_the_same_alone() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let of = kept_for();
        assert!(dir.kept_private(&of).unwrap().is_none());
        dir.keep_private(&of, b"PASSWORD=marked", &SystemEntropy)
            .unwrap();
        assert_eq!(
            **dir.kept_private(&of).unwrap().unwrap(),
            b"PASSWORD=marked"[..]
        );
        assert_eq!(dir.private_instances().unwrap(), [of.instance]);
        let file = fs::read_to_string(temp.path().join(file(of.instance))).unwrap();
        assert!(!file.contains("marked") && !file.contains(&hex::encode("marked")));

        let others = [
            KeptFor {
                revision: Uuid::from_u128(4).into(),
                ..of.clone()
            },
            KeptFor {
                versions: vec!["secrets-1".to_owned()],
                ..of.clone()
            },
            KeptFor {
                node: Uuid::from_u128(9).into(),
                ..of.clone()
            },
        ];
        for other in others {
            assert!(dir.kept_private(&other).unwrap().is_none(), "{other:?}");
        }
        dir.forget_private(of.instance).unwrap();
        assert!(dir.kept_private(&of).unwrap().is_none());
        assert!(dir.private_instances().unwrap().is_empty());
    }

    #[test]
    fn instances_that_begin_side_by_side_share_one_key() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let all: Vec<KeptFor> = (10..40)
            .map(|n| KeptFor {
                instance: Uuid::from_u128(n).into(),
                ..kept_for()
            })
            .collect();
        std::thread::scope(|scope| {
            for of in &all {
                scope.spawn(|| dir.keep_private(of, b"x", &SystemEntropy).unwrap());
            }
        });
        for of in &all {
            assert!(dir.kept_private(of).unwrap().is_some(), "{of:?}");
        }
    }

    #[test]
    fn without_its_key_nothing_of_it_is_left() {
        let temp = tempfile::tempdir().unwrap();
        let dir = DataDir::open(temp.path()).unwrap();
        let of = kept_for();
        dir.keep_private(&of, b"x", &SystemEntropy).unwrap();
        dir.forget_all_private().unwrap();
        assert!(!temp.path().join(KEY).exists());
        assert!(dir.kept_private(&of).unwrap().is_none());
    }
}
