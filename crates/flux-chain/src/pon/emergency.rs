//! Emergency blocks: made by key holders of the project when the nodes cannot produce blocks. They name a collateral of 32
//! bytes 0x11, and their signature field holds a list of signatures (fluxd `src/emergencyblock.cpp`).

use crate::{
    encode::{Reader, Sink},
    hash::Hash256,
    header::{Header, Seal},
    params::ChainParams,
};

/// The longest signature field of an emergency block (fluxd `MAX_EMERGENCY_BLOCK_SIG_SIZE`).
pub const EMERGENCY_SIGNATURES_MAX: usize = 512;

/// Whether a header claims to be an emergency block.
pub fn is_emergency(params: &ChainParams, header: &Header<'_>) -> bool {
    header.producer() == Some(params.emergency.collateral)
}

/// The signatures in the field, up to the first that cannot be read. As fluxd does, bytes after the list are ignored.
pub fn emergency_signatures(field: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new(field);
    let count = reader.count("signatures", 1).unwrap_or(0);
    (0..count)
        .map_while(|_| reader.var_bytes("signature").ok())
        .collect()
}

/// Writes a list of signatures in the form the field has.
pub fn write_emergency_signatures(signatures: &[Vec<u8>]) -> Vec<u8> {
    let mut field = Vec::new();
    field.put_length(signatures.len());
    for signature in signatures {
        field.put_var_bytes(signature);
    }
    field
}

/// Whether enough of the configured keys signed the block, each counted once. A network may take any signatures
/// (regtest does): then only their number counts.
pub fn verify_emergency(params: &ChainParams, header: &Header<'_>, hash: &Hash256) -> bool {
    let Seal::Node { signature, .. } = header.seal else {
        return false;
    };
    let rules = &params.emergency;
    let signatures = emergency_signatures(signature);
    if signatures.len() < rules.min_signatures {
        return false;
    }
    if rules.any_key {
        return true;
    }
    let mut unused: Vec<_> = rules.keys.iter().collect();
    for signature in signatures {
        if let Some(index) = unused
            .iter()
            .position(|key| key.verify_der(hash, signature))
        {
            unused.swap_remove(index);
        }
    }
    rules.keys.len() - unused.len() >= rules.min_signatures
}
