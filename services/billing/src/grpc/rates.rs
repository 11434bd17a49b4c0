//! Exchange rates between wire and domain.

use fluxplane_proto::billing::v1::{self as wire, RateSourceState};

use super::convert::timestamp;
use crate::{
    app::{
        rates::{Outlook, OverrideRate, Source},
        time,
    },
    domain::rate::{Judged, Rate, Standing, whole_micros},
};

pub fn rate_to_wire(rate: Rate) -> wire::Rate {
    let statement = rate.basis.statement.map(|signed| {
        let stated = signed.statement;
        wire::RateStatement {
            micro_usd: whole_micros(stated.rate).map_or(0, i64::from),
            valid_from_unix_s: stated.valid_from,
            valid_until_unix_s: stated.valid_until,
            reason: stated.reason,
            signer: signed.signer,
            signature: signed.signature,
        }
    });
    wire::Rate {
        rate_id: rate.id,
        micro_usd: rate.flux_usd.micros().into(),
        at: Some(timestamp(rate.at)),
        source: rate.source,
        sources: rate.basis.sources.into_iter().map(judged_to_wire).collect(),
        statement,
    }
}

pub(super) fn outlook_to_wire(outlook: Outlook) -> wire::GetRateResponse {
    let (rate, problem) = match outlook.rate {
        Ok(rate) => (Some(rate_to_wire(rate)), String::new()),
        Err(err) => (None, err.to_string()),
    };
    wire::GetRateResponse {
        rate,
        problem,
        sources: outlook.sources.into_iter().map(source_to_wire).collect(),
    }
}

pub(super) fn command(principal: String, statement: wire::RateStatement) -> OverrideRate {
    OverrideRate {
        principal,
        micro_usd: statement.micro_usd,
        valid_from: statement.valid_from_unix_s,
        valid_until: statement.valid_until_unix_s,
        reason: statement.reason,
        signer: statement.signer,
        signature: statement.signature,
    }
}

fn judged_to_wire(judged: Judged) -> wire::RateSource {
    source_to_wire(Source {
        name: judged.said.source.clone(),
        said: Some(judged.said),
        standing: judged.standing,
        problem: String::new(),
    })
}

fn source_to_wire(source: Source) -> wire::RateSource {
    wire::RateSource {
        name: source.name,
        state: state(source.standing).into(),
        micro_usd: source.said.as_ref().map_or(0, |said| said.micro_usd.into()),
        at: source.said.map(|said| timestamp(time(said.at))),
        problem: source.problem,
    }
}

const fn state(standing: Standing) -> RateSourceState {
    match standing {
        Standing::Used => RateSourceState::Used,
        Standing::Stale => RateSourceState::Stale,
        Standing::Ahead => RateSourceState::Ahead,
        Standing::Far => RateSourceState::Far,
        Standing::Silent => RateSourceState::Silent,
        Standing::Unused => RateSourceState::Unused,
    }
}
