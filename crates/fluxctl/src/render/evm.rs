//! Tokens on other chains.

use super::{
    Table,
    paint::{Paint, Tone, plain},
    time::moment,
};
use crate::api::evm::{EvmAsset, EvmTransfer};

/// An amount of smallest units with its decimal point. Amounts may have 78 digits, so this is text all the way.
pub fn decimal(units: &str, decimals: u32) -> String {
    let (sign, digits) = units
        .strip_prefix('-')
        .map_or(("", units), |digits| ("-", digits));
    let places = usize::try_from(decimals).unwrap_or(usize::MAX);
    // More places than any amount has would only print zeros.
    if places == 0
        || places > 78
        || digits.is_empty()
        || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return plain(units);
    }
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    format!("{sign}{whole}.{fraction}")
}

pub fn assets(assets: &[EvmAsset], paint: Paint) -> String {
    let header = &[
        "ASSET",
        "CHAIN",
        "HEIGHT",
        "LAG",
        "SUPPLY",
        "TRANSFERS",
        "STATE",
        "CONTRACT",
    ];
    let numbers = &["CHAIN", "HEIGHT", "LAG", "SUPPLY", "TRANSFERS"];
    let mut table = Table::new(header).numbers(numbers);
    for asset in assets {
        let state = match (&asset.halted_reason, &asset.problem) {
            (Some(why), _) => paint.tone(Tone::Bad, &format!("halted: {}", plain(why))),
            (None, Some(why)) => paint.tone(Tone::Busy, &plain(why)),
            (None, None) if asset.followed => paint.tone(Tone::Good, "followed"),
            (None, None) => paint.tone(Tone::Quiet, "not followed"),
        };
        table.row([
            plain(&asset.name),
            asset.chain_id.to_string(),
            asset
                .height
                .map(|height| height.to_string())
                .unwrap_or_default(),
            asset.lag_blocks.to_string(),
            decimal(&asset.observed_supply, asset.decimals),
            asset.transfer_count.to_string(),
            state,
            plain(&asset.contract),
        ]);
    }
    table.text(paint, "no token is followed")
}

pub fn transfers(transfers: &[EvmTransfer], paint: Paint) -> String {
    let header = &[
        "ASSET",
        "HEIGHT",
        "TIME",
        "AMOUNT",
        "FROM",
        "TO",
        "CONF",
        "TRANSACTION",
    ];
    let mut table = Table::new(header).numbers(&["HEIGHT", "AMOUNT", "CONF"]);
    for transfer in transfers {
        let confirmations = if transfer.r#final {
            paint.tone(Tone::Good, "final")
        } else {
            transfer.confirmations.to_string()
        };
        table.row([
            plain(&transfer.asset),
            transfer.height.to_string(),
            moment(transfer.block_time),
            decimal(&transfer.amount, transfer.decimals),
            plain(&transfer.from),
            plain(&transfer.to),
            confirmations,
            plain(&transfer.tx_hash),
        ]);
    }
    table.text(paint, "no transfers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_get_their_point_whatever_their_length() {
        for (units, decimals, text) in [
            ("0", 8, "0.00000000"),
            ("5", 8, "0.00000005"),
            ("2500000000", 8, "25.00000000"),
            ("-1", 2, "-0.01"),
            ("7", 0, "7"),
            ("many", 8, "many"),
            ("", 8, ""),
        ] {
            assert_eq!(decimal(units, decimals), text);
        }
        let long = "1".repeat(78);
        assert_eq!(decimal(&long, 18).len(), 79);
    }
}
