//! The specification parser: nothing panics, and what is accepted is a fixed point of the canonical form.
#![no_main]

use fluxplane_app_spec::{
    batch::{check_line, hash_line},
    json::{Limits, parse, stringify},
    legacy::{Context, judge},
    strict,
};
use libfuzzer_sys::fuzz_target;

/// A height at which every version is accepted.
const HEIGHT: u64 = 2_250_000;

fuzz_target!(|bytes: &[u8]| {
    for answer in [check_line(bytes), hash_line(bytes)] {
        let answer = parse(answer.as_bytes(), Limits::default()).expect("an answer is JSON");
        assert!(answer.value.as_object().is_some());
    }
    let Ok(document) = parse(bytes, Limits::default()) else {
        return;
    };
    let text = stringify(&document.value);
    let again = parse(text.as_bytes(), Limits::default()).expect("what is printed reads back");
    assert_eq!(stringify(&again.value), text);
    let judged = judge(document.value.clone(), HEIGHT, &Context::default());
    strict::check(&document.value, &document.duplicates, judged.as_ref().err());
    if let Ok(spec) = judged {
        let canonical = spec.canonical();
        let value = parse(canonical.as_bytes(), Limits::default()).expect("canonical text is JSON");
        let again = judge(value.value, HEIGHT, &Context::default()).expect("it is accepted again");
        assert_eq!(again.canonical(), canonical);
        let _view = spec.view();
    }
});
