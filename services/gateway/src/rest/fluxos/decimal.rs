//! Amounts as JavaScript prints them: a number without trailing zeros, made without a fraction in between.

use serde_json::value::RawValue;

use crate::rest::wire::{self, Malformed};

/// `units` of 10^-`places` as a JSON number.
pub(super) fn decimal(units: i64, places: u32) -> Result<Box<RawValue>, Malformed> {
    let scale = 10_u64.pow(places);
    let sign = if units < 0 { "-" } else { "" };
    let (whole, rest) = (units.unsigned_abs() / scale, units.unsigned_abs() % scale);
    let width = usize::try_from(places).unwrap_or(0);
    let fraction = format!("{rest:0width$}");
    let fraction = fraction.trim_end_matches('0');
    let text = if fraction.is_empty() {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{fraction}")
    };
    wire::json("amount", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_at_the_end_are_left_out() {
        let text = |units, places| decimal(units, places).unwrap().get().to_owned();
        assert_eq!(text(2_330_000, 6), "2.33");
        assert_eq!(text(2_300_000, 6), "2.3");
        assert_eq!(text(2_000_000, 6), "2");
        assert_eq!(text(0, 8), "0");
        assert_eq!(text(1, 8), "0.00000001");
        assert_eq!(text(-150_000_000, 8), "-1.5");
    }
}
