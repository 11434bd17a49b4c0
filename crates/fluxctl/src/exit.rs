//! Exit codes. They are a contract: scripts branch on them.

use std::process::ExitCode;

/// How a run of `fluxctl` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// It was tried and did not work: refused, found false, failed.
    Failed,
    /// An argument, or a file it names, cannot be used.
    Usage,
    NotSignedIn,
    NotFound,
    PaymentNeeded,
    /// The plane, a part of it, or the chain node does not answer; try again.
    Unavailable,
}

/// The contract, as the help shows it.
pub const HELP: &str = "\
Exit codes:
  0  done
  1  failed: refused, or found to be false
  2  usage: an argument, or a file it names, cannot be used
  3  not signed in
  4  not found
  5  payment needed
  6  unavailable: try again";

impl Exit {
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotSignedIn => 3,
            Self::NotFound => 4,
            Self::PaymentNeeded => 5,
            Self::Unavailable => 6,
        }
    }

    /// What an HTTP status of the plane means.
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::NotSignedIn,
            402 => Self::PaymentNeeded,
            404 => Self::NotFound,
            429 | 502..=504 => Self::Unavailable,
            _ => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_code() {
        for exit in [
            Exit::Success,
            Exit::Failed,
            Exit::Usage,
            Exit::NotSignedIn,
            Exit::NotFound,
            Exit::PaymentNeeded,
            Exit::Unavailable,
        ] {
            assert!(HELP.contains(&format!("\n  {}  ", exit.code())), "{exit:?}");
        }
    }
}
