//! What one application asks for: size, ports, places, and how far its copies must stand apart.

use std::{fmt, net::IpAddr, num::NonZeroU32};

use fluxplane_core::{
    Place, Resources,
    id::{AppId, NodeId},
};
use serde::{Deserialize, Serialize};

use crate::canonical::Canonical;

/// A wish for `count` further copies of an application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub app: AppId,
    /// What one copy uses.
    pub resources: Resources,
    /// Ports one copy needs on the address of its node.
    #[serde(default)]
    pub ports: Vec<u16>,
    #[serde(default)]
    pub geo: Geo,
    /// Only nodes whose address stays.
    #[serde(default)]
    pub static_ip: bool,
    /// When not empty, only these nodes are candidates.
    #[serde(default)]
    pub pinned: Vec<Pin>,
    /// Nodes that are no candidates.
    #[serde(default)]
    pub exclude: Vec<NodeId>,
    #[serde(default)]
    pub limits: SpreadLimits,
    /// Nodes that carry a copy the engine holds no reservation for. Copies it does hold one for count by themselves.
    #[serde(default)]
    pub existing: Vec<NodeId>,
    /// How many further copies.
    pub count: u32,
}

impl Request {
    /// A request without rules: `count` copies of this size, anywhere.
    pub fn new(app: AppId, resources: Resources, count: u32) -> Self {
        Self {
            app,
            resources,
            ports: Vec::new(),
            geo: Geo::default(),
            static_ip: false,
            pinned: Vec::new(),
            exclude: Vec::new(),
            limits: SpreadLimits::default(),
            existing: Vec::new(),
            count,
        }
    }

    pub(crate) fn write(&self, form: &mut Canonical) {
        form.wide(self.app.uuid().as_u128())
            .resources(self.resources)
            .set(&self.ports, |form, port| {
                form.number(*port);
            })
            .set(&self.geo.allow, |form, pattern| pattern.write(form))
            .set(&self.geo.forbid, |form, pattern| pattern.write(form))
            .flag(self.static_ip)
            .set(&self.pinned, |form, pin| pin.write(form))
            .set(&self.exclude, |form, node| {
                form.wide(node.uuid().as_u128());
            });
        let limits = [
            self.limits.per_operator,
            self.limits.per_network,
            self.limits.per_country,
        ];
        for limit in limits {
            form.number(limit.map_or(0, NonZeroU32::get));
        }
        form.set(&self.existing, |form, node| {
            form.wide(node.uuid().as_u128());
        })
        .number(self.count);
    }
}

/// Where copies may stand. A forbidding rule wins; when there is an allowing rule, at least one must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Geo {
    #[serde(default)]
    pub allow: Vec<GeoPattern>,
    #[serde(default)]
    pub forbid: Vec<GeoPattern>,
}

impl Geo {
    pub fn permits(&self, place: &Place) -> bool {
        let matches = |pattern: &GeoPattern| pattern.matches(place);
        !self.forbid.iter().any(matches)
            && (self.allow.is_empty() || self.allow.iter().any(matches))
    }
}

/// Places that agree in every part that is given. Parts are compared exactly, case included.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GeoPattern {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

impl GeoPattern {
    pub fn continent(code: &str) -> Self {
        Self {
            continent: Some(code.to_owned()),
            ..Self::default()
        }
    }

    pub fn country(continent: &str, country: &str) -> Self {
        Self {
            country: Some(country.to_owned()),
            ..Self::continent(continent)
        }
    }

    pub fn matches(&self, place: &Place) -> bool {
        let agrees = |want: &Option<String>, have: &str| want.as_deref().is_none_or(|w| w == have);
        agrees(&self.continent, &place.continent)
            && agrees(&self.country, &place.country)
            && agrees(&self.region, &place.region)
    }

    /// Whether every place that matches `other` matches `self` too.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        let wider = |own: &Option<String>, theirs: &Option<String>| own.is_none() || own == theirs;
        wider(&self.continent, &other.continent)
            && wider(&self.country, &other.country)
            && wider(&self.region, &other.region)
    }

    fn write(&self, form: &mut Canonical) {
        form.optional(self.continent.as_deref())
            .optional(self.country.as_deref())
            .optional(self.region.as_deref());
    }
}

impl fmt::Display for GeoPattern {
    /// As FluxOS writes it, `EU_DE_Bavaria`; a part that is open is `*`, open parts at the end are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.continent, &self.country, &self.region];
        let given = parts.iter().rposition(|part| part.is_some());
        let Some(last) = given else {
            return f.write_str("*");
        };
        for (position, part) in parts.iter().take(last + 1).enumerate() {
            let separator = if position == 0 { "" } else { "_" };
            write!(f, "{separator}{}", part.as_deref().unwrap_or("*"))?;
        }
        Ok(())
    }
}

/// A node named in the request, by any of its names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    Node(NodeId),
    /// Collateral, as `txid:output`.
    Outpoint(String),
    /// Every node behind this address.
    Ip(IpAddr),
}

impl Pin {
    fn write(&self, form: &mut Canonical) {
        match self {
            Self::Node(id) => form.tag(1).wide(id.uuid().as_u128()),
            Self::Outpoint(text) => form.tag(2).text(text),
            Self::Ip(ip) => form.tag(3).address(*ip),
        };
    }
}

/// Hard anti-affinity: the most copies of the application that may share a failure domain. Without a limit the
/// domain is only a preference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpreadLimits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_operator: Option<NonZeroU32>,
    /// Per provider network (IPv4 /16, IPv6 /32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_network: Option<NonZeroU32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_country: Option<NonZeroU32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        let mut parts = text.split('_').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Place {
            continent: next(),
            country: next(),
            region: next(),
        }
    }

    #[test]
    fn a_forbidding_rule_wins_over_an_allowing_one() {
        let geo = Geo {
            allow: vec![GeoPattern::continent("EU")],
            forbid: vec![GeoPattern::country("EU", "DE")],
        };
        assert!(geo.permits(&place("EU_FR_Brittany")));
        assert!(!geo.permits(&place("EU_DE_Bavaria")));
        assert!(!geo.permits(&place("NA_US_Ohio")));
        assert!(Geo::default().permits(&place("NA_US_Ohio")));
    }

    #[test]
    fn patterns_print_as_fluxos_writes_them() {
        assert_eq!(GeoPattern::continent("EU").to_string(), "EU");
        assert_eq!(GeoPattern::country("EU", "DE").to_string(), "EU_DE");
        let legacy = GeoPattern {
            country: Some("DE".to_owned()),
            ..GeoPattern::default()
        };
        assert_eq!(legacy.to_string(), "*_DE");
        assert_eq!(GeoPattern::default().to_string(), "*");
    }
}
