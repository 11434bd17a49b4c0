//! Which network the daemon takes an address for (fluxd `src/netbase.cpp`, `CNetAddr`). Addresses nobody on the internet can reach
//! belong to none, among them those reserved for documentation.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network the daemon knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Ipv4,
    Ipv6,
    Onion,
}

impl Family {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Onion => "onion",
        }
    }
}

/// The host of `host` or `host:port`.
pub fn host_of(text: &str) -> &str {
    let Some((host, port)) = text.rsplit_once(':') else {
        return text;
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let has_port = port.parse::<u16>().is_ok() && (bracketed || !host.contains(':'));
    if has_port {
        host.trim_start_matches('[').trim_end_matches(']')
    } else {
        text
    }
}

/// The network of a host, if it is reachable.
pub fn family_of_host(host: &str) -> Option<Family> {
    if host
        .strip_suffix(".onion")
        .is_some_and(|name| name.len() == 16)
    {
        return Some(Family::Onion);
    }
    match host.parse().ok()? {
        IpAddr::V4(address) => routable_v4(address).then_some(Family::Ipv4),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => routable_v4(mapped).then_some(Family::Ipv4),
            None => routable_v6(address).then_some(Family::Ipv6),
        },
    }
}

const fn routable_v4(address: Ipv4Addr) -> bool {
    let [a, b, _, _] = address.octets();
    let benchmarking = a == 198 && (b == 18 || b == 19);
    let shared = a == 100 && b >= 64 && b <= 127;
    !(a == 0
        || a == 127
        || address.is_broadcast()
        || address.is_private()
        || address.is_link_local()
        || address.is_documentation()
        || benchmarking
        || shared)
}

const fn routable_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let documentation = first == 0x2001 && second == 0x0db8;
    let hashed = first == 0x2001 && second & 0xfff0 == 0x0010;
    let link_local = first == 0xfe80;
    let unique_local = first & 0xfe00 == 0xfc00;
    !(address.is_unspecified()
        || address.is_loopback()
        || documentation
        || hashed
        || link_local
        || unique_local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_reachable_addresses_have_a_network() {
        for (host, family) in [
            ("8.8.8.8", Some(Family::Ipv4)),
            ("203.0.113.9", None),
            ("127.0.0.1", None),
            ("10.1.2.3", None),
            ("100.64.0.1", None),
            ("2a00:1450::1", Some(Family::Ipv6)),
            ("fe80::1", None),
            ("abcdefghijklmnop.onion", Some(Family::Onion)),
            ("8.8.8.8:16127", None),
            ("somewhere.example", None),
        ] {
            assert_eq!(family_of_host(host), family, "{host}");
        }
    }

    #[test]
    fn a_port_is_split_off() {
        for (text, host) in [
            ("8.8.8.8:16127", "8.8.8.8"),
            ("8.8.8.8", "8.8.8.8"),
            ("[2a00::1]:16127", "2a00::1"),
            ("2a00::1", "2a00::1"),
        ] {
            assert_eq!(host_of(text), host);
        }
    }
}
