//! The native parser: nothing panics, and what is accepted is a fixed point of the canonical form.
#![no_main]

use fluxplane_app_spec::{
    json::{Limits, parse},
    legacy::LegacySpec,
    native::{examine, from_legacy, is_native, to_legacy, to_v8},
};
use libfuzzer_sys::fuzz_target;

/// A height at which every version is accepted.
const HEIGHT: u64 = 2_250_000;

fuzz_target!(|bytes: &[u8]| {
    let _native = is_native(bytes);
    let examined = examine(bytes);
    assert!(examined.spec.is_some() || !examined.findings.is_empty());
    if let Some(spec) = examined.spec {
        let canonical = spec.canonical();
        let again = examine(canonical.as_bytes());
        assert_eq!(again.spec.as_ref(), Some(&spec));
        assert_eq!(again.findings.is_empty(), examined.findings.is_empty());
        let _legacy = to_legacy(&spec);
        let _v8 = to_v8(&spec, HEIGHT);
    }
    // The same bytes as a specification of FluxOS: conversion loses nothing.
    if let Ok(document) = parse(bytes, Limits::default())
        && let Ok(legacy) = LegacySpec::from_value(document.value)
        && let Ok(converted) = from_legacy(&legacy)
    {
        let back = to_legacy(&converted).expect("what was converted converts back");
        assert_eq!(back.canonical(), legacy.canonical());
    }
});
