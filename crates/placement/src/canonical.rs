//! One byte form per value, so that equal values have equal fingerprints and unequal ones never share a form.
//!
//! Numbers are big-endian and of fixed width; texts and lists carry their length first; choices carry a tag byte.

use fluxplane_core::{Place, Resources, place::Network};
use std::net::IpAddr;

#[derive(Debug, Default)]
pub(crate) struct Canonical(Vec<u8>);

impl Canonical {
    /// Starts with the name of what follows, so that forms of different things never coincide.
    pub(crate) fn of(domain: &str) -> Self {
        let mut form = Self(Vec::with_capacity(256));
        form.text(domain);
        form
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn tag(&mut self, tag: u8) -> &mut Self {
        self.0.push(tag);
        self
    }

    pub(crate) fn flag(&mut self, flag: bool) -> &mut Self {
        self.tag(u8::from(flag))
    }

    pub(crate) fn number(&mut self, number: impl Into<u64>) -> &mut Self {
        self.0.extend(number.into().to_be_bytes());
        self
    }

    pub(crate) fn wide(&mut self, number: u128) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.length(text.len()).raw(text.as_bytes())
    }

    pub(crate) fn length(&mut self, length: usize) -> &mut Self {
        self.number(u64::try_from(length).expect("a length in memory fits u64"))
    }

    pub(crate) fn optional(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            None => self.tag(0),
            Some(text) => self.tag(1).text(text),
        }
    }

    /// Writes a list as a set: sorted, each member once, because the order of a rule list means nothing.
    pub(crate) fn set<T: Ord>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) -> &mut Self {
        let mut sorted: Vec<&T> = items.iter().collect();
        sorted.sort_unstable();
        sorted.dedup();
        self.length(sorted.len());
        for item in sorted {
            write(self, item);
        }
        self
    }

    pub(crate) fn resources(&mut self, resources: Resources) -> &mut Self {
        self.number(resources.cpu_milli)
            .number(resources.ram_mib)
            .number(resources.disk_gib)
    }

    pub(crate) fn place(&mut self, place: &Place) -> &mut Self {
        self.text(&place.continent)
            .text(&place.country)
            .text(&place.region)
    }

    pub(crate) fn address(&mut self, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(ip) => self.tag(4).raw(&ip.octets()),
            IpAddr::V6(ip) => self.tag(6).raw(&ip.octets()),
        }
    }

    pub(crate) fn network(&mut self, network: Network) -> &mut Self {
        match network {
            Network::V4(prefix) => self.tag(4).raw(&prefix),
            Network::V6([a, b]) => self.tag(6).number(a).number(b),
        }
    }
}
