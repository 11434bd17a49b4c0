//! Questions whose answers cannot be checked: enough daemons must give the same one. And questions any of them may answer.

use std::sync::Arc;

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::time::timeout;

use super::{
    super::{ChainSource, SourceError},
    Quorum,
};

impl<S: ChainSource> Quorum<S> {
    /// The answer that enough of those who agree give. Returns as soon as there is one.
    pub(super) async fn vote<T, A>(&self, ask: impl Fn(Arc<S>) -> A) -> Result<T, SourceError>
    where
        T: PartialEq + Send,
        A: Future<Output = Result<T, SourceError>> + Send,
    {
        if let [only] = self.members.as_slice() {
            return ask(Arc::clone(&only.source)).await;
        }
        let mut asking: FuturesUnordered<_> = self
            .agreeing()
            .into_iter()
            .map(|index| {
                let asked = ask(Arc::clone(&self.members[index].source));
                async move { (index, asked.await) }
            })
            .collect();
        let mut votes: Vec<(T, usize)> = Vec::new();
        let mut moved = None;
        while let Some((index, answer)) = asking.next().await {
            match answer {
                Ok(answer) => match votes.iter_mut().find(|(given, _)| *given == answer) {
                    Some((_, count)) => *count += 1,
                    None => votes.push((answer, 1)),
                },
                Err(err @ SourceError::Moved(_)) => moved = Some(err),
                Err(err) => self.members[index].faulted(&err, &self.metrics),
            }
            if let Some(place) = votes
                .iter()
                .position(|(_, count)| *count >= self.terms.needed)
            {
                return Ok(votes.swap_remove(place).0);
            }
        }
        Err(moved.unwrap_or_else(|| self.no_quorum()))
    }

    /// The answer of the first of those who agree that gives one.
    pub(super) async fn first<T, A>(&self, ask: impl Fn(Arc<S>) -> A) -> Result<T, SourceError>
    where
        A: Future<Output = Result<T, SourceError>> + Send,
    {
        if let [only] = self.members.as_slice() {
            return ask(Arc::clone(&only.source)).await;
        }
        let mut last = None;
        for index in self.agreeing() {
            let member = &self.members[index];
            let asked = ask(Arc::clone(&member.source));
            match timeout(self.terms.patience, asked).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(err)) => {
                    member.faulted(&err, &self.metrics);
                    last = Some(err);
                }
                Err(_) => {
                    let err = SourceError::Slow(self.terms.patience);
                    member.faulted(&err, &self.metrics);
                    last = Some(err);
                }
            }
        }
        Err(last.unwrap_or_else(|| self.no_quorum()))
    }
}
