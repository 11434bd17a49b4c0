//! The native specification `fluxplane/v1`, in YAML or JSON.
//!
//! A text goes through [`examine`]: it is read with limits, its fields and amounts become a [`NativeSpec`], and the rules
//! are checked. Everything wrong is listed with path, value, rule and remedy. What is hashed and signed is the canonical
//! form, see [`NativeSpec::canonical`]: amounts in one notation, fields that equal their default left out, RFC 8785.
//!
//! | module | what |
//! |---|---|
//! | `shape` | the fields as data; reader, canonical form, schema and reference are made from it |
//! | `form`, `quantity`, `cron` | grammars of texts, amounts and schedules |
//! | `yaml`, `read`, `rules` | from text to model, with findings |
//! | `model` | the types |
//! | `canonical`, `sign` | canonical form, content hash, signature |
//! | `served` | what the plane carries out today |
//! | `convert` | from FluxOS v1..v8 and back |
//! | `publish`, `template` | JSON Schema, field reference, specifications to begin with |

mod canonical;
mod convert;
mod cron;
mod examine;
mod findings;
mod form;
mod model;
mod publish;
mod quantity;
mod read;
mod rules;
mod served;
mod shape;
mod sign;
mod template;
mod yaml;

pub use convert::{Misfit, from_legacy, to_legacy, to_v8};
pub use examine::{Examined, Rejected, examine, is_native, is_native_value, parse, read_value};
pub use model::{
    Autoscale, Batch, Billing, BillingMode, Component, Concurrency, Cron, EventKind, ExecProbe,
    Gang, Gpu, GpuVendor, HttpProbe, Job, Legacy, LoadBalancing, NativeSpec, Notification,
    Operators, Percent, PercentError, Placement, Port, Probe, Probes, Protocol, Rendezvous,
    Residue, Restart, RestartPolicy, Rollback, SchemaVersion, Share, Snapshots, Source, SpreadKey,
    Stop, Strategy, TcpProbe, Tier, Update, UpdateStrategy, Volume, VolumeKind,
};
pub use publish::{reference, schema};
pub use served::{MAX_COPIES, MAX_GRACE, MAX_INTERVAL, unserved};
pub use sign::{
    MessageKind, SignError, UnknownMessageKind, content_hash, message_text, signed_text,
    verify_message,
};
pub use template::Template;

/// The version that a document names in `schema`, and with which the signed text begins.
pub const SCHEMA: &str = "fluxplane/v1";

/// Limits of a document. No specification needs more than a dozen levels.
pub const LIMITS: crate::json::Limits = crate::json::Limits {
    max_bytes: 4 << 20,
    max_depth: 32,
};
