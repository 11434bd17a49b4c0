use super::*;

const NOW: u64 = 1_800_000_000;

fn said(source: &str, micro_usd: u32, at: u64) -> Said {
    Said {
        source: source.to_owned(),
        micro_usd,
        at,
    }
}

fn standings(accepted: &Accepted) -> Vec<(&str, Standing)> {
    let sources = accepted.basis.sources.iter();
    sources
        .map(|own| (own.said.source.as_str(), own.standing))
        .collect()
}

#[test]
fn the_median_of_fresh_and_agreeing_sources_is_accepted_and_says_what_it_rests_on() {
    let all = [
        said("d", 90_000, NOW),
        said("c", 51_000, NOW - 20),
        said("b", 50_500, NOW - 601),
        said("a", 50_000, NOW - 10),
        said("e", 51_500, NOW),
    ];
    let accepted = accept(&all, None, &Policy::default(), NOW).unwrap();
    assert_eq!(accepted.flux_usd.micros(), 51_000);
    assert_eq!(accepted.at, NOW - 20);
    let expected = [
        ("a", Standing::Used),
        ("b", Standing::Stale),
        ("c", Standing::Used),
        ("d", Standing::Far),
        ("e", Standing::Used),
    ];
    assert_eq!(standings(&accepted), expected);
    assert_eq!(accepted.basis.to_string(), "median of a, c, e");
    assert_eq!(spread_ppm(&accepted.basis), 30_000);
}

#[test]
fn too_few_words_are_no_rate_and_every_word_has_its_cause() {
    let all = [said("a", 50_000, NOW), said("b", 50_000, NOW - 601)];
    let err = accept(&all, None, &Policy::default(), NOW).unwrap_err();
    assert!(matches!(
        err,
        FixingError::TooFew {
            fresh: 1,
            needed: 3,
            ..
        }
    ));
    let causes = all.each_ref().map(|own| standing_without(own, &err));
    assert_eq!(causes, [Standing::Unused, Standing::Stale]);
}

#[test]
fn every_number_of_micro_dollars_survives_being_a_ratio() {
    for micros in [1, 49_999, 50_000, 600_000, 1_000_003, u32::MAX] {
        assert_eq!(whole_micros(ratio(micros).unwrap()), Some(micros));
    }
    assert_eq!(ratio(0), None);
    let fraction: FluxUsd = "0.0000015".parse().unwrap();
    assert_eq!(whole_micros(fraction), None);
}

#[test]
fn a_statement_of_somebody_else_or_for_no_rate_is_refused() {
    let policy = Policy::default();
    let window = (NOW, NOW + 60);
    let taken = |micros, policy: &Policy| {
        let signer = "1A".to_owned();
        let (reason, signature) = ("a test".to_owned(), String::new());
        take_statement(micros, window, reason, signer, signature, policy, NOW)
    };
    assert_eq!(taken(0, &policy), Err(StatementError::Rate(0)));
    assert_eq!(
        taken(1 << 32, &policy),
        Err(StatementError::Rate(4_294_967_296))
    );
    assert_eq!(
        taken(50_000, &policy),
        Err(OverrideError::Signer("1A".to_owned()).into())
    );
}

#[test]
fn a_basis_survives_being_stored() {
    let all = ["a", "b", "c"].map(|source| said(source, 50_000, NOW));
    let accepted = accept(&all, None, &Policy::default(), NOW).unwrap();
    let json = serde_json::to_string(&accepted.basis).unwrap();
    assert_eq!(
        serde_json::from_str::<Basis>(&json).unwrap(),
        accepted.basis
    );
}
