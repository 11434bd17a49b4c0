//! Price tables: the rows of `fluxapps.price` in `ZelBack/config/default.js`, and the rows that price messages on the
//! chain add (`ZelBack/src/services/utils/chainUtilities.js`).

use fluxplane_app_spec::json::{JsString, number_from_text};

use super::PriceError;

/// Prices per default term, about a month, for three instances.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The row is in force above this height; the first stands at -1.
    pub height: i64,
    /// Per tenth of a core.
    pub cpu: f64,
    /// Per 100 MB.
    pub ram: f64,
    /// Per GB.
    pub hdd: f64,
    /// Smallest payment that is looked at.
    pub min_price: f64,
    /// Per priced port.
    pub port: f64,
    /// For pinned nodes or an encrypted part.
    pub scope: f64,
    pub static_ip: f64,
    /// Smallest price in USD; the FLUX rows have none.
    pub min_usd: Option<f64>,
}

/// The rows in FLUX, ascending.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceTable {
    rows: Vec<Row>,
}

/// The price list in USD (`fluxapps.usdprice`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UsdPrices {
    pub row: Row,
    /// What is left of the price when it is paid in FLUX.
    pub flux_multiplier: f64,
    /// Raises all prices.
    pub multiplier: f64,
}

/// A price message: the text of a transaction from the foundation to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceMessage {
    pub height: u64,
    /// `p_<cpu>_<ram>_<hdd>_<minPrice>_<port>_<scope>_<staticip>`; the last three may be missing.
    pub text: String,
}

impl Row {
    const fn flux(height: i64, main: [f64; 4], extra: [f64; 3]) -> Self {
        let [cpu, ram, hdd, min_price] = main;
        let [port, scope, static_ip] = extra;
        Self {
            height,
            cpu,
            ram,
            hdd,
            min_price,
            port,
            scope,
            static_ip,
            min_usd: None,
        }
    }

    /// The row that a price message sets; `None` when it has no fourth number. Texts that are no numbers give a row
    /// that prices nothing (NaN), and then the network takes no payment: this is what FluxOS does.
    pub fn from_message(message: &PriceMessage) -> Option<Self> {
        let parts: Vec<&str> = message.text.split('_').collect();
        if parts.get(4).is_none_or(|part| part.is_empty()) {
            return None;
        }
        let number = |place: usize| {
            let part = parts.get(place).copied();
            part.map_or(f64::NAN, |text| number_from_text(&JsString::from(text)))
        };
        let or = |number: f64, default: f64| {
            if number == 0.0 || number.is_nan() {
                default
            } else {
                number
            }
        };
        let height = i64::try_from(message.height).ok()?;
        let main = [number(1), number(2), number(3), number(4)];
        let extra = [or(number(5), 2.0), or(number(6), 6.0), or(number(7), 3.0)];
        Some(Self::flux(height, main, extra))
    }
}

/// The table of FluxOS v8.17.
const MAINNET: [Row; 6] = [
    Row::flux(-1, [3.0, 1.0, 0.5, 1.0], [2.0, 6.0, 3.0]),
    Row::flux(983_000, [0.3, 0.1, 0.05, 0.1], [2.0, 6.0, 3.0]),
    Row::flux(1_004_000, [0.06, 0.02, 0.01, 0.01], [2.0, 6.0, 3.0]),
    Row::flux(1_288_000, [0.15, 0.05, 0.02, 0.01], [2.0, 6.0, 3.0]),
    Row::flux(1_594_832, [0.15, 0.05, 0.02, 0.01], [1.5, 6.0, 3.0]),
    Row::flux(1_597_156, [0.03, 0.01, 0.004, 0.01], [0.4, 0.8, 0.4]),
];

impl PriceTable {
    /// The rows of FluxOS v8.17 without price messages.
    pub fn mainnet() -> Self {
        Self {
            rows: MAINNET.to_vec(),
        }
    }

    /// The rows, ascending.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Adds the rows of price messages. Rows of the same height keep their order, so the later one counts.
    #[must_use]
    pub fn with_messages<'a>(
        mut self,
        messages: impl IntoIterator<Item = &'a PriceMessage>,
    ) -> Self {
        self.rows
            .extend(messages.into_iter().filter_map(Row::from_message));
        self.rows.sort_by_key(|row| row.height);
        self
    }

    /// The row in force at a height: the last one strictly below it.
    ///
    /// # Errors
    /// When no row is below the height.
    pub fn at(&self, height: u64) -> Result<&Row, PriceError> {
        let is_below = |row: &&Row| u64::try_from(row.height).map_or(true, |own| own < height);
        self.rows
            .iter()
            .rfind(is_below)
            .ok_or(PriceError::NoRow { height })
    }
}

impl Default for UsdPrices {
    /// The list of FluxOS v8.17.
    fn default() -> Self {
        let row = Row::flux(-1, [0.15, 0.05, 0.02, 0.01], [2.0, 4.0, 2.0]);
        Self {
            row: Row {
                min_usd: Some(0.99),
                ..row
            },
            flux_multiplier: 0.95,
            multiplier: 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(height: u64, text: &str) -> PriceMessage {
        let text = text.to_owned();
        PriceMessage { height, text }
    }

    #[test]
    fn a_row_is_in_force_strictly_above_its_height() {
        let table = PriceTable::mainnet();
        let height = |height| table.at(height).map(|row| row.height);
        assert_eq!(height(0), Ok(-1));
        assert_eq!(height(983_000), Ok(-1));
        assert_eq!(height(983_001), Ok(983_000));
        assert_eq!(height(9_000_000), Ok(1_597_156));
    }

    #[test]
    fn a_price_message_sets_a_row() {
        let messages = [
            message(1_700_000, "p_0.02_0.005_0.002_0.01"),
            message(1_650_000, "p_1_2_3_4_5_0_x"),
            message(1_800_000, "p_1_2_3"),
            message(1_700_000, "p_0.04_0.005_0.002_0.01_1"),
        ];
        let table = PriceTable::mainnet().with_messages(&messages);
        let at = |height| *table.at(height).unwrap();
        assert_eq!(
            at(1_650_001),
            Row::flux(1_650_000, [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 3.0])
        );
        let later = Row::flux(1_700_000, [0.04, 0.005, 0.002, 0.01], [1.0, 6.0, 3.0]);
        assert_eq!(at(1_700_001), later);
        assert_eq!(at(1_900_000), later);
    }

    #[test]
    fn a_message_without_numbers_prices_nothing() {
        let row = Row::from_message(&message(1, "p_a_b_c_d")).unwrap();
        assert!(row.cpu.is_nan() && row.min_price.is_nan());
        assert!(row.port.to_bits() == 2.0_f64.to_bits());
    }
}
