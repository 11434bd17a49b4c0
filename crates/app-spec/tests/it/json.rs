//! The JSON reader and writer.

use fluxplane_app_spec::json::{JsString, Limits, Object, ParseErrorKind, Value, parse, stringify};
use proptest::prelude::*;

fn reprint(text: &str) -> String {
    stringify(&parse(text.as_bytes(), Limits::default()).unwrap().value)
}

#[test]
fn objects_keep_the_order_of_javascript() {
    assert_eq!(reprint(r#"{"b":1,"a":2,"b":3}"#), r#"{"b":3,"a":2}"#);
    assert_eq!(
        reprint(r#"{"b":1,"10":2,"1":3,"01":4,"4294967294":5,"4294967295":6}"#),
        r#"{"1":3,"10":2,"4294967294":5,"b":1,"01":4,"4294967295":6}"#
    );
    assert_eq!(
        reprint(r#"{"__proto__":1,"toString":2}"#),
        r#"{"__proto__":1,"toString":2}"#
    );
}

#[test]
fn strings_are_escaped_as_by_javascript() {
    assert_eq!(
        reprint(r#""\u0041\/\b\f\n\r\t\"\\\u0001\u001F""#),
        r#""A/\b\f\n\r\t\"\\\u0001\u001f""#
    );
    assert_eq!(reprint(r#""\ud83d\ude00""#), "\"😀\"");
    assert_eq!(reprint(r#""a\ud83dx\ude00""#), r#""a\ud83dx\ude00""#);
    assert_eq!(reprint("\"\u{2028}\u{7f}é\""), "\"\u{2028}\u{7f}é\"");
}

#[test]
fn duplicate_keys_are_reported_with_their_path() {
    let text = r#"{"a":[{"b":1,"b":2},3],"odd key":{"x":1,"x":1,"x":1},"a":0}"#;
    let document = parse(text.as_bytes(), Limits::default()).unwrap();
    let paths: Vec<&str> = document
        .duplicates
        .iter()
        .map(|key| key.path.as_str())
        .collect();
    assert_eq!(paths, ["a[0].b", "[\"odd key\"].x", "[\"odd key\"].x", "a"]);
    let offset = document.duplicates[0].offset;
    assert_eq!(text.get(offset..offset + 3), Some("\"b\""));
}

#[test]
fn what_is_no_json_is_refused_with_its_offset() {
    for (text, offset, message) in [
        ("", 0, "the text ends in the middle of a value"),
        ("{", 1, "the text ends in the middle of a value"),
        ("[1,]", 3, "expected a value, found `]`"),
        (
            "{\"a\":1,}",
            7,
            "expected a key in double quotes, found `}`",
        ),
        ("{\"a\" 1}", 5, "expected `:` after the key, found `1`"),
        ("{'a':1}", 1, "expected a key in double quotes, found `'`"),
        ("[1 2]", 3, "expected `,` or `]`, found `2`"),
        (
            "01",
            0,
            "`01` is not a number; JSON writes numbers as 5, 0.5 or 1e3",
        ),
        (
            "1.",
            0,
            "`1.` is not a number; JSON writes numbers as 5, 0.5 or 1e3",
        ),
        ("+1", 0, "expected a value, found `+`"),
        ("NaN", 0, "expected a value, found `N`"),
        ("tru", 0, "expected a value, found `t`"),
        ("1 x", 2, "`x` follows the value; one text holds one value"),
        (
            "\"a\nb\"",
            2,
            "control character U+000A in a string; write it as an escape",
        ),
        ("\"\\x\"", 2, "`\\x` is not an escape of JSON"),
        (
            "\"\\u12g4\"",
            5,
            "expected four hexadecimal digits after `\\u`, found `g`",
        ),
        ("\"é", 3, "the text ends in the middle of a value"),
        ("\u{feff}1", 0, "expected a value, found `\u{feff}`"),
    ] {
        let error = parse(text.as_bytes(), Limits::default()).unwrap_err();
        assert_eq!(
            (error.offset, error.kind.to_string().as_str()),
            (offset, message),
            "{text}"
        );
    }
    let error = parse(b"\"ab\xff\"", Limits::default()).unwrap_err();
    assert_eq!((error.offset, error.kind), (3, ParseErrorKind::NotUtf8));
}

#[test]
fn limits_hold_exactly() {
    let limits = Limits {
        max_bytes: 40,
        max_depth: 3,
    };
    assert!(parse(b"[[[1]],{\"a\":[]}]", limits).is_ok());
    let error = parse(b"[[[[1]]]]", limits).unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::TooDeep { limit: 3 });
    assert!(parse(" ".repeat(39).as_bytes(), limits).is_err());
    assert!(parse(format!("{}1", " ".repeat(39)).as_bytes(), limits).is_ok());
    let error = parse(format!("{}1", " ".repeat(40)).as_bytes(), limits).unwrap_err();
    assert_eq!(
        error.kind,
        ParseErrorKind::TooLarge {
            size: 41,
            limit: 40
        }
    );
    let deep = "[".repeat(1_000);
    let error = parse(deep.as_bytes(), Limits::default()).unwrap_err();
    assert_eq!(error.kind, ParseErrorKind::TooDeep { limit: 128 });
}

#[test]
fn very_many_repeated_keys_are_read_in_reasonable_time() {
    let members: Vec<String> = (0..100_000)
        .map(|n| format!("\"k{}\":{n}", n % 50_000))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    let document = parse(text.as_bytes(), Limits::default()).unwrap();
    assert_eq!(document.duplicates.len(), 50_000);
    assert_eq!(document.value.as_object().unwrap().len(), 50_000);
}

#[test]
fn strings_behave_like_those_of_javascript() {
    let lone = JsString::from_units(vec![0x61, 0xd800]);
    assert_eq!((lone.utf16_len(), lone.as_str()), (2, None));
    assert!(lone.starts_with("a") && lone.contains("a") && !lone.contains("b"));
    assert!(lone.longer_than(1) && !lone.longer_than(2));
    let pair = JsString::from_units(vec![0xd83d, 0xde00]);
    assert_eq!(pair, JsString::from("😀"));
    assert_eq!(
        (pair.utf16_len(), pair.longer_than(1), pair.longer_than(2)),
        (2, true, false)
    );
}

fn value() -> impl Strategy<Value = Value> {
    let text = || {
        prop_oneof![
            any::<String>().prop_map(JsString::from),
            proptest::collection::vec(any::<u16>(), 0..6).prop_map(JsString::from_units),
            "[0-9]{1,3}".prop_map(JsString::from),
        ]
    };
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        proptest::num::f64::NORMAL.prop_map(Value::Number),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((text(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Object>())),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_survives_its_text(value in value()) {
        let text = stringify(&value);
        let document = parse(text.as_bytes(), Limits::default()).unwrap();
        prop_assert_eq!(&document.value, &value);
        prop_assert!(document.duplicates.is_empty());
        prop_assert_eq!(stringify(&document.value), text);
    }
}
