//! The invariants by name.

use std::fmt;

/// What must hold after every event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// No node over capacity, neither by what it is given nor by what it really runs.
    Capacity,
    /// One instance of an application per node.
    OneCopyPerNode,
    /// One user of a port per address.
    Ports,
    /// New work goes to nodes that are ready: not to suspect, lost, new or leaving ones.
    ReadyNodesOnly,
    /// New work goes where the application's rules allow: geolocation, pins, static address.
    Constraints,
    /// No node of a less used operator, then of a less used /16, could have taken a copy.
    Spread,
    /// A copy waits only while no node could take it.
    WaitsInVainOnly,
    /// A decision replays to the same answer from its record.
    Replay,
    /// Instances go where the record of the decision says.
    AsRecorded,
    /// An engine that was kept in step equals one that is filled anew.
    EngineInStep,
    /// Every wanted instance has a live assignment or an open reason, and nothing else lives.
    Accounted,
    /// The leader will look at every application that is not over.
    Attended,
    /// An instance leaves its node only when it is not wanted or another one has its slot.
    GivenUp,
    /// A node runs nothing that takes no room in the plane's books.
    Unreserved,
    /// Silence never destroys: a machine stops nothing that the plane has not ended.
    SilenceKeeps,
    /// A node is lost only after silence that the plane was there to hear, and not while most are silent.
    FairlyJudged,
    /// Once nothing goes wrong any more, all is as wanted.
    Settles,
}

impl Rule {
    pub const ALL: [Self; 17] = [
        Self::Capacity,
        Self::OneCopyPerNode,
        Self::Ports,
        Self::ReadyNodesOnly,
        Self::Constraints,
        Self::Spread,
        Self::WaitsInVainOnly,
        Self::Replay,
        Self::AsRecorded,
        Self::EngineInStep,
        Self::Accounted,
        Self::Attended,
        Self::GivenUp,
        Self::Unreserved,
        Self::SilenceKeeps,
        Self::FairlyJudged,
        Self::Settles,
    ];

    /// The rule as a sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Capacity => "no node is over its capacity",
            Self::OneCopyPerNode => "a node has one instance of an application at most",
            Self::Ports => "a port of an address has one user at most",
            Self::ReadyNodesOnly => "new work goes to ready nodes only",
            Self::Constraints => "new work goes where the application's rules allow",
            Self::Spread => "copies stand at the least used operator and network",
            Self::WaitsInVainOnly => "a copy waits only while no node could take it",
            Self::Replay => "a decision replays to the same answer",
            Self::AsRecorded => "instances go where the record says",
            Self::EngineInStep => "the engine is what the tables say",
            Self::Accounted => "every wanted instance has a node or a reason",
            Self::Attended => "the leader will look at every application",
            Self::GivenUp => "an instance leaves only when unwanted or replaced",
            Self::Unreserved => "a node runs nothing without room",
            Self::SilenceKeeps => "silence stops no workload",
            Self::FairlyJudged => "a node is lost only by silence that was heard",
            Self::Settles => "all is as wanted once nothing goes wrong",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    /// Who and what, with the values.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}
