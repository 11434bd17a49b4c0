//! Transfers, and reading them from logs.
//!
//! A node is asked for logs of one address and one topic. What it answers is checked all the same: a transfer that is not one would
//! be money that does not exist.

use alloy_primitives::{Address, B256, U256, b256};
use chrono::{DateTime, Utc};

use super::BlockRef;

/// keccak256 of `Transfer(address,address,uint256)`: the first topic of every transfer (ERC-20).
pub const TRANSFER_TOPIC: B256 =
    b256!("0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");

/// Topics of a transfer: the event and both parties. ERC-721 uses the same event with four.
const TOPICS: usize = 3;

/// Bytes before an address in a topic, all zero.
const PADDING: usize = 12;

/// A log as a node tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    pub address: Address,
    pub topics: Vec<B256>,
    pub data: Vec<u8>,
    pub block: BlockRef,
    pub tx_hash: B256,
    pub log_index: u32,
    /// The node took it back.
    pub removed: bool,
}

/// Tokens that changed hands. The zero address makes and burns them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    pub block: BlockRef,
    pub block_time: DateTime<Utc>,
    pub log_index: u32,
    pub tx_hash: B256,
    pub from: Address,
    pub to: Address,
    /// In the token's smallest unit.
    pub amount: U256,
}

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Seen,
    Final,
    Reorganised,
}

impl Change {
    pub const ALL: [Self; 3] = [Self::Seen, Self::Final, Self::Reorganised];

    /// For metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Final => "final",
            Self::Reorganised => "reorganised",
        }
    }
}

/// Why a log is no transfer of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogProblem {
    #[error("it is of contract {found}, asked was for {wanted}")]
    Contract { found: Address, wanted: Address },
    #[error("it is marked as removed")]
    Removed,
    #[error("its first topic is {found:?}, that of a transfer is {TRANSFER_TOPIC}")]
    Topic { found: Option<B256> },
    #[error(
        "it has {found} topics and {data} bytes of data, an ERC-20 transfer has {TOPICS} and 32"
    )]
    Shape { found: usize, data: usize },
    #[error("topic {topic} is {found}, which is no address")]
    Party { topic: usize, found: B256 },
}

/// Reads a log of `contract`.
pub fn decode(
    contract: Address,
    log: &Log,
    block_time: DateTime<Utc>,
) -> Result<Transfer, LogProblem> {
    if log.address != contract {
        return Err(LogProblem::Contract {
            found: log.address,
            wanted: contract,
        });
    }
    if log.removed {
        return Err(LogProblem::Removed);
    }
    let found = log.topics.first().copied();
    if found != Some(TRANSFER_TOPIC) {
        return Err(LogProblem::Topic { found });
    }
    let (&[_, from, to], Ok(amount)) = (
        log.topics.as_slice(),
        <[u8; 32]>::try_from(log.data.as_slice()),
    ) else {
        return Err(LogProblem::Shape {
            found: log.topics.len(),
            data: log.data.len(),
        });
    };
    Ok(Transfer {
        block: log.block,
        block_time,
        log_index: log.log_index,
        tx_hash: log.tx_hash,
        from: party(1, from)?,
        to: party(2, to)?,
        amount: U256::from_be_bytes(amount),
    })
}

fn party(topic: usize, found: B256) -> Result<Address, LogProblem> {
    let (padding, _) = found.split_at(PADDING);
    if padding.iter().any(|byte| *byte != 0) {
        return Err(LogProblem::Party { topic, found });
    }
    Ok(Address::from_word(found))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::keccak256;

    use super::*;

    const CONTRACT: Address = Address::repeat_byte(0xc0);
    const ALICE: Address = Address::repeat_byte(0xa1);

    fn log() -> Log {
        Log {
            address: CONTRACT,
            topics: vec![TRANSFER_TOPIC, Address::ZERO.into_word(), ALICE.into_word()],
            data: U256::MAX.to_be_bytes::<32>().to_vec(),
            block: BlockRef {
                height: 7,
                hash: B256::repeat_byte(7),
            },
            tx_hash: B256::repeat_byte(1),
            log_index: 3,
            removed: false,
        }
    }

    fn read(log: &Log) -> Result<Transfer, LogProblem> {
        decode(CONTRACT, log, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn the_topic_is_the_hash_of_the_event() {
        assert_eq!(
            keccak256("Transfer(address,address,uint256)"),
            TRANSFER_TOPIC
        );
    }

    #[test]
    fn a_transfer_keeps_all_256_bits() {
        let transfer = read(&log()).unwrap();
        assert_eq!((transfer.from, transfer.to), (Address::ZERO, ALICE));
        assert_eq!(
            transfer.amount.to_string(),
            "115792089237316195423570985008687907853269984665640564039457584007913129639935"
        );
    }

    #[test]
    fn what_was_not_asked_for_is_refused_by_name() {
        let foreign = Log {
            address: ALICE,
            ..log()
        };
        let said = read(&foreign).unwrap_err().to_string();
        assert!(
            said.contains(&ALICE.to_string()) && said.contains(&CONTRACT.to_string()),
            "{said}"
        );
        let removed = Log {
            removed: true,
            ..log()
        };
        assert_eq!(read(&removed), Err(LogProblem::Removed));
        let mut approval = log();
        approval.topics[0] = B256::repeat_byte(9);
        assert!(matches!(read(&approval), Err(LogProblem::Topic { .. })));
        let mut anonymous = log();
        anonymous.topics.clear();
        assert_eq!(read(&anonymous), Err(LogProblem::Topic { found: None }));
    }

    #[test]
    fn another_shape_is_refused() {
        let mut erc721 = log();
        erc721.topics.push(B256::ZERO);
        erc721.data.clear();
        assert_eq!(read(&erc721), Err(LogProblem::Shape { found: 4, data: 0 }));
        for length in [0, 31, 33, 64] {
            let data = vec![0; length];
            let odd = Log { data, ..log() };
            assert_eq!(
                read(&odd),
                Err(LogProblem::Shape {
                    found: 3,
                    data: length
                })
            );
        }
    }

    #[test]
    fn a_party_with_bits_above_its_address_is_refused() {
        for topic in [1, 2] {
            let mut odd = log();
            odd.topics[topic][11] = 1;
            let found = odd.topics[topic];
            assert_eq!(read(&odd), Err(LogProblem::Party { topic, found }));
        }
    }
}
