//! `spec price` for native specifications: the first native price table, line by line, offline.
//!
//! The plane that deploys may have a later table; its quote counts.

use fluxplane_app_spec::native::parse;
use fluxplane_core::Sat;
use fluxplane_pricing::native::{
    FluxPrice, FluxUsd, Item, MicroUsd, Price, Table as PriceTable, copies, order, price,
};
use serde::Serialize;

use crate::{
    cli::spec::Price as Args,
    error::Error,
    exit::Exit,
    render::{Facts, Paint, Table, Ui, paint::plain},
};

const CHECK: &str = "`fluxctl spec check` explains what is wrong";

/// The answer for programs.
#[derive(Serialize)]
struct Answer {
    /// At most so many copies; the same as at least, unless the number follows the load.
    most: Priced,
    #[serde(skip_serializing_if = "Option::is_none")]
    least: Option<Priced>,
}

#[derive(Serialize)]
struct Priced {
    price: Price,
    #[serde(skip_serializing_if = "Option::is_none")]
    flux: Option<FluxPrice>,
}

pub(super) fn run(ui: &Ui, args: &Args, text: &[u8]) -> Result<Exit, Error> {
    let given = [
        ("--height", args.height.is_some()),
        ("--previous", args.previous.is_some()),
    ];
    if let Some((argument, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        let rule = "native prices depend on no height and on no earlier specification";
        return Err(Error::input(argument, "given", rule, "leave it out"));
    }
    let rate = args.rate.as_deref().map(str::parse::<FluxUsd>).transpose();
    let rate = rate.map_err(|err| {
        let remedy = "give dollars per FLUX such as 0.05";
        Error::input(
            "--rate",
            args.rate.as_deref().unwrap_or_default(),
            err.to_string(),
            remedy,
        )
    })?;
    let spec = parse(text)
        .map_err(|err| Error::input("specification", "not usable", err.to_string(), CHECK))?;
    let table = PriceTable::first();
    let priced = |copies| {
        let order = order(&spec, copies, &table.rates).map_err(Error::Input)?;
        let refused = |err: String| Error::input("specification", &spec.name, err, CHECK);
        let price = price(&table, &order).map_err(|err| refused(err.to_string()))?;
        let flux = match rate {
            Some(rate) => {
                let flux = price.in_flux(&table, rate);
                Some(flux.ok_or_else(|| refused("it costs more FLUX than there is".to_owned()))?)
            }
            None => None,
        };
        Ok::<_, Error>(Priced { price, flux })
    };
    let (least, most) = copies(&spec);
    let answer = Answer {
        most: priced(most)?,
        least: if least < most {
            Some(priced(least)?)
        } else {
            None
        },
    };
    ui.show(&answer, |paint| shown(&answer, paint))?;
    Ok(Exit::Success)
}

fn shown(answer: &Answer, paint: Paint) -> String {
    let Priced { price, flux } = &answer.most;
    let mut lines = Table::new(&["FOR", "ITEM", "QUANTITY", "USD", "FLUX"])
        .numbers(&["QUANTITY", "USD", "FLUX"]);
    for (place, line) in price.lines.iter().enumerate() {
        let sat = flux.as_ref().and_then(|flux| flux.lines.get(place));
        lines.row([
            line.part.as_deref().map(plain).unwrap_or_default(),
            item(&line.item),
            line.quantity.to_string(),
            line.amount.to_string(),
            sat.map(Sat::to_string).unwrap_or_default(),
        ]);
    }
    let days = price.seconds / 86_400;
    let mut facts = Facts::new()
        .fact(
            "for",
            format!(
                "{} copies, {days} days and {} s",
                price.instances,
                price.seconds % 86_400
            ),
        )
        .fact("table", price.table_version)
        .fact("total", total(&answer.most));
    if let Some(saved) = price
        .list
        .checked_sub(price.total)
        .filter(|own| *own > MicroUsd::ZERO)
    {
        facts = facts.fact("discount", format!("{saved} USD for the term, taken off"));
    }
    if let Some(least) = &answer.least {
        let text = format!("{} with {} copies", total(least), least.price.instances);
        facts = facts.fact("at least", text);
    }
    format!(
        "{}\n{}",
        lines.text(paint, "nothing is asked for"),
        facts.text(paint)
    )
}

fn total(priced: &Priced) -> String {
    let usd = priced.price.total;
    match &priced.flux {
        Some(flux) => format!("{usd} USD or {} FLUX", flux.total),
        None => format!("{usd} USD"),
    }
}

fn item(item: &Item) -> String {
    match item {
        Item::Cpu => "cpu, 1/1000 thread".to_owned(),
        Item::Memory => "memory, MiB".to_owned(),
        Item::Disk => "disk, GiB".to_owned(),
        Item::Gpu(class) => format!("gpu {class}"),
        Item::StaticIp => "static address".to_owned(),
        Item::PricedPort => "priced port".to_owned(),
        Item::Egress => "traffic, GiB".to_owned(),
    }
}
