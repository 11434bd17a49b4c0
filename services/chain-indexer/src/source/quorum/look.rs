//! A look at all daemons: where is each of them, and what do enough of them agree on.
//!
//! Each daemon is asked by a task of its own that outlives the look, so that one that hangs is heard when it answers at last,
//! and is waited for by nobody until then.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use fluxplane_flux_chain::Hash256;
use futures::future::join_all;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout, timeout_at},
};

use super::{
    super::{ChainSource, Position, SourceError},
    Quorum, Terms,
};
use crate::domain::{
    Tip,
    agreement::{Agreement, below, ceiling, elected, highest},
};

/// Questions on their way.
#[derive(Debug, Default)]
pub(super) struct Looks {
    asking: JoinSet<Answer>,
    /// Whom they were put to.
    flying: Vec<usize>,
}

/// What one daemon said.
#[derive(Debug)]
struct Answer {
    member: usize,
    /// The height it was asked about.
    about: Option<u32>,
    result: Result<Position, SourceError>,
    took: Duration,
}

/// What each member said in this look.
type Heard = Vec<Option<Result<Position, SourceError>>>;

impl<S: ChainSource> Quorum<S> {
    /// The network's first block, when somebody tells it and nobody tells another one.
    pub(super) async fn ask_genesis(&self) -> Result<Hash256, SourceError> {
        let answers = join_all(self.members.iter().map(|member| async {
            let Terms {
                genesis, network, ..
            } = &self.terms;
            let result = check_genesis(&*member.source, &member.name, *genesis, network).await;
            match &result {
                Ok(()) => member.standing().verified = true,
                Err(err) => member.failed(err, &self.metrics),
            }
            result
        }))
        .await;
        let (mut found, mut away) = (false, None);
        for answer in answers {
            match answer {
                Ok(()) => found = true,
                Err(err) if err.is_final() => return Err(err),
                Err(err) => away = Some(err),
            }
        }
        match away {
            Some(err) if !found => Err(err),
            _ => Ok(self.terms.genesis),
        }
    }

    pub(super) async fn ask_position(&self, height: Option<u32>) -> Result<Position, SourceError> {
        let mut heard = self.look(height).await;
        let positions: Vec<Option<Position>> = heard
            .iter()
            .map(|answer| answer.as_ref()?.as_ref().ok().copied())
            .collect();
        let agreement = self.agree(&positions, height).await;
        self.judge(&positions, agreement.as_ref()).await;
        let Some(agreement) = agreement else {
            // Of a single daemon its own words say more.
            return match heard.as_mut_slice() {
                [only] => only.take().unwrap_or_else(|| Err(self.no_quorum())),
                _ => Err(self.no_quorum()),
            };
        };
        let at = elected(
            agreement
                .members
                .iter()
                .map(|member| positions[*member].and_then(|position| position.at)),
            self.terms.needed,
        );
        Ok(Position {
            tip: agreement.block,
            at,
        })
    }

    /// Asks everybody where they are, and waits for those who usually answer.
    async fn look(&self, height: Option<u32>) -> Heard {
        let mut looks = self.looks.lock().await;
        for member in 0..self.members.len() {
            if !looks.flying.contains(&member) {
                looks.flying.push(member);
                let ask = self.ask(member, height);
                looks.asking.spawn(ask);
            }
        }
        let deadline = Instant::now() + self.terms.patience;
        let mut heard: Heard = self.members.iter().map(|_| None).collect();
        while !looks.flying.is_empty() && !self.is_enough(&looks, &heard) {
            let answer = if self.members.len() == 1 {
                // There is nobody to go on with.
                looks.asking.join_next().await
            } else {
                match timeout_at(deadline, looks.asking.join_next()).await {
                    Ok(answer) => answer,
                    Err(_) => break,
                }
            };
            let Some(answer) = answer else {
                looks.flying.clear();
                break;
            };
            match answer {
                Ok(answer) => {
                    looks.flying.retain(|member| *member != answer.member);
                    self.hear(answer, height, &mut heard);
                }
                Err(err) => {
                    // Whose question it was is not told; all are asked again.
                    tracing::error!(error = %err, "asking a source failed");
                    looks.asking.abort_all();
                    looks.flying.clear();
                }
            }
        }
        for member in &looks.flying {
            self.late(*member);
        }
        heard
    }

    /// Whether those who answered are enough, and nobody is missing who usually answers in time.
    fn is_enough(&self, looks: &Looks, heard: &Heard) -> bool {
        let answered = heard.iter().flatten().filter(|answer| answer.is_ok());
        answered.count() >= self.terms.needed
            && looks
                .flying
                .iter()
                .all(|member| self.members[*member].standing().tardy)
    }

    fn ask(
        &self,
        member: usize,
        about: Option<u32>,
    ) -> impl Future<Output = Answer> + Send + 'static {
        let source = Arc::clone(&self.members[member].source);
        let name = self.members[member].name.clone();
        let verified = self.members[member].standing().verified;
        let Terms {
            genesis, network, ..
        } = self.terms.clone();
        async move {
            let started = Instant::now();
            let asking = async {
                if !verified {
                    check_genesis(&*source, &name, genesis, &network).await?;
                }
                source.position(about).await
            };
            let result = asking.await;
            Answer {
                member,
                about,
                result,
                took: started.elapsed(),
            }
        }
    }

    fn hear(&self, answer: Answer, height: Option<u32>, heard: &mut Heard) {
        let member = &self.members[answer.member];
        member.standing().tardy = answer.took > self.terms.patience;
        let result = match answer.result {
            Ok(mut position) => {
                let mut standing = member.standing();
                standing.verified = true;
                standing.answered = true;
                standing.tip = Some(position.tip);
                // It was asked in an earlier look.
                if answer.about != height {
                    position.at = None;
                }
                Ok(position)
            }
            Err(err) => {
                member.failed(&err, &self.metrics);
                Err(err)
            }
        };
        heard[answer.member] = Some(result);
    }

    /// It did not answer in time. Its question stays open.
    fn late(&self, member: usize) {
        let member = &self.members[member];
        let mut standing = member.standing();
        if !standing.tardy {
            self.metrics.fault(&member.name, "timeout");
            tracing::warn!(source = member.name, "a source does not answer in time");
        }
        standing.tardy = true;
        standing.answered = false;
        standing.agrees = false;
        standing.problem = format!(
            "did not answer within {} ms",
            self.terms.patience.as_millis()
        );
    }

    /// The highest block that enough of them have.
    async fn agree(
        &self,
        positions: &[Option<Position>],
        height: Option<u32>,
    ) -> Option<Agreement> {
        let needed = self.terms.needed;
        let tips = positions.iter().flatten().map(|position| position.tip);
        let top = ceiling(tips, needed)?;
        let beyond: Vec<usize> = (0..positions.len())
            .filter(|member| positions[*member].is_some_and(|position| position.tip.height > top))
            .collect();
        let mut at_top: Vec<Vec<Option<Hash256>>> = positions
            .iter()
            .map(|position| {
                let position = position.as_ref()?;
                match height {
                    _ if position.tip.height == top => Some(position.tip.hash),
                    Some(height) if height == top => position.at,
                    _ => None,
                }
            })
            .map(|hash| vec![hash])
            .collect();
        let unknown: Vec<usize> = beyond
            .into_iter()
            .filter(|member| at_top[*member] == [None])
            .collect();
        for (member, hashes) in self.ask_hashes(&unknown, top..=top).await {
            at_top[member] = hashes;
        }
        if let Some(agreement) = highest(&(top..=top), &at_top, needed) {
            return Some(agreement);
        }
        let lower = below(top)?;
        let answered: Vec<usize> = (0..positions.len())
            .filter(|member| positions[*member].is_some())
            .collect();
        let mut chains = vec![Vec::new(); positions.len()];
        for (member, hashes) in self.ask_hashes(&answered, lower.clone()).await {
            chains[member] = hashes;
        }
        highest(&lower, &chains, needed)
    }

    /// Says of each whether its blocks are those that are believed.
    async fn judge(&self, positions: &[Option<Position>], agreement: Option<&Agreement>) {
        *self
            .agreed
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) =
            agreement.map(|agreement| agreement.block);
        for (index, position) in positions.iter().enumerate() {
            let Some(position) = position else { continue };
            let verdict = match agreement {
                None => Err("no block is agreed on".to_owned()),
                Some(agreement) if agreement.members.contains(&index) => Ok(()),
                Some(agreement) if position.tip.height < agreement.block.height => {
                    self.judge_behind(position.tip, agreement).await
                }
                Some(agreement) => Err(format!(
                    "disagrees: does not have block {}",
                    agreement.block
                )),
            };
            let member = &self.members[index];
            let mut standing = member.standing();
            standing.agrees = verdict.is_ok();
            let problem = verdict.err().unwrap_or_default();
            if agreement.is_some() && !problem.is_empty() && standing.problem != problem {
                tracing::error!(
                    source = member.name,
                    tip = %position.tip,
                    problem,
                    "a source disagrees with the others"
                );
            }
            standing.problem = problem;
        }
    }

    /// Whether a source that is behind is on the way.
    async fn judge_behind(&self, tip: Tip, agreement: &Agreement) -> Result<(), String> {
        for member in &agreement.members {
            let answers = self.ask_hashes(&[*member], tip.height..=tip.height).await;
            let Some((_, hashes)) = answers.first() else {
                continue;
            };
            return match hashes.first() {
                Some(Some(hash)) if *hash == tip.hash => Ok(()),
                _ => Err(format!(
                    "disagrees: has another block at height {}",
                    tip.height
                )),
            };
        }
        Err("nobody could say whether its blocks are right".to_owned())
    }

    /// Hashes from several members at once, of those who answer in time.
    async fn ask_hashes(
        &self,
        members: &[usize],
        heights: RangeInclusive<u32>,
    ) -> Vec<(usize, Vec<Option<Hash256>>)> {
        let asking = members.iter().map(|index| {
            let heights = heights.clone();
            async move {
                let member = &self.members[*index];
                let asked = member.source.block_hashes(heights);
                match timeout(self.terms.patience, asked).await {
                    Ok(Ok(hashes)) => Some((*index, hashes)),
                    Ok(Err(err)) => {
                        member.failed(&err, &self.metrics);
                        None
                    }
                    Err(_) => {
                        self.late(*index);
                        None
                    }
                }
            }
        });
        join_all(asking).await.into_iter().flatten().collect()
    }
}

async fn check_genesis<S: ChainSource>(
    source: &S,
    name: &str,
    expected: Hash256,
    network: &str,
) -> Result<(), SourceError> {
    let found = source.genesis().await?;
    if found == expected {
        return Ok(());
    }
    Err(SourceError::OtherNetwork {
        name: name.to_owned(),
        network: network.to_owned(),
        found,
        expected,
    })
}
