//! The quote in integers.

use fluxplane_app_spec::legacy::LegacySpec;
use fluxplane_core::Sat;
use fluxplane_pricing::legacy::{
    FluxDiscount, FluxUsdRate, LegacyQuote, QuoteRequest, Usd,
    float::{Previous, PriceError, PriceMessage, PriceTable, UsdPrices, is_free_update},
    quote,
};

use crate::vectors::{find, get, load};

/// A vector's specification, and its former one.
fn vector(id: &str) -> (LegacySpec, Option<Previous>, u64) {
    let file = load("fluxos-price-vectors.json");
    let vectors = get(&file, "vectors").as_array().unwrap();
    let vector = vectors
        .iter()
        .find(|vector| get(vector, "id").as_str() == Some(id))
        .unwrap();
    let previous = find(vector, "previous").map(|row| Previous {
        spec: LegacySpec::from_value(row.clone()).unwrap(),
        height: get(row, "height").as_u64().unwrap(),
    });
    let spec = LegacySpec::from_value(get(vector, "spec").clone()).unwrap();
    (spec, previous, get(vector, "height").as_u64().unwrap())
}

fn quote_at(id: &str, rate: FluxUsdRate) -> LegacyQuote {
    let (spec, previous, height) = vector(id);
    let request = QuoteRequest {
        previous: previous.as_ref(),
        ..QuoteRequest::registration(&spec, height, rate)
    };
    quote(&request, &PriceTable::mainnet(), &UsdPrices::default()).unwrap()
}

#[test]
fn a_registration_is_quoted_in_integers() {
    let own = quote_at("v8-inst3-12months", FluxUsdRate::FALLBACK);
    let expected = LegacyQuote {
        height: 2_200_000,
        price_row: 1_597_156,
        monthly: Sat::new(60_000_000),
        monthly_usd: Usd::from_cents(291),
        on_chain_flux: Sat::new(577_000_000),
        min_accepted: Sat::new(720_000_000),
        usd: Usd::from_cents(2_459),
        flux: Sat::new(3_893_000_000),
        flux_discount: FluxDiscount::Percent(5),
        term_blocks: 1_056_000,
    };
    assert_eq!(own, expected);
    assert_eq!(own.usd.to_string(), "24.59");
}

#[test]
fn a_quote_can_be_lower_than_what_the_network_takes() {
    let own = quote_at("chain-floor", FluxUsdRate::from_micros(10_000_000));
    assert_eq!(own.flux_discount, FluxDiscount::NotPossible);
    assert!(own.flux < own.min_accepted);
}

#[test]
fn every_update_is_taken_for_the_minimum() {
    for id in ["upd-double-cpu", "upd-scale-out", "upd-across-pon"] {
        assert_eq!(
            quote_at(id, FluxUsdRate::FALLBACK).min_accepted,
            Sat::new(1_000_000),
            "{id}"
        );
    }
}

#[test]
fn a_free_update_costs_nothing() {
    let own = quote_at("upd-free", FluxUsdRate::FALLBACK);
    assert_eq!(
        (own.usd, own.flux, own.flux_discount),
        (Usd::default(), Sat::ZERO, FluxDiscount::Free)
    );
}

#[test]
fn a_specification_without_term_gets_the_default() {
    assert_eq!(
        quote_at("v4-two-components", FluxUsdRate::FALLBACK).term_blocks,
        22_000
    );
}

#[test]
fn price_messages_change_the_price() {
    let (spec, _, height) = vector("v8-inst3-3months");
    let message = PriceMessage {
        height: height - 1,
        text: "p_0.06_0.02_0.008_0.02".to_owned(),
    };
    let request = QuoteRequest::registration(&spec, height, FluxUsdRate::FALLBACK);
    let table = PriceTable::mainnet().with_messages([&message]);
    let own = quote(&request, &table, &UsdPrices::default()).unwrap();
    assert_eq!(
        (own.price_row, own.monthly),
        (2_199_999, Sat::new(117_000_000))
    );
    let later = PriceMessage { height, ..message };
    let table = PriceTable::mainnet().with_messages([&later]);
    let own = quote(&request, &table, &UsdPrices::default()).unwrap();
    assert_eq!(own.monthly, Sat::new(60_000_000));
}

#[test]
fn what_has_no_price_is_refused_by_name() {
    let (mut spec, _, height) = vector("v8-inst3-3months");
    let price = |spec: &LegacySpec, height, rate| {
        let request = QuoteRequest::registration(spec, height, rate);
        quote(&request, &PriceTable::mainnet(), &UsdPrices::default())
    };
    let rate = FluxUsdRate::FALLBACK;
    assert!(matches!(
        price(&spec, height, FluxUsdRate::from_micros(0)),
        Err(PriceError::Rate(_))
    ));
    spec.expire = Some(1e300);
    assert!(matches!(
        price(&spec, height, rate),
        Err(PriceError::NoAmount { .. })
    ));
    let (mut spec, ..) = vector("v8-inst3-3months");
    if let fluxplane_app_spec::legacy::Body::Compose(components) = &mut spec.body {
        components[0].container_data = None;
    }
    let error = price(&spec, height, rate).unwrap_err();
    assert_eq!(error, PriceError::NoContainerData { component: 0 });
}

#[test]
fn free_updates_must_not_grow() {
    let (spec, previous, height) = vector("upd-free");
    let previous = previous.unwrap();
    let is_free = |change: fn(&mut LegacySpec)| {
        let mut spec = spec.clone();
        change(&mut spec);
        is_free_update(&spec, &previous, height, &[])
    };
    assert!(is_free(|_| {}));
    assert!(is_free(|spec| spec.expire = Some(44_008.0)));
    assert!(!is_free(|spec| spec.expire = Some(44_009.0)));
    assert!(!is_free(|spec| spec.expire = None));
    assert!(!is_free(|spec| spec.instances = Some(2.0)));
    assert!(!is_free(|spec| spec.staticip = Some(true)));
    assert!(!is_free(
        |spec| spec.nodes = Some(vec!["203.0.113.7".into()])
    ));
    let component = |change: fn(&mut fluxplane_app_spec::legacy::Component)| {
        let mut spec = spec.clone();
        if let fluxplane_app_spec::legacy::Body::Compose(components) = &mut spec.body {
            change(&mut components[0]);
        }
        is_free_update(&spec, &previous, height, &[])
    };
    assert!(component(|component| component.hardware.cpu = 0.5));
    assert!(!component(|component| component.hardware.cpu = 1.5));
    assert!(!component(|component| component.hardware.ram = 2_100.0));
    assert!(!component(|component| component.hardware.hdd = 21.0));
    assert!(!component(|component| component.ports = vec![443.0]));
    assert!(component(
        |component| component.ports = vec![31_001.0, 31_002.0]
    ));
    assert!(!component(|component| component.name = Some("other".into())));
}

#[test]
fn free_updates_are_limited_per_window() {
    let (spec, previous, height) = vector("upd-free");
    let previous = previous.unwrap();
    let is_free = |ages: &[u64]| {
        let heights: Vec<u64> = ages.iter().map(|age| height - age).collect();
        is_free_update(&spec, &previous, height, &heights)
    };
    assert!(is_free(&[1; 5]) && !is_free(&[1; 6]));
    assert!(is_free(&[720; 8]) && !is_free(&[720; 9]));
    assert!(is_free(&[719; 5]) && !is_free(&[719; 6]));
    assert!(is_free(&[1_440; 10]) && !is_free(&[1_440; 11]));
    assert!(is_free(&[3_600; 100]));
}
