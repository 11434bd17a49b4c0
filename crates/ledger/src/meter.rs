//! Which reported seconds count as evidence that an instance ran.
//!
//! A node reports an instance as `[from, to)` with a sequence number that rises with every report of that instance.
//! What no report covers is a gap: it is recorded as "no evidence", and costs nothing.

use serde::{Deserialize, Serialize};

use crate::interval::Interval;

/// One report of one instance, its signature already checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Rises strictly from report to report.
    pub sequence: u64,
    /// The seconds in which the instance ran.
    pub ran: Interval,
}

/// What is known of the reports of one instance so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    last: Option<Report>,
}

/// What an accepted report adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// Seconds with evidence.
    pub evidence: Interval,
    /// Seconds without, between the report before and this one.
    pub gap: Option<Interval>,
}

/// Why a report adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("report {0} was counted already; nothing is to be done")]
    Repeated(u64),
    #[error("report {offered} comes after report {last}; sequence numbers must rise")]
    Stale { offered: u64, last: u64 },
    #[error(
        "report {sequence} covers {ran}, but seconds up to {counted} are counted already; report each second once"
    )]
    Overlap {
        sequence: u64,
        ran: Interval,
        counted: u64,
    },
    #[error(
        "report {sequence} covers {ran}, which lies after the present second {now}; set the clock of the node"
    )]
    Future {
        sequence: u64,
        ran: Interval,
        now: u64,
    },
}

impl Meter {
    /// A meter that continues after a report.
    pub const fn after(last: Report) -> Self {
        Self { last: Some(last) }
    }

    pub const fn last(&self) -> Option<Report> {
        self.last
    }

    /// Counts a report. `now` is the present second of the plane's clock; no report may reach beyond it.
    pub fn accept(&mut self, report: Report, now: u64) -> Result<Accepted, Refused> {
        let Report { sequence, ran } = report;
        if ran.to() > now {
            return Err(Refused::Future { sequence, ran, now });
        }
        let mut gap = None;
        if let Some(last) = self.last {
            if last == report {
                return Err(Refused::Repeated(sequence));
            }
            if sequence <= last.sequence {
                return Err(Refused::Stale {
                    offered: sequence,
                    last: last.sequence,
                });
            }
            let counted = last.ran.to();
            if ran.from() < counted {
                return Err(Refused::Overlap {
                    sequence,
                    ran,
                    counted,
                });
            }
            gap = Interval::new(counted, ran.from()).ok();
        }
        self.last = Some(report);
        Ok(Accepted { evidence: ran, gap })
    }
}
