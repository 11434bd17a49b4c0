use proptest::prelude::*;

use super::*;

#[test]
fn a_length_must_take_its_shortest_form() {
    for (bytes, value, width) in [
        (&[0xfd, 0xfc, 0x00][..], 0xfc, 3),
        (&[0xfe, 0xff, 0xff, 0x00, 0x00][..], 0xffff, 5),
        (&[0xff, 1, 0, 0, 0, 0, 0, 0, 0][..], 1, 9),
    ] {
        let error = Reader::new(bytes).compact_size("n").unwrap_err();
        assert_eq!(error.problem, Problem::NonCanonicalLength { value, width });
        assert_eq!(error.offset, 0);
    }
}

#[test]
fn a_length_beyond_the_limit_is_refused_before_anything_is_read() {
    let bytes = [0xfe, 1, 0, 0, 2];
    let error = Reader::new(&bytes).var_bytes("script").unwrap_err();
    assert_eq!(
        error.problem,
        Problem::TooLong {
            value: 0x0200_0001,
            limit: MAX_LENGTH
        }
    );
}

#[test]
fn a_count_that_cannot_fit_is_refused() {
    let bytes = [3, 0, 0, 0, 0, 0];
    assert_eq!(Reader::new(&bytes).count("list", 1), Ok(3));
    let error = Reader::new(&bytes).count("list", 2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 0, list: 3 items of at least 2 bytes do not fit into the 5 bytes that are left"
    );
}

#[test]
fn the_error_says_where_and_what() {
    let mut reader = Reader::new(&[1, 2, 3]);
    reader.u8("first").unwrap();
    let error = reader.u32("second").unwrap_err().within("vin", 7);
    assert_eq!(
        error.to_string(),
        "byte 1, vin[7].second: 4 bytes are needed, 2 are left: the data is cut short"
    );
}

proptest! {
    #[test]
    fn lengths_survive_the_wire(length in 0..=0x0200_0000_usize) {
        let mut bytes = Vec::new();
        bytes.put_length(length);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.compact_size("n").map(usize::try_from), Ok(Ok(length)));
        prop_assert_eq!(reader.remaining(), 0);
    }
}
