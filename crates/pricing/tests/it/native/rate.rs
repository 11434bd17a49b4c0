//! The exchange rate: ratios, medians, statements, and prices in FLUX.

use bitcoin::{
    hashes::sha256d,
    secp256k1::{Message, Secp256k1, SecretKey},
    sign_message::{MessageSignature, signed_msg_hash},
};
use fluxplane_app_spec::message::recover_signer;
use fluxplane_core::Sat;
use fluxplane_pricing::{
    legacy::FluxUsdRate,
    native::{
        Basis, Fixing, FixingError, FluxUsd, Observation, OverrideError, Policy, RateStatement,
        SignedStatement, Table, fix,
        fixing::{DropCause, Dropped},
        flux::FluxUsdError,
        price,
    },
};
use proptest::prelude::*;

use super::{orders, standard};

const NOW: u64 = 1_800_000_000;

fn usd(text: &str) -> FluxUsd {
    text.parse().unwrap()
}

fn said(source: &str, rate: &str, at: u64) -> Observation {
    Observation {
        source: source.to_owned(),
        rate: usd(rate),
        at,
    }
}

fn found(observations: &[Observation]) -> Result<Fixing, FixingError> {
    fix(observations, None, &Policy::default(), NOW)
}

fn dropped(source: &str, cause: DropCause) -> Dropped {
    let source = source.to_owned();
    Dropped { source, cause }
}

#[test]
fn a_rate_is_a_ratio_in_lowest_terms() {
    let rate = FluxUsd::new(600_000, 100_000_000).unwrap();
    assert_eq!((rate.micro_usd(), rate.sat()), (3, 500));
    assert_eq!(usd("0.6"), rate);
    assert_eq!(FluxUsd::try_from(FluxUsdRate::FALLBACK), Ok(rate));
    assert_eq!(rate.to_string(), "0.600000000000");
    assert_eq!(usd("0.051234567891").to_string(), "0.051234567891");
    assert!(usd("0.05") < usd("0.050000000001"));
}

#[test]
fn what_is_no_rate_is_refused() {
    for bad in ["", "-1", "1e3", ".5", "1.", "0.1234567890123", "x"] {
        let malformed = FluxUsdError::Malformed(bad.to_owned());
        assert_eq!(bad.parse::<FluxUsd>(), Err(malformed));
    }
    for (micro_usd, sat) in [(0, 1), (1, 0), (1, 100_000_001), (u64::MAX, 1), (10_001, 1)] {
        let range = FluxUsdError::Range { micro_usd, sat };
        assert_eq!(FluxUsd::new(micro_usd, sat), Err(range));
    }
    assert!(FluxUsd::new(1, 100_000_000).is_ok() && FluxUsd::new(10_000, 1).is_ok());
    assert!(serde_json::from_str::<FluxUsd>("{\"micro_usd\":0,\"sat\":1}").is_err());
}

#[test]
fn the_middle_rate_is_in_force() {
    let three = [
        said("a", "0.051", NOW),
        said("b", "0.050", NOW - 600),
        said("c", "0.052", NOW + 60),
    ];
    let fixing = found(&three).unwrap();
    assert_eq!((fixing.rate, fixing.at), (usd("0.051"), NOW - 600));
    let used = ["a", "b", "c"].map(str::to_owned).to_vec();
    let dropped = Vec::new();
    assert_eq!(fixing.basis, Basis::Median { used, dropped });
    let four = [three.as_slice(), &[said("d", "0.0505", NOW)]].concat();
    assert_eq!(found(&four).unwrap().rate, usd("0.051"));
}

#[test]
fn late_and_far_sources_do_not_count() {
    let fixing = found(&[
        said("a", "0.051", NOW),
        said("b", "0.050", NOW),
        said("c", "0.052", NOW),
        said("far", "0.07", NOW),
        said("late", "0.051", NOW - 601),
        said("soon", "0.051", NOW + 61),
    ]);
    let Basis::Median { used, dropped: out } = fixing.unwrap().basis else {
        panic!("no statement was given");
    };
    assert_eq!(used, ["a", "b", "c"]);
    assert_eq!(
        out,
        [
            dropped("late", DropCause::Stale),
            dropped("soon", DropCause::FromFuture),
            dropped("far", DropCause::FarFromMedian),
        ]
    );
}

#[test]
fn a_source_counts_once_with_its_newest_word() {
    let fixing = found(&[
        said("a", "0.060", NOW - 10),
        said("a", "0.050", NOW),
        said("a", "0.061", NOW - 20),
        said("b", "0.050", NOW),
        said("c", "0.050", NOW),
    ]);
    assert_eq!(fixing.unwrap().rate, usd("0.050"));
    let alone = [said("a", "0.05", NOW), said("a", "0.05", NOW - 1)];
    assert!(matches!(
        found(&alone),
        Err(FixingError::TooFew {
            fresh: 1,
            needed: 3,
            ..
        })
    ));
}

#[test]
fn without_agreement_there_is_no_rate() {
    let error = found(&[
        said("a", "0.04", NOW),
        said("b", "0.05", NOW),
        said("c", "0.06", NOW),
    ])
    .unwrap_err();
    assert!(
        matches!(&error, FixingError::Disagree { near: 1, needed: 3, dropped, .. } if dropped.len() == 2)
    );
    assert_eq!(
        error.to_string(),
        "1 sources are near the median 0.050000000000 USD per FLUX, but 3 are needed; see which is wrong, or sign a statement"
    );
    assert!(matches!(
        found(&[]),
        Err(FixingError::TooFew { fresh: 0, .. })
    ));
    let lone = Policy {
        min_sources: 0,
        ..Policy::default()
    };
    assert!(fix(&[], None, &lone, NOW).is_err());
}

fn wallet(seed: u8) -> (SecretKey, String) {
    let key = SecretKey::from_slice(&[seed; 32]).unwrap();
    let id = recover_signer("x", "1", &sign(&key, "x")).unwrap();
    (key, id)
}

fn sign(key: &SecretKey, text: &str) -> String {
    let digest = signed_msg_hash(text);
    let digest = *<sha256d::Hash as AsRef<[u8; 32]>>::as_ref(&digest);
    let signature = Secp256k1::new().sign_ecdsa_recoverable(&Message::from_digest(digest), key);
    MessageSignature::new(signature, true).to_base64()
}

fn statement() -> RateStatement {
    RateStatement {
        rate: usd("0.08"),
        valid_from: NOW,
        valid_until: NOW + 3_600,
        reason: "exchanges halted".to_owned(),
    }
}

#[test]
fn a_signed_statement_goes_before_every_source() {
    let (key, signer) = wallet(7);
    let policy = Policy {
        override_signers: [signer.clone()].into(),
        ..Policy::default()
    };
    let text = statement().text();
    assert_eq!(
        text,
        "Fluxplane rate v1: 1 micro-USD for 1250 sat (0.080000000000 USD per FLUX) from 1800000000 until 1800003600 because exchanges halted"
    );
    let signed = SignedStatement {
        statement: statement(),
        signer: signer.clone(),
        signature: sign(&key, &text),
    };
    let verified = signed.clone().verify(&policy).unwrap();
    let three = ["a", "b", "c"].map(|source| said(source, "0.05", NOW));
    let rate_at = |now| fix(&three, Some(&verified), &policy, now).unwrap().rate;
    assert_eq!(rate_at(NOW - 1), usd("0.05"));
    assert_eq!(rate_at(NOW), usd("0.08"));
    assert!(fix(&[], Some(&verified), &policy, NOW + 3_599).is_ok());
    assert!(fix(&[], Some(&verified), &policy, NOW + 3_600).is_err());
    let Basis::Statement {
        signer: by,
        valid_until,
        ..
    } = fix(&[], Some(&verified), &policy, NOW).unwrap().basis
    else {
        panic!("the statement holds");
    };
    assert_eq!((by, valid_until), (signer, NOW + 3_600));
}

#[test]
fn a_statement_that_does_not_count_is_refused_by_name() {
    let (key, signer) = wallet(7);
    let policy = Policy {
        override_signers: [signer.clone()].into(),
        ..Policy::default()
    };
    let refused = |change: &dyn Fn(&mut SignedStatement)| {
        let mut signed = SignedStatement {
            signature: sign(&key, &statement().text()),
            statement: statement(),
            signer: signer.clone(),
        };
        change(&mut signed);
        signed.verify(&policy).unwrap_err()
    };
    let (stranger, stranger_id) = wallet(8);
    assert_eq!(
        refused(&|own| own.signer = stranger_id.clone()),
        OverrideError::Signer(stranger_id.clone())
    );
    assert_eq!(
        refused(&|own| own.signature = sign(&stranger, &own.statement.text())),
        OverrideError::Signature(signer.clone())
    );
    assert_eq!(
        refused(&|own| own.statement.rate = usd("0.09")),
        OverrideError::Signature(signer.clone())
    );
    assert_eq!(
        refused(&|own| own.statement.valid_until = NOW),
        OverrideError::Window {
            from: NOW,
            until: NOW
        }
    );
    assert_eq!(
        refused(&|own| own.statement.valid_until = NOW + 86_401),
        OverrideError::TooLong {
            seconds: 86_401,
            limit: 86_400
        }
    );
    for reason in [
        String::new(),
        "a\nb".to_owned(),
        "é".to_owned(),
        "x".repeat(201),
    ] {
        assert_eq!(
            refused(&|own| own.statement.reason.clone_from(&reason)),
            OverrideError::Reason
        );
    }
    assert!(matches!(
        refused(&|own| own.signature = "AAAA".to_owned()),
        OverrideError::Malformed(_)
    ));
}

#[test]
fn a_price_is_shown_in_both_currencies() {
    let table = Table::first();
    let price = price(&table, &standard()).unwrap();
    let flux = price.in_flux(&table, usd("0.05")).unwrap();
    // 2.277816 USD, 5 % less, at 0.05 USD per FLUX.
    assert_eq!(flux.total, Sat::new(4_327_850_400));
    assert_eq!(flux.discount_ppm, 50_000);
    assert_eq!(Sat::checked_sum(flux.lines), Some(flux.total));
}

proptest! {
    #[test]
    fn the_lines_in_flux_add_up(order in orders(), micros in 1_000..100_000_000_u64) {
        let table = Table::first();
        let price = price(&table, &order).unwrap();
        let rate = FluxUsd::new(micros, 100_000_000).unwrap();
        let flux = price.in_flux(&table, rate).unwrap();
        prop_assert_eq!(flux.lines.len(), price.lines.len());
        prop_assert_eq!(Sat::checked_sum(flux.lines.iter().copied()), Some(flux.total));
        let dearer = FluxUsd::new(micros + 1, 100_000_000).unwrap();
        prop_assert!(price.in_flux(&table, dearer).unwrap().total <= flux.total);
        // Rounded down, by less than one sat.
        let exact = u128::from(price.total.get()) * 950_000 * 100_000_000;
        let own = u128::try_from(flux.total.get()).unwrap() * u128::from(micros) * 1_000_000;
        prop_assert!(own <= exact && exact < own + u128::from(micros) * 1_000_000);
    }

    #[test]
    fn one_liar_of_three_or_more_cannot_leave_the_honest_range(
        honest in proptest::collection::vec(50_000..52_000_u64, 2..7),
        lie in 1_000..10_000_000_u64,
    ) {
        let rate = |micros| FluxUsd::new(micros, 100_000_000).unwrap();
        let all = honest.iter().chain([&lie]).enumerate();
        let observations: Vec<Observation> = all
            .map(|(place, micros)| Observation { source: place.to_string(), rate: rate(*micros), at: NOW })
            .collect();
        let policy = Policy { min_sources: 2, ..Policy::default() };
        let fixing = fix(&observations, None, &policy, NOW).unwrap();
        prop_assert!(fixing.rate >= rate(*honest.iter().min().unwrap()));
        prop_assert!(fixing.rate <= rate(*honest.iter().max().unwrap()));
    }
}
