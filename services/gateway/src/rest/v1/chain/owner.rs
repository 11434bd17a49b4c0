//! Who has coins: an address, or a script that has none.

use fluxplane_proto::chain_indexer::v1::{self as wire, owner::Name};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{
    amount::Amount,
    wire::{Malformed, required, some},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OwnerPath {
    /// Address, or the output script in hex for an owner that has no address.
    #[param(example = "t3NryfAQLGeFs9jEoeqsxmBN2QLRaRKFLUX")]
    pub address: String,
}

impl OwnerPath {
    /// Hex is never an address: each network's addresses begin with a letter that is no hex digit.
    pub fn into_wire(self) -> wire::Owner {
        let text = self.address;
        let hex = text.len().is_multiple_of(2)
            && !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let name = if hex {
            Name::ScriptHex(text.to_ascii_lowercase())
        } else {
            Name::Address(text)
        };
        wire::Owner { name: Some(name) }
    }
}

/// What an owner has, and had.
#[derive(Debug, Serialize, ToSchema)]
pub struct AddressSummary {
    /// Null when the script has no address form.
    pub address: Option<String>,
    /// The script that outputs to the owner have, hex.
    pub script: String,
    /// Received less sent.
    pub balance: Amount,
    /// Sum of all outputs ever received, also of change.
    pub received: Amount,
    /// Sum of all outputs that were spent.
    pub sent: Amount,
    /// Transactions that gave or took something.
    pub transaction_count: u32,
    /// Blocks of the first and the last of them.
    pub first_height: u32,
    pub last_height: u32,
}

impl AddressSummary {
    pub fn from_wire(summary: Option<wire::AddressSummary>) -> Result<Self, Malformed> {
        let summary = required("summary", summary)?;
        Ok(Self {
            address: some(&summary.address).map(str::to_owned),
            script: summary.script_hex,
            balance: Amount::flux(summary.balance_sat),
            received: Amount::flux(summary.received_sat),
            sent: Amount::flux(summary.sent_sat),
            transaction_count: summary.transaction_count,
            first_height: summary.first_height,
            last_height: summary.last_height,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_names_a_script_and_everything_else_an_address() {
        let name = |text: &str| {
            let address = text.to_owned();
            OwnerPath { address }.into_wire().name.unwrap()
        };
        assert_eq!(name("76A914"), Name::ScriptHex("76a914".to_owned()));
        for address in ["t1LUs6quf7TB2zVZmexqPQdnqmrFMGZGjV6", "abc", ""] {
            assert_eq!(name(address), Name::Address(address.to_owned()));
        }
    }
}
