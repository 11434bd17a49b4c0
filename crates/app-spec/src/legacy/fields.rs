//! Which fields a version has (`verifyObjectKeysCorrectnessOfApp` and `specificationFormatter`), as a table.

use super::spec::LegacyVersion;

/// A field of an application or of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: FieldKind,
    pub need: Need,
    first: LegacyVersion,
    last: LegacyVersion,
}

/// The type a field has in the canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    Number,
    Text,
    Flag,
    /// An array of strings.
    Texts,
    /// An array of numbers.
    Numbers,
    /// An array of component objects.
    Components,
}

impl FieldKind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Flag => "true or false",
            Self::Texts => "an array of strings",
            Self::Numbers => "an array of numbers",
            Self::Components => "an array of objects",
        }
    }
}

/// When a field must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
    /// Required when `tiered` is true, without meaning otherwise.
    IfTiered,
}

impl Field {
    const fn new(
        name: &'static str,
        kind: FieldKind,
        first: LegacyVersion,
        last: LegacyVersion,
    ) -> Self {
        let need = Need::Required;
        Self {
            name,
            kind,
            need,
            first,
            last,
        }
    }

    const fn needed(self, need: Need) -> Self {
        Self { need, ..self }
    }

    fn is_in(self, version: LegacyVersion) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

/// The fields of an application of this version.
pub fn app_fields(version: LegacyVersion) -> impl Iterator<Item = Field> {
    let tiers = if version.has_components() {
        &[]
    } else {
        &TIERS[..]
    };
    let own = APP.iter().chain(tiers).copied();
    own.filter(move |field| field.is_in(version))
}

/// The fields of a component of this version; none below v4.
pub fn component_fields(version: LegacyVersion) -> impl Iterator<Item = Field> {
    let tiers = if version == V8 { &[] } else { &TIERS[..] };
    let own = COMPONENT.iter().chain(tiers).copied();
    own.filter(move |field| version.has_components() && field.is_in(version))
}

const V1: LegacyVersion = LegacyVersion::V1;
const V2: LegacyVersion = LegacyVersion::V2;
const V3: LegacyVersion = LegacyVersion::V3;
const V4: LegacyVersion = LegacyVersion::V4;
const V5: LegacyVersion = LegacyVersion::V5;
const V6: LegacyVersion = LegacyVersion::V6;
const V7: LegacyVersion = LegacyVersion::V7;
const V8: LegacyVersion = LegacyVersion::V8;

const APP: [Field; 26] = [
    Field::new("version", FieldKind::Number, V1, V8),
    Field::new("name", FieldKind::Text, V1, V8),
    Field::new("description", FieldKind::Text, V1, V8),
    Field::new("owner", FieldKind::Text, V1, V8),
    Field::new("repotag", FieldKind::Text, V1, V3),
    Field::new("port", FieldKind::Number, V1, V1),
    Field::new("containerPort", FieldKind::Number, V1, V1),
    Field::new("ports", FieldKind::Texts, V2, V3),
    Field::new("containerPorts", FieldKind::Texts, V2, V3),
    Field::new("domains", FieldKind::Texts, V2, V3),
    Field::new("enviromentParameters", FieldKind::Texts, V1, V3),
    Field::new("commands", FieldKind::Texts, V1, V3),
    Field::new("containerData", FieldKind::Text, V1, V3),
    Field::new("cpu", FieldKind::Number, V1, V3),
    Field::new("ram", FieldKind::Number, V1, V3),
    Field::new("hdd", FieldKind::Number, V1, V3),
    Field::new("tiered", FieldKind::Flag, V1, V3),
    Field::new("instances", FieldKind::Number, V3, V8),
    Field::new("compose", FieldKind::Components, V4, V8),
    Field::new("contacts", FieldKind::Texts, V5, V8),
    Field::new("geolocation", FieldKind::Texts, V5, V8),
    Field::new("expire", FieldKind::Number, V6, V8),
    Field::new("nodes", FieldKind::Texts, V7, V8),
    Field::new("staticip", FieldKind::Flag, V7, V8),
    Field::new("datacenter", FieldKind::Flag, V8, V8).needed(Need::Optional),
    Field::new("enterprise", FieldKind::Text, V8, V8),
];

const COMPONENT: [Field; 15] = [
    Field::new("name", FieldKind::Text, V4, V8),
    Field::new("description", FieldKind::Text, V4, V8),
    Field::new("repotag", FieldKind::Text, V4, V8),
    Field::new("ports", FieldKind::Numbers, V4, V8),
    Field::new("containerPorts", FieldKind::Numbers, V4, V8),
    Field::new("domains", FieldKind::Texts, V4, V8),
    Field::new("environmentParameters", FieldKind::Texts, V4, V8),
    Field::new("commands", FieldKind::Texts, V4, V8),
    Field::new("containerData", FieldKind::Text, V4, V8),
    Field::new("cpu", FieldKind::Number, V4, V8),
    Field::new("ram", FieldKind::Number, V4, V8),
    Field::new("hdd", FieldKind::Number, V4, V8),
    Field::new("tiered", FieldKind::Flag, V4, V7),
    Field::new("repoauth", FieldKind::Text, V7, V8),
    Field::new("secrets", FieldKind::Text, V7, V7),
];

const TIERS: [Field; 9] = [
    tier("cpubasic"),
    tier("cpusuper"),
    tier("cpubamf"),
    tier("rambasic"),
    tier("ramsuper"),
    tier("rambamf"),
    tier("hddbasic"),
    tier("hddsuper"),
    tier("hddbamf"),
];

const fn tier(name: &'static str) -> Field {
    Field::new(name, FieldKind::Number, V1, V7).needed(Need::IfTiered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_the_fields_of_its_list() {
        let names = |version| {
            app_fields(version)
                .filter(|field| field.need == Need::Required)
                .map(|field| field.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            names(V4),
            [
                "version",
                "name",
                "description",
                "owner",
                "instances",
                "compose"
            ]
        );
        assert_eq!(names(V8).len(), 12);
        assert_eq!(component_fields(V8).count(), 13);
        assert_eq!(component_fields(V7).count(), 24);
        assert_eq!(component_fields(V3).count(), 0);
    }
}
