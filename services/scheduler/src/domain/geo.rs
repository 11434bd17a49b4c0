//! FluxOS' geolocation rules as patterns of places.
//!
//! Two things differ: FluxOS takes rules of an old form, which narrow down the current ones instead of adding to them, and
//! its rules may leave no place at all, which a list of patterns says by forbidding everything.

use fluxplane_app_spec::geolocation::{Area, Rule, Rules};
use fluxplane_placement::{Geo, GeoPattern};

/// The patterns that permit exactly the places the rules allow.
pub fn of_rules(rules: &Rules) -> Geo {
    let mut geo = Geo::default();
    let (mut any_current, mut old_continent, mut old_country) = (false, None, None);
    for rule in rules.iter() {
        match rule {
            Rule::Allow(area) => {
                any_current = true;
                geo.allow.push(pattern(area));
            }
            Rule::Forbid(area) => {
                any_current = true;
                geo.forbid.push(pattern(area));
            }
            // Of several rules of an old form only the first counts.
            Rule::OldContinent(code) => old_continent = old_continent.or(Some(code)),
            Rule::OldCountry(code) => old_country = old_country.or(Some(code)),
        }
    }
    let old = GeoPattern {
        // An old continent counts only without rules of the current form.
        continent: old_continent.filter(|_| !any_current).cloned(),
        country: old_country.cloned(),
        region: None,
    };
    if old != GeoPattern::default() {
        narrow(&mut geo, &old);
    }
    geo
}

/// Leaves of the allowed places those that also match `old`.
fn narrow(geo: &mut Geo, old: &GeoPattern) {
    if geo.allow.is_empty() {
        geo.allow.push(old.clone());
        return;
    }
    geo.allow = geo
        .allow
        .iter()
        .filter_map(|allowed| both(allowed, old))
        .collect();
    if geo.allow.is_empty() {
        geo.forbid.push(GeoPattern::default());
    }
}

/// The places that match two patterns; `None` when they contradict each other.
fn both(a: &GeoPattern, b: &GeoPattern) -> Option<GeoPattern> {
    let part = |a: &Option<String>, b: &Option<String>| match (a, b) {
        (Some(a), Some(b)) if a != b => Err(()),
        (Some(one), _) | (None, Some(one)) => Ok(Some(one.clone())),
        (None, None) => Ok(None),
    };
    Some(GeoPattern {
        continent: part(&a.continent, &b.continent).ok()?,
        country: part(&a.country, &b.country).ok()?,
        region: part(&a.region, &b.region).ok()?,
    })
}

fn pattern(area: &Area) -> GeoPattern {
    GeoPattern {
        continent: area.continent.clone(),
        country: area.country.clone(),
        region: area.region.clone(),
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::Place;
    use proptest::prelude::*;

    use super::*;

    fn place() -> impl Strategy<Value = Place> {
        let places = [
            ("EU", "DE", "Bavaria"),
            ("EU", "DE", "Saxony"),
            ("EU", "FR", "Brittany"),
            ("NA", "US", "Ohio"),
            ("AS", "ID", "Bali"),
        ];
        proptest::sample::select(places.to_vec()).prop_map(|(continent, country, region)| Place {
            continent: continent.to_owned(),
            country: country.to_owned(),
            region: region.to_owned(),
        })
    }

    proptest! {
        #[test]
        fn patterns_permit_what_the_rules_allow(
            texts in proptest::collection::vec(proptest::sample::select(vec![
                "acEU", "acEU_DE", "acEU_DE_Bavaria", "acALL", "acNA_US", "a!cEU", "a!cEU_DE",
                "a!cEU_DE_Saxony", "a!cAS_ID", "aEU", "aNA", "bDE", "bUS", "acEU_ALL",
            ]), 0..5),
            place in place(),
        ) {
            let rules = Rules::parse(texts).unwrap();
            prop_assert_eq!(of_rules(&rules).permits(&place), rules.allows(&place));
        }
    }
}
