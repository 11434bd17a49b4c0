//! The price vectors of FluxOS.

use fluxplane_app_spec::json::{Limits, Object, Value, parse, stringify};
use fluxplane_pricing::batch::price_line;

/// A file of `tests/fixtures` at the root of the repository.
pub(crate) fn load(name: &str) -> Value {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    parse(&bytes, Limits::default()).unwrap().value
}

pub(crate) fn get<'a>(value: &'a Value, field: &str) -> &'a Value {
    find(value, field).unwrap_or_else(|| panic!("{field} is missing in {}", stringify(value)))
}

pub(crate) fn find<'a>(value: &'a Value, field: &str) -> Option<&'a Value> {
    value.as_object().and_then(|object| object.get(field))
}

/// The answer to a line made of these fields.
pub(crate) fn answer(fields: Object) -> Value {
    let line = stringify(&Value::Object(fields));
    parse(price_line(line.as_bytes()).as_bytes(), Limits::default())
        .unwrap()
        .value
}

#[test]
fn every_price_is_that_of_fluxos() {
    const INPUTS: [&str; 5] = ["height", "spec", "previous", "recentUpdates", "marketplace"];
    let file = load("fluxos-price-vectors.json");
    let vectors = get(&file, "vectors").as_array().unwrap();
    assert_eq!(vectors.len(), 44);
    let mut quotes_seen = 0;
    for vector in vectors {
        let id = get(vector, "id").as_str().unwrap();
        let expected = get(vector, "expect");
        let given = INPUTS
            .iter()
            .filter_map(|name| Some((*name, find(vector, name)?.clone())));
        let fields: Object = given.collect();
        let own = answer(fields.clone());
        for name in [
            "monthlyFlux",
            "monthlyUsd",
            "chainQuoteFlux",
            "minAcceptedSat",
        ] {
            if let Some(wanted) = find(expected, name) {
                assert_eq!(get(&own, name), wanted, "{id} {name}");
            }
        }
        let quotes = find(expected, "quotes")
            .and_then(Value::as_array)
            .unwrap_or_default();
        for wanted in quotes {
            let mut fields = fields.clone();
            fields.set("fluxUsdRate", get(wanted, "fluxUsdRate").clone());
            let own = answer(fields);
            let quote = get(&own, "quote");
            for name in ["usd", "flux", "fluxDiscount"] {
                assert_eq!(get(quote, name), get(wanted, name), "{id} {name}");
            }
            quotes_seen += 1;
        }
    }
    assert!(quotes_seen > 70, "{quotes_seen}");
}

#[test]
fn every_collected_specification_has_its_price() {
    let file = load("fluxos-app-specs.json");
    let mut seen = 0;
    for entry in get(&file, "specs").as_array().unwrap() {
        let Some(price) = find(entry, "price") else {
            continue;
        };
        let wanted = get(price, "quote");
        let fields = [
            ("height", get(price, "atHeight").clone()),
            ("fluxUsdRate", get(wanted, "fluxUsdRate").clone()),
            ("spec", get(entry, "spec").clone()),
        ];
        let own = answer(fields.into_iter().collect());
        let id = get(entry, "id").as_str().unwrap();
        for name in ["monthlyFlux", "monthlyUsd"] {
            assert_eq!(get(&own, name), get(price, name), "{id} {name}");
        }
        for name in ["usd", "flux"] {
            assert_eq!(
                get(get(&own, "quote"), name),
                get(wanted, name),
                "{id} {name}"
            );
        }
        seen += 1;
    }
    assert_eq!(seen, 36);
}
