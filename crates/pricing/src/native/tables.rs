//! All price tables, and from which settlement epoch each holds.
//!
//! There is exactly one table for every epoch, and those of the past and the present are fixed. What was quoted keeps the
//! version it was quoted by.

use serde::{Deserialize, Serialize};

use super::table::{Table, TableError};

/// Every version of the price list, without gap from epoch 0 on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Table>", into = "Vec<Table>")]
pub struct Tables(Vec<Table>);

/// A list of tables that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TablesError {
    #[error("there is no price table; add one with version 1 and from_epoch 0")]
    Empty,
    #[error("table {version} makes no sense")]
    Table {
        version: u32,
        #[source]
        error: TableError,
    },
    #[error("the table at place {place} has version {version}, but versions count up from 1")]
    Version { place: usize, version: u32 },
    #[error("the first table holds from epoch {0}, but there must be a price from epoch 0 on")]
    LateStart(u64),
    #[error(
        "table {version} holds from epoch {from_epoch}, but the one before from epoch {before}; a later version begins later"
    )]
    Epoch {
        version: u32,
        from_epoch: u64,
        before: u64,
    },
    #[error(
        "table {version} would hold from epoch {from_epoch}, but epoch {now} has begun; choose a later one"
    )]
    Past {
        version: u32,
        from_epoch: u64,
        now: u64,
    },
}

impl Tables {
    /// # Errors
    /// When a table makes no sense, versions do not count up from 1, or epochs do not rise from 0.
    pub fn new(tables: Vec<Table>) -> Result<Self, TablesError> {
        let first = tables.first().ok_or(TablesError::Empty)?;
        if first.from_epoch != 0 {
            return Err(TablesError::LateStart(first.from_epoch));
        }
        let mut list = Self(Vec::with_capacity(tables.len()));
        for table in tables {
            list.push(table)?;
        }
        Ok(list)
    }

    /// Adds a version that holds from a later epoch on. `now` is the present epoch: prices of the past and of the
    /// present do not change.
    ///
    /// # Errors
    /// When the table makes no sense, is not the next one, or begins too early.
    pub fn announce(&mut self, table: Table, now: u64) -> Result<(), TablesError> {
        if table.from_epoch <= now {
            return Err(TablesError::Past {
                version: table.version,
                from_epoch: table.from_epoch,
                now,
            });
        }
        self.push(table)
    }

    fn push(&mut self, table: Table) -> Result<(), TablesError> {
        let Table {
            version,
            from_epoch,
            ..
        } = table;
        let place = self.0.len();
        if usize::try_from(version).ok() != Some(place + 1) {
            return Err(TablesError::Version { place, version });
        }
        if let Some(last) = self.0.last()
            && from_epoch <= last.from_epoch
        {
            return Err(TablesError::Epoch {
                version,
                from_epoch,
                before: last.from_epoch,
            });
        }
        table
            .validate()
            .map_err(|error| TablesError::Table { version, error })?;
        self.0.push(table);
        Ok(())
    }

    /// The table that holds in an epoch.
    pub fn at(&self, epoch: u64) -> &Table {
        let began = self.0.iter().rfind(|table| table.from_epoch <= epoch);
        began.expect("the first table holds from epoch 0 on")
    }

    /// The table of a version, as a quote names it.
    pub fn version(&self, version: u32) -> Option<&Table> {
        self.0.iter().find(|table| table.version == version)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Table> {
        self.0.iter()
    }
}

impl TryFrom<Vec<Table>> for Tables {
    type Error = TablesError;

    fn try_from(tables: Vec<Table>) -> Result<Self, Self::Error> {
        Self::new(tables)
    }
}

impl From<Tables> for Vec<Table> {
    fn from(tables: Tables) -> Self {
        tables.0
    }
}
