//! The genesis block of regtest, which every development chain shares. Its coinbase is never connected: nobody can spend it,
//! and no index knows it (fluxd `src/main.cpp`, `ConnectBlock`).

use std::sync::Arc;

/// The block as it stands on the wire (fluxd `src/chainparams.cpp`, `CRegTestParams`).
const GENESIS: &str = concat!(
    "04000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "3aa13a6f0d1689b1915607599df1a28120b9c3bf84660018177fc6b2d6aec794",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "dae5494d",
    "0f0f0f20",
    "1600000000000000000000000000000000000000000000000000000000000000",
    "2402853a9dd062e2356909a0d2b9f0e4873dbf092edd3f00eea317e21222d1f2c414b926ee",
    "01",
    "0100000001",
    "0000000000000000000000000000000000000000000000000000000000000000ffffffff",
    "4f04ffff071f0104475a656c6361736830366634306230316162316631333562643936633564373266386533376337393036",
    "646332313664636161613336666364303065626639623865313039353637",
    "ffffffff",
    "010000000000000000",
    "434104678afdb0fe5548271967f1a67130b7105cd6a828e03909a67962e0ea1f61deb649f6bc3f4cef38c4f35504e51ec112",
    "de5c384df7ba0b8d578a4c702b6bf11d5fac",
    "00000000",
);

/// The raw block.
pub(crate) fn genesis_block() -> Arc<[u8]> {
    hex::decode(GENESIS)
        .expect("the constant is hexadecimal")
        .into()
}

#[cfg(test)]
mod tests {
    use fluxplane_flux_chain::{Block, ChainParams};

    use super::*;

    #[test]
    fn it_is_the_genesis_block_of_regtest() {
        let raw = genesis_block();
        let block = Block::parse(&raw).unwrap();
        assert_eq!(block.header.hash(), ChainParams::regtest().genesis.hash);
    }
}
