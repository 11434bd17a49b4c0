//! Parts with nothing but defaults, made once.

use std::sync::LazyLock;

use crate::native::{
    model::{Component, NativeSpec, Placement, Port, Update, Volume},
    read::default_of,
    shape,
};

pub(super) static APP: LazyLock<NativeSpec> = LazyLock::new(|| default_of(&shape::APP));
pub(super) static COMPONENT: LazyLock<Component> = LazyLock::new(|| default_of(&shape::COMPONENT));
pub(super) static PLACEMENT: LazyLock<Placement> = LazyLock::new(|| default_of(&shape::PLACEMENT));
pub(super) static PORT: LazyLock<Port> = LazyLock::new(|| default_of(&shape::PORT));
pub(super) static UPDATE: LazyLock<Update> = LazyLock::new(|| default_of(&shape::UPDATE));
pub(super) static VOLUME: LazyLock<Volume> = LazyLock::new(|| default_of(&shape::VOLUME));
