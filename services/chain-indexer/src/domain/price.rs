//! Price messages: what the foundation writes to itself to change what applications cost.
//!
//! `p_<cpu>_<ram>_<hdd>_<minPrice>_<port>_<scope>_<staticip>` in the last output of a transaction, as FluxOS reads it
//! (RunOnFlux/flux `ZelBack/src/services/explorerService.js`, `processSoftFork`; `utils/chainUtilities.js`,
//! `getChainParamsPriceUpdates`). Numbers stay the digits that were written: what they cost somebody is for pricing to say.

/// First part of a text that sets prices.
const VERSION: &str = "p";

/// What FluxOS takes for the last three numbers when they are missing, zero or no numbers.
const DEFAULTS: [&str; 3] = ["2", "6", "3"];

/// Names of the numbers, in order.
const NAMES: [&str; 4] = ["cpu", "ram", "hdd", "minPrice"];

/// Prices in FLUX for one period, as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceRow {
    pub cpu: String,
    pub ram: String,
    pub hdd: String,
    pub min_price: String,
    pub port: String,
    pub scope: String,
    pub static_ip: String,
}

/// Why a text sets no prices.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceProblem {
    #[error(
        "the text has {0} numbers, a price message has at least four: cpu, ram, hdd and minPrice"
    )]
    TooShort(usize),
    #[error("{name} is `{found}`, prices are decimal numbers such as 0.15")]
    NotANumber { name: &'static str, found: String },
    #[error("another output follows the text, and FluxOS reads the text of the last output only")]
    NotLast,
}

/// Whether a text wants to set prices.
pub fn is_price_text(text: &str) -> bool {
    text.split('_').next() == Some(VERSION)
}

/// Reads a text that wants to set prices.
pub fn read(text: &str) -> Result<PriceRow, PriceProblem> {
    let numbers: Vec<&str> = text.split('_').skip(1).collect();
    let [cpu, ram, hdd, min_price, rest @ ..] = numbers.as_slice() else {
        return Err(PriceProblem::TooShort(numbers.len()));
    };
    let needed = [*cpu, *ram, *hdd, *min_price];
    for (name, found) in NAMES.into_iter().zip(needed) {
        if !is_number(found) {
            let found = found.chars().flat_map(char::escape_debug).collect();
            return Err(PriceProblem::NotANumber { name, found });
        }
    }
    let optional = |index: usize| {
        let written = rest.get(index).copied();
        let counts = |text: &&str| is_number(text) && text.contains(|c| ('1'..='9').contains(&c));
        let default = DEFAULTS.get(index).copied().unwrap_or_default();
        written.filter(counts).unwrap_or(default).to_owned()
    };
    Ok(PriceRow {
        cpu: (*cpu).to_owned(),
        ram: (*ram).to_owned(),
        hdd: (*hdd).to_owned(),
        min_price: (*min_price).to_owned(),
        port: optional(0),
        scope: optional(1),
        static_ip: optional(2),
    })
}

/// Digits with at most one point among them.
fn is_number(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let points = text.bytes().filter(|byte| *byte == b'.').count();
    digits > 0 && points <= 1 && digits + points == text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last_three(text: &str) -> [String; 3] {
        let row = read(text).unwrap();
        [row.port, row.scope, row.static_ip]
    }

    #[test]
    fn all_seven_numbers_are_read_in_their_own_digits() {
        // Mainnet, height 1,597,156.
        let row = read("p_0.03_0.01_0.004_0.01_0.4_0.8_0.40").unwrap();
        assert_eq!((row.cpu.as_str(), row.ram.as_str()), ("0.03", "0.01"));
        assert_eq!(
            (row.hdd.as_str(), row.min_price.as_str()),
            ("0.004", "0.01")
        );
        assert_eq!((row.port.as_str(), row.scope.as_str()), ("0.4", "0.8"));
        assert_eq!(row.static_ip, "0.40");
    }

    #[test]
    fn the_last_three_take_their_defaults_as_fluxos_does() {
        assert_eq!(last_three("p_1_2_3_4"), ["2", "6", "3"]);
        assert_eq!(last_three("p_1_2_3_4_1.5"), ["1.5", "6", "3"]);
        assert_eq!(last_three("p_1_2_3_4_0_x_"), ["2", "6", "3"]);
        assert_eq!(last_three("p_1_2_3_4_5_6_7_8"), ["5", "6", "7"]);
    }

    #[test]
    fn a_malformed_text_says_what_is_wrong_with_it() {
        assert_eq!(read("p"), Err(PriceProblem::TooShort(0)));
        assert_eq!(read("p_1_2_3"), Err(PriceProblem::TooShort(3)));
        for (text, name) in [
            ("p_x_2_3_4", "cpu"),
            ("p_1__3_4", "ram"),
            ("p_1_2_-3_4", "hdd"),
            ("p_1_2_3_1.2.3", "minPrice"),
            ("p_1_2_3_.", "minPrice"),
        ] {
            let problem = read(text).unwrap_err();
            assert!(problem.to_string().starts_with(name), "{problem}");
        }
    }

    #[test]
    fn only_texts_of_the_version_p_set_prices() {
        assert!(is_price_text("p_1_2_3_4") && is_price_text("p"));
        for other in ["", "q_1_2_3_4", "price_1", "P_1_2_3_4", " p_1"] {
            assert!(!is_price_text(other), "{other}");
        }
    }
}
