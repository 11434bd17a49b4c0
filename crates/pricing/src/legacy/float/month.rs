//! The price of one default term (`appPricePerMonth` of `ZelBack/src/services/utils/appUtilities.js`).

use fluxplane_app_spec::{
    json::number_from_text,
    legacy::{Body, Component, Hardware, LegacySpec, Ports, Single, Tiers, priced},
};

use super::{
    js::{ceil_to_cents, fixed_2},
    table::Row,
};

/// From this height a price below the USD minimum is raised to it (`applyMinimumPriceOn3Instances`).
const MIN_USD_FROM: u64 = 1_691_000;

/// From this height instances beyond the first cost extra (`applyMinimumForExtraInstances`). FluxOS applies the present
/// formula below it too, where the number of instances then has no effect.
const EXTRA_INSTANCES_FROM: u64 = 1_890_000;

/// Price per default term of `spec` at `height` by `row`.
pub fn month_price(spec: &LegacySpec, height: u64, row: &Row) -> f64 {
    match &spec.body {
        Body::Single(single) => single_price(single, height, row),
        Body::Compose(components) => {
            let price = instance_price(spec, components, row);
            with_instances(price, spec, height, row)
        }
    }
}

fn single_price(single: &Single, height: u64, row: &Row) -> f64 {
    let amount = single.tiers.as_ref().map_or(single.hardware, sum_of_tiers);
    let mut total = hardware_price(amount, row);
    match &single.ports {
        Ports::One { port, .. } if priced(*port) => total += row.port,
        Ports::One { .. } => {}
        Ports::Many { ports, .. } => {
            let is_priced = |port: &&_| priced(number_from_text(port));
            total += count(ports.iter().filter(is_priced)) * row.port;
        }
    }
    if single.tiers.is_some() {
        total = at_least_min_usd(total, height, row);
    }
    let price = ceil_to_cents(total);
    if price < row.min_price {
        row.min_price
    } else {
        price
    }
}

/// The three tiers added up; FluxOS does not take their mean here.
fn sum_of_tiers(tiers: &Tiers) -> Hardware {
    let Tiers {
        cumulus,
        nimbus,
        stratus,
    } = tiers;
    Hardware {
        cpu: cumulus.cpu + nimbus.cpu + stratus.cpu,
        ram: cumulus.ram + nimbus.ram + stratus.ram,
        hdd: cumulus.hdd + nimbus.hdd + stratus.hdd,
    }
}

fn hardware_price(amount: Hardware, row: &Row) -> f64 {
    let cpu = amount.cpu * row.cpu * 10.0;
    let ram = (amount.ram * row.ram) / 100.0;
    let hdd = amount.hdd * row.hdd;
    cpu + ram + hdd
}

fn instance_price(spec: &LegacySpec, components: &[Component], row: &Row) -> f64 {
    let mut sum = Hardware {
        cpu: 0.0,
        ram: 0.0,
        hdd: 0.0,
    };
    for component in components {
        let amount = component
            .tiers
            .as_ref()
            .map_or(component.hardware, |tiers| {
                let sum = sum_of_tiers(tiers);
                Hardware {
                    cpu: sum.cpu / 3.0,
                    ram: sum.ram / 3.0,
                    hdd: sum.hdd / 3.0,
                }
            });
        sum.cpu += amount.cpu;
        sum.ram += amount.ram;
        sum.hdd += amount.hdd;
    }
    let mut total = hardware_price(sum, row);
    let is_pinned = spec.nodes.as_ref().is_some_and(|nodes| !nodes.is_empty());
    if is_pinned || spec.is_sealed() {
        total += row.scope;
    }
    if spec.staticip == Some(true) {
        total += row.static_ip;
    }
    let ports = components.iter().flat_map(|component| &component.ports);
    total += count(ports.filter(|port| priced(**port))) * row.port;
    ceil_to_cents(total / 3.0)
}

fn with_instances(instance: f64, spec: &LegacySpec, height: u64, row: &Row) -> f64 {
    /// Below this price every extra instance costs as much.
    const MIN_EXTRA: f64 = 0.50;
    let extra = spec.instances.unwrap_or(f64::NAN) - 1.0;
    let mut price = instance;
    if extra > 0.0 && height >= EXTRA_INSTANCES_FROM {
        if price < MIN_EXTRA && extra > 2.0 {
            price += extra * MIN_EXTRA;
        } else {
            let additional = price * extra;
            price = ((additional * 100.0).ceil() + (price * 100.0).ceil()) / 100.0;
        }
    }
    at_least_min_usd(price, height, row)
}

fn at_least_min_usd(price: f64, height: u64, row: &Row) -> f64 {
    match row.min_usd {
        Some(minimum) if minimum != 0.0 && height >= MIN_USD_FROM && price < minimum => {
            fixed_2(minimum)
        }
        Some(_) | None => price,
    }
}

/// How many items there are, as the double JavaScript counts in.
fn count<T>(items: impl Iterator<Item = T>) -> f64 {
    items.fold(0.0, |count, _| count + 1.0)
}
