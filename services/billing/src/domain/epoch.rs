//! When epochs begin and end. Times are seconds since 1970.

/// Where an epoch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochState {
    /// Runs and takes evidence.
    Open,
    /// Its time is over; late evidence of its time is still taken.
    Ending,
    /// Takes nothing any more and is being settled.
    Closing,
    /// Has its root.
    Closed,
}

impl EpochState {
    const ALL: [Self; 4] = [Self::Open, Self::Ending, Self::Closing, Self::Closed];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Ending => "ending",
            Self::Closing => "closing",
            Self::Closed => "closed",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// The end of an epoch that opens at `opens_at`: the next full multiple of the length.
pub const fn planned_end(opens_at: u64, length: u64) -> u64 {
    (opens_at / length + 1) * length
}

/// The time at which an epoch that was to end at `ends_at` really ended; `None` while it runs. After a pause of the
/// plane it reaches up to the last boundary, so that nobody anchors a row of empty epochs.
pub const fn ended_at(ends_at: u64, length: u64, now: u64) -> Option<u64> {
    if now < ends_at {
        return None;
    }
    Some(ends_at + (now - ends_at) / length * length)
}

/// The end of an epoch that is closed by hand. An epoch lasts at least a second.
pub const fn closed_by_hand(opens_at: u64, now: u64) -> u64 {
    if now > opens_at { now } else { opens_at + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_end_at_full_multiples_of_their_length() {
        assert_eq!(planned_end(7_300, 3_600), 10_800);
        assert_eq!(planned_end(7_200, 3_600), 10_800);
        assert_eq!(ended_at(10_800, 3_600, 10_799), None);
        assert_eq!(ended_at(10_800, 3_600, 10_800), Some(10_800));
    }

    #[test]
    fn after_a_pause_one_epoch_covers_what_was_missed() {
        assert_eq!(
            ended_at(10_800, 3_600, 10_800 + 5 * 3_600 + 17),
            Some(28_800)
        );
    }

    #[test]
    fn an_epoch_is_never_empty() {
        assert_eq!(closed_by_hand(100, 100), 101);
        assert_eq!(closed_by_hand(100, 130), 130);
    }

    #[test]
    fn names_lead_back() {
        for state in EpochState::ALL {
            assert_eq!(EpochState::from_name(state.name()), Some(state));
        }
    }
}
