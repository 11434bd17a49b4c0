//! What a machine measured of itself and what of it is offered.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use fluxplane_core::{Resources, capacity};
use serde::{Deserialize, Serialize};

/// What a machine measured of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Hardware threads.
    pub threads: u32,
    pub ram_mib: u64,
    /// Free space of the file system that holds the data folder.
    pub disk_gib: u64,
    /// SHA-256 of 64 KiB blocks on one thread.
    pub hash_mib_s: u64,
    /// Sequential write, ended by fdatasync.
    pub disk_write_mib_s: u64,
    pub measured_at: DateTime<Utc>,
}

impl Benchmark {
    /// What applications may use of the machine. The plane applies the same rule to the figures it was told at joining and
    /// takes the smaller result.
    pub fn usable(&self) -> Resources {
        capacity::usable(self.threads, self.ram_mib, self.disk_gib)
    }

    /// The same machine as it is to be declared.
    #[must_use]
    pub fn declared(mut self, declared: Declared) -> Self {
        if declared.threads != 0 {
            self.threads = declared.threads;
        }
        if declared.ram_mib != 0 {
            self.ram_mib = declared.ram_mib;
        }
        if declared.disk_gib != 0 {
            self.disk_gib = declared.disk_gib;
        }
        self
    }
}

/// Sizes that replace the measured ones. Zero keeps what was measured.
///
/// Declaring less than the machine has keeps the rest for its owner. Declaring more is for development, where several
/// agents share one machine: the plane trusts the figure and places more than fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Hardware threads.
    pub threads: u32,
    pub ram_mib: u64,
    pub disk_gib: u64,
}

impl Declared {
    /// `self`, where it declares something, else `other`.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        const fn first(own: u64, other: u64) -> u64 {
            if own == 0 { other } else { own }
        }
        Self {
            threads: if self.threads == 0 {
                other.threads
            } else {
                self.threads
            },
            ram_mib: first(self.ram_mib, other.ram_mib),
            disk_gib: first(self.disk_gib, other.disk_gib),
        }
    }
}

/// A text that declares no capacity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{part}` declares no capacity; write threads=8,ram=32000,disk=450 (MiB and GiB), any of the three"
)]
pub struct DeclaredError {
    part: String,
}

impl FromStr for Declared {
    type Err = DeclaredError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut declared = Self::default();
        for part in text.split(',') {
            let wrong = || DeclaredError {
                part: part.to_owned(),
            };
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let value: u64 = value
                .parse()
                .ok()
                .filter(|value| *value > 0)
                .ok_or_else(wrong)?;
            match name.trim() {
                "threads" => declared.threads = u32::try_from(value).map_err(|_| wrong())?,
                "ram" => declared.ram_mib = value,
                "disk" => declared.disk_gib = value,
                _ => return Err(wrong()),
            }
        }
        Ok(declared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Benchmark {
        Benchmark {
            threads: 2,
            ram_mib: 24_000,
            disk_gib: 76,
            hash_mib_s: 400,
            disk_write_mib_s: 200,
            measured_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_declaration_replaces_only_what_it_names() {
        let declared = measured().declared("threads=4,disk=220".parse().unwrap());
        assert_eq!(
            (declared.threads, declared.ram_mib, declared.disk_gib),
            (4, 24_000, 220)
        );
        assert_eq!(declared.hash_mib_s, 400);
        let offered = Resources {
            cpu_milli: 3_000,
            ram_mib: 22_000,
            disk_gib: 129,
        };
        assert_eq!(declared.usable(), offered);
    }

    #[test]
    fn a_machine_smaller_than_what_is_kept_back_offers_nothing() {
        assert_eq!(measured().usable().disk_gib, 0);
    }

    #[test]
    fn the_command_line_wins_over_the_file() {
        let line: Declared = "ram=8000".parse().unwrap();
        let file = Declared {
            threads: 8,
            ram_mib: 1,
            disk_gib: 500,
        };
        assert_eq!(
            line.or(file),
            Declared {
                threads: 8,
                ram_mib: 8_000,
                disk_gib: 500
            }
        );
    }

    #[test]
    fn a_wrong_declaration_is_named() {
        for text in [
            "",
            "ram",
            "ram=",
            "ram=-1",
            "ram=0",
            "cpu=4",
            "threads=99999999999",
        ] {
            assert!(text.parse::<Declared>().is_err(), "{text}");
        }
    }
}
