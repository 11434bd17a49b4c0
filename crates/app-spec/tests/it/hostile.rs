//! Input that nobody sane sends: nothing may panic, everything gets an answer.

use fluxplane_app_spec::{
    batch::{check_line, hash_line},
    json::{Limits, parse},
    message::{Scheme, check_canonical, recover_signer, verifies},
};
use proptest::prelude::*;

use crate::fixture::{GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8};

/// An answer is always one line of JSON.
fn is_answer(text: &str) -> bool {
    !text.contains('\n')
        && parse(text.as_bytes(), Limits::default())
            .is_ok_and(|answer| answer.value.as_object().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(is_answer(&check_line(&bytes)));
        prop_assert!(is_answer(&hash_line(&bytes)));
    }

    #[test]
    fn a_damaged_specification_gets_an_answer(
        good in prop::sample::select(vec![GOOD_V1, GOOD_V2, GOOD_V7, GOOD_V8]),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9a-e.-]{0,4}", 0..6_usize), 1..4),
    ) {
        let mut bytes = format!("{{\"height\":2250000,\"type\":\"fluxappregister\",\"version\":1,\"timestamp\":1,\"signature\":\"\",\"spec\":{good}}}").into_bytes();
        for (place, insert, drop) in cuts {
            let at = place.index(bytes.len());
            let end = (at + drop).min(bytes.len());
            bytes.splice(at..end, insert.into_bytes());
        }
        prop_assert!(is_answer(&check_line(&bytes)));
        prop_assert!(is_answer(&hash_line(&bytes)));
    }

    #[test]
    fn any_signature_gets_an_answer(text in any::<String>(), owner in any::<String>(), signature in any::<String>()) {
        for owner in [owner.clone(), format!("0x{owner}")] {
            prop_assert!(!verifies(&text, &owner, &signature, Scheme::ByOwner));
            prop_assert!(recover_signer(&text, &owner, &signature).is_err());
            prop_assert!(check_canonical(&owner, &signature).is_err());
        }
    }
}

#[test]
fn huge_and_deep_texts_are_refused_by_name() {
    let long = format!("{{\"height\":1,\"spec\":\"{}\"}}", "x".repeat(5 << 20));
    assert!(check_line(long.as_bytes()).contains("the limit is 4194304; shorten it"));
    let deep = format!("{{\"height\":1,\"spec\":{}}}", "[".repeat(1_000));
    assert!(check_line(deep.as_bytes()).contains("nesting is deeper than 128 levels"));
    let text = format!("\"{}\"", "d".repeat(1 << 20));
    let spec = crate::fixture::with(GOOD_V8, "description", &text);
    let line = format!(
        "{{\"height\":2250000,\"spec\":{}}}",
        fluxplane_app_spec::json::stringify(&spec)
    );
    let answer = check_line(line.as_bytes());
    assert!(
        answer.contains(
            "\"error\":\"Description is too long. Maximum of 256 characters is allowed\""
        )
    );
}
