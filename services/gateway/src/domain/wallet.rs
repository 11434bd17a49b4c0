//! Wallet addresses. One address has one text here, so that a principal can be compared with an owner byte by byte.

use std::fmt;

use alloy_primitives::Address;
use fluxplane_app_spec::message::recover_signer;
use fluxplane_core::error::Violation;
use fluxplane_flux_chain::address::FluxId;

/// A FluxID (Bitcoin P2PKH address) or an Ethereum address with its EIP-55 checksum.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WalletAddress(String);

/// Characters of an Ethereum address, `0x` included.
const ETHEREUM_CHARS: usize = 42;

impl WalletAddress {
    /// Reads an address from the request field `field`.
    ///
    /// An Ethereum address may come without checksum, in one case; with mixed case the checksum must be right.
    pub fn parse(field: &str, text: &str) -> Result<Self, Violation> {
        let canonical = if text.starts_with("0x") {
            ethereum(text).ok_or_else(|| {
                Violation::new(
                    field,
                    text,
                    "an Ethereum address is 0x and 40 hex digits, in mixed case with its EIP-55 checksum",
                    "copy the address from the wallet",
                )
            })
        } else {
            text.parse::<FluxId>().map(|id| id.to_string()).map_err(|_| {
                Violation::new(
                    field,
                    text,
                    "a wallet address is a FluxID (a Bitcoin address that starts with 1) or a 0x address",
                    "sign in with the address that owns the applications or nodes",
                )
            })
        };
        canonical.map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether the key of this address signed `text`: as a Bitcoin message, or by Ethereum's `personal_sign` for a 0x
    /// address.
    pub fn signed(&self, text: &str, signature: &str) -> Result<(), SignatureProblem> {
        let signer = recover_signer(text, &self.0, signature)
            .map_err(|err| SignatureProblem::Malformed(err.to_string()))?;
        if signer == self.0 {
            Ok(())
        } else {
            Err(SignatureProblem::OtherSigner)
        }
    }
}

impl fmt::Display for WalletAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a signature does not prove an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureProblem {
    #[error("{0}")]
    Malformed(String),
    #[error("another key signed, or another text was signed")]
    OtherSigner,
}

fn ethereum(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x")?;
    if text.len() != ETHEREUM_CHARS {
        return None;
    }
    let address: Address = text.parse().ok()?;
    let canonical = address.to_checksum(None);
    let one_case = !digits.bytes().any(|b| b.is_ascii_uppercase())
        || !digits.bytes().any(|b| b.is_ascii_lowercase());
    (one_case || canonical == text).then_some(canonical)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHECKSUMMED: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";

    #[test]
    fn an_ethereum_address_has_one_canonical_form() {
        for text in [CHECKSUMMED, &CHECKSUMMED.to_lowercase()] {
            assert_eq!(
                WalletAddress::parse("address", text).unwrap().as_str(),
                CHECKSUMMED
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_field() {
        let wrong_checksum = CHECKSUMMED.replace("5aA", "5aa");
        for text in [
            "",
            "0x",
            "0x12",
            &wrong_checksum,
            "t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6",
            "1abc",
        ] {
            let violation = WalletAddress::parse("address", text).unwrap_err();
            assert_eq!(
                (violation.field.as_str(), violation.value.as_str()),
                ("address", text)
            );
        }
    }

    #[test]
    fn a_flux_id_is_taken_as_it_is() {
        let id = "1MCBJn6qsy3YRY2YasdYMYdJcdhy1ev8Rd";
        assert_eq!(WalletAddress::parse("address", id).unwrap().as_str(), id);
    }
}
