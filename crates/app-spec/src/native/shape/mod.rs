//! The shape of a document as data: which fields an object has, of which kind, with which bounds and defaults.
//!
//! One description serves the reader, the canonical form, the published JSON Schema and the field reference, so that
//! these cannot disagree.

mod app;
mod component;
mod job;
mod legacy;
mod life;
mod placement;

pub(super) use app::{APP, UPDATE};
pub(super) use component::{COMPONENT, PORT, VOLUME};
pub(super) use placement::PLACEMENT;

use super::{form::Form, quantity::Unit};

/// An object.
#[derive(Debug)]
pub(super) struct Shape {
    /// The name of its definition in the schema.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) fields: &'static [Field],
    /// Fields of which exactly one must be given; empty when there is no such rule.
    pub(super) one_of: &'static [&'static str],
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    pub(super) need: Need,
}

/// Whether a field must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
    /// The JSON text that holds when it is left out. A field that equals it is not part of the canonical form.
    Default(&'static str),
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text(&'static Form),
    /// One of these words.
    Choice(&'static [(&'static str, &'static str)]),
    Flag,
    Whole {
        min: u64,
        max: u64,
    },
    Quantity {
        unit: Unit,
        min: u64,
        max: u64,
    },
    /// A whole number of instances, or a share of them such as `25%`.
    Share,
    List {
        item: &'static Kind,
        max: usize,
    },
    Map {
        key: &'static Form,
        value: &'static Kind,
        min: usize,
        max: usize,
    },
    Object(&'static Shape),
}

impl Kind {
    /// What a person calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text(_) | Self::Choice(_) => "a string",
            Self::Flag => "true or false",
            Self::Whole { .. } => "a whole number",
            Self::Quantity { unit, .. } => unit.name(),
            Self::Share => "a whole number or a percentage",
            Self::List { .. } => "a list",
            Self::Map { .. } | Self::Object(_) => "a map",
        }
    }
}

impl Field {
    const fn required(name: &'static str, kind: Kind, about: &'static str) -> Self {
        let need = Need::Required;
        Self {
            name,
            about,
            kind,
            need,
        }
    }

    const fn optional(name: &'static str, kind: Kind, about: &'static str) -> Self {
        let need = Need::Optional;
        Self {
            name,
            about,
            kind,
            need,
        }
    }

    const fn default(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        about: &'static str,
    ) -> Self {
        let need = Need::Default(default);
        Self {
            name,
            about,
            kind,
            need,
        }
    }
}

const fn list(item: &'static Kind, max: usize) -> Kind {
    Kind::List { item, max }
}

const fn map(key: &'static Form, value: &'static Kind, min: usize, max: usize) -> Kind {
    Kind::Map {
        key,
        value,
        min,
        max,
    }
}

const fn whole(min: u64, max: u64) -> Kind {
    Kind::Whole { min, max }
}

const fn time(min: u64, max: u64) -> Kind {
    let unit = Unit::Time;
    Kind::Quantity { unit, min, max }
}

const fn size(min: u64, max: u64) -> Kind {
    let unit = Unit::Size;
    Kind::Quantity { unit, min, max }
}

/// More instances than any application of the network has; FluxOS stops at 100.
const MAX_INSTANCES: u64 = 1_000;

/// An hour and a day in seconds.
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// The largest amount of memory or disk in MiB: 1,024 TiB.
const MAX_SIZE: u64 = 1 << 30;
