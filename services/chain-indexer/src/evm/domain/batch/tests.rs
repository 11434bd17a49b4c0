use alloy_primitives::U256;
use chrono::DateTime;

use super::*;
use crate::evm::domain::transfer::TRANSFER_TOPIC;

const CONTRACT: Address = Address::repeat_byte(0xc0);

fn hash(height: u64) -> B256 {
    B256::with_last_byte(u8::try_from(height).unwrap())
}

fn header(height: u64) -> Header {
    Header {
        block: BlockRef {
            height,
            hash: hash(height),
        },
        parent: hash(height.saturating_sub(1)),
        time: DateTime::UNIX_EPOCH,
    }
}

fn log(height: u64, log_index: u32) -> Log {
    Log {
        address: CONTRACT,
        topics: vec![TRANSFER_TOPIC, B256::ZERO, B256::ZERO],
        data: U256::from(height).to_be_bytes::<32>().to_vec(),
        block: header(height).block,
        tx_hash: B256::repeat_byte(1),
        log_index,
        removed: false,
    }
}

fn plan(linked: bool) -> Plan {
    Plan {
        range: 10..=14,
        linked,
    }
}

fn before() -> BlockRef {
    header(9).block
}

fn told(plan: &Plan, logs: Vec<Log>) -> Told {
    let headers = heights(plan, &logs).into_iter();
    Told {
        headers: headers.map(|height| (height, header(height))).collect(),
        logs,
    }
}

#[test]
fn transfers_come_in_the_order_of_the_chain() {
    let logs = vec![log(12, 5), log(10, 1), log(12, 2)];
    for linked in [true, false] {
        let plan = plan(linked);
        let batch = check(CONTRACT, Some(before()), &plan, &told(&plan, logs.clone())).unwrap();
        let places: Vec<_> = batch
            .transfers
            .iter()
            .map(|transfer| (transfer.block.height, transfer.log_index))
            .collect();
        assert_eq!(places, [(10, 1), (12, 2), (12, 5)]);
        assert_eq!(batch.last, header(14));
        let kept: Vec<u64> = batch.kept.iter().map(|block| block.height).collect();
        let all: &[u64] = &[10, 11, 12, 13, 14];
        assert_eq!(kept, if linked { all } else { &[14] });
    }
}

#[test]
fn final_ranges_need_the_headers_of_their_ends_and_of_blocks_with_logs() {
    let found = heights(&plan(false), &[log(12, 0), log(99, 0)]);
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [10, 12, 14]);
}

#[test]
fn a_block_that_is_not_the_child_of_the_one_before_moves_the_chain() {
    let other = Some(BlockRef {
        height: 9,
        hash: hash(200),
    });
    for linked in [true, false] {
        let plan = plan(linked);
        let refused = check(CONTRACT, other, &plan, &told(&plan, Vec::new())).unwrap_err();
        assert!(
            matches!(refused, Refusal::Detached { height: 10, .. }),
            "{refused}"
        );
    }
    let plan = plan(true);
    let mut broken = told(&plan, Vec::new());
    broken.headers.get_mut(&13).unwrap().parent = hash(200);
    let refused = check(CONTRACT, Some(before()), &plan, &broken).unwrap_err();
    assert!(
        matches!(refused, Refusal::Detached { height: 13, .. }),
        "{refused}"
    );
}

#[test]
fn a_missing_header_is_named() {
    for height in 10..=14 {
        let plan = plan(true);
        let mut short = told(&plan, Vec::new());
        short.headers.remove(&height);
        let refused = check(CONTRACT, Some(before()), &plan, &short);
        assert_eq!(refused, Err(Refusal::NoHeader(height)));
    }
}

#[test]
fn the_first_range_follows_nothing() {
    let plan = plan(true);
    assert!(check(CONTRACT, None, &plan, &told(&plan, vec![log(11, 0)])).is_ok());
}

#[test]
fn logs_that_cannot_be_true_are_refused() {
    let plan = plan(false);
    let refuse =
        |logs: Vec<Log>| check(CONTRACT, Some(before()), &plan, &told(&plan, logs)).unwrap_err();
    assert!(matches!(
        refuse(vec![log(15, 0)]),
        Refusal::OutOfRange { height: 15, .. }
    ));
    assert!(matches!(
        refuse(vec![log(9, 0)]),
        Refusal::OutOfRange { height: 9, .. }
    ));
    assert_eq!(
        refuse(vec![log(11, 3), log(11, 3)]),
        Refusal::Twice {
            height: 11,
            log_index: 3
        }
    );
    let mut elsewhere = log(11, 0);
    elsewhere.block.hash = hash(200);
    assert!(matches!(
        refuse(vec![elsewhere]),
        Refusal::OtherBlock { height: 11, .. }
    ));
    let mut foreign = log(11, 0);
    foreign.address = Address::ZERO;
    assert!(matches!(
        refuse(vec![foreign]),
        Refusal::Log {
            problem: LogProblem::Contract { .. },
            ..
        }
    ));
    let mut removed = log(11, 0);
    removed.removed = true;
    assert!(matches!(
        refuse(vec![removed]),
        Refusal::Log {
            problem: LogProblem::Removed,
            ..
        }
    ));
}
