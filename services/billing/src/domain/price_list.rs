//! Which price list counts. FluxOS' rows are known by the height from which they hold, ours by their version.

/// A row of a price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceList {
    FluxOs {
        /// Height of the row; -1 for the first.
        row: i64,
    },
    /// Our own list, for specifications `fluxplane/v1`.
    Native {
        /// From 1.
        version: u32,
    },
}

impl PriceList {
    /// What the leaf of an invoice line names: the height of FluxOS' row, 0 for the first, or the version of our list.
    pub fn number(self) -> u32 {
        match self {
            Self::FluxOs { row } => u32::try_from(row).unwrap_or(0),
            Self::Native { version } => version,
        }
    }
}
