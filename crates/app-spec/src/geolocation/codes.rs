//! Continents and countries (ISO 3166-1 alpha-2) as the geolocation services name them.
//!
//! Countries that lie on two continents, or that the services place differently, are listed under both: a rule is
//! refused only when no node can ever match it.

/// Continents and their countries. `XK` (Kosovo) is no ISO code, but what the services report.
const CONTINENTS: [(&str, &[&str]); 7] = [
    (
        "AF",
        &[
            "AO", "BF", "BI", "BJ", "BW", "CD", "CF", "CG", "CI", "CM", "CV", "DJ", "DZ", "EG",
            "EH", "ER", "ET", "GA", "GH", "GM", "GN", "GQ", "GW", "IO", "KE", "KM", "LR", "LS",
            "LY", "MA", "MG", "ML", "MR", "MU", "MW", "MZ", "NA", "NE", "NG", "RE", "RW", "SC",
            "SD", "SH", "SL", "SN", "SO", "SS", "ST", "SZ", "TD", "TF", "TG", "TN", "TZ", "UG",
            "YT", "ZA", "ZM", "ZW",
        ],
    ),
    ("AN", &["AQ", "BV", "GS", "HM", "TF"]),
    (
        "AS",
        &[
            "AE", "AF", "AM", "AZ", "BD", "BH", "BN", "BT", "CC", "CN", "CX", "CY", "EG", "GE",
            "HK", "ID", "IL", "IN", "IO", "IQ", "IR", "JO", "JP", "KG", "KH", "KP", "KR", "KW",
            "KZ", "LA", "LB", "LK", "MM", "MN", "MO", "MV", "MY", "NP", "OM", "PH", "PK", "PS",
            "QA", "RU", "SA", "SG", "SY", "TH", "TJ", "TL", "TM", "TR", "TW", "UZ", "VN", "YE",
        ],
    ),
    (
        "EU",
        &[
            "AD", "AL", "AM", "AT", "AX", "AZ", "BA", "BE", "BG", "BY", "CH", "CY", "CZ", "DE",
            "DK", "EE", "ES", "FI", "FO", "FR", "GB", "GE", "GG", "GI", "GR", "HR", "HU", "IE",
            "IM", "IS", "IT", "JE", "KZ", "LI", "LT", "LU", "LV", "MC", "MD", "ME", "MK", "MT",
            "NL", "NO", "PL", "PT", "RO", "RS", "RU", "SE", "SI", "SJ", "SK", "SM", "TR", "UA",
            "VA", "XK",
        ],
    ),
    (
        "NA",
        &[
            "AG", "AI", "AW", "BB", "BL", "BM", "BQ", "BS", "BZ", "CA", "CR", "CU", "CW", "DM",
            "DO", "GD", "GL", "GP", "GT", "HN", "HT", "JM", "KN", "KY", "LC", "MF", "MQ", "MS",
            "MX", "NI", "PA", "PM", "PR", "SV", "SX", "TC", "TT", "US", "VC", "VG", "VI", "UM",
        ],
    ),
    (
        "OC",
        &[
            "AS", "AU", "CC", "CK", "CX", "FJ", "FM", "GU", "KI", "MH", "MP", "NC", "NF", "NR",
            "NU", "NZ", "PF", "PG", "PN", "PW", "SB", "TK", "TL", "TO", "TV", "UM", "VU", "WF",
            "WS",
        ],
    ),
    (
        "SA",
        &[
            "AR", "AW", "BO", "BQ", "BR", "CL", "CO", "CW", "EC", "FK", "GF", "GS", "GY", "PE",
            "PY", "SR", "TT", "UY", "VE",
        ],
    ),
];

/// Whether `code` is a continent.
pub fn is_continent(code: &str) -> bool {
    CONTINENTS.iter().any(|(continent, _)| *continent == code)
}

/// Whether `code` is a country.
pub fn is_country(code: &str) -> bool {
    CONTINENTS
        .iter()
        .any(|(_, countries)| countries.contains(&code))
}

/// Whether a node in `country` may report `continent`.
pub fn is_country_of(country: &str, continent: &str) -> bool {
    CONTINENTS
        .iter()
        .any(|(own, countries)| *own == continent && countries.contains(&country))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_249_iso_countries_and_kosovo_are_known() {
        let countries: BTreeSet<_> = CONTINENTS.iter().flat_map(|(_, codes)| *codes).collect();
        assert_eq!(countries.len(), 250);
        assert!(countries.iter().all(|code| code.len() == 2));
    }
}
