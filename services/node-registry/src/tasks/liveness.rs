//! Judges silent nodes, with the plane's own probe as a second opinion.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use fluxplane_core::{NodeState, attest::Statement, id::NodeId};
use fluxplane_platform::{
    http,
    reconciler::{Progress, Reconciler},
};
use futures::{StreamExt as _, stream};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::{
    app::{self, Context},
    db::nodes::Beating,
    domain::{
        liveness::{Rules, Suspicion},
        signed,
    },
    metrics::{OutcomeLabels, RegistryMetrics},
};

/// Probes in flight.
const PROBES: usize = 64;

/// Longest answer of a probe; a signature in hex has 128 characters.
const ANSWER_LIMIT: usize = 256;

/// Judges while this replica leads.
#[derive(Debug)]
pub struct Liveness {
    pub ctx: Context,
    pub rules: Rules,
    pub metrics: RegistryMetrics,
    pub http: reqwest::Client,
    /// Fencing token of the term.
    pub token: i64,
    /// When this term began; silence before it counts for nothing.
    pub listening_since: DateTime<Utc>,
    /// Outcome of the probes of the nodes that are suspect now.
    pub probes: BTreeMap<NodeId, Suspicion>,
}

impl Reconciler for Liveness {
    const NAME: &'static str = "registry.liveness";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let nodes = app::liveness::watched(&self.ctx).await?;
        self.probe_suspects(&nodes).await;
        let now = self.ctx.clock.now();
        let judgement =
            app::liveness::judge(&nodes, &self.probes, self.listening_since, now, self.rules);
        self.metrics
            .mass_silence
            .set(i64::from(judgement.mass_silence));
        if judgement.mass_silence {
            tracing::error!(
                nodes = nodes.len(),
                "most nodes are silent, nobody is declared lost"
            );
        }
        let mut changed = 0;
        for (id, verdict) in &judgement.verdicts {
            let seen = nodes.iter().find(|node| NodeId::new(node.id) == *id);
            let seen = seen.map_or(now, |node| node.last_heartbeat_at);
            if app::liveness::apply(&self.ctx, self.token, *id, seen, verdict).await? {
                changed += 1;
            }
        }
        let summary = format!("{} nodes watched, {changed} changed", nodes.len());
        // A fresh suspect is probed at once.
        Ok(if changed > 0 {
            Progress::more(summary)
        } else {
            Progress::done(summary)
        })
    }
}

impl Liveness {
    /// Probes every suspect and forgets the outcomes of nodes that are not suspect any more.
    async fn probe_suspects(&mut self, nodes: &[Beating]) {
        let suspects: Vec<Beating> = nodes
            .iter()
            .filter(|node| node.state == NodeState::Suspect.name())
            .cloned()
            .collect();
        let outcomes: BTreeMap<NodeId, Suspicion> = stream::iter(suspects)
            .map(|node| probe(self.http.clone(), node))
            .buffer_unordered(PROBES)
            .collect()
            .await;
        for suspicion in outcomes.values() {
            let outcome = match suspicion {
                Suspicion::Reachable => "reachable",
                Suspicion::Unreachable | Suspicion::NotProbed => "unreachable",
            };
            self.metrics
                .probes
                .get_or_create(&OutcomeLabels { outcome })
                .inc();
        }
        self.probes = outcomes;
    }
}

/// Asks the agent to sign a nonce: only the node itself can, whoever else may answer at its address.
async fn probe(http: reqwest::Client, node: Beating) -> (NodeId, Suspicion) {
    let suspicion = match signed_answer(&http, &node).await {
        Some(()) => Suspicion::Reachable,
        None => Suspicion::Unreachable,
    };
    (NodeId::new(node.id), suspicion)
}

async fn signed_answer(http: &reqwest::Client, node: &Beating) -> Option<()> {
    let mut nonce = [0; 32];
    SystemRandom::new().fill(&mut nonce).ok()?;
    let ip: std::net::IpAddr = node.ip.parse().ok()?;
    let address = std::net::SocketAddr::new(ip, u16::try_from(node.probe_port).ok()?);
    let url = format!("http://{address}/probe?nonce={}", hex::encode(nonce));
    let response = http.get(url).send().await.ok()?;
    let body = http::body(response, ANSWER_LIMIT).await.ok()?;
    let answer = String::from_utf8(body).ok()?;
    let signature = hex::decode(answer.trim()).ok()?;
    signed::agent_signed(&node.agent_pubkey, Statement::Probe, &nonce, &signature).then_some(())
}

/// How often silence is looked for: often enough to add little to the time a node is missed.
pub const PERIOD: Duration = Duration::from_millis(500);
