//! Money as the API shows it: a decimal text for people, the smallest units for programs.

use fluxplane_core::Sat;
use fluxplane_proto::common::v1::Money;
use serde::Serialize;
use utoipa::ToSchema;

use super::wire::Malformed;

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"amount": "0.60000000", "currency": "FLUX", "units": 60_000_000}))]
pub struct Amount {
    /// Decimal text with all places: 8 for FLUX, 6 for USD.
    pub amount: String,
    /// `FLUX` or `USD`.
    pub currency: String,
    /// The same in the smallest unit: sat (1e-8 FLUX), micro-dollar (1e-6 USD).
    pub units: i64,
}

impl Amount {
    pub fn flux(units: i64) -> Self {
        Self {
            amount: Sat::new(units).to_string(),
            currency: "FLUX".to_owned(),
            units,
        }
    }

    pub fn usd(units: i64) -> Self {
        const MICRO: u64 = 1_000_000;
        let sign = if units < 0 { "-" } else { "" };
        let magnitude = units.unsigned_abs();
        let amount = format!("{sign}{}.{:06}", magnitude / MICRO, magnitude % MICRO);
        Self {
            amount,
            currency: "USD".to_owned(),
            units,
        }
    }

    /// Reads an amount that another service must have sent.
    pub fn from_wire(field: &'static str, money: Option<Money>) -> Result<Self, Malformed> {
        let money = money.ok_or_else(|| Malformed::missing(field))?;
        match money.currency.as_str() {
            "FLUX" => Ok(Self::flux(money.units)),
            "USD" => Ok(Self::usd(money.units)),
            other => Err(Malformed::value(field, other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_places() {
        assert_eq!(Amount::flux(60_000_000).amount, "0.60000000");
        assert_eq!(Amount::usd(1_500_000).amount, "1.500000");
        assert_eq!(Amount::usd(-1).amount, "-0.000001");
    }

    #[test]
    fn an_unknown_currency_is_not_guessed() {
        let money = |currency: &str| {
            Some(Money {
                units: 1,
                currency: currency.to_owned(),
            })
        };
        assert!(Amount::from_wire("price", money("EUR")).is_err());
        assert!(Amount::from_wire("price", None).is_err());
        assert_eq!(
            Amount::from_wire("price", money("FLUX")).unwrap(),
            Amount::flux(1)
        );
    }
}
