//! FLUX's token contracts on public chains that speak Ethereum's JSON-RPC, as the project publishes them (flux-docs
//! `docs/fluxnodes/claim-parallel-assets.md`). FLUX on Kadena, Tron, Solana, Ergo and Algorand is no ERC-20 token.

use alloy_primitives::{Address, address};

/// FLUX on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FluxToken {
    /// The chain as the project names it.
    pub chain: &'static str,
    /// EIP-155.
    pub chain_id: u64,
    pub contract: Address,
}

pub const FLUX_TOKENS: [FluxToken; 5] = [
    FluxToken {
        chain: "Ethereum",
        chain_id: 1,
        contract: address!("0x720cd16b011b987da3518fbf38c3071d4f0d1495"),
    },
    FluxToken {
        chain: "BNB Smart Chain",
        chain_id: 56,
        contract: address!("0xaff9084f2374585879e8b434c399e29e80cce635"),
    },
    FluxToken {
        chain: "Avalanche C",
        chain_id: 43_114,
        contract: address!("0xc4B06F17ECcB2215a5DBf042C672101Fc20daF55"),
    },
    FluxToken {
        chain: "Polygon",
        chain_id: 137,
        contract: address!("0xA2bb7A68c46b53f6BbF6cC91C865Ae247A82E99B"),
    },
    FluxToken {
        chain: "Base",
        chain_id: 8_453,
        contract: address!("0xb008bdcf9cdff9da684a190941dc3dca8c2cdd44"),
    },
];

/// FLUX's contract on a chain.
pub fn flux_token(chain_id: u64) -> Option<Address> {
    FLUX_TOKENS
        .iter()
        .find(|token| token.chain_id == chain_id)
        .map(|token| token.contract)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const PUBLISHED: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/fluxd-parallel-assets.json"
    ));

    #[test]
    fn the_table_is_every_published_contract_of_an_ethereum_like_chain() {
        let published: Value = serde_json::from_str(PUBLISHED).unwrap();
        let published: Vec<(&str, Address)> = published["assets"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|asset| {
                let contract = asset["contract"].as_str()?;
                let is_evm = contract.starts_with("0x");
                is_evm.then(|| (asset["chain"].as_str().unwrap(), contract.parse().unwrap()))
            })
            .collect();
        let table = FLUX_TOKENS.map(|token| (token.chain, token.contract));
        assert_eq!(published, table);
    }

    #[test]
    fn a_chain_without_a_published_contract_has_none() {
        assert_eq!(flux_token(137), Some(FLUX_TOKENS[3].contract));
        assert_eq!(flux_token(31_337), None);
    }
}
