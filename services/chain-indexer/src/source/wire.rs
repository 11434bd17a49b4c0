//! JSON-RPC as fluxd speaks it: batches of calls, answers in any order.

use std::collections::HashMap;

use fluxplane_flux_chain::Hash256;
use serde_json::{Value, json};

use super::{SourceError, unique};

/// A call of a batch.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) method: &'static str,
    params: Value,
}

/// An error the daemon answered for one call.
#[derive(Debug, Clone)]
pub(super) struct CallError {
    pub(super) code: i64,
    message: String,
}

/// What one call gave.
pub(super) type Answer = Result<Value, CallError>;

/// fluxd `src/rpc/protocol.h`.
pub(super) const INVALID_ADDRESS_OR_KEY: i64 = -5;
pub(super) const INVALID_PARAMETER: i64 = -8;

impl Call {
    pub(super) const fn new(method: &'static str, params: Value) -> Self {
        Self { method, params }
    }
}

impl CallError {
    pub(super) fn of(self, method: &'static str) -> SourceError {
        SourceError::Rpc {
            method,
            code: self.code,
            message: self.message,
        }
    }
}

pub(super) fn request(calls: &[Call]) -> Value {
    let calls = calls.iter().enumerate().map(|(id, call)| {
        json!({ "jsonrpc": "1.0", "id": id, "method": call.method, "params": call.params })
    });
    Value::Array(calls.collect())
}

/// Puts the answers into the order of the calls. A call without an answer is a fault of the whole batch.
pub(super) fn answers(calls: &[Call], body: &[u8]) -> Result<Vec<Answer>, SourceError> {
    let method = calls.first().map_or("batch", |call| call.method);
    let malformed = |problem: String| SourceError::Malformed { method, problem };
    let body = unique::parse(body).map_err(|err| malformed(err.to_string()))?;
    let replies = match body {
        Value::Array(replies) => replies,
        // A batch that could not be read at all is answered by a single error.
        single @ Value::Object(_) => {
            return match answer(single) {
                Err(err) => Err(err.of(method)),
                Ok(_) => Err(malformed("one answer to a batch".to_owned())),
            };
        }
        _ => {
            return Err(malformed(
                "neither an answer nor a list of answers".to_owned(),
            ));
        }
    };
    let mut by_id: HashMap<u64, Answer> = HashMap::with_capacity(replies.len());
    for reply in replies {
        let Some(id) = reply.get("id").and_then(Value::as_u64) else {
            continue;
        };
        if by_id.insert(id, answer(reply)).is_some() {
            return Err(malformed(format!(
                "call {id} of the batch is answered twice"
            )));
        }
    }
    (0..)
        .zip(calls)
        .map(|(id, call)| {
            by_id.remove(&id).ok_or_else(|| SourceError::Malformed {
                method: call.method,
                problem: format!("call {id} of the batch has no answer"),
            })
        })
        .collect()
}

fn answer(mut reply: Value) -> Answer {
    let error = reply.get_mut("error").map(Value::take).unwrap_or_default();
    if error.is_null() {
        return Ok(reply.get_mut("result").map(Value::take).unwrap_or_default());
    }
    Err(CallError {
        code: error.get("code").and_then(Value::as_i64).unwrap_or(0),
        message: error
            .get("message")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}

/// Reads hexadecimal bytes.
pub(super) fn bytes(method: &'static str, value: &Value) -> Result<Vec<u8>, SourceError> {
    let text = value.as_str().ok_or_else(|| SourceError::Malformed {
        method,
        problem: "not a text of hexadecimal digits".to_owned(),
    })?;
    hex::decode(text).map_err(|err| SourceError::Malformed {
        method,
        problem: err.to_string(),
    })
}

/// Reads a hash in display order.
pub(super) fn hash(method: &'static str, value: &Value) -> Result<Hash256, SourceError> {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| SourceError::Malformed {
            method,
            problem: "not a hash of 64 hexadecimal digits".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLS: [Call; 2] = [
        Call::new("getblockhash", Value::Null),
        Call::new("getblockhash", Value::Null),
    ];

    #[test]
    fn answers_are_sorted_into_the_order_of_the_calls() {
        let body = br#"[{"result":"b","error":null,"id":1},
                        {"result":null,"error":{"code":-8,"message":"Block height out of range"},"id":0}]"#;
        let answers = answers(&CALLS, body).unwrap();
        assert_eq!(answers[0].as_ref().unwrap_err().code, INVALID_PARAMETER);
        assert_eq!(answers[1].as_ref().unwrap(), "b");
    }

    #[test]
    fn an_answer_that_repeats_its_keys_is_refused() {
        let body = br#"[{"result":"a","result":"b","error":null,"id":0},{"result":1,"error":null,"id":1}]"#;
        let error = answers(&CALLS, body).unwrap_err();
        assert!(
            error.to_string().contains("`result` is repeated"),
            "{error}"
        );
    }

    #[test]
    fn two_answers_to_one_call_are_refused() {
        let body = br#"[{"result":"a","error":null,"id":0},{"result":"b","error":null,"id":0},
                        {"result":1,"error":null,"id":1}]"#;
        let error = answers(&CALLS, body).unwrap_err();
        assert!(error.to_string().contains("call 0"), "{error}");
    }

    #[test]
    fn a_missing_answer_and_a_refused_batch_are_errors() {
        let one = br#"[{"result":1,"error":null,"id":0}]"#;
        let error = answers(&CALLS, one).unwrap_err();
        assert!(error.to_string().contains("call 1"), "{error}");
        let refused =
            br#"{"result":null,"error":{"code":-28,"message":"Loading block index..."},"id":null}"#;
        let error = answers(&CALLS, refused).unwrap_err();
        assert!(error.to_string().contains("Loading"), "{error}");
        assert!(answers(&CALLS, b"<html>").is_err());
        assert!(answers(&CALLS, b"7").is_err());
    }
}
