//! `chain emission`

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    ChainParams,
    emission::{CalendarYear, Schedule},
};
use serde::Serialize;

use crate::{
    cli::chain::Emission,
    error::Error,
    exit::Exit,
    render::{Paint, Table, Ui, paint::Tone},
};

/// Years that are searched for one below a bound.
const LAST_YEAR: i32 = 2_400;

#[derive(Debug, Serialize)]
struct Year {
    #[serde(rename = "year")]
    number: i32,
    first_height: u32,
    last_height: u32,
    emission: String,
    emission_sat: Sat,
    /// On 1 January, by the rules; what miners left unclaimed is not taken off.
    supply_at_start: String,
    supply_at_start_sat: Sat,
    inflation_percent: String,
    inflation_ppm: u64,
}

impl From<CalendarYear> for Year {
    fn from(year: CalendarYear) -> Self {
        let ppm = year.inflation().parts_per_million();
        Self {
            number: year.year,
            first_height: year.first_height,
            last_height: year.last_height,
            emission: year.emission.to_string(),
            emission_sat: year.emission,
            supply_at_start: year.supply_at_start.to_string(),
            supply_at_start_sat: year.supply_at_start,
            inflation_percent: percent(ppm),
            inflation_ppm: ppm,
        }
    }
}

#[derive(Debug, Serialize)]
struct Below {
    percent: String,
    /// The first year, from `--from` on; null when there is none until 2400.
    first_year: Option<i32>,
}

#[derive(Debug, Serialize)]
struct Answer {
    spacing_seconds: String,
    years: Vec<Year>,
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Below>,
}

pub(super) fn run(ui: &Ui, args: &Emission) -> Result<Exit, Error> {
    if args.from > args.to {
        let rule = format!(
            "the first year must not be later than the last, {}",
            args.to
        );
        return Err(Error::input("--from", args.from, rule, "exchange the two"));
    }
    let params = ChainParams::main();
    let schedule = Schedule::main().with_spacing(args.spacing);
    let below = args.below.map(|ppm| Below {
        percent: percent(ppm),
        first_year: schedule
            .first_year_below(&params, ppm, args.from..=LAST_YEAR)
            .map(|year| year.year),
    });
    let years = (args.from..=args.to).map(|year| schedule.year(&params, year).into());
    let answer = Answer {
        spacing_seconds: format!(
            "{}.{:06}",
            args.spacing.as_secs(),
            args.spacing.subsec_micros()
        ),
        years: years.collect(),
        below,
    };
    ui.show(&answer, |paint| text(&answer, paint))?;
    Ok(Exit::Success)
}

/// Parts per million as percent.
fn percent(ppm: u64) -> String {
    format!("{}.{:04}", ppm / 10_000, ppm % 10_000)
}

fn text(answer: &Answer, paint: Paint) -> String {
    let header = &["YEAR", "EMISSION", "SUPPLY 1 JAN", "INFLATION", "BLOCKS"];
    let mut table =
        Table::new(header).numbers(&["EMISSION", "SUPPLY 1 JAN", "INFLATION", "BLOCKS"]);
    for year in &answer.years {
        table.row([
            year.number.to_string(),
            year.emission.clone(),
            year.supply_at_start.clone(),
            format!("{} %", year.inflation_percent),
            format!("{}–{}", year.first_height, year.last_height),
        ]);
    }
    let below = answer.below.as_ref().map(|below| {
        let year = below
            .first_year
            .map_or_else(|| "no year until 2400".to_owned(), |y| y.to_string());
        let line = format!("first year below {} %: {year}", below.percent);
        format!("{}\n", paint.tone(Tone::Strong, &line))
    });
    table.text(paint, "no years") + &below.unwrap_or_default()
}
