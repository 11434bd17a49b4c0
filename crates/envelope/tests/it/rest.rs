//! Values at rest.

use fluxplane_envelope::{
    OpenError, RootRing, Row, SystemEntropy, TenantKey, key_of, root_version_of,
};
use proptest::prelude::*;
use uuid::Uuid;

const ROW: Row<'_> = Row {
    schema: "scheduler",
    table: "secret",
    tenant: "1Owner",
    row: Uuid::from_u128(7),
    version: 3,
};

fn key() -> TenantKey {
    TenantKey::generate(Uuid::from_u128(1), &SystemEntropy).unwrap()
}

proptest! {
    #[test]
    fn what_is_sealed_opens_in_its_place(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let key = key();
        let sealed = key.seal(&ROW, &text, &SystemEntropy).unwrap();
        prop_assert_eq!(key_of(&sealed).unwrap(), key.id());
        prop_assert_eq!(&*key.open(&ROW, &sealed).unwrap(), &text);
        if text.len() >= 8 {
            prop_assert!(!sealed.windows(text.len()).any(|window| window == text));
        }
    }

    #[test]
    fn a_changed_bit_is_refused(text in proptest::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let key = key();
        let mut sealed = key.seal(&ROW, &text, &SystemEntropy).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert!(key.open(&ROW, &sealed).is_err());
    }

    #[test]
    fn a_wrapped_key_with_a_changed_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let (ring, key) = (RootRing::generate(&SystemEntropy).unwrap(), key());
        let mut wrapped = key.wrap(&ring, "1Owner", &SystemEntropy).unwrap();
        let at = at.index(wrapped.len());
        wrapped[at] ^= 1 << bit;
        prop_assert!(TenantKey::unwrap(&wrapped, &ring, "1Owner", key.id()).is_err());
    }

    #[test]
    fn garbage_is_refused_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let ring = RootRing::generate(&SystemEntropy).unwrap();
        prop_assert!(key().open(&ROW, &bytes).is_err());
        prop_assert!(TenantKey::unwrap(&bytes, &ring, "1Owner", Uuid::nil()).is_err());
    }
}

#[test]
fn every_byte_is_authenticated() {
    let key = key();
    let sealed = key.seal(&ROW, b"text", &SystemEntropy).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(key.open(&ROW, &changed).is_err(), "byte {at}");
        assert!(key.open(&ROW, &sealed[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn a_value_opens_nowhere_but_in_its_place() {
    let key = key();
    let sealed = key.seal(&ROW, b"text", &SystemEntropy).unwrap();
    let elsewhere = [
        Row {
            schema: "registry",
            ..ROW
        },
        Row {
            table: "revision",
            ..ROW
        },
        Row {
            tenant: "1Other",
            ..ROW
        },
        Row {
            row: Uuid::from_u128(8),
            ..ROW
        },
        Row { version: 4, ..ROW },
        // The border between two texts is part of the place.
        Row {
            schema: "schedulers",
            table: "ecret",
            ..ROW
        },
    ];
    for row in elsewhere {
        assert!(key.open(&row, &sealed).is_err(), "{row:?}");
    }
    let other = TenantKey::generate(key.id(), &SystemEntropy).unwrap();
    assert!(matches!(
        other.open(&ROW, &sealed),
        Err(OpenError::Refused(_))
    ));
    let other = TenantKey::generate(Uuid::from_u128(2), &SystemEntropy).unwrap();
    assert_eq!(other.open(&ROW, &sealed).unwrap_err(), OpenError::OtherKey);
}

#[test]
fn the_same_text_never_looks_the_same() {
    let key = key();
    let sealed = |_| key.seal(&ROW, b"text", &SystemEntropy).unwrap();
    let all: std::collections::BTreeSet<_> = (0..100).map(sealed).collect();
    assert_eq!(all.len(), 100);
}

#[test]
fn a_tenant_key_survives_a_new_root_key_and_not_its_loss() {
    let mut ring = RootRing::generate(&SystemEntropy).unwrap();
    let key = key();
    let sealed = key.seal(&ROW, b"text", &SystemEntropy).unwrap();
    let first = key.wrap(&ring, "1Owner", &SystemEntropy).unwrap();
    assert_eq!(root_version_of(&first).unwrap(), 1);
    ring.add(&SystemEntropy).unwrap();
    ring.promote(2);
    let unwrapped = TenantKey::unwrap(&first, &ring, "1Owner", key.id()).unwrap();
    let second = unwrapped.wrap(&ring, "1Owner", &SystemEntropy).unwrap();
    assert_eq!(root_version_of(&second).unwrap(), 2);
    assert!(ring.remove(1));
    let lost = TenantKey::unwrap(&first, &ring, "1Owner", key.id()).unwrap_err();
    assert_eq!(lost, OpenError::NoRootKey(1));
    let kept = TenantKey::unwrap(&second, &ring, "1Owner", key.id()).unwrap();
    assert_eq!(&**kept.open(&ROW, &sealed).unwrap(), b"text");
    assert!(TenantKey::unwrap(&second, &ring, "1Other", key.id()).is_err());
    assert!(TenantKey::unwrap(&second, &ring, "1Owner", Uuid::nil()).is_err());
}

#[test]
fn fingerprints_differ_by_value_and_by_key() {
    let (one, two) = (key(), key());
    assert_eq!(one.fingerprint(b"a"), one.fingerprint(b"a"));
    assert_ne!(one.fingerprint(b"a"), one.fingerprint(b"b"));
    assert_ne!(one.fingerprint(b"a"), two.fingerprint(b"a"));
}
