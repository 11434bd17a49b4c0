//! What `specificationFormatter` returns, as types.
//!
//! The formatter guarantees little: a number may be NaN, a component may lack its name, container ports
//! may be anything. The types say exactly that and no more, because the later stages, the canonical form
//! and the price are defined on this state. [`super::AppView`] is the clean view for everybody else.

use crate::json::{JsString, Value};

/// A specification after coercion. Fields that the version does not have are `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct LegacySpec {
    /// Any number that is not zero; see [`LegacySpec::known_version`].
    pub version: f64,
    pub name: JsString,
    pub description: JsString,
    pub owner: JsString,
    pub body: Body,
    pub instances: Option<f64>,
    pub contacts: Option<Vec<JsString>>,
    pub geolocation: Option<Vec<JsString>>,
    /// Term in blocks.
    pub expire: Option<f64>,
    /// Nodes the application is pinned to: `ip`, `ip:port` or `txid:index`.
    pub nodes: Option<Vec<JsString>>,
    pub staticip: Option<bool>,
    pub datacenter: Option<bool>,
    pub enterprise: Enterprise,
}

/// One container (v1..v3) or several components (v4 and later).
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Single(Box<Single>),
    Compose(Compose),
}

/// The components of v4 and later.
pub type Compose = Vec<Component>;

/// The container of a v1..v3 application.
#[derive(Debug, Clone, PartialEq)]
pub struct Single {
    pub repotag: JsString,
    pub ports: Ports,
    /// `enviromentParameters`, spelled so by FluxOS.
    pub environment: Vec<JsString>,
    pub commands: Vec<JsString>,
    pub container_data: JsString,
    pub hardware: Hardware,
    pub tiered: bool,
    /// Present when `tiered`.
    pub tiers: Option<Tiers>,
}

/// Ports of v1..v3: v1 has one pair of numbers, v2 and v3 have lists of texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Ports {
    One {
        port: f64,
        container_port: f64,
    },
    Many {
        ports: Vec<JsString>,
        domains: Vec<JsString>,
        container_ports: Vec<JsString>,
    },
}

/// A component. Texts are `None` where the submitted key was absent.
#[derive(Debug, Clone, PartialEq)]
pub struct Component {
    pub name: Option<JsString>,
    pub description: Option<JsString>,
    pub repotag: Option<JsString>,
    pub ports: Vec<f64>,
    pub domains: Vec<JsString>,
    pub environment: Vec<JsString>,
    pub commands: Vec<JsString>,
    /// The only list that the formatter does not coerce.
    pub container_ports: Vec<Value>,
    pub container_data: Option<JsString>,
    pub hardware: Hardware,
    /// Up to v7.
    pub tiered: Option<bool>,
    /// Present when `tiered`.
    pub tiers: Option<Tiers>,
    /// From v7.
    pub repoauth: Option<JsString>,
    /// v7 only.
    pub secrets: Option<JsString>,
}

/// Cores, MB of memory and GB of disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hardware {
    pub cpu: f64,
    pub ram: f64,
    pub hdd: f64,
}

/// Hardware per node tier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tiers {
    /// Cumulus, `basic` in FluxOS.
    pub cumulus: Hardware,
    /// Nimbus, `super` in FluxOS.
    pub nimbus: Hardware,
    /// Stratus, `bamf` in FluxOS.
    pub stratus: Hardware,
}

/// The field `enterprise`: an encrypted part, or one of the values JavaScript takes for false.
#[derive(Debug, Clone, PartialEq)]
pub enum Enterprise {
    /// Not given, or a version below 8.
    Absent,
    /// `null`, `false`, `0` or the empty string, as submitted.
    Falsy(Value),
    /// Base64 of the encrypted contacts and components; opaque here.
    Sealed(JsString),
}

/// A version that FluxOS v8.17 knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LegacyVersion {
    V1 = 1,
    V2,
    V3,
    V4,
    V5,
    V6,
    V7,
    V8,
}

impl LegacyVersion {
    pub const ALL: [Self; 8] = [
        Self::V1,
        Self::V2,
        Self::V3,
        Self::V4,
        Self::V5,
        Self::V6,
        Self::V7,
        Self::V8,
    ];

    pub const fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
            Self::V5 => 5,
            Self::V6 => 6,
            Self::V7 => 7,
            Self::V8 => 8,
        }
    }

    /// The version of this number, if there is one.
    #[expect(
        clippy::float_cmp,
        reason = "JavaScript compares versions with ===, and small integers are exact"
    )]
    pub fn from_number(number: f64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|version| f64::from(version.number()) == number)
    }

    /// Whether the version has a list of components.
    pub const fn has_components(self) -> bool {
        self.number() >= 4
    }
}

impl std::fmt::Display for LegacyVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{}", self.number())
    }
}

impl LegacySpec {
    /// The version, if FluxOS v8.17 knows it.
    pub fn known_version(&self) -> Option<LegacyVersion> {
        LegacyVersion::from_number(self.version)
    }

    /// The components of v4 and later; empty for v1..v3.
    pub fn components(&self) -> &[Component] {
        match &self.body {
            Body::Single(_) => &[],
            Body::Compose(components) => components,
        }
    }

    /// The container of v1..v3.
    pub fn single(&self) -> Option<&Single> {
        match &self.body {
            Body::Single(single) => Some(single),
            Body::Compose(_) => None,
        }
    }

    /// Whether the application carries an encrypted part.
    pub const fn is_sealed(&self) -> bool {
        matches!(self.enterprise, Enterprise::Sealed(_))
    }

    pub(super) fn nodes(&self) -> &[JsString] {
        self.nodes.as_deref().unwrap_or_default()
    }
}
