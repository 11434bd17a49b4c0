//! `POST /apps/calculateprice` and `/apps/calculatefiatandfluxprice`: what a specification would cost, in USD and FLUX.
//!
//! As in FluxOS nothing is verified; the price of a specification that could never run is still a price. `flux` is what this
//! plane asks: where FluxOS would quote less than its own network takes, that amount is asked.

use axum::extract::State;
use fluxplane_app_spec::{
    json::{Value, stringify},
    legacy::LegacySpec,
};
use fluxplane_core::error::Reason;
use fluxplane_proto::billing::v1::{EstimatePriceRequest, FluxDiscount};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{published, verify::specification};
use crate::rest::{
    Gateway,
    amount::Amount,
    fluxos::{
        body::Fields,
        decimal::decimal,
        envelope::{Data, Refused},
    },
    wire::Malformed,
};

/// FluxOS' text for a discount that its rules do not give (`getAppFiatAndFluxPrice`).
const NOT_POSSIBLE: &str = "Not possible to define discount";

/// Places of FLUX and of the micro-dollar.
const FLUX_PLACES: u32 = 8;
const USD_PLACES: u32 = 6;

#[derive(Debug, Serialize)]
pub struct Price {
    usd: Box<RawValue>,
    flux: Box<RawValue>,
    #[serde(rename = "fluxDiscount")]
    flux_discount: Discount,
}

/// Percent, or FluxOS' text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Discount {
    Percent(u32),
    Text(&'static str),
}

pub async fn calculate(
    State(gateway): State<Gateway>,
    fields: Fields,
) -> Result<Data<Price>, Refused> {
    let submitted = Value::Object(specification(fields)?);
    let spec_json = stringify(&submitted);
    let spec = LegacySpec::from_value(submitted)
        .map_err(|err| Refused::because(Reason::SpecInvalid, err.text))?;
    let running = published::current(&gateway, &spec.name.to_text()).await?;
    let (update_of, owner) = running
        .map(|message| (message.app_name, message.owner))
        .unwrap_or_default();
    let request = EstimatePriceRequest {
        spec_json,
        update_of,
        owner,
    };
    let answer = gateway.peers.billing.estimate_price(request).await?;
    let flux_discount = match answer.discount() {
        FluxDiscount::Free => Discount::Percent(0),
        FluxDiscount::Percent => Discount::Percent(answer.discount_percent),
        FluxDiscount::NotPossible => Discount::Text(NOT_POSSIBLE),
        FluxDiscount::Unspecified => {
            return Err(Malformed::value("discount", answer.discount).into());
        }
    };
    Ok(Data(Price {
        usd: decimal(
            Amount::from_wire("price_usd", answer.price_usd)?.units,
            USD_PLACES,
        )?,
        flux: decimal(Amount::from_wire("price", answer.price)?.units, FLUX_PLACES)?,
        flux_discount,
    }))
}
