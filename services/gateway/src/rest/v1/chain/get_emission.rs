//! `GET /v1/chain/emission`

use axum::{Json, extract::State};
use chrono::{DateTime, Utc};
use fluxplane_core::error::Violation;
use fluxplane_proto::chain_indexer::v1::{self as wire, GetEmissionRequest};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::rest::{Failure, Gateway, amount::Amount, extract::QueryParams, wire::time};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EmissionQuery {
    /// First calendar year; together with `to`, or neither. Without them the present year and the fifteen after it.
    #[param(minimum = 1970, maximum = 9999, example = 2025)]
    pub from: Option<i32>,
    /// Last calendar year, at most 199 after the first.
    #[param(minimum = 1970, maximum = 9999, example = 2040)]
    pub to: Option<i32>,
    /// The bound for `first_year_below`, in parts per million: 10000 is 1 %.
    #[param(minimum = 1, default = 10_000)]
    pub below_ppm: Option<u64>,
    /// Milliseconds between blocks to assume from the anchor on; the network's rule when left out.
    #[param(minimum = 1)]
    pub spacing_ms: Option<u32>,
}

impl EmissionQuery {
    fn into_wire(self) -> Result<GetEmissionRequest, Failure> {
        let (from_year, to_year) = match (self.from, self.to) {
            (Some(from), Some(to)) => (from, to),
            (None, None) => (0, 0),
            (Some(from), None) => return Err(alone("to", from)),
            (None, Some(to)) => return Err(alone("from", to)),
        };
        Ok(GetEmissionRequest {
            from_year,
            to_year,
            below_ppm: positive("below_ppm", self.below_ppm)?,
            spacing_ms: positive("spacing_ms", self.spacing_ms)?,
        })
    }
}

fn alone(missing: &str, given: i32) -> Failure {
    let rule = "a range of years has a first and a last one";
    let remedy = format!("add {missing}, or leave out both; the other is {given}");
    Failure::invalid(Violation::new(missing, "missing", rule, remedy))
}

/// 0 stands for "the default" between our services, so nobody else may say it.
fn positive<N: Default + PartialEq>(field: &str, value: Option<N>) -> Result<N, Failure> {
    match value {
        Some(value) if value == N::default() => Err(Failure::invalid(Violation::new(
            field,
            0,
            "a number above 0 is expected",
            "leave it out for the default",
        ))),
        value => Ok(value.unwrap_or_default()),
    }
}

/// What the rules of the chain create in a calendar year.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmissionYear {
    #[schema(example = 2036)]
    pub year: i32,
    pub first_height: u32,
    pub last_height: u32,
    pub emission: Amount,
    /// Issued by the rules up to 1 January.
    pub supply_at_start: Amount,
    /// Emission against the supply at the start, in parts per million.
    #[schema(example = 9_822)]
    pub inflation_ppm: u64,
    /// What the first block of the year creates, one-time payments left out.
    pub subsidy: Amount,
}

impl From<wire::EmissionYear> for EmissionYear {
    fn from(year: wire::EmissionYear) -> Self {
        Self {
            year: year.year,
            first_height: year.first_height,
            last_height: year.last_height,
            emission: Amount::flux(year.emission_sat),
            supply_at_start: Amount::flux(year.supply_at_start_sat),
            inflation_ppm: year.inflation_ppm,
            subsidy: Amount::flux(year.subsidy_sat),
        }
    }
}

/// Emission by calendar year, computed from the rules.
#[derive(Debug, Serialize, ToSchema)]
pub struct Emission {
    pub years: Vec<EmissionYear>,
    /// The first year of the network's life whose inflation is below the bound; null when there is none before 10000.
    pub first_year_below: Option<EmissionYear>,
    pub below_ppm: u64,
    /// The block whose time is known, from which years are counted.
    pub anchor_height: u32,
    pub anchor_time: DateTime<Utc>,
    pub spacing_ms: u32,
}

/// Forecast the emission
///
/// Coins the rules create by calendar year (UTC), and the first year whose inflation is below a bound.
#[utoipa::path(
    get,
    path = "/v1/chain/emission",
    tag = "chain",
    params(EmissionQuery),
    responses((status = 200, description = "The forecast", body = Emission)),
)]
pub async fn get_emission(
    State(gateway): State<Gateway>,
    QueryParams(query): QueryParams<EmissionQuery>,
) -> Result<Json<Emission>, Failure> {
    let request = query.into_wire()?;
    let answer = gateway.peers.fluxnodes.get_emission(request).await?;
    Ok(Json(Emission {
        years: answer.years.into_iter().map(EmissionYear::from).collect(),
        first_year_below: answer.first_year_below.map(EmissionYear::from),
        below_ppm: answer.below_ppm,
        anchor_height: answer.anchor_height,
        anchor_time: time("anchor_time", answer.anchor_time)?,
        spacing_ms: answer.spacing_ms,
    }))
}
