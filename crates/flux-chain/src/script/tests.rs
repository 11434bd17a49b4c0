use proptest::prelude::*;

use super::*;
use crate::{hash::Hash160, tx::TxOut};

fn script(text: &str) -> ScriptBuf {
    ScriptBuf::new(hex::decode(text).unwrap())
}

#[test]
fn the_usual_scripts_are_told_apart() {
    let hash = Hash160::of(b"key");
    assert_eq!(
        p2pkh(&hash).as_script().kind(),
        ScriptKind::PubKeyHash(hash)
    );
    assert_eq!(p2sh(&hash).as_script().kind(), ScriptKind::ScriptHash(hash));
    let data = data_output(b"abc").unwrap();
    assert_eq!(data.as_script().kind(), ScriptKind::NullData(b"abc"));
    assert_eq!(script("6a").as_script().kind(), ScriptKind::NullData(&[]));
    assert_eq!(script("").as_script().kind(), ScriptKind::NonStandard);
}

#[test]
fn the_template_of_null_data_takes_any_single_step() {
    assert_eq!(script("6a76").as_script().kind(), ScriptKind::NullData(&[]));
    assert_eq!(script("6a7676").as_script().kind(), ScriptKind::NonStandard);
    let long = format!("6a4c51{}", "00".repeat(81));
    assert_eq!(script(&long).as_script().kind(), ScriptKind::NonStandard);
    assert_eq!(script("6a05ab").as_script().kind(), ScriptKind::NonStandard);
}

#[test]
fn a_key_hash_pushed_the_long_way_still_matches_the_template() {
    let long = script(&format!("76a94c14{}88ac", "11".repeat(20)));
    assert_eq!(
        long.as_script().kind(),
        ScriptKind::PubKeyHash(Hash160::from_wire([0x11; 20]))
    );
    assert_eq!(long.as_script().p2pkh_hash(), None);
}

#[test]
fn a_multisig_must_count_its_keys() {
    let key = "21".to_owned() + &"02".repeat(33);
    let two_of_two = script(&format!("52{key}{key}52ae"));
    assert_eq!(Multisig::parse(two_of_two.as_script()).unwrap().required, 2);
    for wrong in [
        format!("53{key}{key}52ae"),
        format!("50{key}{key}52ae"),
        format!("51{key}52ae"),
        format!("51{key}{key}52aeae"),
        format!("00{key}51ae"),
    ] {
        assert_eq!(Multisig::parse(script(&wrong).as_script()), None, "{wrong}");
    }
}

#[test]
fn short_pushes_print_as_numbers() {
    let asm = |text: &str| script(text).as_script().asm(SighashSuffix::Plain);
    assert_eq!(asm("0281ff"), "-32641");
    assert_eq!(asm("00"), "0");
    assert_eq!(asm("5160"), "1 16");
    assert_eq!(asm("6a05aabbccddee"), "OP_RETURN aabbccddee");
    assert_eq!(asm("76ff05aa"), "OP_DUP OP_INVALIDOPCODE [error]");
}

#[test]
fn a_note_ends_at_the_first_zero_byte() {
    let note = |bytes: &[u8]| data_output(bytes).unwrap().as_script().note();
    assert_eq!(note(b"hello world").as_deref(), Some("hello world"));
    assert_eq!(note(b"hello\0world").as_deref(), Some("hello"));
    // Four bytes and fewer print as a number, whose digits FluxOS takes for hexadecimal.
    assert_eq!(note(&[0x39, 0x30]).as_deref(), Some("\u{12}\u{34}\u{5}"));
    assert_eq!(script("6a").as_script().note(), None);
    assert_eq!(p2pkh(&Hash160::of(b"\x6a")).as_script().note(), None);
}

#[test]
fn the_last_output_with_a_text_wins() {
    let first = data_output(b"first text").unwrap();
    let second = data_output(b"second text").unwrap();
    let change = p2pkh(&Hash160::of(b"change"));
    let outputs: Vec<TxOut<'_>> = [&first, &second, &change]
        .into_iter()
        .map(|script| TxOut {
            value: fluxplane_core::Sat::ZERO,
            script: script.as_script(),
        })
        .collect();
    let note = note_of_outputs(&outputs).unwrap();
    assert_eq!(
        (note.text.as_str(), note.output, note.last),
        ("second text", 1, false)
    );
}

#[test]
fn signature_operations_are_counted_both_ways() {
    let key = "21".to_owned() + &"02".repeat(33);
    let two_of_three = script(&format!("52{key}{key}{key}53ae"));
    assert_eq!(two_of_three.as_script().signature_operations(true), 3);
    assert_eq!(two_of_three.as_script().signature_operations(false), 20);
    assert_eq!(script("acad").as_script().signature_operations(true), 2);
}

#[test]
fn heights_are_pushed_as_the_daemon_pushes_them() {
    for (height, expected) in [
        (1, "51"),
        (16, "60"),
        (17, "0111"),
        (128, "028000"),
        (204, "02cc00"),
        (2_996_914, "03b2ba2d"),
    ] {
        let mut bytes = Vec::new();
        push_height(&mut bytes, height);
        assert_eq!(hex::encode(bytes), expected, "{height}");
    }
}

proptest! {
    #[test]
    fn no_bytes_upset_a_script(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let script = Script::new(&bytes);
        let read: usize = script
            .instructions()
            .map(|step| step.map_or(0, |step| step.data.len() + 1))
            .sum();
        prop_assert!(read <= bytes.len());
        script.kind();
        script.asm(SighashSuffix::Spell);
        script.note();
        script.push_only();
        script.signature_operations(true);
        script.destination();
    }
}
