//! The geolocation rules of a specification: where an application may run
//! (`checkAppGeolocationRequirements` of `hwRequirements.js`, and the filter of `appSpawner.js`).
//!
//! | text | meaning |
//! |---|---|
//! | `aEU`, `bDE` | old form: the continent, the country |
//! | `acEU`, `acEU_DE`, `acEU_DE_Bavaria` | allowed there |
//! | `a!cAS`, `a!cAS_ID`, `a!cAS_ID_Bali` | forbidden there |
//!
//! `ALL` and `NONE` stand for "any" at the place of a country or region, and `acALL` for anywhere. What is forbidden
//! wins; if anything is allowed, one of the allowed places must match; an old continent counts only without rules of the
//! current form.

mod codes;

use std::{fmt, str::FromStr};

use fluxplane_core::Place;

pub use codes::{is_continent, is_country, is_country_of};

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `aXX`.
    OldContinent(String),
    /// `bYY`.
    OldCountry(String),
    Allow(Area),
    Forbid(Area),
}

/// A part of the world; `None` means all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Area {
    pub continent: Option<String>,
    pub country: Option<String>,
    pub region: Option<String>,
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("`{0}` is no rule; write acEU, acEU_DE or acEU_DE_Region to allow and a!cAS to forbid")]
    Form(String),
    #[error("`{0}` is no continent; use AF, AN, AS, EU, NA, OC or SA")]
    Continent(String),
    #[error("`{0}` is no country; use an ISO 3166-1 code such as DE")]
    Country(String),
    #[error("the country {country} is not in {continent}; no node can match")]
    Mismatch { continent: String, country: String },
    #[error("the region is empty; leave out the underscore")]
    EmptyRegion,
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "acALL" {
            Ok(Self::Allow(Area::default()))
        } else if let Some(area) = text.strip_prefix("a!c") {
            area.parse().map(Self::Forbid)
        } else if let Some(area) = text.strip_prefix("ac") {
            area.parse().map(Self::Allow)
        } else if let Some(continent) = text.strip_prefix('a') {
            known_continent(continent).map(|()| Self::OldContinent(continent.to_owned()))
        } else if let Some(country) = text.strip_prefix('b') {
            known_country(country).map(|()| Self::OldCountry(country.to_owned()))
        } else {
            Err(RuleError::Form(text.to_owned()))
        }
    }
}

impl FromStr for Area {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '_');
        let continent = parts.next().unwrap_or_default();
        known_continent(continent)?;
        let mut part = || parts.next().filter(|part| !matches!(*part, "ALL" | "NONE"));
        let (country, region) = (part(), part());
        if let Some(country) = country {
            known_country(country)?;
            if !is_country_of(country, continent) {
                return Err(RuleError::Mismatch {
                    continent: continent.to_owned(),
                    country: country.to_owned(),
                });
            }
        }
        match region {
            Some("") => return Err(RuleError::EmptyRegion),
            Some(_) if country.is_none() => return Err(RuleError::Form(text.to_owned())),
            Some(_) | None => {}
        }
        Ok(Self {
            continent: Some(continent.to_owned()),
            country: country.map(str::to_owned),
            region: region.map(str::to_owned),
        })
    }
}

fn known_continent(code: &str) -> Result<(), RuleError> {
    if is_continent(code) {
        Ok(())
    } else {
        Err(RuleError::Continent(code.to_owned()))
    }
}

fn known_country(code: &str) -> Result<(), RuleError> {
    if is_country(code) {
        Ok(())
    } else {
        Err(RuleError::Country(code.to_owned()))
    }
}

impl Area {
    /// Whether `place` lies in this area.
    pub fn contains(&self, place: &Place) -> bool {
        let fits =
            |wanted: &Option<String>, own: &str| wanted.as_deref().is_none_or(|text| text == own);
        fits(&self.continent, &place.continent)
            && fits(&self.country, &place.country)
            && fits(&self.region, &place.region)
    }

    /// Whether every place of `other` lies in this area.
    pub fn covers(&self, other: &Self) -> bool {
        let fits = |own: &Option<String>, theirs: &Option<String>| own.is_none() || own == theirs;
        fits(&self.continent, &other.continent)
            && fits(&self.country, &other.country)
            && fits(&self.region, &other.region)
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.continent.as_deref().unwrap_or("ALL"))?;
        for part in [&self.country, &self.region].into_iter().flatten() {
            write!(f, "_{part}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldContinent(code) => write!(f, "a{code}"),
            Self::OldCountry(code) => write!(f, "b{code}"),
            Self::Allow(area) => write!(f, "ac{area}"),
            Self::Forbid(area) => write!(f, "a!c{area}"),
        }
    }
}

/// The rules of one application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<Rule>,
}

impl Rules {
    pub const fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// Reads the rules of a specification.
    ///
    /// # Errors
    /// With the position of the first text that is no rule.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, (usize, RuleError)> {
        let rules = texts
            .into_iter()
            .enumerate()
            .map(|(place, text)| text.parse::<Rule>().map_err(|error| (place, error)));
        rules.collect::<Result<_, _>>().map(Self::new)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Whether an instance may run at `place`.
    pub fn allows(&self, place: &Place) -> bool {
        let (mut any_current, mut any_allow, mut allowed) = (false, false, false);
        for rule in &self.rules {
            match rule {
                Rule::Forbid(area) if area.contains(place) => return false,
                Rule::Forbid(_) => any_current = true,
                Rule::Allow(area) => {
                    (any_current, any_allow) = (true, true);
                    allowed |= area.contains(place);
                }
                Rule::OldContinent(_) | Rule::OldCountry(_) => {}
            }
        }
        (allowed || !any_allow) && self.old_forms_allow(place, any_current)
    }

    /// The old forms: only the first of each kind counts.
    fn old_forms_allow(&self, place: &Place, any_current: bool) -> bool {
        let continent = self.rules.iter().find_map(|rule| match rule {
            Rule::OldContinent(code) => Some(code),
            Rule::OldCountry(_) | Rule::Allow(_) | Rule::Forbid(_) => None,
        });
        let country = self.rules.iter().find_map(|rule| match rule {
            Rule::OldCountry(code) => Some(code),
            Rule::OldContinent(_) | Rule::Allow(_) | Rule::Forbid(_) => None,
        });
        (any_current || continent.is_none_or(|code| *code == place.continent))
            && country.is_none_or(|code| *code == place.country)
    }

    /// Whether the rules leave no place at all: something is allowed, and all of it is also forbidden.
    pub fn forbid_everything(&self) -> bool {
        let forbidden = |area: &Area| {
            self.rules.iter().any(|rule| match rule {
                Rule::Forbid(other) => other.covers(area),
                Rule::OldContinent(_) | Rule::OldCountry(_) | Rule::Allow(_) => false,
            })
        };
        let mut allowed = self.rules.iter().filter_map(|rule| match rule {
            Rule::Allow(area) => Some(area),
            Rule::OldContinent(_) | Rule::OldCountry(_) | Rule::Forbid(_) => None,
        });
        allowed
            .next()
            .is_some_and(|first| forbidden(first) && allowed.all(forbidden))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(continent: &str, country: &str, region: &str) -> Place {
        Place {
            continent: continent.to_owned(),
            country: country.to_owned(),
            region: region.to_owned(),
        }
    }

    fn rules(texts: &[&str]) -> Rules {
        Rules::parse(texts.iter().copied()).unwrap()
    }

    #[test]
    fn no_rule_allows_everywhere() {
        assert!(rules(&[]).allows(&place("OC", "NZ", "Otago")));
    }

    #[test]
    fn one_allowed_area_must_match() {
        assert!(rules(&["acALL"]).allows(&place("AN", "AQ", "")));
        let rules = rules(&["acEU_DE", "acEU_CZ_Prague", "acNA_ALL"]);
        assert!(rules.allows(&place("EU", "DE", "Bavaria")));
        assert!(rules.allows(&place("EU", "CZ", "Prague")));
        assert!(rules.allows(&place("NA", "US", "Texas")));
        assert!(!rules.allows(&place("EU", "CZ", "Brno")));
        assert!(!rules.allows(&place("AS", "JP", "Tokyo")));
    }

    #[test]
    fn what_is_forbidden_wins() {
        let rules = rules(&["acAS", "a!cAS_ID_NONE"]);
        assert!(!rules.allows(&place("AS", "ID", "Bali")));
        assert!(rules.allows(&place("AS", "JP", "Tokyo")));
    }

    #[test]
    fn an_old_continent_counts_only_without_current_rules() {
        assert!(!rules(&["aEU"]).allows(&place("AS", "JP", "Tokyo")));
        assert!(rules(&["aEU", "acAS"]).allows(&place("AS", "JP", "Tokyo")));
        assert!(rules(&["aEU", "a!cNA"]).allows(&place("AS", "JP", "Tokyo")));
        assert!(!rules(&["bDE", "acAS"]).allows(&place("AS", "JP", "Tokyo")));
        assert!(rules(&["aEU", "bDE"]).allows(&place("EU", "DE", "Berlin")));
    }

    #[test]
    fn a_region_may_contain_underscores() {
        let rule: Rule = "acEU_DE_A_B".parse().unwrap();
        assert_eq!(rule.to_string(), "acEU_DE_A_B");
    }

    #[test]
    fn every_mistake_is_named() {
        let error = |text: &str| text.parse::<Rule>().unwrap_err();
        assert_eq!(error("whatever"), RuleError::Form("whatever".to_owned()));
        assert_eq!(error(""), RuleError::Form(String::new()));
        assert_eq!(error("acXX"), RuleError::Continent("XX".to_owned()));
        assert_eq!(error("aeu"), RuleError::Continent("eu".to_owned()));
        assert_eq!(error("acEU_XX"), RuleError::Country("XX".to_owned()));
        assert_eq!(error("bZZ"), RuleError::Country("ZZ".to_owned()));
        assert_eq!(error("acEU_DE_"), RuleError::EmptyRegion);
        assert_eq!(error("a!cALL"), RuleError::Continent("ALL".to_owned()));
        assert_eq!(
            error("acEU_ALL_Bavaria"),
            RuleError::Form("EU_ALL_Bavaria".to_owned())
        );
        assert!(matches!(error("acAS_DE"), RuleError::Mismatch { .. }));
    }

    #[test]
    fn rules_that_leave_no_place_are_noticed() {
        assert!(rules(&["acEU_DE", "a!cEU"]).forbid_everything());
        assert!(!rules(&["acEU", "a!cEU_DE"]).forbid_everything());
        assert!(!rules(&["a!cEU"]).forbid_everything());
        assert!(!rules(&[]).forbid_everything());
    }
}
