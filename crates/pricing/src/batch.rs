//! One JSON line in, one JSON line out: `fluxctl spec price --batch`.
//!
//! Numbers are printed as JavaScript prints them, so that outputs compare byte for byte with those of FluxOS.

use fluxplane_app_spec::{
    batch::{Line, LineError, answer, error_answer},
    json::{Object, Value, stringify},
    legacy::{LegacyError, LegacySpec},
};

use crate::legacy::float::{
    Discount, MarketplaceApp, Previous, PriceError, PriceTable, PriceUsd, Terms, UsdPrices,
    UserQuote, UserTerms, chain_quote, min_accepted_sat, month_price, user_quote,
};

/// A line without a price.
#[derive(Debug, thiserror::Error)]
enum PriceLineError {
    #[error(transparent)]
    Line(#[from] LineError),
    #[error("{field}: {error}")]
    Spec {
        field: &'static str,
        error: LegacyError,
    },
    #[error(transparent)]
    Price(#[from] PriceError),
}

/// `{"height", "fluxUsdRate", "spec", "previous"?, "recentUpdates"?, "marketplace"?}` ->
/// `{"monthlyFlux", "monthlyUsd", "chainQuoteFlux", "minAcceptedSat", "quote": {"usd", "flux", "fluxDiscount"}}`.
///
/// Without a rate, `quote` is null. Validation is skipped, as FluxOS skips it for prices; only the formatter must succeed.
pub fn price_line(line: &[u8]) -> String {
    price(line).unwrap_or_else(|error| error_answer(&error))
}

fn price(line: &[u8]) -> Result<String, PriceLineError> {
    let mut line = Line::read(line)?;
    let height = line.whole("height")?;
    let rate = line
        .get("fluxUsdRate")
        .map(|_| line.read_as("fluxUsdRate", "a number", Value::as_number))
        .transpose()?;
    let recent_updates = list(&line, "recentUpdates", "an array of heights", Value::as_u64)?;
    let marketplace = list(
        &line,
        "marketplace",
        "an array of {name, multiplier}",
        |app| app.as_object().and_then(marketplace_app),
    )?;
    let previous = previous(&mut line)?;
    let submitted = line.take("spec", "the specification")?;
    let price_usd = price_usd(&submitted)?;
    let spec = LegacySpec::from_value(submitted).map_err(|error| PriceLineError::Spec {
        field: "spec",
        error,
    })?;

    let (flux, usd) = (PriceTable::mainnet(), UsdPrices::default());
    let terms = Terms {
        height,
        flux: &flux,
        previous: previous.as_ref(),
    };
    let quote = match rate {
        None => Value::Null,
        Some(rate) => {
            let user = UserTerms {
                usd: &usd,
                rate,
                recent_updates: &recent_updates,
                marketplace: &marketplace,
                price_usd: price_usd.as_ref(),
            };
            quote_value(user_quote(&spec, &terms, &user)?)
        }
    };
    let row = flux.at(height)?;
    Ok(answer([
        ("monthlyFlux", month_price(&spec, height, row).into()),
        ("monthlyUsd", month_price(&spec, height, &usd.row).into()),
        ("chainQuoteFlux", chain_quote(&spec, &terms)?.into()),
        (
            "minAcceptedSat",
            min_accepted_sat(&spec, &terms, previous.is_some())?.into(),
        ),
        ("quote", quote),
    ]))
}

fn quote_value(quote: UserQuote) -> Value {
    let discount = match quote.discount {
        Discount::Free => Value::Number(0.0),
        Discount::Percent(percent) => Value::Number(percent),
        Discount::NotPossible => Value::from(Discount::NOT_POSSIBLE),
    };
    let fields = [
        ("usd", quote.usd.into()),
        ("flux", quote.flux.into()),
        ("fluxDiscount", discount),
    ];
    Value::Object(fields.into_iter().collect())
}

fn list<T>(
    line: &Line,
    field: &'static str,
    expected: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Vec<T>, LineError> {
    if line.get(field).is_none() {
        return Ok(Vec::new());
    }
    line.read_as(field, expected, |value| {
        value.as_array()?.iter().map(read).collect()
    })
}

fn marketplace_app(app: &Object) -> Option<MarketplaceApp> {
    let multiplier = app.get("multiplier").filter(|value| **value != Value::Null);
    Some(MarketplaceApp {
        name: app.get("name")?.as_str()?.to_owned(),
        // A template without one has no effect on prices.
        multiplier: multiplier.map_or(Some(1.0), Value::as_number)?,
    })
}

fn previous(line: &mut Line) -> Result<Option<Previous>, PriceLineError> {
    if line.get("previous").is_none() {
        return Ok(None);
    }
    let height = line.read_as("previous", "an application row with its height", |row| {
        row.as_object()?.get("height")?.as_u64()
    })?;
    let row = line.take("previous", "an application row")?;
    let spec = LegacySpec::from_value(row).map_err(|error| PriceLineError::Spec {
        field: "previous",
        error,
    })?;
    Ok(Some(Previous { spec, height }))
}

/// `priceUSD` of the request, which FluxOS reads beside the specification.
fn price_usd(submitted: &Value) -> Result<Option<PriceUsd>, LineError> {
    let wished = submitted.as_object().and_then(|spec| spec.get("priceUSD"));
    match wished.filter(|value| value.is_truthy()) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(PriceUsd::Number(*number))),
        // JavaScript compares and prints `true` as 1.
        Some(Value::Bool(_)) => Ok(Some(PriceUsd::Number(1.0))),
        Some(Value::String(text)) => Ok(Some(PriceUsd::Text(text.to_text().into_owned()))),
        Some(other @ (Value::Null | Value::Array(_) | Value::Object(_))) => Err(LineError::Type {
            field: "priceUSD",
            value: stringify(other),
            expected: "a number",
        }),
    }
}
