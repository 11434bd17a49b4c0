//! Judging silence.
//!
//! A node is judged only by silence that we were there to hear: a registry that was down, or a fault that silences most
//! nodes at once, is not the nodes' fault. Silence never destroys.

use std::time::Duration;

use chrono::{DateTime, Utc};
use fluxplane_core::id::NodeId;

/// When silence means what.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub heartbeat_interval: Duration,
    pub suspect_after_missed: u32,
    pub lost_after_missed: u32,
    /// Share of the watched nodes that may be silent before the fault is taken to be ours.
    pub mass_silence_percent: u32,
}

/// What is known of a node that should beat.
#[derive(Debug, Clone)]
pub struct Watched {
    pub id: NodeId,
    /// Suspect already, with the outcome of the plane's own probe if one was made since.
    pub suspicion: Option<Suspicion>,
    pub last_heartbeat_at: DateTime<Utc>,
}

/// Outcome of the plane's own probe of a silent node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspicion {
    NotProbed,
    /// Answers, though it does not beat.
    Reachable,
    Unreachable,
}

/// What follows for a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Suspect { missed: u32 },
    Lost { missed: u32, unreachable: bool },
}

/// The verdicts of one look, for nodes whose state changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub verdicts: Vec<(NodeId, Verdict)>,
    /// So many nodes are silent that nobody is declared lost.
    pub mass_silence: bool,
}

/// Fewer nodes than this are too few to tell a common fault from single ones.
const SMALLEST_MASS: usize = 5;

/// Judges all nodes that should beat. `listening_since` is when this registry began to hear.
pub fn judge(
    nodes: &[Watched],
    listening_since: DateTime<Utc>,
    now: DateTime<Utc>,
    rules: Rules,
) -> Judgement {
    let missed = |node: &Watched| missed_beats(node, listening_since, now, rules);
    let silent = nodes
        .iter()
        .filter(|node| missed(node) >= rules.suspect_after_missed)
        .count();
    let mass_silence = silent >= SMALLEST_MASS
        && silent * 100 > nodes.len() * usize::try_from(rules.mass_silence_percent).unwrap_or(100);
    let verdicts = nodes
        .iter()
        .filter_map(|node| Some((node.id, verdict(node, missed(node), mass_silence, rules)?)))
        .collect();
    Judgement {
        verdicts,
        mass_silence,
    }
}

fn verdict(node: &Watched, missed: u32, mass_silence: bool, rules: Rules) -> Option<Verdict> {
    let Some(suspicion) = node.suspicion else {
        return (missed >= rules.suspect_after_missed).then_some(Verdict::Suspect { missed });
    };
    if mass_silence {
        return None;
    }
    let unreachable = suspicion == Suspicion::Unreachable;
    let lost =
        (unreachable && missed >= rules.suspect_after_missed) || missed >= rules.lost_after_missed;
    lost.then_some(Verdict::Lost {
        missed,
        unreachable,
    })
}

fn missed_beats(
    node: &Watched,
    listening_since: DateTime<Utc>,
    now: DateTime<Utc>,
    rules: Rules,
) -> u32 {
    let heard = node.last_heartbeat_at.max(listening_since);
    let silence = (now - heard).to_std().unwrap_or(Duration::ZERO);
    let beats = silence.as_millis() / rules.heartbeat_interval.as_millis().max(1);
    u32::try_from(beats).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const RULES: Rules = Rules {
        heartbeat_interval: Duration::from_secs(5),
        suspect_after_missed: 3,
        lost_after_missed: 6,
        mass_silence_percent: 50,
    };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn node(n: u128, suspicion: Option<Suspicion>, last: i64) -> Watched {
        let id = uuid::Uuid::from_u128(n).into();
        Watched {
            id,
            suspicion,
            last_heartbeat_at: at(last),
        }
    }

    fn one(suspicion: Option<Suspicion>, last: i64, now: i64) -> Option<Verdict> {
        let judgement = judge(&[node(1, suspicion, last)], at(0), at(now), RULES);
        judgement
            .verdicts
            .into_iter()
            .next()
            .map(|(_, verdict)| verdict)
    }

    #[test]
    fn three_missed_beats_make_a_suspect_and_two_do_not() {
        assert_eq!(one(None, 100, 114), None);
        assert_eq!(one(None, 100, 115), Some(Verdict::Suspect { missed: 3 }));
    }

    #[test]
    fn an_unreachable_suspect_is_lost_at_once_and_a_reachable_one_after_six_beats() {
        let lost = |missed, unreachable| {
            Some(Verdict::Lost {
                missed,
                unreachable,
            })
        };
        assert_eq!(one(Some(Suspicion::Unreachable), 100, 116), lost(3, true));
        assert_eq!(one(Some(Suspicion::Reachable), 100, 129), None);
        assert_eq!(one(Some(Suspicion::Reachable), 100, 130), lost(6, false));
        assert_eq!(one(Some(Suspicion::NotProbed), 100, 116), None);
    }

    #[test]
    fn silence_from_before_we_listened_does_not_count() {
        let judgement = judge(&[node(1, None, 0)], at(3_600), at(3_610), RULES);
        assert_eq!(judgement.verdicts, []);
    }

    #[test]
    fn when_most_nodes_fall_silent_nobody_is_lost() {
        let suspects = |count: u128| {
            (0..count)
                .map(|n| node(n, Some(Suspicion::Unreachable), 100))
                .collect::<Vec<_>>()
        };
        let beating = |count: u128| (100..100 + count).map(|n| node(n, None, 120));
        let mut nodes = suspects(6);
        nodes.extend(beating(4));
        let judgement = judge(&nodes, at(0), at(120), RULES);
        assert!(judgement.mass_silence && judgement.verdicts.is_empty());

        let mut nodes = suspects(5);
        nodes.extend(beating(6));
        let judgement = judge(&nodes, at(0), at(120), RULES);
        assert!(!judgement.mass_silence);
        assert_eq!(judgement.verdicts.len(), 5);
    }
}
