//! Exchange rates.

use super::{
    Facts, Table,
    paint::{Paint, Tone, plain},
    time::moment,
};
use crate::api::{
    Rate,
    rates::{CurrentRate, RateSource},
};

pub fn current(known: &CurrentRate, paint: Paint) -> String {
    let head = known.rate.as_ref().map_or_else(
        || {
            let problem = known.problem.as_deref().unwrap_or("there is no rate");
            Facts::new()
                .fact("rate", paint.tone(Tone::Strong, "none; no quotes are made"))
                .fact("why", plain(problem))
                .text(paint)
        },
        |own| rate(own, paint),
    );
    format!("{head}{}", sources(&known.sources, paint))
}

pub fn rate(rate: &Rate, paint: Paint) -> String {
    let price = format!("{} for 1 FLUX", rate.price);
    let until = rate.statement.as_ref().and_then(|stated| {
        let seconds = i64::try_from(stated.valid_until).ok()?;
        chrono::DateTime::from_timestamp(seconds, 0)
    });
    Facts::new()
        .fact("rate", paint.tone(Tone::Strong, &price))
        .fact("source", plain(&rate.source))
        .fact("as of", moment(rate.at))
        .maybe("holds until", until.map(moment))
        .text(paint)
}

fn sources(sources: &[RateSource], paint: Paint) -> String {
    let mut table = Table::new(&["SOURCE", "STATE", "PRICE", "AT", "PROBLEM"]);
    for source in sources {
        table.row([
            plain(&source.name),
            plain(source.state.name()),
            source
                .price
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            source.at.map(moment).unwrap_or_default(),
            source.problem.as_deref().map(plain).unwrap_or_default(),
        ]);
    }
    table.text(paint, "no sources")
}
