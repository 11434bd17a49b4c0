//! The specification of FluxOS, versions 1 to 8, as FluxOS v8.17.0 itself reads and judges it.
//!
//! The order of work is the order of the modules: [`LegacySpec::from_value`] coerces what was submitted
//! (`specificationFormatter`), the stages judge it (`verifyAppSpecifications`), [`LegacySpec::canonical`] writes
//! what is signed and [`AppView`] is what the rest of Fluxplane schedules. Nothing here improves on
//! FluxOS: an application that the network would take must be taken, with its gaps. What we demand of new
//! submissions is in [`crate::strict`].

mod canonical;
mod coerce;
mod error;
mod fields;
mod format;
mod hardware;
mod heights;
mod ports;
mod restrictions;
mod spec;
mod types;
mod update;
mod verdict;
mod view;

pub use error::{LegacyError, Stage};
pub use fields::{Field, FieldKind, Need, app_fields, component_fields};
pub use hardware::{LIMITS, TierLimits};
pub(crate) use heights::SUPPORT_ADDRESS_HEIGHT;
pub use heights::{
    GATES, Gate, HeightRules, MinimumTerm, PON_FORK, default_term, expiry_height, rules_height,
};
pub use ports::{banned, priced};
pub use spec::{
    Body, Component, Compose, Enterprise, Hardware, LegacySpec, LegacyVersion, Ports, Single, Tiers,
};
pub use update::{Restart, UpdateRejection, check_update, only_expire_differs};
pub use verdict::{Context, Verdict, judge, verdict};
pub use view::{AppView, ComponentView, PortView, ViewError};
