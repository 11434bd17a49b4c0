//! What a task concludes from what it saw, and says.

use std::time::Duration;

use tracing::Span;

use super::{converge::ConvergeError, instance::InstanceTask};
use crate::{
    domain::{
        Phase, Status,
        health::{Evidence, Finding, Look},
        restart::STABLE,
        status,
    },
    entropy::jitter,
};

/// Longest pause while only the absence of the engine or the plane stands in the way: it may be back any moment.
const AWAY_PAUSE: Duration = Duration::from_secs(15);

impl InstanceTask {
    /// An instance that is revived after a crash or a failure keeps saying so until that has succeeded.
    pub(super) fn phase_of_start(&self, phase: Phase) {
        if self.crash.is_none() && !self.failing {
            self.status(phase, "");
        }
    }

    pub(super) fn observed(&mut self, look: Look) {
        let now = self.shared.clock.now();
        let Some(health) = &mut self.health else {
            return;
        };
        let Finding {
            phase,
            reason,
            evidence,
        } = health.observe(look, now);
        let stable = health
            .healthy_for(now)
            .is_some_and(|span| span.to_std().unwrap_or_default() >= STABLE);
        match evidence {
            Evidence::Healthy => self.shared.metering.healthy(self.assignment()),
            Evidence::Ended => self.shared.metering.ended(self.assignment()),
            Evidence::Silent => {}
        }
        if stable {
            self.restarts.stable();
        }
        match (phase, &self.crash) {
            (Phase::Starting, Some(crash)) => {
                let reason = format!("{crash}; it was started again and does not answer yet");
                self.status(self.phase_after_crash(), &reason);
            }
            (Phase::Healthy, _) => {
                self.crash = None;
                match self.starting.take() {
                    Some((since, span)) => {
                        self.shared
                            .metrics
                            .start_seconds
                            .observe(since.elapsed().as_secs_f64());
                        span.in_scope(|| self.status(phase, &reason));
                    }
                    None => self.status(phase, &reason),
                }
            }
            _ => self.status(phase, &reason),
        }
    }

    /// A container exited: says so, and how long to wait before it is started again.
    pub(super) fn exited(&mut self, component: &str, code: i64, out_of_memory: bool) -> Duration {
        let cause = if out_of_memory {
            ", killed for using more memory than its limit"
        } else {
            ""
        };
        self.crashed(
            component,
            &format!("component `{component}` exited with code {code}{cause}"),
        )
    }

    /// A component's own probes gave it up: says so, and how long to wait before it is started again.
    pub(super) fn gave_up(&mut self, component: &str, cause: &str) -> Duration {
        self.crashed(
            component,
            &format!("component `{component}` was stopped: {cause}"),
        )
    }

    fn crashed(&mut self, component: &str, what: &str) -> Duration {
        self.shared.metering.ended(self.assignment());
        self.health = None;
        let own = self.specs.iter().find(|spec| spec.component == component);
        let own = own.and_then(|spec| spec.restart);
        let pause = self.restarts.exited(own, jitter());
        let times = match self.restarts.in_a_row() {
            0 | 1 => String::new(),
            times => format!(", {times} times in a row"),
        };
        let crash = format!("{what}{times}");
        tracing::warn!(
            instance.id = %self.instance.id,
            restart.pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "{crash}"
        );
        self.status(self.phase_after_crash(), &crash);
        self.crash = Some(crash);
        pause
    }

    const fn phase_after_crash(&self) -> Phase {
        if self.restarts.failed() {
            Phase::Failed
        } else {
            Phase::Unhealthy
        }
    }

    /// An attempt failed: says so, and how long to wait before the next.
    pub(super) fn failed(&mut self, err: &ConvergeError) -> Duration {
        let reason = err.to_string();
        let pause = self.retry.failed(jitter());
        if err.away() {
            let phase = if self.starting.is_some() && !err.plane_away() {
                Phase::Starting
            } else {
                Phase::Pulling
            };
            if self.health.is_none() && self.crash.is_none() && !self.failing {
                self.status(phase, &reason);
            }
            pause.min(AWAY_PAUSE)
        } else {
            tracing::warn!(instance.id = %self.instance.id, reason, "instance cannot run");
            let span = self
                .starting
                .take()
                .map_or_else(Span::none, |(_, span)| span);
            span.in_scope(|| self.status(Phase::Failed, &reason));
            self.failing = true;
            pause
        }
    }

    pub(super) fn status(&self, phase: Phase, reason: &str) {
        self.shared.board.put(Status {
            instance: self.instance.id,
            assignment_epoch: self.instance.assignment_epoch,
            revision: self.instance.revision,
            app_name: self.instance.app_name.clone(),
            phase,
            reason: status::reason(reason),
            restarts: self.restarts.total(),
            since: self.shared.clock.now(),
        });
    }
}
