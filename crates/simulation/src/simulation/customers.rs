//! What customers do: deploy, pay or not, change, cancel.

use chrono::TimeDelta;
use fluxplane_core::id::{AppId, RevisionId};
use fluxplane_scheduler::domain::Node;

use super::World;
use crate::{demand, event::Event, journal::short, plane::current};

/// Mean time until the money for a revision arrives.
const PAYMENT: TimeDelta = TimeDelta::minutes(2);

impl World {
    pub(super) fn deploy(&mut self) -> String {
        if !self.plane.up {
            return "a customer deploys, and nobody answers".to_owned();
        }
        let random = &mut self.customers;
        let nodes: Vec<&Node> = self.plane.nodes.values().collect();
        let workload = demand::workload(random, self.scenario.ports, &nodes);
        let (app, revision): (AppId, RevisionId) = (random.uuid().into(), random.uuid().into());
        self.tempers.insert(revision, demand::temper(random));
        let wanted = workload.instances;
        self.plane.submit(app, revision, workload, self.now);
        self.touched_apps.insert(app);
        self.bill(app, 1);
        format!("app {} is deployed, {wanted} instances", short(app))
    }

    pub(super) fn wish(&mut self) -> String {
        if self.calm_since.is_some() {
            return "customers are content".to_owned();
        }
        let next = self.customers.waiting(self.scenario.wishes);
        self.after(next, Event::Wish);
        let living = self.plane.apps.values();
        let living = living.filter(|record| !record.app.state.has_ended());
        let living: Vec<AppId> = living.map(|record| record.app.id).collect();
        let app = self.customers.pick(&living).copied();
        match (self.customers.below(100), app) {
            (0..50, Some(app)) => self.change(app),
            (50..65, Some(app)) => self.cancel(app),
            (_, _) => self.deploy(),
        }
    }

    fn change(&mut self, id: AppId) -> String {
        let record = self.plane.apps.get(&id).filter(|_| self.plane.up);
        let before = record.and_then(|record| {
            let now = current(record)?;
            Some((now.id, record.workloads.get(&now.number)?))
        });
        let Some((last, workload)) = before else {
            return "a customer changes an app, and nobody answers".to_owned();
        };
        let random = &mut self.customers;
        let (workload, restarts) = demand::changed(random, workload);
        let revision: RevisionId = random.uuid().into();
        let temper = match self.tempers.get(&last) {
            Some(same) if !restarts => *same,
            Some(_) | None => demand::temper(random),
        };
        let number = self
            .plane
            .update(id, revision, workload, restarts, self.now);
        let Some(number) = number else {
            return format!("app {} takes no update now", short(id));
        };
        self.tempers.insert(revision, temper);
        self.touched_apps.insert(id);
        self.bill(id, number);
        format!("app {} gets revision {number}", short(id))
    }

    fn cancel(&mut self, id: AppId) -> String {
        if !self.plane.up {
            return "a customer cancels, and nobody answers".to_owned();
        }
        self.plane.cancel(id, self.now);
        self.touched_apps.insert(id);
        format!("app {} is cancelled", short(id))
    }

    /// The customer will pay; one in twenty does not.
    fn bill(&mut self, app: AppId, number: u32) {
        if !self.customers.chance(50) {
            let time = self.customers.waiting(PAYMENT);
            self.after(time, Event::Pay { app, number });
        }
    }

    pub(super) fn pay(&mut self, app: AppId, number: u32) -> String {
        if !self.plane.up {
            self.backlog.push(Event::Pay { app, number });
            return format!("money for app {} waits for the scheduler", short(app));
        }
        let term = TimeDelta::hours(1) + self.customers.waiting(TimeDelta::hours(6));
        self.plane.fund(app, number, self.now, term);
        self.touched_apps.insert(app);
        format!("revision {number} of app {} is paid", short(app))
    }
}
