//! The last desired state, so that a restarted agent keeps its workloads while the plane is away.

use serde::{Deserialize, Serialize};

use super::{DataDir, StoreError};
use crate::domain::Desired;

const FILE: &str = "desired.json";

/// Form 1 had environments in it. An agent that finds it waits for the plane, as if there were none: what runs, runs on.
const FORM: u32 = 2;

#[derive(Serialize, Deserialize)]
struct Kept<D> {
    #[serde(default)]
    form: u32,
    #[serde(flatten)]
    desired: D,
}

impl DataDir {
    pub fn desired(&self) -> Result<Option<Desired>, StoreError> {
        let remedy = "remove it; the plane sends the state again";
        let kept = self.read::<Kept<Desired>>(FILE, remedy)?;
        Ok(kept
            .filter(|kept| kept.form == FORM)
            .map(|kept| kept.desired))
    }

    pub fn put_desired(&self, desired: &Desired) -> Result<(), StoreError> {
        self.write(
            FILE,
            &Kept {
                form: FORM,
                desired,
            },
        )
    }

    pub(super) fn forget_desired(&self) -> Result<(), StoreError> {
        self.remove(FILE)
    }
}
