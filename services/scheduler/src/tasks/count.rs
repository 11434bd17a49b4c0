//! Keeps the gauges true.

use chrono::TimeDelta;
use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::{
    app::Context,
    db,
    domain::{AppState, InstanceState},
    metrics::{FilterLabels, SchedulerMetrics, StateLabels},
};

/// How long a hold that is over stays, so that the leader hears of it.
const FORGET_AFTER: TimeDelta = TimeDelta::minutes(10);

#[derive(Debug)]
pub struct Count {
    pub ctx: Context,
    pub metrics: SchedulerMetrics,
}

impl Reconciler for Count {
    const NAME: &'static str = "scheduler.count";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let mut conn = self.ctx.pool.acquire().await?;
        let apps = db::apps::count_by_state(&mut conn).await?;
        let names = db::reservations::sweep(&mut conn, self.ctx.clock.now()).await?;
        self.metrics.names_reserved.set(names);
        let now = self.ctx.clock.now();
        let rooms = db::kept_rooms::sweep(&mut conn, now - FORGET_AFTER, now).await?;
        self.metrics.rooms_reserved.set(rooms);
        let census = db::instances::census(&mut conn).await?;
        for state in AppState::ALL {
            let count = apps.iter().find(|(of, _)| *of == state);
            let labels = StateLabels {
                state: state.name(),
            };
            let gauge = self.metrics.apps.get_or_create(&labels);
            gauge.set(count.map_or(0, |(_, count)| *count));
        }
        for state in InstanceState::ALL
            .into_iter()
            .filter(|state| !state.has_ended())
        {
            let count = census.states.iter().find(|(of, _)| *of == state);
            let labels = StateLabels {
                state: state.name(),
            };
            let gauge = self.metrics.instances.get_or_create(&labels);
            gauge.set(count.map_or(0, |(_, count)| *count));
        }
        // Filters come and go; one that is not there any more must not keep its last number.
        self.metrics.pending.clear();
        for (filter, count) in census.pending {
            let filter = if filter.is_empty() {
                "none".to_owned()
            } else {
                filter
            };
            self.metrics
                .pending
                .get_or_create(&FilterLabels { filter })
                .set(count);
        }
        Ok(Progress::done(format!(
            "{} states of applications",
            apps.len()
        )))
    }
}
