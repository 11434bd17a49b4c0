//! What a specification `fluxplane/v1` costs: our own price list, the pinned rate, and what the running term has left.

use fluxplane_app_spec::native::NativeSpec;
use fluxplane_core::{Sat, error::Violation};
use fluxplane_pricing::{
    legacy::FluxDiscount,
    native::{
        FluxPrice, FluxUsd, Item, Line, MONTH, MicroUsd, Order, Plan, Price, Table, order, price,
    },
};

use super::{Copies, Estimate, ListTerms, Offer, PriceLine, Span};
use crate::domain::rate::Rate;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub spec: &'a NativeSpec,
    pub instances: u32,
    /// The version of the list that is in force.
    pub table: &'a Table,
    pub rate: &'a Rate,
    /// For an update: what the running term has left.
    pub unused: Option<Sat>,
}

/// Prices a specification.
///
/// # Errors
/// When the list has no price for it, or the price is above what the specification allows.
pub fn offer(question: &Question<'_>) -> Result<Offer, Violation> {
    let priced = Priced::of(question)?;
    let Priced {
        price, flux, due, ..
    } = &priced;
    Ok(Offer {
        price: *due,
        value: flux.total,
        micro_usd: priced.micro_usd,
        list: ListTerms::Native {
            version: price.table_version,
        },
        price_table: format!("Fluxplane price list, version {}", price.table_version),
        term_seconds: price.seconds,
        breakdown: breakdown(question, &priced),
        lines: lines(question, &priced),
    })
}

/// Estimates the price of a specification, which need not be one that can be deployed.
///
/// # Errors
/// As [`offer`].
pub fn estimate(question: &Question<'_>) -> Result<Estimate, Violation> {
    let priced = Priced::of(question)?;
    let percent = question.table.flux_discount_ppm / PPM_PER_PERCENT;
    Ok(Estimate {
        price: priced.due,
        micro_usd: priced.micro_usd,
        discount: if priced.due.is_zero() {
            FluxDiscount::Free
        } else {
            FluxDiscount::Percent(u8::try_from(percent).unwrap_or(u8::MAX))
        },
    })
}

const PPM_PER_PERCENT: u32 = 10_000;

struct Priced {
    price: Price,
    flux: FluxPrice,
    /// What of the running term counts: never more than the new term is worth.
    credit: Sat,
    /// The same part of the price in dollars.
    credit_micro_usd: i64,
    due: Sat,
    /// What is due in micro-dollars.
    micro_usd: i64,
}

impl Priced {
    fn of(question: &Question<'_>) -> Result<Self, Violation> {
        let Question {
            spec,
            instances,
            table,
            rate,
            unused,
        } = *question;
        let order = order(spec, instances, &table.rates).map_err(below_spec)?;
        let price = price(table, &order).map_err(|err| no_price(&err.to_string()))?;
        check_max_price(spec, table, &order)?;
        let rate = FluxUsd::try_from(rate.flux_usd).map_err(|err| no_price(&err.to_string()))?;
        let too_much = || no_price("it costs more than there is money; ask for less");
        let flux = price.in_flux(table, rate).ok_or_else(too_much)?;
        let usd = i64::try_from(price.total.get()).map_err(|_| too_much())?;
        let credit = unused.unwrap_or(Sat::ZERO).min(flux.total);
        let credit_micro_usd = part(usd, credit, flux.total);
        Ok(Self {
            due: Sat::new(flux.total.get() - credit.get()),
            micro_usd: usd - credit_micro_usd,
            credit,
            credit_micro_usd,
            price,
            flux,
        })
    }
}

/// The part of an amount that `credit` is of `total`, rounded down.
fn part(amount: i64, credit: Sat, total: Sat) -> i64 {
    let (credit, total) = (i128::from(credit.get()), i128::from(total.get()).max(1));
    i64::try_from(i128::from(amount) * credit / total).unwrap_or(0)
}

/// A copy must not cost more for 30 days than the specification allows.
fn check_max_price(spec: &NativeSpec, table: &Table, order: &Order) -> Result<(), Violation> {
    let Some(max) = spec.placement.max_price else {
        return Ok(());
    };
    let one = Order {
        instances: 1,
        seconds: MONTH,
        ..order.clone()
    };
    let price = price(table, &one).map_err(|err| no_price(&err.to_string()))?;
    if price.total <= MicroUsd::new(max) {
        return Ok(());
    }
    let rule = format!(
        "an instance costs {} USD for 30 days by version {} of the price list",
        price.total, price.table_version
    );
    Err(Violation::new(
        "spec.placement.maxPrice",
        format!("{}USD", MicroUsd::new(max)),
        rule,
        "raise it, or ask for less",
    ))
}

fn below_spec(violation: Violation) -> Violation {
    Violation {
        field: format!("spec.{}", violation.field),
        ..violation
    }
}

fn no_price(rule: &str) -> Violation {
    let rule = format!("it has no price: {rule}");
    Violation::new("spec", "", rule, "change it as the text says")
}

fn lines(question: &Question<'_>, priced: &Priced) -> Vec<PriceLine> {
    let Priced { price, flux, .. } = priced;
    let mut lines: Vec<PriceLine> = price
        .lines
        .iter()
        .zip(&flux.lines)
        .map(|(line, sat)| PriceLine {
            item: item(line),
            micro_usd: i64::try_from(line.amount.get()).unwrap_or(i64::MAX),
            sat: sat.get(),
        })
        .collect();
    if question.unused.is_some() {
        lines.push(PriceLine {
            item: "what is left of the running term".to_owned(),
            micro_usd: -priced.credit_micro_usd,
            sat: -priced.credit.get(),
        });
    }
    lines
}

fn item(line: &Line) -> String {
    let Line { quantity, .. } = line;
    let what = match &line.item {
        Item::Cpu => format!("{quantity}/1000 of a cpu thread"),
        Item::Memory => format!("{quantity} MiB of memory"),
        Item::Disk => format!("{quantity} GiB of disk"),
        Item::Gpu(class) => format!("{quantity} x {class}"),
        Item::StaticIp => "a static address".to_owned(),
        Item::PricedPort => format!("{quantity} ports that cost extra"),
        Item::Egress => format!("{quantity} GiB of traffic"),
    };
    match &line.part {
        Some(part) => format!("{part}: {what}"),
        None => what,
    }
}

fn breakdown(question: &Question<'_>, priced: &Priced) -> Vec<String> {
    let Priced {
        price, flux, due, ..
    } = priced;
    let table = question.table;
    let (copies, span) = (Copies(price.instances), Span(price.seconds));
    let mut steps = vec![
        format!(
            "Version {} of the price list, in force from settlement epoch {} on.",
            table.version, table.from_epoch
        ),
        format!("{copies} for {span} cost {} USD by the second.", price.list),
    ];
    match price.plan {
        Plan::PayAsYouGo => steps.push(format!(
            "Pay as you go: {span} are held in advance; seconds that are not used return when the application is cancelled."
        )),
        Plan::Term | Plan::Committed => {
            let off = price.list.checked_sub(price.total).unwrap_or_default();
            steps.push(format!(
                "The discount for the length of the term is {off} USD: {} USD.",
                price.total
            ));
        }
    }
    let micros = question.rate.flux_usd.micros();
    steps.push(format!(
        "At {}.{:06} USD per FLUX ({}) and {} % less for paying in FLUX: {} FLUX.",
        micros / 1_000_000,
        micros % 1_000_000,
        question.rate.source,
        table.flux_discount_ppm / PPM_PER_PERCENT,
        flux.total
    ));
    if question.unused.is_some() {
        steps.push(format!(
            "With credit for what the running term has left when this quote expires, {} FLUX.",
            priced.credit
        ));
    }
    let seconds = u128::from(price.seconds) * u128::from(price.instances);
    let micro_sat = u128::try_from(flux.total.get()).unwrap_or(0) * 1_000_000 / seconds.max(1);
    steps.push(format!(
        "Charged is every second of an instance that is proven, {}.{:06} sat each.",
        micro_sat / 1_000_000,
        micro_sat % 1_000_000
    ));
    steps.push(format!("To be paid: {due} FLUX."));
    steps
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use fluxplane_app_spec::native::parse;
    use fluxplane_pricing::legacy::FluxUsdRate;

    use super::*;
    use crate::domain::rate::Basis;

    /// One thread, 2,000 MiB, 20 GiB: the standard component of the price list's examples.
    const SPEC: &str = "
schema: fluxplane/v1
name: shop
owner: 1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC
components:
  web: { image: \"nginx:1.27\", cpu: 1core, memory: 2000Mi, disk: 20Gi }
instances: 3
";

    fn rate() -> Rate {
        Rate {
            id: 1,
            flux_usd: FluxUsdRate::from_micros(50_000),
            source: "test".to_owned(),
            at: DateTime::UNIX_EPOCH,
            basis: Basis {
                sources: Vec::new(),
                statement: None,
            },
        }
    }

    fn ask(spec: &str, unused: Option<i64>) -> Result<Offer, Violation> {
        let spec = parse(spec.as_bytes()).unwrap();
        offer(&Question {
            spec: &spec,
            instances: spec.instances.unwrap(),
            table: &Table::first(),
            rate: &rate(),
            unused: unused.map(Sat::new),
        })
    }

    fn sums(offer: &Offer) -> (i64, i64) {
        let lines = offer.lines.iter();
        lines.fold((0, 0), |(usd, sat), line| {
            (usd + line.micro_usd, sat + line.sat)
        })
    }

    #[test]
    fn three_standard_copies_cost_what_the_price_list_says() {
        let offer = ask(SPEC, None).unwrap();
        // docs/PRICING.md, third row of the examples.
        assert_eq!(
            (offer.micro_usd, offer.price),
            (2_277_816, Sat::new(4_327_850_400))
        );
        assert_eq!(offer.value, offer.price);
        assert_eq!(offer.term_seconds, 2_592_000);
        assert_eq!(sums(&offer), (2_277_816, 4_327_850_400));
        assert_eq!(offer.list, ListTerms::Native { version: 1 });
    }

    #[test]
    fn what_is_left_is_credited_in_both_currencies_and_never_more_than_the_price() {
        let half = ask(SPEC, Some(2_163_925_200)).unwrap();
        assert_eq!(
            (half.micro_usd, half.price.get()),
            (1_138_908, 2_163_925_200)
        );
        assert_eq!(half.value.get(), 4_327_850_400);
        assert_eq!(sums(&half), (half.micro_usd, half.price.get()));
        let all = ask(SPEC, Some(i64::MAX)).unwrap();
        assert_eq!((all.micro_usd, all.price), (0, Sat::ZERO));
        assert_eq!(sums(&all), (0, 0));
    }

    #[test]
    fn a_price_above_the_ceiling_is_refused_and_one_below_is_not() {
        let with = |ceiling: &str| format!("{SPEC}placement: {{ maxPrice: {ceiling} }}\n");
        assert!(ask(&with("0.759272USD"), None).is_ok());
        let refused = ask(&with("0.759271USD"), None).unwrap_err();
        assert_eq!(refused.field, "spec.placement.maxPrice");
        assert!(refused.rule.contains("0.759272 USD"), "{refused}");
    }

    #[test]
    fn a_term_is_discounted_and_pay_as_you_go_is_not() {
        let term = format!("{SPEC}billing: {{ mode: term, term: 60d }}\n");
        let offer = ask(&term, None).unwrap();
        // The first 30 days in full, the second 30 days 5 per cent less.
        assert_eq!(offer.micro_usd, 2_277_816 + 2_277_816 * 95 / 100);
        assert_eq!(offer.term_seconds, 5_184_000);
    }
}
