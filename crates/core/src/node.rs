//! What the services agree on about nodes.

/// States of a node. The node registry decides; others hear of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// Has a certificate, never connected.
    Joined,
    /// Beats; may get work.
    Ready,
    /// Missed beats: gets no new work, keeps what it runs.
    Suspect,
    /// Silent and unreachable: its instances are replaced.
    Lost,
    /// Its collateral is not a confirmed fluxnode any more.
    Ineligible,
    /// Another machine joined in its place.
    Retired,
}

impl NodeState {
    pub const ALL: [Self; 6] = [
        Self::Joined,
        Self::Ready,
        Self::Suspect,
        Self::Lost,
        Self::Ineligible,
        Self::Retired,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Ready => "ready",
            Self::Suspect => "suspect",
            Self::Lost => "lost",
            Self::Ineligible => "ineligible",
            Self::Retired => "retired",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for state in NodeState::ALL {
            assert_eq!(NodeState::from_name(state.name()), Some(state));
        }
        assert_eq!(NodeState::from_name("Ready"), None);
    }
}
