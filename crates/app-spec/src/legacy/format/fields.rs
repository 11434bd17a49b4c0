//! Reading the properties of what was submitted.

use crate::{
    json::{JsString, Object, Value},
    legacy::{
        coerce::{Thrown, ensure_array, ensure_number, ensure_string, ensure_text, truthy},
        spec::{Hardware, Tiers},
    },
};

/// The tier fields in the order in which FluxOS reads them.
const TIER_FIELDS: [&str; 9] = [
    "cpubasic", "cpusuper", "cpubamf", "rambasic", "ramsuper", "rambamf", "hddbasic", "hddsuper",
    "hddbamf",
];

/// The properties of a submitted value; only objects have any of ours.
pub(super) struct Fields(pub(super) Object);

impl Fields {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.take(key)
    }

    pub(super) fn all_truthy(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| truthy(self.get(key)))
    }

    /// A list of texts under `key`; `refusal` makes the error when it is no list.
    pub(super) fn texts(
        &mut self,
        key: &str,
        refusal: impl FnOnce() -> Thrown,
    ) -> Result<Vec<JsString>, Thrown> {
        match ensure_array(self.take(key)) {
            Some(items) => Ok(items.into_iter().map(ensure_text).collect()),
            None => Err(refusal()),
        }
    }

    pub(super) fn text(&mut self, key: &str) -> Option<JsString> {
        ensure_string(self.take(key))
    }

    pub(super) fn number(&self, key: &str) -> Result<f64, Thrown> {
        ensure_number(self.get(key))
    }

    pub(super) fn hardware(&self) -> Result<Hardware, Thrown> {
        Ok(Hardware {
            cpu: self.number("cpu")?,
            ram: self.number("ram")?,
            hdd: self.number("hdd")?,
        })
    }

    pub(super) fn tiers(&self, refusal: impl FnOnce() -> Thrown) -> Result<Tiers, Thrown> {
        if !self.all_truthy(&TIER_FIELDS) {
            return Err(refusal());
        }
        let mut read = [0.0; 9];
        for (slot, key) in read.iter_mut().zip(TIER_FIELDS) {
            *slot = self.number(key)?;
        }
        let tier = |place: usize| Hardware {
            cpu: read[place],
            ram: read[place + 3],
            hdd: read[place + 6],
        };
        Ok(Tiers {
            cumulus: tier(0),
            nimbus: tier(1),
            stratus: tier(2),
        })
    }
}
