//! Number formatting and reading against the results of ECMAScript.

use fluxplane_app_spec::json::{JsString, number_from_text, number_text};
use proptest::prelude::*;

#[test]
fn numbers_are_printed_as_by_javascript() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (999_999_999_999_999_900_000.0, "999999999999999900000"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (1.5e300, "1.5e+300"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (-1.23e-10, "-1.23e-10"),
        (0.000_001_234_5, "0.0000012345"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (9_007_199_254_740_993.0, "9007199254740992"),
        (4.35, "4.35"),
        (100.0, "100"),
        (-5.5, "-5.5"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        // Of two equally close candidates the even one.
        (half_way(1_108_848_418_291_565, 8.0), "138606052286445.62"),
        (half_way(7_170_365_475_636_213, 4.0), "1792591368909053.2"),
        (half_way(480_322_578_323_085, 16.0), "30020161145192.812"),
        (1.5e-323, "1.5e-323"),
    ] {
        assert_eq!(number_text(number), text);
    }
}

/// A double in the middle between two decimal numbers of 17 digits.
fn half_way(numerator: u64, denominator: f64) -> f64 {
    let high = u32::try_from(numerator >> 32).unwrap();
    let low = u32::try_from(numerator & u64::from(u32::MAX)).unwrap();
    (f64::from(high) * 4_294_967_296.0 + f64::from(low)) / denominator
}

#[test]
fn texts_are_read_as_by_javascript() {
    for (text, number) in [
        ("", 0.0),
        (" \u{feff}12\u{2028}", 12.0),
        ("0x1F", 31.0),
        ("0b11", 3.0),
        ("0O17", 15.0),
        ("+.5", 0.5),
        ("5.", 5.0),
        ("-5e-1", -0.5),
        ("Infinity", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("1e1000", f64::INFINITY),
        ("0x20000000000001", 9_007_199_254_740_992.0),
        ("0x20000000000003", 9_007_199_254_740_996.0),
        (
            "0xfffffffffffffffffffffffffffffffffff",
            1.393_796_574_908_164e42,
        ),
    ] {
        let own = number_from_text(&JsString::from(text));
        assert!(
            (own - number).abs() < 1e-300 || own.to_bits() == number.to_bits(),
            "{text}: {own}"
        );
    }
    for text in [
        "1_0",
        ".",
        "infinity",
        "0x",
        "-0x10",
        "1e",
        "1 2",
        "\u{85}1",
        "\u{180e}1",
        "inf",
        "nan",
        "e5",
        "0xg",
    ] {
        assert!(number_from_text(&JsString::from(text)).is_nan(), "{text}");
    }
    assert!(number_from_text(&JsString::from_units(vec![0xd800])).is_nan());
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let back = number_from_text(&number_text(number).into());
        prop_assert_eq!((back + 0.0).to_bits(), (number + 0.0).to_bits());
    }
}
