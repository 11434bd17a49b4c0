//! `rate`, and `admin override-rate`

use fluxplane_core::money::SAT_PER_FLUX;
use fluxplane_pricing::native::{FluxUsd, RateStatement, SignedStatement};

use super::Context;
use crate::{cli::admin::OverrideRate, error::Error, exit::Exit, render::rates, wallet::Key};

/// How far in the past a statement begins, so that it holds on a plane whose clock is behind.
const BEFORE_S: u64 = 30;

pub(super) async fn show(context: &Context<'_>) -> Result<Exit, Error> {
    let known = context.client()?.rate().await?;
    context
        .ui
        .show(&known, |paint| rates::current(&known, paint))?;
    Ok(Exit::Success)
}

pub(super) async fn set(context: &Context<'_>, args: OverrideRate) -> Result<Exit, Error> {
    let key = Key::read("--key-file", &args.key_file)?;
    let now = context.now_ms() / 1_000;
    let rate = FluxUsd::new(args.usd.into(), SAT_PER_FLUX.unsigned_abs());
    let rate = rate
        .map_err(|err| Error::input("--usd", args.usd, err.to_string(), "give dollars per FLUX"))?;
    let statement = RateStatement {
        rate,
        valid_from: now.saturating_sub(BEFORE_S),
        valid_until: now + args.span.as_secs().max(1),
        reason: args.reason,
    };
    let signed = SignedStatement {
        signer: key.flux_id().to_string(),
        signature: key.sign(&statement.text()),
        statement,
    };
    let rate = context.client()?.override_rate(args.usd, signed).await?;
    context.ui.show(&rate, |paint| rates::rate(&rate, paint))?;
    Ok(Exit::Success)
}
