//! Decodes lines: one JSON object in, one JSON object out, in order. A bad line gives `{"error": "..."}` and never a panic.
//!
//! ```
//! let line = r#"{"tx": "0500"}"#;
//! let answer = fluxplane_flux_chain::batch::decode_line(line);
//! assert!(answer["error"].as_str().unwrap().contains("byte 0, version"));
//! ```

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{
    block::Block,
    describe::{self, BlockContext, BlockJson, HeaderJson, TransactionJson, TxList, block_with},
    encode::DecodeError,
    hash::Hash256,
    header::Header,
    outpoint::OutPoint,
    params::{ChainParams, Network},
    tx::{Body, Transaction},
};

/// What a line asks for: exactly one of the three, all in hexadecimal.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    tx: Option<String>,
    block: Option<String>,
    header: Option<String>,
    #[serde(default)]
    network: NetworkName,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
enum NetworkName {
    #[default]
    Main,
    Test,
    Regtest,
}

/// An answer in the daemon's names; fields of ours are marked.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Answer {
    Transaction(Box<OwnTransaction>),
    Block(Box<OwnBlock>),
    Header(Box<OwnHeader>),
    Error { error: String },
}

/// A transaction with two fields the daemon does not print: its size, and for fluxnode transactions the hash of all bytes.
#[derive(Debug, Serialize)]
struct OwnTransaction {
    #[serde(flatten)]
    transaction: TransactionJson,
    size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    fullhash: Option<Hash256>,
}

/// A block with the whole outpoint the daemon shortens.
#[derive(Debug, Serialize)]
struct OwnBlock {
    #[serde(flatten)]
    block: BlockJson<OwnTransaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    producer_collateral: Option<OutPoint>,
}

#[derive(Debug, Serialize)]
struct OwnHeader {
    #[serde(flatten)]
    header: HeaderJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    producer_collateral: Option<OutPoint>,
}

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error(
        "the line is no request: {0}; write {{\"tx\": \"<hex>\"}}, {{\"block\": \"<hex>\"}} or {{\"header\": \"<hex>\"}}"
    )]
    Json(serde_json::Error),
    #[error("the line names {0} of tx, block and header; name exactly one")]
    NotOne(usize),
    #[error("byte {offset}, {field}: `{found}` is not a hexadecimal digit")]
    Digit {
        field: &'static str,
        offset: usize,
        found: char,
    },
    #[error(
        "byte {offset}, {field}: half a byte is missing; write two hexadecimal digits for each byte"
    )]
    OddDigits { field: &'static str, offset: usize },
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Decodes one line into a tree of values.
pub fn decode_line(line: &str) -> serde_json::Value {
    describe::to_value(&answer(line))
}

/// Decodes one line into the text of the answer, in the daemon's order of fields and with all decimals. No line break at the end.
pub fn decode_line_text(line: &str) -> String {
    describe::to_text(&answer(line))
}

fn answer(line: &str) -> Answer {
    decode(line).unwrap_or_else(|error| Answer::Error {
        error: error.to_string(),
    })
}

fn decode(line: &str) -> Result<Answer, LineError> {
    let request: Request = serde_json::from_str(line).map_err(LineError::Json)?;
    let params = params_of(request.network);
    match (request.tx, request.block, request.header) {
        (Some(tx), None, None) => {
            let bytes = unhex("tx", &tx)?;
            let transaction = Transaction::parse(&bytes)?;
            let txid = transaction.txid();
            let described = own_transaction(&transaction, txid, params);
            Ok(Answer::Transaction(Box::new(described)))
        }
        (None, Some(block), None) => {
            let bytes = unhex("block", &block)?;
            let block = Block::parse(&bytes)?;
            Ok(Answer::Block(Box::new(own_block(&block, params))))
        }
        (None, None, Some(header)) => {
            let bytes = unhex("header", &header)?;
            let header = Header::parse(&bytes)?;
            Ok(Answer::Header(Box::new(OwnHeader {
                header: describe::header(params, &header, &BlockContext::default()),
                producer_collateral: header.producer(),
            })))
        }
        (tx, block, header) => {
            let named = [tx, block, header].iter().flatten().count();
            Err(LineError::NotOne(named))
        }
    }
}

fn own_block(block: &Block<'_>, params: &ChainParams) -> OwnBlock {
    let transactions = block
        .transactions
        .iter()
        .map(|transaction| own_transaction(transaction, transaction.txid(), params))
        .collect();
    let tx = TxList::Full(transactions);
    OwnBlock {
        block: block_with(params, block, &BlockContext::default(), tx),
        producer_collateral: block.header.producer(),
    }
}

fn own_transaction(
    transaction: &Transaction<'_>,
    txid: Hash256,
    params: &ChainParams,
) -> OwnTransaction {
    OwnTransaction {
        transaction: describe::transaction(transaction, Some(txid), params.addresses),
        size: transaction.size(),
        fullhash: match transaction.body {
            Body::Fluxnode(_) => Some(transaction.full_hash()),
            Body::Transfer(_) => None,
        },
    }
}

fn unhex(field: &'static str, text: &str) -> Result<Vec<u8>, LineError> {
    hex::decode(text).map_err(|error| match error {
        hex::FromHexError::InvalidHexCharacter { c, index } => LineError::Digit {
            field,
            offset: index / 2,
            found: c,
        },
        hex::FromHexError::OddLength | hex::FromHexError::InvalidStringLength => {
            LineError::OddDigits {
                field,
                offset: text.len() / 2,
            }
        }
    })
}

/// The parameters of each network, made once: a batch may have millions of lines.
fn params_of(network: NetworkName) -> &'static ChainParams {
    static PARAMS: LazyLock<HashMap<NetworkName, ChainParams>> = LazyLock::new(|| {
        HashMap::from([
            (NetworkName::Main, ChainParams::of(Network::Main)),
            (NetworkName::Test, ChainParams::of(Network::Test)),
            (NetworkName::Regtest, ChainParams::of(Network::Regtest)),
        ])
    });
    PARAMS.get(&network).expect("all names are in the map")
}
