//! What a refused request means. No standard says how a node refuses `eth_getLogs` over too many blocks, and every provider has
//! words of its own; so whatever cannot be about anything else is taken to be about the size. Asking for less than necessary does no
//! harm, and at one block it shows.

/// Codes of JSON-RPC 2.0 that are never about the size: parse error, invalid request, no such method.
const ABOUT_THE_CALL: [i64; 3] = [-32_700, -32_600, -32_601];

/// EIP-1474: a limit is exceeded, of results or of requests per time.
const LIMIT_EXCEEDED: i64 = -32_005;

/// Used by some providers for too many requests per time, after HTTP's status.
const TOO_MANY_REQUESTS: i64 = 429;

/// How providers say that requests come too fast.
const TOO_FAST: [&str; 5] = [
    "rate limit",
    "request count",
    "requests per",
    "too many requests",
    "capacity",
];

/// Why a node refused a request for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Asking about fewer blocks may help.
    TooMuch,
    /// Asking later may help.
    TooFast,
    /// Something else is wrong.
    Other,
}

/// Judges the error a node answered.
pub fn judge(code: i64, message: &str) -> Refusal {
    let message = message.to_lowercase();
    let too_fast = TOO_FAST.iter().any(|words| message.contains(words));
    match code {
        code if ABOUT_THE_CALL.contains(&code) => Refusal::Other,
        TOO_MANY_REQUESTS => Refusal::TooFast,
        LIMIT_EXCEEDED if too_fast => Refusal::TooFast,
        _ if too_fast && !message.contains("range") => Refusal::TooFast,
        _ => Refusal::TooMuch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_known_providers_are_understood() {
        for (code, message) in [
            (-32_005, "query returned more than 10000 results"),
            (
                -32_602,
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range",
            ),
            (-32_000, "exceed maximum block range: 5000"),
            (-32_600 - 14, "eth_getLogs is limited to a 10,000 range"),
            (-32_000, "query timeout exceeded"),
            (-32_062, "Block range is too large"),
            (-32_701, "Please limit the query to at most 1000 blocks"),
        ] {
            assert_eq!(judge(code, message), Refusal::TooMuch, "{message}");
        }
        for (code, message) in [
            (
                -32_005,
                "daily request count exceeded, request rate limited",
            ),
            (
                429,
                "Your app has exceeded its compute units per second capacity.",
            ),
            (-32_029, "Too Many Requests"),
        ] {
            assert_eq!(judge(code, message), Refusal::TooFast, "{message}");
        }
        for (code, message) in [
            (
                -32_601,
                "the method eth_getLogs does not exist/is not available",
            ),
            (-32_600, "invalid request"),
        ] {
            assert_eq!(judge(code, message), Refusal::Other, "{message}");
        }
    }
}
