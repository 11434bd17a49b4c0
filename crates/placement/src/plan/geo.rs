//! Geolocation rules in numbers, so that judging a class costs integer comparisons.

use crate::{
    engine::{
        class::{ClassKey, Classes},
        intern::Interner,
    },
    request::{Geo, GeoPattern},
};

/// A place in numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PlaceKey {
    pub continent: u32,
    pub country: u32,
    pub region: u32,
}

/// What the rules say of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClassVerdict {
    Permitted,
    Refused,
    /// It depends on the region.
    ByRegion,
}

#[derive(Debug, Clone)]
pub(crate) struct Rules {
    allow: Vec<Rule>,
    /// Without repetitions, in the order of the request.
    forbid: Vec<(Rule, GeoPattern)>,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    continent: Part,
    country: Part,
    region: Part,
}

#[derive(Debug, Clone, Copy)]
enum Part {
    Any,
    Number(u32),
    /// A name that no node bears.
    Nowhere,
}

/// What the rules say of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    Permitted,
    /// One rule forbids it, and nothing else speaks against it.
    ForbiddenBy(&'a GeoPattern),
    /// No rule forbids it, but none allows it.
    NotAllowed,
    /// Several rules speak against it.
    Hopeless,
}

impl Rules {
    pub(crate) fn new(geo: &Geo, classes: &Classes) -> Self {
        let rule = |pattern: &GeoPattern| Rule {
            continent: part(pattern.continent.as_deref(), &classes.continents),
            country: part(pattern.country.as_deref(), &classes.countries),
            region: part(pattern.region.as_deref(), &classes.regions),
        };
        let mut forbid: Vec<(Rule, GeoPattern)> = Vec::new();
        for pattern in &geo.forbid {
            if forbid.iter().all(|(_, other)| other != pattern) {
                forbid.push((rule(pattern), pattern.clone()));
            }
        }
        Self {
            allow: geo.allow.iter().map(rule).collect(),
            forbid,
        }
    }

    pub(crate) fn permits(&self, place: PlaceKey) -> bool {
        !self.forbid.iter().any(|(rule, _)| rule.matches(place)) && self.allows(place)
    }

    fn allows(&self, place: PlaceKey) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|rule| rule.matches(place))
    }

    pub(crate) fn judge_class(&self, class: ClassKey) -> ClassVerdict {
        if self.allow.is_empty() && self.forbid.is_empty() {
            return ClassVerdict::Permitted;
        }
        let forbid = || self.forbid.iter().map(|(rule, _)| rule);
        let allow = || self.allow.iter();
        let whole = |rule: &Rule| rule.covers_class(class) && rule.region.open();
        let partly = |rule: &Rule| rule.covers_class(class) && !rule.region.open();
        let allowed = self.allow.is_empty() || allow().any(whole);
        if forbid().any(whole) || !(allowed || allow().any(partly)) {
            ClassVerdict::Refused
        } else if forbid().any(partly) || !allowed {
            ClassVerdict::ByRegion
        } else {
            ClassVerdict::Permitted
        }
    }

    pub(crate) fn judge(&self, place: PlaceKey) -> Verdict<'_> {
        let mut against = self.forbid.iter().filter(|(rule, _)| rule.matches(place));
        match (against.next(), against.next(), self.allows(place)) {
            (None, _, true) => Verdict::Permitted,
            (None, _, false) => Verdict::NotAllowed,
            (Some((_, pattern)), None, true) => Verdict::ForbiddenBy(pattern),
            (Some(_), _, _) => Verdict::Hopeless,
        }
    }
}

fn part(name: Option<&str>, names: &Interner<String>) -> Part {
    name.map_or(Part::Any, |name| {
        names.get(name).map_or(Part::Nowhere, Part::Number)
    })
}

impl Rule {
    fn matches(self, place: PlaceKey) -> bool {
        self.continent.matches(place.continent)
            && self.country.matches(place.country)
            && self.region.matches(place.region)
    }

    fn covers_class(self, class: ClassKey) -> bool {
        self.continent.matches(class.continent) && self.country.matches(class.country)
    }
}

impl Part {
    const fn open(self) -> bool {
        matches!(self, Self::Any)
    }

    const fn matches(self, number: u32) -> bool {
        match self {
            Self::Any => true,
            Self::Number(own) => own == number,
            Self::Nowhere => false,
        }
    }
}
