//! What the scheduler hears. As its `node_changed` and `instances_reported` do, with its own judgement of reports.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use fluxplane_core::id::AppId;
use fluxplane_scheduler::domain::{
    Node, Standing,
    observe::{Report, observe},
};

use super::Plane;

impl Plane {
    /// A node changed: what runs there may need another place, what waits may have found one. Gives the applications it
    /// concerns.
    pub(crate) fn node_changed(&mut self, node: Node, now: DateTime<Utc>) -> BTreeSet<AppId> {
        let mut concerned = BTreeSet::new();
        let id = node.id;
        let known = self.nodes.get(&id);
        if known.is_some_and(|known| known.version >= node.version) {
            return concerned;
        }
        let before = known.map(|known| Standing::from(known.state));
        let after = Standing::from(node.state);
        let grew = known.is_none_or(|known| !known.capacity.covers(node.capacity));
        self.nodes.insert(id, node);
        self.unseen.insert(id);
        if before == Some(after) && !grew {
            return concerned;
        }
        let here = self.on_node.get(&id).into_iter().flatten();
        concerned.extend(here.map(|(app, _)| *app));
        if after == Standing::Ready {
            concerned.extend(self.forget_tries());
        }
        for app in &concerned {
            self.attend(*app, now);
        }
        concerned
    }

    /// Instances that looked for a node in vain may do so again at once.
    fn forget_tries(&mut self) -> Vec<AppId> {
        let mut in_need = Vec::new();
        for (id, record) in &mut self.apps {
            let mut tried = false;
            for copy in &mut record.copies {
                if copy.instance.ended_at.is_none() {
                    tried |= copy.instance.tried_at.is_some();
                    copy.instance.tried_at = None;
                }
            }
            if tried {
                in_need.push(*id);
            }
        }
        in_need
    }

    /// Whether a report says anything that is not known.
    pub(crate) fn is_news(&self, report: &Report, now: DateTime<Utc>) -> bool {
        let here = self.on_node.get(&report.node).into_iter().flatten();
        let mut copies = here.filter_map(|(app, instance)| {
            let mut copies = self.apps.get(app)?.copies.iter();
            copies.find(|copy| copy.instance.id == *instance)
        });
        copies.any(|copy| observe(&copy.instance, copy.number, report, now).is_some())
    }

    /// A node says what it runs. Gives the applications about which that says something new.
    pub(crate) fn reported(&mut self, report: &Report, now: DateTime<Utc>) -> BTreeSet<AppId> {
        let here = self.on_node.get(&report.node).cloned().unwrap_or_default();
        let mut concerned = BTreeSet::new();
        for (app, instance) in here {
            let Some(record) = self.apps.get(&app) else {
                continue;
            };
            let mut copies = record.copies.clone();
            let copy = copies.iter_mut().find(|copy| copy.instance.id == instance);
            let Some(copy) = copy else { continue };
            if let Some((after, _)) = observe(&copy.instance, copy.number, report, now) {
                copy.instance = after;
                self.save_copies(app, copies);
                self.attend(app, now);
                concerned.insert(app);
            }
        }
        concerned
    }
}
