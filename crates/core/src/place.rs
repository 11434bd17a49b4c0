//! Where a machine stands. Placement spreads over these and geolocation rules select by them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// A place on Earth, as FluxOS writes it: `EU_DE_Bavaria`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Two-letter continent code: AF, AN, AS, EU, NA, OC, SA.
    pub continent: String,
    /// ISO 3166-1 alpha-2 country code.
    pub country: String,
    /// Name of the region, free text.
    pub region: String,
}

/// The network of a provider, approximated as FluxOS does: an IPv4 /16, or an IPv6 /32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Network {
    V4([u8; 2]),
    V6([u16; 2]),
}

impl From<IpAddr> for Network {
    fn from(ip: IpAddr) -> Self {
        let v4 = |ip: Ipv4Addr| {
            let [a, b, ..] = ip.octets();
            Self::V4([a, b])
        };
        let v6 = |ip: Ipv6Addr| {
            let [a, b, ..] = ip.segments();
            Self::V6([a, b])
        };
        match ip {
            IpAddr::V4(ip) => v4(ip),
            // A mapped address is the same machine as its IPv4 form.
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or_else(|| v6(ip), v4),
        }
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::V4([a, b]) => write!(f, "{a}.{b}.0.0/16"),
            Self::V6([a, b]) => write!(f, "{a:x}:{b:x}::/32"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_share_a_network() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("203.0.113.9"), network("203.0.1.1"));
        assert_eq!(network("::ffff:203.0.113.9"), network("203.0.1.1"));
        assert_ne!(network("203.0.113.9"), network("203.1.113.9"));
        assert_eq!(network("2001:db8::1").to_string(), "2001:db8::/32");
    }
}
