//! What nodes sign. Signer and verifier take the bytes from here, so that they cannot differ.
//!
//! Each kind of statement begins with a tag of its own: a signature for one purpose is worthless for any other.

use std::fmt::Write as _;

/// Why a node's agent key (Ed25519) signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// "I am alive": a serialised `HeartbeatBody`.
    Heartbeat,
    /// "This ran": a serialised `UsageReportBody`.
    Usage,
    /// "It is me who answers here": the nonce of a probe.
    Probe,
}

impl Statement {
    /// What precedes the statement's bytes.
    pub const fn tag(self) -> &'static [u8] {
        match self {
            Self::Heartbeat => b"fluxplane-heartbeat:v1:",
            Self::Usage => b"fluxplane-usage:v1:",
            Self::Probe => b"fluxplane-probe:v1:",
        }
    }

    /// The bytes that are signed.
    pub fn message(self, body: &[u8]) -> Vec<u8> {
        [self.tag(), body].concat()
    }
}

/// What the node key of the start transaction signs, as fluxd signs messages, to prove that a certificate request comes
/// from the owner of the node. `token` is the join token as the operator got it.
pub fn join_message(token: &str, csr_sha256: &[u8; 32]) -> String {
    let mut message = format!("fluxplane-join:v1:{token}:");
    for byte in csr_sha256 {
        write!(message, "{byte:02x}").expect("writing to a String cannot fail");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_for_two_purposes_give_two_messages() {
        assert_ne!(
            Statement::Heartbeat.message(b"x"),
            Statement::Usage.message(b"x")
        );
        assert_eq!(Statement::Probe.message(b"ab"), b"fluxplane-probe:v1:ab");
    }

    #[test]
    fn a_join_message_names_token_and_request() {
        let message = join_message("fxj_1", &[0xab; 32]);
        assert_eq!(
            message,
            format!("fluxplane-join:v1:fxj_1:{}", "ab".repeat(32))
        );
    }
}
