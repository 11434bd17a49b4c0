//! Wiring: for each configured token a node, a lease and a follower.

use std::sync::Arc;

use fluxplane_platform::{
    reconciler::Nudge,
    runner::{self, Start},
};

use super::{
    app::{self, Lead},
    config::{EvmToken, tokens},
    grpc::EvmGrpc,
    metrics::EvmMetrics,
    source::EthRpc,
    tasks::{
        follow::Follower,
        observe::{self, Observe, Observed},
    },
};

/// What answers questions about tokens, also about those that are no longer configured.
pub fn grpc<C: runner::Config>(
    start: &Start<C>,
    ctx: &app::Context,
    list: &[EvmToken],
) -> anyhow::Result<EvmGrpc> {
    Ok(EvmGrpc::new(
        ctx.clone(),
        start.metrics.clone(),
        &tokens(list)?,
    ))
}

/// Follows the configured tokens.
pub fn spawn<C: runner::Config>(
    start: &Start<C>,
    ctx: &app::Context,
    list: &[EvmToken],
) -> anyhow::Result<()> {
    if list.is_empty() {
        return Ok(());
    }
    let metrics = EvmMetrics::register(&start.metrics);
    let mut observed = Vec::new();
    for (entry, token) in list.iter().zip(tokens(list)?) {
        let metrics = metrics.of(&token.name);
        let url = entry.url.clone();
        let source = Arc::new(EthRpc::new(url, entry.timeout.0, metrics.clone())?);
        let lease = app::lease_of(&token.name);
        let driver = start.driver(entry.poll_interval.0, &Nudge::default());
        observed.push(Observed {
            token: token.clone(),
            poll_interval: entry.poll_interval.0,
            metrics: metrics.clone(),
            component: start.health.register(lease),
        });
        let ctx = ctx.clone();
        start.spawn_leader(&ctx.pool.clone(), lease, move |term| {
            let lead = Lead {
                ctx: ctx.clone(),
                token: token.clone(),
                lease,
                term: term.token,
            };
            let over = term.over.clone();
            let follower = Follower::new(lead, Arc::clone(&source), over, metrics.clone());
            driver.clone().drive(follower, term.over)
        });
    }
    let observe = Observe {
        ctx: ctx.clone(),
        observed,
    };
    start.spawn_reconciler(observe, observe::PERIOD, &Nudge::default());
    Ok(())
}
