//! Lines in, lines out.

use fluxplane_flux_chain::batch::{decode_line, decode_line_text};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::fixture::{VECTORS, list, named, text};

fn decode(request: &Value) -> Value {
    decode_line(&request.to_string())
}

#[test]
fn every_vector_decodes() {
    for vector in list(&VECTORS, "transactions") {
        let answer = decode(&json!({"tx": text(vector, "hex")}));
        assert_eq!(answer["txid"], vector["txid"]);
        assert_eq!(answer["size"], vector["size"]);
        assert_eq!(answer["version"], vector["fields"]["version"]);
        assert_eq!(answer.get("fullhash"), vector["fields"].get("fullhash"));
    }
    for vector in list(&VECTORS, "headers") {
        let answer = decode(&json!({"header": text(vector, "hex")}));
        assert_eq!(answer["hash"], vector["hash"]);
    }
    for vector in list(&VECTORS, "blocks") {
        let network = text(vector, "network").trim_end_matches("net");
        let answer = decode(&json!({"block": text(vector, "hex"), "network": network}));
        let expected = &vector["expected"];
        assert_eq!(answer["hash"], expected["hash"]);
        assert_eq!(answer["size"], expected["size"]);
        assert_eq!(answer["height"], vector["height"]);
        let ids: Vec<&Value> = list(&answer, "tx").iter().map(|tx| &tx["txid"]).collect();
        let expected_ids: Vec<&Value> = list(expected, "tx").iter().map(|tx| &tx["txid"]).collect();
        assert_eq!(ids, expected_ids);
        assert_eq!(
            answer.get("producer_collateral"),
            expected["header"].get("collateral")
        );
    }
}

#[test]
fn the_network_decides_the_addresses() {
    let vector = named(list(&VECTORS, "transactions"), "v4_regular_transfer");
    let address = |network: &str| {
        let answer = decode(&json!({"tx": text(vector, "hex"), "network": network}));
        let addresses = &answer["vout"][0]["scriptPubKey"]["addresses"];
        addresses[0]
            .as_str()
            .unwrap()
            .chars()
            .take(2)
            .collect::<String>()
    };
    assert_eq!(address("main"), "t1");
    assert_eq!(address("test"), "tm");
    assert_eq!(address("regtest"), "tm");
}

#[test]
fn a_bad_line_says_what_is_wrong() {
    let vector = named(list(&VECTORS, "transactions"), "v5_confirm_update");
    let whole = text(vector, "hex");
    let cut: String = whole.chars().take(whole.len() - 2).collect();
    for (line, expected) in [
        (String::new(), "the line is no request"),
        ("[]".to_owned(), "the line is no request"),
        ("{}".to_owned(), "the line names 0 of tx, block and header"),
        (
            json!({"tx": "00", "block": "00"}).to_string(),
            "the line names 2 of",
        ),
        (
            json!({"tx": "00", "extra": 1}).to_string(),
            "unknown field `extra`",
        ),
        (
            json!({"tx": "00", "network": "moon"}).to_string(),
            "unknown variant `moon`",
        ),
        (json!({"tx": 5}).to_string(), "invalid type"),
        (r#"{"tx": "00", "tx": "01"}"#.to_owned(), "duplicate field"),
        (json!({"tx": "0"}).to_string(), "half a byte is missing"),
        (
            json!({"tx": "00zz"}).to_string(),
            "byte 1, tx: `z` is not a hexadecimal digit",
        ),
        (
            json!({"tx": ""}).to_string(),
            "byte 0, version: 4 bytes are needed, 0 are left",
        ),
        (
            json!({"tx": cut}).to_string(),
            "benchmarkSig: 65 bytes are needed, 64 are left",
        ),
        (
            json!({"tx": format!("{whole}00")}).to_string(),
            "1 bytes follow its end",
        ),
        (
            json!({"tx": "0400008000000000"}).to_string(),
            "version 4 with version group 00000000",
        ),
        (
            json!({"block": "64000000"}).to_string(),
            "byte 4, previousBlockHash",
        ),
        (json!({"header": "00"}).to_string(), "byte 0, version"),
    ] {
        let answer = decode_line(&line);
        let error = answer["error"]
            .as_str()
            .unwrap_or_else(|| panic!("{line}: {answer}"));
        assert!(error.contains(expected), "{line}: {error}");
        assert_eq!(answer.as_object().unwrap().len(), 1);
    }
}

#[test]
fn an_error_inside_a_block_names_the_transaction() {
    let vector = named(list(&VECTORS, "blocks"), "mainnet_2020000");
    let whole = text(vector, "hex");
    let cut: String = whole.chars().take(whole.len() - 2).collect();
    let answer = decode(&json!({"block": cut}));
    let signature = whole.len() / 2 - 65;
    assert_eq!(
        answer["error"],
        format!(
            "byte {signature}, tx[7].benchmarkSig: 65 bytes are needed, 64 are left: the data is cut short"
        )
    );
}

#[test]
fn text_and_tree_say_the_same() {
    for vector in list(&VECTORS, "blocks") {
        let line = json!({"block": text(vector, "hex")}).to_string();
        let written: Value = serde_json::from_str(&decode_line_text(&line)).unwrap();
        assert_eq!(written, decode_line(&line));
    }
}

#[test]
fn no_key_appears_twice() {
    let mut lines: Vec<String> = list(&VECTORS, "transactions")
        .iter()
        .chain(list(&VECTORS, "constructed"))
        .filter(|vector| !vector["txid"].is_null())
        .map(|vector| json!({"tx": text(vector, "hex")}).to_string())
        .collect();
    lines.extend(
        list(&VECTORS, "blocks")
            .iter()
            .map(|vector| json!({"block": text(vector, "hex")}).to_string()),
    );
    for line in lines {
        let written = decode_line_text(&line);
        // A tree keeps one of two equal keys, so a text with a double key would be longer than what its tree is written as.
        let tree: Value = serde_json::from_str(&written).unwrap();
        let keys = |text: &str| text.matches("\":").count();
        assert_eq!(keys(&written), keys(&tree.to_string()));
    }
}

proptest! {
    #[test]
    fn any_line_has_an_answer(line in ".{0,200}") {
        prop_assert!(decode_line(&line).is_object());
        let answer = decode_line_text(&line);
        prop_assert!(answer.starts_with('{'), "{answer}");
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..3) {
        let kind = ["tx", "block", "header"][usize::try_from(kind).unwrap()];
        let answer = decode(&json!({kind: hex::encode(bytes)}));
        prop_assert!(answer.is_object(), "{answer}");
    }
}
