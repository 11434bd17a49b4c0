//! The byte forms that verifiers elsewhere rely on. A change here is a new version, never an edit.

use fluxplane_core::{
    Sat,
    id::{AppId, EpochNumber, InstanceId, InvoiceId, NodeId, QuoteId, TransferId},
};
use fluxplane_ledger::{
    Asset,
    settlement::{
        Anchor, Commitment, EpochHeader, Hash32, InvoiceLine, Leaf, LineKind, Payout, Salt,
        anchor::AnchorError, commitment::Role, leaf::LeafError, tree::leaf_hash,
    },
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::samples::party;

fn header() -> EpochHeader {
    EpochHeader {
        epoch: EpochNumber(2),
        previous_root: Hash32([0xaa; 32]),
        opened_at: 0x0102_0304,
        closed_at: 0x0506_0708,
        lines: 3,
        payouts: 4,
        charged: Sat::new(-1),
        paid: Sat::new(0x1234),
        asset: Asset::FLUX,
    }
}

fn line() -> InvoiceLine {
    InvoiceLine {
        epoch: EpochNumber(2),
        invoice: InvoiceId::new(Uuid::from_u128(0x01)),
        number: 5,
        customer: Commitment(Hash32([0xbb; 32])),
        app: AppId::new(Uuid::from_u128(0x02)),
        instance: InstanceId::new(Uuid::from_u128(0x03)),
        node: NodeId::new(Uuid::from_u128(0x04)),
        quote: QuoteId::new(Uuid::from_u128(0x05)),
        price_table: 6,
        from: 100,
        to: 200,
        seconds: 90,
        kind: LineKind::Usage,
        amount: Sat::new(7),
        asset: Asset::FLUX,
        evidence: Hash32([0xcc; 32]),
    }
}

fn payout() -> Payout {
    Payout {
        epoch: EpochNumber(2),
        id: TransferId::new(Uuid::from_u128(0x06)),
        operator: Commitment(Hash32([0xdd; 32])),
        node: NodeId::new(Uuid::from_u128(0x04)),
        share_table: 1,
        online: Sat::new(8),
        hosting: Sat::new(9),
        asset: Asset::FLUX,
        seconds_online: 3_600,
    }
}

fn hex_of(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn a_header_is_94_bytes_in_this_order() {
    let expected = hex_of(&[
        "4658504c",
        "01",
        "00",
        "0000000000000002",
        &"aa".repeat(32),
        "0000000001020304",
        "0000000005060708",
        "00000003",
        "00000004",
        "ffffffffffffffff",
        "0000000000001234",
        "464c555800000000",
    ]);
    let bytes = Leaf::Header(header()).encode();
    assert_eq!((hex::encode(&bytes), bytes.len()), (expected, 94));
    assert_eq!(Leaf::decode(&bytes), Ok(Leaf::Header(header())));
}

#[test]
fn a_line_is_207_bytes_in_this_order() {
    let uuid = |last: &str| format!("{}{last}", "00".repeat(15));
    let expected = hex_of(&[
        "4658504c",
        "01",
        "01",
        "0000000000000002",
        &uuid("01"),
        "00000005",
        &"bb".repeat(32),
        &uuid("02"),
        &uuid("03"),
        &uuid("04"),
        &uuid("05"),
        "00000006",
        "0000000000000064",
        "00000000000000c8",
        "000000000000005a",
        "01",
        "0000000000000007",
        "464c555800000000",
        &"cc".repeat(32),
    ]);
    let bytes = Leaf::Line(line()).encode();
    assert_eq!((hex::encode(&bytes), bytes.len()), (expected, 207));
    assert_eq!(Leaf::decode(&bytes), Ok(Leaf::Line(line())));
    let by_hand: [u8; 32] = Sha256::digest([&[0], bytes.as_slice()].concat()).into();
    assert_eq!(leaf_hash(&bytes), Hash32(by_hand));
}

#[test]
fn a_payout_is_114_bytes_in_this_order() {
    let uuid = |last: &str| format!("{}{last}", "00".repeat(15));
    let expected = hex_of(&[
        "4658504c",
        "01",
        "02",
        "0000000000000002",
        &uuid("06"),
        &"dd".repeat(32),
        &uuid("04"),
        "00000001",
        "0000000000000008",
        "0000000000000009",
        "464c555800000000",
        "0000000000000e10",
    ]);
    let bytes = Leaf::Payout(payout()).encode();
    assert_eq!((hex::encode(&bytes), bytes.len()), (expected, 114));
    assert_eq!(Leaf::decode(&bytes), Ok(Leaf::Payout(payout())));
}

#[test]
fn a_commitment_is_the_hash_of_these_bytes() {
    let salt = Salt::new([0x5a; 32]);
    let name = party("t1abc");
    let mut bytes = b"fluxplane/commitment/v1".to_vec();
    bytes.push(1);
    bytes.extend([0x5a; 32]);
    bytes.extend([0, 0, 0, 5]);
    bytes.extend(b"t1abc");
    let by_hand: [u8; 32] = Sha256::digest(&bytes).into();
    let commitment = Commitment::new(Role::Customer, &salt, &name);
    assert_eq!(commitment, Commitment(Hash32(by_hand)));
    assert_eq!(
        commitment.0.to_string(),
        "8cef4d3900f865cb1691e2092825ba9d51304f0594d1c3fc6be385a90b90feb3"
    );
    assert!(commitment.opens_to(Role::Customer, &salt, &name));
    assert!(!commitment.opens_to(Role::Operator, &salt, &name));
    assert!(!commitment.opens_to(Role::Customer, &Salt::new([0; 32]), &name));
    assert!(!commitment.opens_to(Role::Customer, &salt, &party("t1abd")));
    assert!(!format!("{salt:?}").contains("5a"), "salts are not printed");
}

#[test]
fn an_anchor_is_49_bytes_in_this_order() {
    let anchor = Anchor {
        epoch: EpochNumber(0x0102_0304_0506_0708),
        root: Hash32([0xee; 32]),
        count: 0x090a_0b0c,
    };
    let expected = hex_of(&[
        "46585031",
        "01",
        "0102030405060708",
        &"ee".repeat(32),
        "090a0b0c",
    ]);
    let bytes = anchor.encode();
    assert_eq!((hex::encode(bytes), bytes.len()), (expected, 49));
    assert_eq!(Anchor::decode(&bytes), Ok(anchor));
    assert_eq!(anchor.head().count, 0x090a_0b0c);
}

#[test]
fn what_is_no_anchor_is_told_apart() {
    let good = Anchor {
        epoch: EpochNumber(1),
        root: Hash32([1; 32]),
        count: 1,
    }
    .encode();
    let altered = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        Anchor::decode(&bytes)
    };
    assert_eq!(altered(3, b'2'), Err(AnchorError::Magic));
    assert_eq!(altered(4, 2), Err(AnchorError::Version(2)));
    assert_eq!(altered(12, 0), Err(AnchorError::EpochZero));
    assert_eq!(altered(48, 0), Err(AnchorError::NoLeaves));
    assert_eq!(Anchor::decode(&good[..48]), Err(AnchorError::Length(48)));
    assert_eq!(
        Anchor::decode(&[&good[..], &[0]].concat()),
        Err(AnchorError::Length(50))
    );
    assert_eq!(Anchor::decode(b"hello"), Err(AnchorError::Magic));
}

#[test]
fn what_is_no_leaf_is_told_apart() {
    let good = Leaf::Line(line()).encode();
    let altered = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Leaf::decode(&bytes)
    };
    assert_eq!(altered(0, 0), Err(LeafError::Magic));
    assert_eq!(altered(4, 2), Err(LeafError::Version(2)));
    assert_eq!(altered(5, 9), Err(LeafError::Kind(9)));
    assert_eq!(
        altered(5, 0),
        Err(LeafError::Length {
            found: 207,
            expected: 94
        })
    );
    assert!(matches!(
        Leaf::decode(&good[..10]),
        Err(LeafError::Length { found: 10, .. })
    ));
    let field = |result: Result<Leaf, LeafError>| match result {
        Err(LeafError::Value { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(altered(13, 0)), "epoch");
    assert_eq!(field(altered(149, 100)), "to");
    assert_eq!(field(altered(157, 101)), "seconds");
    assert_eq!(field(altered(158, 3)), "kind of line");
    assert_eq!(field(altered(158, 2)), "amount");
    assert_eq!(field(altered(159, 0x80)), "amount");
    assert_eq!(field(altered(167, b'f')), "asset");
    assert_eq!(field(altered(174, b'X')), "asset");
}

#[test]
fn a_leaf_whose_values_contradict_each_other_is_invalid() {
    let field = |leaf: Leaf| match leaf.validate() {
        Err(LeafError::Value { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let of = |header| field(Leaf::Header(header));
    assert_eq!(
        of(EpochHeader {
            closed_at: 0,
            ..header()
        }),
        "closed_at"
    );
    assert_eq!(
        of(EpochHeader {
            previous_root: Hash32::ZERO,
            ..header()
        }),
        "previous_root"
    );
    assert_eq!(
        of(EpochHeader {
            epoch: EpochNumber(1),
            ..header()
        }),
        "previous_root"
    );
    assert_eq!(
        of(EpochHeader {
            paid: Sat::new(-1),
            ..header()
        }),
        "paid"
    );
    let of = |payout| field(Leaf::Payout(payout));
    assert_eq!(
        of(Payout {
            online: Sat::new(-1),
            ..payout()
        }),
        "online"
    );
    assert_eq!(
        of(Payout {
            online: Sat::new(i64::MAX),
            ..payout()
        }),
        "hosting"
    );
    let refund = InvoiceLine {
        kind: LineKind::Refund,
        amount: Sat::new(-7),
        ..line()
    };
    let bytes = Leaf::Line(refund).encode();
    assert_eq!(Leaf::decode(&bytes), Ok(Leaf::Line(refund)));
}
