//! Polling a condition with a deadline, instead of sleeping and hoping.

use std::{fmt::Debug, time::Duration};

use tokio::time::Instant;

/// Longer than anything a test waits for takes, also on a slow machine that runs several at once: who needs it has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// Polls until `look` returns `Ok`. Panics with the last `Err` once `limit` has passed.
#[track_caller]
pub fn eventually<T, E, F, Fut>(limit: Duration, mut look: F) -> impl Future<Output = T>
where
    E: Debug,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    let caller = std::panic::Location::caller();
    async move {
        let deadline = Instant::now() + limit;
        loop {
            match look().await {
                Ok(value) => return value,
                Err(seen) if Instant::now() >= deadline => {
                    panic!("{caller}: not within {limit:?}; last seen: {seen:?}")
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
