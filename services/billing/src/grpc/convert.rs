//! Between wire and domain. Malformed ids are errors that name the field.

use chrono::{DateTime, Utc};
use fluxplane_core::{Sat, error::Violation};
use fluxplane_pricing::legacy::FluxDiscount;
use fluxplane_proto::{billing::v1 as wire, common::v1::Money};
use prost_types::Timestamp;

use super::rates;
use crate::{
    app::{
        Error,
        prove_line::Proven,
        queries::{Bill, Line},
        time,
    },
    db::{
        epochs::{AnchorState, Epoch},
        payouts::Earning,
    },
    domain::{
        epoch::EpochState,
        quote::{Estimate, ListTerms, PriceLine, Quote, WhatIf},
    },
};

pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

pub fn flux(amount: Sat) -> Money {
    Money {
        units: amount.get(),
        currency: "FLUX".to_owned(),
    }
}

fn usd(micro_usd: i64) -> Money {
    Money {
        units: micro_usd,
        currency: "USD".to_owned(),
    }
}

fn count(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Reads an id of a request.
pub fn id<T: std::str::FromStr>(field: &'static str, text: &str) -> Result<T, Error> {
    text.parse().map_err(|_| {
        let rule = "an id is a UUID";
        Error::Invalid(vec![Violation::new(
            field,
            text,
            rule,
            "take it from a list",
        )])
    })
}

pub fn estimate_to_wire(estimate: Estimate) -> wire::EstimatePriceResponse {
    let (discount, percent) = match estimate.discount {
        FluxDiscount::Free => (wire::FluxDiscount::Free, 0),
        FluxDiscount::Percent(percent) => (wire::FluxDiscount::Percent, percent),
        FluxDiscount::NotPossible => (wire::FluxDiscount::NotPossible, 0),
    };
    wire::EstimatePriceResponse {
        price: Some(flux(estimate.price)),
        price_usd: Some(usd(estimate.micro_usd)),
        discount: discount.into(),
        discount_percent: percent.into(),
    }
}

pub fn quote_to_wire(quote: Quote) -> wire::Quote {
    let offer = quote.offer;
    let (minimum, blocks) = match offer.list {
        ListTerms::FluxOs {
            network_minimum,
            term_blocks,
            ..
        } => (Some(flux(network_minimum)), Some(count(term_blocks))),
        ListTerms::Native { .. } => (None, None),
    };
    wire::Quote {
        quote_id: quote.id.to_string(),
        owner: quote.owner,
        app_name: quote.app_name,
        spec_sha256: hex::encode(quote.spec_sha256),
        price: Some(flux(offer.price)),
        price_usd: Some(usd(offer.micro_usd)),
        rate_micro_usd: quote.rate.flux_usd.micros().into(),
        term_blocks: blocks,
        term_seconds: offer.term_seconds,
        instances: quote.instances,
        payment_address: quote.payment_address,
        created_at: Some(timestamp(quote.created_at)),
        expires_at: Some(timestamp(quote.expires_at)),
        price_table: offer.price_table,
        breakdown: offer.breakdown,
        network_minimum: minimum,
        lines: offer.lines.into_iter().map(price_line_to_wire).collect(),
        rate: Some(rates::rate_to_wire(quote.rate)),
        what_if: quote.what_if.map(what_if_to_wire),
        name_reserved_until: quote.name_reserved_until.map(timestamp),
    }
}

fn what_if_to_wire(what_if: WhatIf) -> wire::WhatIf {
    let reserved = what_if.reserved.as_ref();
    wire::WhatIf {
        instances_reserved: reserved.map(|room| room.instances),
        reservation_shortage: reserved.map_or_else(String::new, |room| room.shortage.clone()),
        nodes_matching: what_if.nodes_matching,
        nodes_known: what_if.nodes_known,
        instances_placeable: what_if.instances_placeable,
        pending_reason: what_if.pending_reason,
        expected_start_seconds: what_if.expected_start_s,
        starts_measured: what_if.starts_measured,
    }
}

fn price_line_to_wire(line: PriceLine) -> wire::PriceLine {
    wire::PriceLine {
        item: line.item,
        usd: Some(usd(line.micro_usd)),
        flux: Some(flux(Sat::new(line.sat))),
    }
}

const fn state_to_wire(epoch: &Epoch) -> wire::EpochState {
    match (epoch.state, epoch.anchor) {
        (EpochState::Open | EpochState::Ending | EpochState::Closing, _) => wire::EpochState::Open,
        (EpochState::Closed, AnchorState::Confirmed) => wire::EpochState::Anchored,
        (EpochState::Closed, AnchorState::Final) => wire::EpochState::Sealed,
        (EpochState::Closed, AnchorState::None | AnchorState::Refused | AnchorState::Pending) => {
            wire::EpochState::Closed
        }
    }
}

pub fn epoch_to_wire(epoch: Epoch) -> wire::Epoch {
    let bytes = |hash: Option<fluxplane_ledger::settlement::Hash32>| {
        hash.map(|hash| hash.0.to_vec()).unwrap_or_default()
    };
    wire::Epoch {
        number: epoch.number,
        state: state_to_wire(&epoch).into(),
        from: Some(timestamp(time(epoch.opens_at))),
        to: Some(timestamp(time(epoch.ends_at))),
        root: bytes(epoch.root),
        previous_root: bytes(epoch.previous_root),
        leaf_count: epoch.leaf_count(),
        charged: Some(flux(epoch.charged)),
        paid_out: Some(flux(epoch.paid)),
        anchor_height: epoch.anchor_height.map(count).unwrap_or_default(),
        anchor_confirmations: count(epoch.anchor_confirmations),
        anchor_txid: epoch.anchor_txid,
    }
}

pub fn bill_to_wire(bill: Bill) -> wire::Invoice {
    let Bill {
        invoice,
        epoch,
        lines,
    } = bill;
    wire::Invoice {
        invoice_id: invoice.id.to_string(),
        owner: invoice.owner,
        epoch: invoice.epoch,
        from: Some(timestamp(time(epoch.opens_at))),
        to: Some(timestamp(time(epoch.ends_at))),
        total: Some(flux(invoice.total)),
        line_count: count(invoice.lines),
        epoch_state: state_to_wire(&epoch).into(),
        lines: lines.into_iter().map(line_to_wire).collect(),
    }
}

fn line_to_wire(line: Line) -> wire::InvoiceLine {
    let Line {
        line,
        app_name,
        leaf,
    } = line;
    wire::InvoiceLine {
        number: line.number,
        app_id: line.app.to_string(),
        app_name,
        instance_id: line.instance.to_string(),
        node_id: line.node.to_string(),
        quote_id: line.quote.to_string(),
        seconds: line.seconds,
        from: Some(timestamp(time(line.from))),
        to: Some(timestamp(time(line.to))),
        amount: Some(flux(line.amount)),
        leaf_index: leaf,
    }
}

pub fn earning_to_wire(earning: &Earning) -> wire::Earning {
    wire::Earning {
        epoch: earning.epoch,
        node_id: earning.node.to_string(),
        availability: Some(flux(earning.online)),
        hosting: Some(flux(earning.hosting)),
        online_seconds: earning.online_seconds,
        hosted_seconds: earning.hosted_seconds,
        leaf_index: earning.leaf,
    }
}

pub fn proof_to_wire(proven: Proven) -> wire::GetLineProofResponse {
    let evidence = proven.evidence.intervals().iter();
    wire::GetLineProofResponse {
        epoch: proven.epoch.number,
        leaf: proven.leaf,
        leaf_index: proven.proof.index.into(),
        tree_size: proven.proof.size.into(),
        path: proven
            .proof
            .path
            .iter()
            .map(|hash| hash.0.to_vec())
            .collect(),
        root: proven.root.0.to_vec(),
        previous_root: proven.previous_root.0.to_vec(),
        anchor_txid: proven.epoch.anchor_txid,
        anchor_height: proven.epoch.anchor_height.map(count).unwrap_or_default(),
        owner_salt: proven.salt.to_vec(),
        evidence: evidence
            .map(|interval| wire::EvidenceInterval {
                from_unix_s: interval.from(),
                to_unix_s: interval.to(),
            })
            .collect(),
    }
}
