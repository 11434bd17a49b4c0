//! Damaged bytes: always an error with place and field, never a panic; what parses, writes back as it was.

use std::sync::LazyLock;

use fluxplane_flux_chain::{
    Block, Header, Transaction,
    encode::{DecodeError, Problem},
    script::SighashSuffix,
};
use proptest::prelude::*;

use crate::support::{
    fixture::{VECTORS, bytes, list, named},
    recorded::BLOCKS,
};

static REAL_BLOCKS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let vectors = list(&VECTORS, "blocks")
        .iter()
        .map(|vector| bytes(vector, "hex"));
    vectors
        .chain([217, 218, 219, 300, 940].map(|height| BLOCKS[height].clone()))
        .collect()
});

static REAL_TRANSACTIONS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    list(&VECTORS, "transactions")
        .iter()
        .chain(list(&VECTORS, "constructed"))
        .filter(|vector| !vector["txid"].is_null())
        .map(|vector| bytes(vector, "hex"))
        .collect()
});

/// A block that parses writes back as it was, and all its questions have answers.
fn check_block(raw: &[u8]) -> Result<(), TestCaseError> {
    match Block::parse(raw) {
        Ok(block) => {
            prop_assert_eq!(block.serialize(), raw);
            block.header.hash();
            block.txids();
            block.claimed_height();
        }
        Err(error) => check_error(&error, raw)?,
    }
    Ok(())
}

fn check_transaction(raw: &[u8]) -> Result<(), TestCaseError> {
    match Transaction::parse(raw) {
        Ok(transaction) => {
            prop_assert_eq!(transaction.serialize(), raw);
            transaction.txid();
            for output in transaction.outputs() {
                output.script.kind();
                output.script.asm(SighashSuffix::Plain);
            }
            if let Some(transfer) = transaction.as_transfer() {
                transfer.note();
                transfer.value_out();
                transfer.shielded_value_in();
            }
        }
        Err(error) => check_error(&error, raw)?,
    }
    Ok(())
}

fn check_error(error: &DecodeError, raw: &[u8]) -> Result<(), TestCaseError> {
    prop_assert!(error.offset <= raw.len());
    prop_assert!(!error.field.is_empty());
    let shown = error.to_string();
    let place = format!("byte {}, {}: ", error.offset, error.field);
    prop_assert!(shown.starts_with(&place), "{}", shown);
    Ok(())
}

#[test]
fn every_truncation_of_every_real_transaction_is_refused() {
    for raw in REAL_TRANSACTIONS.iter() {
        for length in 0..raw.len() {
            let error = Transaction::parse(&raw[..length]).unwrap_err();
            assert!(error.offset <= length);
        }
        let mut longer = raw.clone();
        longer.push(0);
        let error = Transaction::parse(&longer).unwrap_err();
        let trailing = matches!(error.problem, Problem::TrailingBytes { count: 1, .. });
        assert!(trailing, "{error}");
    }
}

#[test]
fn every_truncation_of_a_real_block_is_refused() {
    let raw = &REAL_BLOCKS[0];
    for length in 0..raw.len() {
        let error = Block::parse(&raw[..length]).unwrap_err();
        assert!(error.offset <= length);
    }
}

#[test]
fn a_block_has_a_largest_size() {
    let mut raw = REAL_BLOCKS[0].clone();
    raw.resize(2_000_001, 0);
    let error = Block::parse(&raw).unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 0, block: the length 2000001 exceeds the limit of 2000000"
    );
    raw.truncate(2_000_000);
    let error = Block::parse(&raw).unwrap_err();
    assert!(matches!(error.problem, Problem::TrailingBytes { .. }));
}

#[test]
fn a_count_beyond_the_data_reserves_nothing() {
    // A header, then a transaction count of 33 million.
    let mut raw = REAL_BLOCKS[0][..215].to_vec();
    raw.extend_from_slice(&[0xfe, 0, 0, 0, 2]);
    let error = Block::parse(&raw).unwrap_err();
    assert!(matches!(error.problem, Problem::TooMany { .. }), "{error}");
    assert_eq!(error.field, "tx");
    // As many inputs.
    let error = Transaction::parse(&[1, 0, 0, 0, 0xfe, 0, 0, 0, 2]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "byte 4, vin: 33554432 items of at least 41 bytes do not fit into the 0 bytes that are left"
    );
}

#[test]
fn unknown_node_transactions_end_after_their_type() {
    for version in [5, 6] {
        let raw = [version, 0, 0, 0, 9];
        let transaction = Transaction::parse(&raw).unwrap();
        assert_eq!(transaction.serialize(), raw);
        assert!(Transaction::parse(&[version, 0, 0, 0, 9, 0]).is_err());
    }
}

#[test]
fn odd_flux_versions_are_read_as_the_daemon_reads_them() {
    // Neither kind bit: nothing follows, or only the delegates part.
    for raw in [
        &[6, 0, 0, 0, 2, 4, 0, 0, 0][..],
        &[6, 0, 0, 0, 2, 0, 1, 0, 0, 0],
        &[6, 0, 0, 0, 2, 0, 1, 0, 0, 1, 1, 2],
    ] {
        let transaction = Transaction::parse(raw).unwrap();
        assert_eq!(transaction.serialize(), raw);
        assert_eq!(transaction.as_fluxnode().unwrap().collateral(), None);
    }
    // Both kind bits: the P2SH layout.
    let vector = named(list(&VECTORS, "transactions"), "v6_start_p2sh");
    let mut raw = bytes(vector, "hex");
    raw[5] = 3;
    let transaction = Transaction::parse(&raw).unwrap();
    let Some(fluxplane_flux_chain::tx::Fluxnode::Start(start)) = transaction.as_fluxnode() else {
        panic!("a start");
    };
    assert!(start.redeem_script().is_some());
    assert!(!start.is_p2sh() && !start.is_upgraded_normal());
}

#[test]
fn the_id_follows_what_the_daemon_would_write() {
    let vector = named(
        list(&VECTORS, "constructed"),
        "v6_start_normal_delegates_update",
    );
    let raw = bytes(vector, "hex");
    let whole = Transaction::parse(&raw).unwrap();
    // The "using" flag 2 means what 1 means, and is written as 1.
    let position = raw.len() - 2 * 34 - 4;
    assert_eq!(raw[position], 1);
    let mut flagged = raw.clone();
    flagged[position] = 2;
    let flagged = Transaction::parse(&flagged).unwrap();
    assert_eq!(flagged.txid(), whole.txid());
    assert_ne!(flagged.full_hash(), whole.full_hash());
    // A node key with an impossible first byte is written empty.
    let key = raw.iter().rposition(|byte| *byte == 0x44).unwrap() - 32;
    let mut broken = raw.clone();
    broken[key] = 9;
    let mut empty = raw[..key - 1].to_vec();
    empty.push(0);
    empty.extend_from_slice(&raw[key + 33..]);
    let (broken, empty) = (
        Transaction::parse(&broken).unwrap(),
        Transaction::parse(&empty).unwrap(),
    );
    assert_eq!(broken.txid(), empty.txid());
    assert_ne!(broken.txid(), whole.txid());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_do_no_harm(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        check_block(&raw)?;
        check_transaction(&raw)?;
        if let Err(error) = Header::parse(&raw) {
            check_error(&error, &raw)?;
        }
    }

    #[test]
    fn random_node_transactions_do_no_harm(
        version in 5_u8..=6,
        kind in prop_oneof![Just(2_u8), Just(4_u8)],
        flux_version in 0_u16..0x400,
        rest in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut raw = vec![version, 0, 0, 0, kind];
        if version == 6 && kind == 2 {
            raw.extend_from_slice(&u32::from(flux_version).to_le_bytes());
        }
        raw.extend_from_slice(&rest);
        check_transaction(&raw)?;
    }

    #[test]
    fn flipped_bits_do_no_harm(
        which: prop::sample::Index,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..6),
    ) {
        let mut raw = which.get(&REAL_BLOCKS).clone();
        for (position, bit) in &flips {
            let position = position.index(raw.len());
            raw[position] ^= 1 << bit;
        }
        check_block(&raw)?;
        let mut raw = which.get(&REAL_TRANSACTIONS).clone();
        for (position, bit) in flips {
            let position = position.index(raw.len());
            raw[position] ^= 1 << bit;
        }
        check_transaction(&raw)?;
    }

    #[test]
    fn spliced_blocks_do_no_harm(
        first: prop::sample::Index,
        second: prop::sample::Index,
        cut: prop::sample::Index,
        resume: prop::sample::Index,
    ) {
        let (first, second) = (first.get(&REAL_BLOCKS), second.get(&REAL_BLOCKS));
        let mut raw = first[..cut.index(first.len())].to_vec();
        raw.extend_from_slice(&second[resume.index(second.len())..]);
        check_block(&raw)?;
    }
}
