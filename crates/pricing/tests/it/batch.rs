//! The batch line.

use fluxplane_pricing::batch::price_line;

/// One core, 2000 MB, 20 GB.
const SPEC: &str = r#"{"version":8,"name":"MinecraftServer1","description":"d","owner":"o","compose":[{"name":"web","description":"d","repotag":"nginx:1.27","ports":[31000],"domains":[""],"environmentParameters":[],"commands":[],"containerPorts":[80],"containerData":"/data","cpu":1,"ram":2000,"hdd":20,"repoauth":""}],"instances":3,"contacts":[],"geolocation":[],"expire":88000,"nodes":[],"staticip":false,"enterprise":""}"#;

fn price(rest: &str) -> String {
    price_line(format!("{{\"height\":2200000,\"spec\":{SPEC}{rest}}}").as_bytes())
}

#[test]
fn the_answer_has_the_fields_of_the_vectors() {
    assert_eq!(
        price(",\"fluxUsdRate\":0.6"),
        r#"{"monthlyFlux":0.6,"monthlyUsd":2.91,"chainQuoteFlux":0.48,"minAcceptedSat":60000000,"quote":{"usd":2.33,"flux":3.69,"fluxDiscount":5}}"#
    );
}

#[test]
fn without_a_rate_there_is_no_quote() {
    assert!(price("").ends_with("\"minAcceptedSat\":60000000,\"quote\":null}"));
    assert!(price(",\"fluxUsdRate\":null").ends_with("\"quote\":null}"));
}

#[test]
fn the_marketplace_multiplies_by_the_first_name_that_fits() {
    let quote = |apps: &str| {
        let answer = price(&format!(",\"fluxUsdRate\":0.05,\"marketplace\":[{apps}]"));
        answer
            .split_once("\"usd\":")
            .unwrap()
            .1
            .split_once(',')
            .unwrap()
            .0
            .to_owned()
    };
    assert_eq!(quote("{\"name\":\"minecraft\",\"multiplier\":2.5}"), "5.82");
    assert_eq!(
        quote("{\"name\":\"Mine\"},{\"name\":\"minecraft\",\"multiplier\":2.5}"),
        "2.33"
    );
    assert_eq!(quote("{\"name\":\"Mine\",\"multiplier\":0.5}"), "2.33");
    assert_eq!(quote("{\"name\":\"Nope\",\"multiplier\":3}"), "2.33");
}

#[test]
fn a_wished_price_must_not_be_too_low() {
    let with_wish = |wish: &str| {
        let spec = SPEC.replace("\"staticip\"", &format!("\"priceUSD\":{wish},\"staticip\""));
        price_line(
            format!("{{\"height\":2200000,\"fluxUsdRate\":0.05,\"spec\":{spec}}}").as_bytes(),
        )
    };
    assert!(with_wish("9.99").contains("\"usd\":9.99,"));
    assert!(with_wish("\"9.99\"").contains("\"usd\":9.99,"));
    assert!(with_wish("0").contains("\"usd\":2.33,"));
    assert_eq!(with_wish("1"), "{\"error\":\"USD price is not valid\"}");
    assert_eq!(
        with_wish("{}"),
        "{\"error\":\"priceUSD is {}; it must be a number\"}"
    );
}

#[test]
fn a_wish_of_true_is_one_dollar() {
    let spec = SPEC
        .replace("\"staticip\"", "\"priceUSD\":true,\"staticip\"")
        .replace("\"expire\":88000", "\"expire\":22000");
    let line = format!("{{\"height\":2200000,\"fluxUsdRate\":0.05,\"spec\":{spec}}}");
    assert!(price_line(line.as_bytes()).contains("\"usd\":1,"));
}

#[test]
fn a_credit_of_nothing_makes_a_number_of_the_price() {
    // Without an earlier term the price is the text "3.88", and JavaScript compares texts as texts.
    let spec = SPEC
        .replace("\"instances\":3", "\"instances\":4")
        .replace("\"staticip\"", "\"priceUSD\":\"10\",\"staticip\"");
    let row = SPEC.replace("\"expire\":88000", "\"expire\":1,\"height\":2200000");
    let line = |previous: &str| {
        let line = format!("{{\"height\":2200000,\"fluxUsdRate\":0.05,\"spec\":{spec}{previous}}}");
        price_line(line.as_bytes())
    };
    assert_eq!(line(""), "{\"error\":\"USD price is not valid\"}");
    assert!(line(&format!(",\"previous\":{row}")).contains("\"usd\":10,"));
}

#[test]
fn a_bad_line_is_answered_by_its_error() {
    for (line, error) in [
        (
            "nonsense",
            "invalid JSON at byte 0: expected a value, found `n`",
        ),
        ("{\"height\":1}", "spec is missing; add the specification"),
        (
            "{\"height\":1,\"spec\":{}}",
            "spec: format: Missing Flux App specification parameter version",
        ),
        (
            "{\"height\":1,\"recentUpdates\":[1.5]}",
            "recentUpdates is [1.5]; it must be an array of heights",
        ),
        (
            "{\"height\":1,\"marketplace\":[{}]}",
            "marketplace is [{}]; it must be an array of {name, multiplier}",
        ),
        (
            "{\"height\":1,\"previous\":{}}",
            "previous is {}; it must be an application row with its height",
        ),
        (
            "{\"height\":1,\"previous\":{\"height\":1}}",
            "previous: format: Missing Flux App specification parameter version",
        ),
        (
            "{\"height\":1,\"fluxUsdRate\":\"0.6\"}",
            "fluxUsdRate is \"0.6\"; it must be a number",
        ),
    ] {
        let error = fluxplane_app_spec::json::stringify(&error.into());
        assert_eq!(
            price_line(line.as_bytes()),
            format!("{{\"error\":{error}}}")
        );
    }
    assert_eq!(
        price(",\"fluxUsdRate\":0"),
        "{\"error\":\"the rate 0 USD per FLUX is no price; send a positive number\"}"
    );
}
