//! Input that nobody sane sends: nothing may panic, everything gets an answer.

use fluxplane_app_spec::json::{Limits, parse};
use fluxplane_pricing::{
    batch::price_line,
    legacy::float::{ceil_to_cents, to_fixed_2},
};
use proptest::prelude::*;

use crate::vectors::{get, load};

fn is_answer(text: &str) -> bool {
    parse(text.as_bytes(), Limits::default()).is_ok_and(|answer| answer.value.as_object().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(is_answer(&price_line(&bytes)));
    }

    #[test]
    fn a_damaged_vector_gets_an_answer(
        vector in 0..44_usize,
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9a-e.-]{0,4}", 0..6_usize), 1..4),
    ) {
        let file = load("fluxos-price-vectors.json");
        let vector = &get(&file, "vectors").as_array().unwrap()[vector];
        let mut bytes = fluxplane_app_spec::json::stringify(vector).into_bytes();
        for (place, insert, drop) in cuts {
            let at = place.index(bytes.len());
            let end = (at + drop).min(bytes.len());
            bytes.splice(at..end, insert.into_bytes());
        }
        prop_assert!(is_answer(&price_line(&bytes)));
    }

    #[test]
    fn two_decimals_are_at_most_half_a_cent_away(number in -1e12..1e12_f64) {
        let fixed: f64 = to_fixed_2(number).parse().unwrap();
        prop_assert!((fixed - number).abs() <= 0.005 + number.abs() * 1e-15);
        let up = ceil_to_cents(number);
        prop_assert!(up >= number - number.abs() * 1e-15 && up - number <= 0.01 + number.abs() * 1e-15);
    }
}
