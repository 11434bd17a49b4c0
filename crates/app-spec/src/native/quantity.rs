//! Amounts: a whole number and its unit, in one text. Inside they are integers of one base unit.
//!
//! A bare number is refused on purpose: 2 may mean cores or thousandths, and 512 may mean MB or MiB. Only money has
//! decimals, because nobody writes dollars in millionths.

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Cpu threads; base unit a thousandth.
    Cpu,
    /// Memory and disk; base unit MiB.
    Size,
    /// Time; base unit a second.
    Time,
    /// US dollars; base unit a millionth.
    Money,
}

/// Decimals of a dollar.
const MONEY_DECIMALS: usize = 6;

impl Unit {
    /// Suffixes with the base units they stand for, largest last. The first is the base unit itself.
    const fn suffixes(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Cpu => &[("m", 1), ("core", 1_000), ("cores", 1_000)],
            Self::Size => &[("Mi", 1), ("Gi", 1 << 10), ("Ti", 1 << 20)],
            Self::Time => &[("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)],
            Self::Money => &[("USD", 1_000_000)],
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "an amount of cpu such as 500m or 2cores",
            Self::Size => "a size such as 512Mi or 2Gi",
            Self::Time => "a time such as 30s, 5m, 2h or 7d",
            Self::Money => "an amount of money such as 12.50USD",
        }
    }

    /// A regular expression of all texts of this unit, for the schema.
    pub(super) const fn pattern(self) -> &'static str {
        match self {
            Self::Cpu => "^(0|[1-9][0-9]{0,14})(m|core|cores)$",
            Self::Size => "^(0|[1-9][0-9]{0,14})(Mi|Gi|Ti)$",
            Self::Time => "^(0|[1-9][0-9]{0,14})(s|m|h|d)$",
            Self::Money => "^(0|[1-9][0-9]{0,8})(\\.[0-9]{1,6})?USD$",
        }
    }

    /// Reads an amount in base units.
    pub(super) fn read(self, text: &str) -> Option<u64> {
        let digits = text
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let (number, suffix) = text.split_at(digits);
        let (_, factor) = self.suffixes().iter().find(|(own, _)| *own == suffix)?;
        if self == Self::Money {
            return read_money(number);
        }
        read_whole(number, 15)?.checked_mul(*factor)
    }

    /// Writes an amount in the one form that the canonical text has: the largest unit without remainder; cpu always in
    /// thousandths.
    pub(super) fn write(self, amount: u64) -> String {
        if self == Self::Money {
            return write_money(amount);
        }
        let units = if self == Self::Cpu {
            &self.suffixes()[..1]
        } else {
            self.suffixes()
        };
        let fits = |(_, factor): &&(&str, u64)| amount >= *factor && amount.is_multiple_of(*factor);
        let (suffix, factor) = units.iter().rev().find(fits).unwrap_or(&units[0]);
        format!("{}{suffix}", amount / factor)
    }

    /// What to write instead of a bare number or an unknown unit.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Cpu => "write thousandths, such as 500m, or 2cores",
            Self::Size => "write 512Mi, 2Gi or 1Ti; the units are powers of 1024",
            Self::Time => "write 30s, 5m, 2h or 7d",
            Self::Money => "write dollars with at most 6 decimals, such as 12.50USD",
        }
    }
}

/// Digits without leading zeros.
fn read_whole(text: &str, max_digits: usize) -> Option<u64> {
    let is_plain = (1..=max_digits).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    is_plain.then(|| text.parse().ok()).flatten()
}

fn read_money(text: &str) -> Option<u64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    let fits = (1..=MONEY_DECIMALS).contains(&fraction.len());
    let is_digits = fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !fits || !is_digits {
        return None;
    }
    let micros: u64 = format!("{fraction:0<MONEY_DECIMALS$}").parse().ok()?;
    Some(read_whole(whole, 9)? * 1_000_000 + micros)
}

fn write_money(amount: u64) -> String {
    let (whole, micros) = (amount / 1_000_000, amount % 1_000_000);
    let fraction = format!("{micros:06}");
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction}USD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_numbers_with_a_unit() {
        assert_eq!(Unit::Cpu.read("500m"), Some(500));
        assert_eq!(Unit::Cpu.read("2cores"), Some(2_000));
        assert_eq!(Unit::Size.read("2Gi"), Some(2_048));
        assert_eq!(Unit::Time.read("7d"), Some(604_800));
        assert_eq!(Unit::Money.read("12.5USD"), Some(12_500_000));
        assert_eq!(Unit::Money.read("0.000001USD"), Some(1));
    }

    #[test]
    fn anything_else_is_no_amount() {
        for text in [
            "",
            "2",
            "m",
            "0.5core",
            "-1m",
            "+1m",
            "1e3m",
            "01m",
            "1 m",
            "1M",
            "2GB",
            "２m",
            "99999999999999999999m",
            "1.m",
            "1..2m",
        ] {
            assert_eq!(Unit::Cpu.read(text), None, "{text}");
        }
        for text in [
            "1.USD",
            ".5USD",
            "1.0000001USD",
            "1usd",
            "1.5.5USD",
            "9999999999USD",
        ] {
            assert_eq!(Unit::Money.read(text), None, "{text}");
        }
        assert_eq!(Unit::Size.read("512MB"), None);
        // Fifteen digits of days are more seconds than 64 bits hold.
        assert_eq!(Unit::Time.read("999999999999999d"), None);
    }

    #[test]
    fn what_is_written_reads_back_in_one_form() {
        for (unit, amount, text) in [
            (Unit::Cpu, 2_000, "2000m"),
            (Unit::Cpu, 0, "0m"),
            (Unit::Size, 5_120, "5Gi"),
            (Unit::Size, 500, "500Mi"),
            (Unit::Time, 90, "90s"),
            (Unit::Time, 0, "0s"),
            (Unit::Time, 86_400, "1d"),
            (Unit::Money, 12_500_000, "12.5USD"),
            (Unit::Money, 3_000_000, "3USD"),
        ] {
            assert_eq!(unit.write(amount), text);
            assert_eq!(unit.read(text), Some(amount));
        }
    }
}
