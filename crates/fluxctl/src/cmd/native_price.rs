//! `spec price` for native specifications: the first native price table, line by line, offline.
//!
//! The plane that deploys may have a later table; its quote counts.

use fluxplane_app_spec::{
    legacy::priced,
    native::{BillingMode, Component, Gpu, Job, NativeSpec, Tier as SpecTier, parse},
};
use fluxplane_core::{Resources, Sat, Tier};
use fluxplane_pricing::native::{
    FluxPrice, FluxUsd, Gpus, Item, MicroUsd, Order, Part, Plan, Price, Table as PriceTable, price,
    table::Rates,
};
use serde::Serialize;

use crate::{
    cli::spec::Price as Args,
    error::Error,
    exit::Exit,
    render::{Facts, Paint, Table, Ui, paint::plain},
};

/// What is priced when nobody says for how long: 30 days, as `placement.maxPrice` counts.
const MONTH: u64 = 30 * 86_400;

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
        let order = order(&spec, copies, &table.rates)?;
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

/// The fewest and the most copies that run at once.
fn copies(spec: &NativeSpec) -> (u32, u32) {
    let fixed = |copies| (copies, copies);
    match (spec.instances, &spec.autoscale, &spec.job) {
        (Some(copies), _, _) => fixed(copies),
        (None, Some(range), _) => (range.min, range.max),
        (
            None,
            None,
            Some(Job {
                gang: Some(gang), ..
            }),
        ) => fixed(gang.workers),
        (
            None,
            None,
            Some(Job {
                batch: Some(batch), ..
            }),
        ) => fixed(batch.parallelism),
        (None, None, Some(_) | None) => fixed(1),
    }
}

fn order(spec: &NativeSpec, instances: u32, rates: &Rates) -> Result<Order, Error> {
    let parts = spec
        .components
        .iter()
        .map(|(name, component)| part(name, component, rates));
    let billing = &spec.billing;
    Ok(Order {
        instances,
        tier: spec.placement.tiers.iter().min().map(|tier| match tier {
            SpecTier::Cumulus => Tier::Cumulus,
            SpecTier::Nimbus => Tier::Nimbus,
            SpecTier::Stratus => Tier::Stratus,
        }),
        parts: parts.collect::<Result<_, _>>()?,
        static_ip: spec.placement.static_ip,
        seconds: billing.term.unwrap_or(MONTH),
        plan: match billing.mode {
            BillingMode::PayAsYouGo => Plan::PayAsYouGo,
            BillingMode::Term => Plan::Term,
        },
        egress_gib: 0,
    })
}

fn part(name: &str, component: &Component, rates: &Rates) -> Result<Part, Error> {
    const MIB_PER_GIB: u64 = 1_024;
    let hosts = component.ports.values().filter_map(|port| port.host);
    let priced_ports = hosts.filter(|port| priced(f64::from(*port))).count();
    Ok(Part {
        name: name.to_owned(),
        resources: Resources {
            cpu_milli: component.cpu,
            ram_mib: component.memory,
            disk_gib: component.disk.div_ceil(MIB_PER_GIB),
        },
        gpus: component
            .gpu
            .as_ref()
            .map(|gpu| gpus(name, gpu, rates))
            .transpose()?
            .into_iter()
            .collect(),
        priced_ports: u32::try_from(priced_ports).unwrap_or(u32::MAX),
    })
}

/// The dearest class among the cards that fit: whichever is given costs at most that.
fn gpus(component: &str, gpu: &Gpu, rates: &Rates) -> Result<Gpus, Error> {
    let class = rates.dearest_gpu(&gpu.models, gpu.memory.unwrap_or_default());
    let class = class.ok_or_else(|| {
        let known = rates.gpus.keys().map(String::as_str).collect::<Vec<_>>();
        let rule = "the price table has no class that fits";
        let remedy = format!("choose among {}", known.join(", "));
        Error::input(
            format!("components.{component}.gpu"),
            gpu.models.join(", "),
            rule,
            remedy,
        )
    })?;
    Ok(Gpus {
        class: class.to_owned(),
        count: gpu.count,
    })
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
