//! Asking again until something is so, on the thread that asks.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio_util::sync::CancellationToken;

/// Pause between attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// Refuses when the plane is asked to stop.
pub(crate) fn go_on(stop: &CancellationToken) -> Result<()> {
    anyhow::ensure!(!stop.is_cancelled(), "interrupted");
    Ok(())
}

/// Tries until an attempt succeeds, the time is up, or the plane is asked to stop. The last attempt's error says why.
pub(crate) fn until<T>(
    stop: &CancellationToken,
    limit: Duration,
    mut attempt: impl FnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        go_on(stop)?;
        match attempt() {
            Ok(found) => return Ok(found),
            Err(err) if Instant::now() >= deadline => {
                return Err(err.context(format!("not within {} s", limit.as_secs())));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_repeated_until_one_succeeds() {
        let mut left = 3;
        let found = until(&CancellationToken::new(), Duration::from_mins(1), || {
            left -= 1;
            anyhow::ensure!(left == 0, "not yet");
            Ok("here")
        });
        assert_eq!((found.unwrap(), left), ("here", 0));
    }

    #[test]
    fn the_last_reason_is_told_when_the_time_is_up() {
        let never = || anyhow::bail!("the door is closed");
        let said = until::<()>(&CancellationToken::new(), Duration::ZERO, never).unwrap_err();
        assert_eq!(format!("{said:#}"), "not within 0 s: the door is closed");
    }

    #[test]
    fn nothing_is_tried_once_the_plane_is_to_stop() {
        let stop = CancellationToken::new();
        stop.cancel();
        let said = until::<()>(&stop, Duration::from_mins(1), || unreachable!()).unwrap_err();
        assert_eq!(said.to_string(), "interrupted");
    }
}
