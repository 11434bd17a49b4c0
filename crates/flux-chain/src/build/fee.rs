//! What a transaction pays to be mined.

use fluxplane_core::Sat;

/// Sat per 1,000 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeeRate(pub u32);

/// The least the network relays for (fluxd `src/main.h`, `DEFAULT_MIN_RELAY_TX_FEE`).
pub const MIN_RELAY_FEE: FeeRate = FeeRate(100);

impl FeeRate {
    /// The fee for a size, rounded up.
    pub fn fee(self, size: usize) -> Sat {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let fee = size.saturating_mul(u64::from(self.0)).div_ceil(1_000);
        Sat::new(i64::try_from(fee).unwrap_or(i64::MAX))
    }

    /// Below this an output of a usual size costs more than a third of its value to spend, and is not relayed (fluxd
    /// `CTxOut::GetDustThreshold`).
    pub fn dust(self, output_size: usize) -> Sat {
        /// Size of the input that will spend the output.
        const INPUT: u64 = 148;
        let size = u64::try_from(output_size)
            .unwrap_or(u64::MAX)
            .saturating_add(INPUT);
        let fee = size.saturating_mul(u64::from(self.0)) / 1_000;
        Sat::new(i64::try_from(fee.saturating_mul(3)).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_round_up_and_dust_follows_the_daemon() {
        assert_eq!(MIN_RELAY_FEE.fee(250), Sat::new(25));
        assert_eq!(MIN_RELAY_FEE.fee(251), Sat::new(26));
        assert_eq!(MIN_RELAY_FEE.dust(34), Sat::new(54));
    }
}
