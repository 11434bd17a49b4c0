//! The last desired state, so that a restarted agent keeps its workloads while the plane is away.

use super::{DataDir, StoreError};
use crate::domain::Desired;

const FILE: &str = "desired.json";

impl DataDir {
    pub fn desired(&self) -> Result<Option<Desired>, StoreError> {
        self.read(FILE, "remove it; the plane sends the state again")
    }

    pub fn put_desired(&self, desired: &Desired) -> Result<(), StoreError> {
        self.write(FILE, desired)
    }

    pub(super) fn forget_desired(&self) -> Result<(), StoreError> {
        self.remove(FILE)
    }
}
