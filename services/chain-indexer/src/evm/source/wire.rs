//! JSON-RPC 2.0 as Ethereum nodes speak it: numbers and bytes as text in hexadecimal, with `0x` before them.

use alloy_primitives::{Address, B256};
use chrono::DateTime;
use serde_json::{Value, json};

use super::SourceError;
use crate::evm::domain::{BlockRef, Header, Log};

/// Longest text of a node that is repeated, in characters.
const REPEATED: usize = 200;

pub(super) fn request(id: u64, method: &'static str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The result in a reply to call `id`. `None` when the body is no reply at all, which nodes behind proxies send with an HTTP status
/// that says more.
pub(super) fn reply(
    id: u64,
    method: &'static str,
    body: &[u8],
) -> Option<Result<Value, SourceError>> {
    let mut reply: Value = serde_json::from_slice(body).ok()?;
    let fields = reply.as_object_mut()?;
    if let Some(error) = fields.get("error").filter(|error| !error.is_null()) {
        let message = error["message"].as_str().unwrap_or_default();
        return Some(Err(SourceError::Rpc {
            method,
            code: error["code"].as_i64().unwrap_or(0),
            message: message.chars().take(REPEATED).collect(),
        }));
    }
    let result = fields.remove("result")?;
    if fields.get("id").and_then(Value::as_u64) != Some(id) {
        let found = fields.get("id").cloned().unwrap_or_default();
        let problem = format!("it answers call {found}, asked was {id}");
        return Some(Err(SourceError::Malformed { method, problem }));
    }
    Some(Ok(result))
}

/// Reads the fields of one answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'v> {
    method: &'static str,
    value: &'v Value,
}

impl<'v> Reader<'v> {
    pub(super) const fn new(method: &'static str, value: &'v Value) -> Self {
        Self { method, value }
    }

    fn malformed(self, problem: String) -> SourceError {
        SourceError::Malformed {
            method: self.method,
            problem,
        }
    }

    fn field<T>(
        self,
        name: &str,
        what: &str,
        read: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Result<T, SourceError> {
        let value = self.value.get(name).unwrap_or(&Value::Null);
        read(value).ok_or_else(|| {
            let shown: String = value.to_string().chars().take(REPEATED).collect();
            self.malformed(format!("`{name}` is {shown}, which is no {what}"))
        })
    }

    fn number(self, name: &str) -> Result<u64, SourceError> {
        self.field(name, "number of at most 64 bits", quantity)
    }

    fn hash(self, name: &str) -> Result<B256, SourceError> {
        self.field(name, "hash of 32 bytes", fixed::<32>)
            .map(B256::from)
    }
}

/// The whole answer is a number.
pub(super) fn whole_number(method: &'static str, value: &Value) -> Result<u64, SourceError> {
    quantity(value).ok_or_else(|| {
        let shown: String = value.to_string().chars().take(REPEATED).collect();
        Reader::new(method, value).malformed(format!("{shown} is no number of at most 64 bits"))
    })
}

/// The whole answer is bytes.
pub(super) fn whole_bytes(method: &'static str, value: &Value) -> Result<Vec<u8>, SourceError> {
    bytes(value).ok_or_else(|| {
        let shown: String = value.to_string().chars().take(REPEATED).collect();
        Reader::new(method, value).malformed(format!("{shown} are no bytes in hexadecimal"))
    })
}

pub(super) fn header(method: &'static str, value: &Value) -> Result<Header, SourceError> {
    let block = Reader::new(method, value);
    let seconds = block.number("timestamp")?;
    let time = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or_else(|| block.malformed(format!("`timestamp` is {seconds}, which is no time")))?;
    Ok(Header {
        block: BlockRef {
            height: block.number("number")?,
            hash: block.hash("hash")?,
        },
        parent: block.hash("parentHash")?,
        time,
    })
}

pub(super) fn logs(method: &'static str, value: &Value) -> Result<Vec<Log>, SourceError> {
    let Value::Array(logs) = value else {
        return Err(Reader::new(method, value).malformed("it is no list of logs".to_owned()));
    };
    logs.iter().map(|value| log(method, value)).collect()
}

fn log(method: &'static str, value: &Value) -> Result<Log, SourceError> {
    let log = Reader::new(method, value);
    let index = log.number("logIndex")?;
    let topics = |value: &Value| -> Option<Vec<B256>> {
        let topics = value.as_array()?;
        topics
            .iter()
            .map(|topic| fixed(topic).map(B256::from))
            .collect()
    };
    Ok(Log {
        address: log
            .field("address", "address of 20 bytes", fixed::<20>)
            .map(Address::from)?,
        topics: log.field("topics", "list of hashes", topics)?,
        data: log.field("data", "text of bytes in hexadecimal", bytes)?,
        block: BlockRef {
            height: log.number("blockNumber")?,
            hash: log.hash("blockHash")?,
        },
        tx_hash: log.hash("transactionHash")?,
        log_index: u32::try_from(index)
            .ok()
            .filter(|index| i32::try_from(*index).is_ok())
            .ok_or_else(|| log.malformed(format!("`logIndex` is {index}, which is no place")))?,
        removed: log.field("removed", "truth value", |value| match value {
            Value::Null => Some(false),
            value => value.as_bool(),
        })?,
    })
}

fn quantity(value: &Value) -> Option<u64> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    // `from_str_radix` would take a sign.
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}

fn bytes(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?.strip_prefix("0x")?).ok()
}

fn fixed<const N: usize>(value: &Value) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(value.as_str()?.strip_prefix("0x")?, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: &str = "eth_getLogs";

    fn sample() -> Value {
        json!({
            "address": "0x720cd16b011b987da3518fbf38c3071d4f0d1495",
            "topics": ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"],
            "data": "0x00ff",
            "blockNumber": "0x10",
            "blockHash": format!("0x{}", "11".repeat(32)),
            "transactionHash": format!("0x{}", "22".repeat(32)),
            "transactionIndex": "0x0",
            "logIndex": "0x2",
            "removed": false,
        })
    }

    #[test]
    fn a_log_is_read_as_it_stands() {
        let read = logs(METHOD, &json!([sample()])).unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!((read[0].block.height, read[0].log_index), (16, 2));
        assert_eq!(read[0].data, [0, 255]);
        assert!(!read[0].removed);
    }

    #[test]
    fn a_field_that_cannot_be_read_is_named_with_its_value() {
        for (field, value) in [
            ("address", json!("0x720c")),
            ("address", json!(null)),
            ("topics", json!(["0xdd"])),
            ("topics", json!("0x")),
            ("data", json!("0x0")),
            ("data", json!("00ff")),
            ("blockNumber", json!(null)),
            ("blockNumber", json!("0x")),
            ("blockNumber", json!("0x+1")),
            ("blockNumber", json!("0x10000000000000000")),
            ("blockHash", json!(null)),
            ("transactionHash", json!(7)),
            ("logIndex", json!("0x80000000")),
            ("removed", json!("no")),
        ] {
            let mut log = sample();
            log[field] = value.clone();
            let said = logs(METHOD, &json!([log])).unwrap_err().to_string();
            assert!(said.contains(field), "{field} {value}: {said}");
        }
        assert!(logs(METHOD, &json!({})).is_err());
        assert!(logs(METHOD, &json!([7])).is_err());
    }

    #[test]
    fn a_header_of_no_time_is_refused() {
        let mut block = json!({
            "number": "0x1", "hash": format!("0x{}", "11".repeat(32)),
            "parentHash": format!("0x{}", "22".repeat(32)), "timestamp": "0x6553f100",
        });
        assert_eq!(header(METHOD, &block).unwrap().block.height, 1);
        block["timestamp"] = json!("0xffffffffffffffff");
        let said = header(METHOD, &block).unwrap_err().to_string();
        assert!(said.contains("timestamp"), "{said}");
    }

    #[test]
    fn replies_are_results_errors_or_none_at_all() {
        let ok = reply(7, METHOD, br#"{"jsonrpc":"2.0","id":7,"result":"0x1"}"#);
        assert_eq!(ok.unwrap().unwrap(), "0x1");
        let null = reply(7, METHOD, br#"{"id":7,"result":null}"#);
        assert_eq!(null.unwrap().unwrap(), Value::Null);
        let refused = br#"{"id":7,"error":{"code":-32005,"message":"query returned more than 10000 results"}}"#;
        let refused = reply(7, METHOD, refused).unwrap().unwrap_err();
        assert!(refused.too_much(), "{refused}");
        let other = reply(7, METHOD, br#"{"id":8,"result":"0x1"}"#).unwrap();
        assert!(other.unwrap_err().to_string().contains("call 8"));
        for garbage in [
            &b"<html>"[..],
            b"",
            b"7",
            b"[]",
            b"{}",
            b"{\"id\":7,\"result\":",
        ] {
            assert!(reply(7, METHOD, garbage).is_none());
        }
    }
}
