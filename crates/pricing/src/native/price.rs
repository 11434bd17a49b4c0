//! The formula.
//!
//! Exactly: quantity × rate × tier factor × copies × seconds weighted by their discount, summed over all lines. One
//! function computes it for a quote and for a charge; see [`super::Tally`] for why the charges of a term add up to its quote.

use serde::{Deserialize, Serialize};

use super::{
    amount::{MicroUsd, Rate},
    apportion::round_down,
    discount::WHOLE_PPM,
    order::{Order, Part, Plan},
    table::Table,
};

/// What exact amounts are counted in, per micro-dollar: rates have nine decimals more, tier factors and discounts six
/// each.
pub(super) const EXACT_PER_MICRO: u128 = 1_000_000_000_000_000_000_000;

/// What an order costs, line by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    pub table_version: u32,
    pub plan: Plan,
    pub instances: u32,
    pub seconds: u64,
    /// In the order of the parts; quantities of zero have no line.
    pub lines: Vec<Line>,
    /// Without discounts for the term.
    pub list: MicroUsd,
    /// What is paid: the sum of the lines.
    pub total: MicroUsd,
}

/// One line of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The part it is for; `None` for what belongs to the whole order.
    pub part: Option<String>,
    pub item: Item,
    /// Units per copy; of [`Item::Egress`], GiB of all copies.
    pub quantity: u64,
    /// Before tier factor and discounts: per unit and second; of [`Item::Egress`], `None`.
    pub rate: Option<Rate>,
    pub amount: MicroUsd,
}

/// What a line is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// Thousandths of a cpu thread.
    Cpu,
    /// MiB.
    Memory,
    /// GiB.
    Disk,
    /// Whole processors of this class.
    Gpu(String),
    StaticIp,
    PricedPort,
    /// GiB.
    Egress,
}

/// Why an order has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    #[error("instances is 0, but an order is for at least one copy")]
    NoInstances,
    #[error("seconds is {0}, but an order lasts 1 to {max} seconds", max = Order::MAX_SECONDS)]
    Seconds(u64),
    #[error(
        "parts[{part}] asks for graphics processors of class `{class}`; table {version} has {known}"
    )]
    GpuClass {
        part: String,
        class: String,
        version: u32,
        known: String,
    },
    #[error("egress_gib is {0}, but the table sells no traffic; leave it out")]
    NoEgress(u64),
    #[error("the price is more than any amount of money; ask for less")]
    TooLarge,
    #[error("seconds {from} to {to} are no stretch of a term; `from` must be less than `to`")]
    Stretch { from: u64, to: u64 },
}

/// Prices an order.
///
/// # Errors
/// When the order asks for nothing, for something the table does not sell, or for more than money can count.
pub fn price(table: &Table, order: &Order) -> Result<Price, PriceError> {
    check(order)?;
    let items = items(table, order)?;
    let copies = u128::from(order.instances);
    let weight = copies * table.brackets(order.plan).weigh(order.seconds);
    let full = copies * u128::from(order.seconds) * u128::from(WHOLE_PPM);
    let exact = |weight| {
        let amounts = items.iter().map(|item| item.exact(weight));
        amounts
            .collect::<Option<Vec<u128>>>()
            .and_then(|amounts| round_down(&amounts, EXACT_PER_MICRO))
            .ok_or(PriceError::TooLarge)
    };
    let (total, amounts) = exact(weight)?;
    let list = if weight == full {
        total
    } else {
        exact(full)?.0
    };
    let lines = items.into_iter().zip(amounts);
    Ok(Price {
        table_version: table.version,
        plan: order.plan,
        instances: order.instances,
        seconds: order.seconds,
        lines: lines.map(|(item, amount)| item.line(amount)).collect(),
        list: MicroUsd::new(list),
        total: MicroUsd::new(total),
    })
}

pub(super) fn check(order: &Order) -> Result<(), PriceError> {
    if order.instances == 0 {
        return Err(PriceError::NoInstances);
    }
    if !(1..=Order::MAX_SECONDS).contains(&order.seconds) {
        return Err(PriceError::Seconds(order.seconds));
    }
    Ok(())
}

/// A line before its amount is known.
pub(super) struct Priced<'a> {
    part: Option<&'a str>,
    item: Item,
    quantity: u64,
    unit: Unit,
}

/// What one unit costs.
enum Unit {
    /// Per second, times a factor in parts per million.
    Time { rate: Rate, factor: u32 },
    /// Once.
    Once(MicroUsd),
}

impl Priced<'_> {
    /// The exact amount. `weight` is copies × seconds, in parts per million.
    pub(super) fn exact(&self, weight: u128) -> Option<u128> {
        let quantity = u128::from(self.quantity);
        match self.unit {
            Unit::Time { rate, factor } => quantity
                .checked_mul(u128::from(rate.femto_usd()))?
                .checked_mul(u128::from(factor))?
                .checked_mul(weight),
            Unit::Once(price) => quantity
                .checked_mul(u128::from(price.get()))?
                .checked_mul(EXACT_PER_MICRO),
        }
    }

    fn line(self, amount: u64) -> Line {
        Line {
            part: self.part.map(str::to_owned),
            item: self.item,
            quantity: self.quantity,
            rate: match self.unit {
                Unit::Time { rate, .. } => Some(rate),
                Unit::Once(_) => None,
            },
            amount: MicroUsd::new(amount),
        }
    }
}

pub(super) fn items<'a>(table: &Table, order: &'a Order) -> Result<Vec<Priced<'a>>, PriceError> {
    let mut items = Vec::with_capacity(4 * order.parts.len() + 2);
    for part in &order.parts {
        push_part(&mut items, table, order, part)?;
    }
    let mut push = |item, quantity, unit| {
        if quantity > 0 {
            let part = None;
            items.push(Priced {
                part,
                item,
                quantity,
                unit,
            });
        }
    };
    let static_ip = Unit::Time {
        rate: table.rates.static_ip,
        factor: WHOLE_PPM,
    };
    push(Item::StaticIp, u64::from(order.static_ip), static_ip);
    if order.egress_gib > 0 {
        let price = table.rates.egress_gib;
        let price = price.ok_or(PriceError::NoEgress(order.egress_gib))?;
        push(Item::Egress, order.egress_gib, Unit::Once(price));
    }
    Ok(items)
}

fn push_part<'a>(
    items: &mut Vec<Priced<'a>>,
    table: &Table,
    order: &Order,
    part: &'a Part,
) -> Result<(), PriceError> {
    let rates = &table.rates;
    let tier = table.tiers.of(order.tier);
    let mut push = |item, quantity, rate, factor| {
        if quantity > 0 {
            items.push(Priced {
                part: Some(&part.name),
                item,
                quantity,
                unit: Unit::Time { rate, factor },
            });
        }
    };
    let own = part.resources;
    push(Item::Cpu, own.cpu_milli, rates.cpu_milli, tier);
    push(Item::Memory, own.ram_mib, rates.memory_mib, tier);
    push(Item::Disk, own.disk_gib, rates.disk_gib, tier);
    for gpus in &part.gpus {
        let rate = rates.gpus.get(&gpus.class);
        let rate = rate.ok_or_else(|| unknown_class(table, part, &gpus.class))?;
        let item = Item::Gpu(gpus.class.clone());
        push(item, u64::from(gpus.count), *rate, WHOLE_PPM);
    }
    let ports = u64::from(part.priced_ports);
    push(Item::PricedPort, ports, rates.priced_port, WHOLE_PPM);
    Ok(())
}

fn unknown_class(table: &Table, part: &Part, class: &str) -> PriceError {
    let known: Vec<&str> = table.rates.gpus.keys().map(String::as_str).collect();
    PriceError::GpuClass {
        part: part.name.clone(),
        class: class.to_owned(),
        version: table.version,
        known: if known.is_empty() {
            "none".to_owned()
        } else {
            known.join(", ")
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::amount::FEMTO_PER_MICRO;

    #[test]
    fn the_unit_of_exact_amounts_follows_from_the_decimals_of_its_factors() {
        let million = u128::from(WHOLE_PPM);
        assert_eq!(
            EXACT_PER_MICRO,
            u128::from(FEMTO_PER_MICRO) * million * million
        );
    }
}
