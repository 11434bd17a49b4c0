//! Applications, instances, quotes and payment instructions.

use super::{
    Facts, Table,
    facts::some,
    paint::{Paint, Tone, plain},
    time::{moment, span},
    timeline::short,
};
use crate::api::{
    App, Instance, PaymentInstructions, Quote, Revision,
    instances::Decision,
    quotes::{PriceLine, WhatIf},
};

pub fn table(apps: &[App], paint: Paint) -> String {
    let mut table = Table::new(&["NAME", "STATE", "HEALTHY", "REVISION", "EXPIRES", "REASON"])
        .numbers(&["HEALTHY", "REVISION"]);
    for app in apps {
        table.row([
            plain(&app.name),
            paint.state(app.state.name()),
            format!("{}/{}", app.instances_healthy, app.instances_wanted),
            app.current
                .as_ref()
                .map_or_else(String::new, |revision| revision.number.to_string()),
            app.expires_at.map(moment).unwrap_or_default(),
            plain(&app.state_reason),
        ]);
    }
    table.text(
        paint,
        "no applications; `fluxctl deploy -f shop.yaml` makes one",
    )
}

pub fn facts(app: &App, paint: Paint) -> String {
    let revision = |revision: &Revision| {
        let paid = match (revision.funded_at, revision.pay_until) {
            (Some(at), _) => format!("paid {}", moment(at)),
            (None, Some(until)) => format!("to be paid until {}", moment(until)),
            (None, None) => "not paid".to_owned(),
        };
        format!(
            "{}, submitted {}, {paid}",
            revision.number,
            moment(revision.submitted_at)
        )
    };
    let mut facts = Facts::new()
        .fact("name", plain(&app.name))
        .fact("state", paint.state(app.state.name()))
        .maybe("reason", some(&app.state_reason).map(plain))
        .fact(
            "healthy",
            format!("{} of {}", app.instances_healthy, app.instances_wanted),
        )
        .fact("owner", plain(&app.owner))
        .maybe("revision", app.current.as_ref().map(revision))
        .maybe("pending", app.pending.as_ref().map(revision))
        .fact("created", moment(app.created_at))
        .maybe("expires", app.expires_at.map(moment))
        .fact("id", app.app_id)
        .fact("version", app.version);
    if let Some(revision) = app.newest() {
        facts = facts.fact("message hash", plain(&revision.message_hash));
    }
    facts.text(paint)
}

pub fn instances(instances: &[Instance], paint: Paint) -> String {
    let mut table = Table::new(&[
        "SLOT",
        "STATE",
        "INSTANCE",
        "NODE",
        "REV",
        "ENDPOINTS",
        "REASON",
    ])
    .numbers(&["SLOT", "REV"]);
    for instance in instances {
        let endpoints: Vec<String> = instance.endpoints.iter().map(|text| plain(text)).collect();
        table.row([
            instance.slot.to_string(),
            paint.state(instance.state.name()),
            instance.instance_id.to_string(),
            instance.node_id.map(short).unwrap_or_default(),
            instance.revision_number.to_string(),
            endpoints.join(" "),
            plain(&instance.reason),
        ]);
    }
    table.text(paint, "no instances")
}

pub fn decision(decision: &Decision, paint: Paint) -> String {
    let heading = paint.tone(Tone::Strong, &format!("instance {}", decision.instance_id));
    let lines = decision.explanation.lines().map(plain);
    std::iter::once(heading)
        .chain(lines)
        .map(|line| line + "\n")
        .collect()
}

pub fn quote(quote: &Quote, paint: Paint) -> String {
    let price = format!("{} ({})", quote.price, quote.price_usd);
    let term = match quote.term_blocks {
        Some(blocks) => format!("{} ({blocks} blocks)", span(quote.term_seconds)),
        None => span(quote.term_seconds),
    };
    Facts::new()
        .fact("quote", quote.quote_id)
        .fact("application", plain(&quote.app_name))
        .fact("price", paint.tone(Tone::Strong, &price))
        .fact("rate", rate_of(quote))
        .fact("term", term)
        .fact("copies", quote.instances)
        .fact("firm until", moment(quote.expires_at))
        .maybe("name kept until", quote.name_reserved_until.map(moment))
        .several("it could run", quote.what_if.iter().flat_map(what_if))
        .several("consists of", lines(&quote.lines))
        .several("how", quote.breakdown.iter().map(|line| plain(line)))
        .fact("price table", plain(&quote.price_table))
        .maybe(
            "network takes",
            quote
                .network_minimum
                .as_ref()
                .map(|minimum| format!("{minimum} at least")),
        )
        .text(paint)
}

/// The rate with its age when the quote was made, and its sources.
fn rate_of(quote: &Quote) -> String {
    let price = format!("{} for 1 FLUX", quote.rate);
    match &quote.rate_basis {
        None => price,
        Some(basis) => {
            let age = (quote.created_at - basis.at).num_seconds();
            let age = u64::try_from(age).unwrap_or(0);
            format!("{price}, {} old ({})", span(age), plain(&basis.source))
        }
    }
}

fn what_if(what_if: &WhatIf) -> Vec<String> {
    let mut said = vec![format!(
        "on {} of {} nodes; {} find one now",
        what_if.nodes_matching,
        what_if.nodes_known,
        counted(what_if.instances_placeable),
    )];
    said.extend(what_if.expected_start_seconds.map(|seconds| {
        let basis = match what_if.starts_measured {
            0 => "assumed".to_owned(),
            starts => format!("as nine of ten of the latest {starts} starts"),
        };
        format!("within {} of its funding ({basis})", span(seconds.into()))
    }));
    said.extend(what_if.pending_reason.as_deref().map(plain));
    said.extend(what_if.instances_reserved.map(|copies| {
        let shortage = what_if.reservation_shortage.as_deref();
        let why = shortage.map(|why| format!(" ({})", plain(why)));
        format!(
            "room is kept for {}{}",
            counted(copies),
            why.unwrap_or_default()
        )
    }));
    said
}

fn counted(copies: u32) -> String {
    match copies {
        0 => "no copies".to_owned(),
        1 => "1 copy".to_owned(),
        copies => format!("{copies} copies"),
    }
}

/// Amounts stand under each other.
fn lines(lines: &[PriceLine]) -> Vec<String> {
    let width = |amounts: &[String]| amounts.iter().map(String::len).max().unwrap_or(0);
    let dollars: Vec<String> = lines.iter().map(|line| line.usd.to_string()).collect();
    let flux: Vec<String> = lines.iter().map(|line| line.flux.to_string()).collect();
    let (wide_usd, wide_flux) = (width(&dollars), width(&flux));
    let rows = lines.iter().zip(dollars).zip(flux);
    rows.map(|((line, dollars), flux)| {
        format!(
            "{dollars:>wide_usd$}  {flux:>wide_flux$}  {}",
            plain(&line.item)
        )
    })
    .collect()
}

pub fn payment(payment: &PaymentInstructions, paint: Paint) -> String {
    let heading = paint.tone(Tone::Strong, "Pay with one transaction:");
    let facts = Facts::new()
        .fact("  to", plain(&payment.address))
        .fact("  amount", &payment.amount)
        .fact("  OP_RETURN", plain(&payment.message_hash))
        .maybe("  until", payment.pay_until.map(moment));
    let command = format!(
        "fluxctl wallet pay --key-file WIF_FILE --to {} --amount {} --message-hash {} --rpc-url URL",
        plain(&payment.address),
        payment.amount.amount,
        plain(&payment.message_hash)
    );
    format!("{heading}\n{}or: {command}\n", facts.text(paint))
}
