//! The id of a fluxnode transaction: the hash of its serialisation without signatures.
//!
//! fluxd hashes what it would write, not what it read. A key whose length does not match its first byte is written empty
//! (`src/pubkey.h`), and a flag byte other than 0 is written as 1; the id follows that.

use crate::{
    encode::Sink,
    hash::{Hash256, Sha256d},
    tx::Fluxnode,
};

pub(super) fn fluxnode_id(header: u32, fluxnode: &Fluxnode<'_>) -> Hash256 {
    let mut hash = Sha256d::new();
    hash.put_u32(header);
    hash.put_i8(fluxnode.type_byte());
    match fluxnode {
        Fluxnode::Start(start) => {
            if let Some(version) = start.flux_version {
                hash.put_i32(version);
            }
            start.body.write_unsigned(&mut hash, as_written);
            if let Some(delegates) = &start.delegates {
                delegates.write_to(&mut hash, delegates.using.min(1), as_written);
            }
        }
        Fluxnode::Confirm(confirm) => confirm.write_unsigned(&mut hash),
        Fluxnode::Unknown(_) => {}
    }
    hash.finish()
}

/// A key as fluxd writes it back.
fn as_written(key: &[u8]) -> &[u8] {
    let announced = match key.first() {
        Some(2 | 3) => 33,
        Some(4 | 6 | 7) => 65,
        _ => return &[],
    };
    match key.len() {
        length if length == announced => key,
        // Too long to be read into a key at all.
        66.. => &[],
        // fluxd would write memory beyond what it read; no such transaction can have one id.
        _ => key,
    }
}
