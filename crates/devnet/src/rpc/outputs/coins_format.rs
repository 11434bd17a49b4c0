//! The daemon's database form of the unspent outputs of a transaction (fluxd `src/coins.h`, `src/compressor.h`), for its size and its
//! hash: what stands in `gettxoutsetinfo`.

use fluxplane_flux_chain::{OutPoint, PublicKey, encode::Sink, hash::Sha256d, script::Script};

use crate::chain::Coin;

/// Coins of one transaction, ascending by output.
type Record<'r> = [(&'r OutPoint, &'r Coin)];

/// Number of script forms the daemon compresses.
const SPECIAL_SCRIPTS: u64 = 6;

/// Bytes of a record without its key.
pub(super) fn record_size(record: &Record<'_>) -> usize {
    let Some((_, first)) = record.first() else {
        return 0;
    };
    let has = |n: u32| record.iter().any(|(outpoint, _)| outpoint.n == n);
    let (mask_bytes, nonzero) = spent_mask(record);
    let code = header_code(nonzero, first.coinbase, has(0), has(1));
    let outputs: usize = record
        .iter()
        .map(|(_, coin)| {
            let value = u64::try_from(coin.value.get()).unwrap_or_default();
            varint_size(compressed_amount(value)) + script_size(coin.script.as_script())
        })
        .sum();
    varint_size(u64::from(first.version))
        + varint_size(code)
        + mask_bytes
        + outputs
        + varint_size(u64::from(first.height))
}

/// Bytes of the bit field of outputs beyond the second, and how many of them are not zero.
fn spent_mask(record: &Record<'_>) -> (usize, u64) {
    let places: std::collections::BTreeSet<usize> = record
        .iter()
        .filter_map(|(outpoint, _)| usize::try_from(outpoint.n).ok()?.checked_sub(2))
        .map(|beyond| beyond / 8)
        .collect();
    let bytes = places.last().map_or(0, |last| last + 1);
    (bytes, u64::try_from(places.len()).unwrap_or_default())
}

fn header_code(nonzero: u64, coinbase: bool, first: bool, second: bool) -> u64 {
    let rest = if first || second {
        nonzero
    } else {
        nonzero.saturating_sub(1)
    };
    8 * rest + u64::from(coinbase) + if first { 2 } else { 0 } + if second { 4 } else { 0 }
}

fn script_size(script: Script<'_>) -> usize {
    let key = || {
        let (length, rest) = script.as_bytes().split_first()?;
        let (check, key) = rest.split_last()?;
        let key = PublicKey::parse(key)?;
        let whole = usize::from(*length) == key.as_bytes().len();
        (whole && *check == fluxplane_flux_chain::script::opcode::CHECKSIG && key.point().is_some())
            .then_some(key)
    };
    if script.p2pkh_hash().is_some() || script.p2sh_hash().is_some() {
        21
    } else if key().is_some() {
        33
    } else {
        let length = u64::try_from(script.len()).unwrap_or(u64::MAX);
        varint_size(length + SPECIAL_SCRIPTS) + script.len()
    }
}

/// What the daemon feeds to the hash of the whole set.
pub(super) fn hash_record(hash: &mut Sha256d, record: &Record<'_>) {
    let Some((outpoint, first)) = record.first() else {
        return;
    };
    hash.put(outpoint.txid.as_wire());
    put_varint(hash, u64::from(first.version));
    hash.put_u8(if first.coinbase { b'c' } else { b'n' });
    put_varint(hash, u64::from(first.height));
    for (outpoint, coin) in record {
        put_varint(hash, u64::from(outpoint.n) + 1);
        hash.put_i64(coin.value.get());
        hash.put_var_bytes(&coin.script);
    }
    put_varint(hash, 0);
}

/// fluxd `CTxOutCompressor::CompressAmount`: trailing zeros become an exponent.
const fn compressed_amount(mut value: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let mut exponent = 0;
    while value.is_multiple_of(10) && exponent < 9 {
        value /= 10;
        exponent += 1;
    }
    if exponent < 9 {
        let digit = value % 10;
        value /= 10;
        1 + (value * 9 + digit - 1) * 10 + exponent
    } else {
        1 + (value - 1) * 10 + 9
    }
}

/// fluxd's variable-length integers, most significant group first, each group but the last raised by one.
fn varint(mut value: u64) -> Vec<u8> {
    let group = |value: u64| u8::try_from(value & 0x7f).unwrap_or_default();
    let mut bytes = vec![group(value)];
    while value > 0x7f {
        value = (value >> 7) - 1;
        bytes.push(group(value) | 0x80);
    }
    bytes.reverse();
    bytes
}

fn varint_size(value: u64) -> usize {
    varint(value).len()
}

fn put_varint(sink: &mut impl Sink, value: u64) {
    sink.put(&varint(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_the_form_of_the_daemon() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(0x7f), [0x7f]);
        assert_eq!(varint(0x80), [0x80, 0x00]);
        assert_eq!(varint(255), [0x80, 0x7f]);
        assert_eq!(varint(0x4000), [0xff, 0x00]);
        assert_eq!(varint(0xffff), [0x82, 0xfe, 0x7f]);
        assert_eq!(varint(1 << 32), [0x8e, 0xfe, 0xfe, 0xff, 0x00]);
    }

    #[test]
    fn amounts_have_the_form_of_the_daemon() {
        for (value, compressed) in [
            (0, 0),
            (1, 1),
            (1_000_000, 7),
            (100_000_000, 9),
            (5_000_000_000, 50),
            (2_100_000_000_000_000, 21_000_000),
        ] {
            assert_eq!(compressed_amount(value), compressed, "{value}");
        }
    }
}
