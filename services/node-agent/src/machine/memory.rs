//! How much memory the machine has.

use anyhow::Context as _;

const MEMINFO: &str = "/proc/meminfo";

pub(super) fn total_mib() -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(MEMINFO).context("read /proc/meminfo")?;
    parse(&text).with_context(|| format!("{MEMINFO} has no MemTotal"))
}

/// `MemTotal:       24684084 kB`, where kB means KiB (proc(5)).
fn parse(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_in_mib() {
        assert_eq!(
            parse("MemTotal:       24684084 kB\nMemFree: 1 kB\n"),
            Some(24_105)
        );
        assert_eq!(parse("MemFree: 1 kB\n"), None);
    }
}
