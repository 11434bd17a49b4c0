//! The identity of a running agent: read by many, changed by few, on disk before anyone sees a change.

use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use crate::store::{DataDir, Identity, StoreError, blocking};

/// The identity. Clones share it.
#[derive(Debug, Clone)]
pub struct Identities {
    dir: DataDir,
    current: Arc<watch::Sender<Arc<Identity>>>,
    /// One change at a time.
    changing: Arc<Mutex<()>>,
}

impl Identities {
    pub fn new(dir: DataDir, identity: Identity) -> Self {
        let current = Arc::new(watch::Sender::new(Arc::new(identity)));
        Self {
            dir,
            current,
            changing: Arc::default(),
        }
    }

    pub fn current(&self) -> Arc<Identity> {
        Arc::clone(&self.current.borrow())
    }

    /// Changes and stores the identity.
    pub async fn update(&self, change: impl FnOnce(&mut Identity)) -> Result<(), StoreError> {
        let _alone = self.changing.lock().await;
        let mut identity = Identity::clone(&self.current());
        change(&mut identity);
        let (dir, written) = (self.dir.clone(), identity.clone());
        blocking(move || dir.put_identity(&written)).await?;
        self.current.send_replace(Arc::new(identity));
        Ok(())
    }
}
