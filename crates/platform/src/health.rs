//! Health as a state per component; the process is as healthy as its worst one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "snake_case")]
pub enum State {
    Ready,
    /// Works with less, e.g. without fresh data. Does not make the process unready.
    Affected(String),
    /// Cannot serve.
    NotReady(String),
}

/// The components of a process. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    components: BTreeMap<&'static str, State>,
    shutting_down: bool,
}

/// What `/readyz` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub ready: bool,
    pub shutting_down: bool,
    pub components: BTreeMap<&'static str, State>,
}

impl Health {
    /// Adds a component that is not ready yet.
    pub fn register(&self, name: &'static str) -> Component {
        let component = Component {
            name,
            health: self.clone(),
        };
        component.set(State::NotReady("starting".to_owned()));
        component
    }

    /// From now on the process is unready for good.
    pub fn shutting_down(&self) {
        self.lock().shutting_down = true;
    }

    pub fn report(&self) -> Report {
        let inner = self.lock();
        let serving = inner
            .components
            .values()
            .all(|state| !matches!(state, State::NotReady(_)));
        Report {
            ready: serving && !inner.shutting_down,
            shutting_down: inner.shutting_down,
            components: inner.components.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // The map stays whole whatever a panicking holder did: every write is one insert.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One part of a process that can fail by itself.
#[derive(Debug, Clone)]
pub struct Component {
    name: &'static str,
    health: Health,
}

impl Component {
    pub fn set(&self, state: State) {
        let mut inner = self.health.lock();
        if inner.components.get(self.name) != Some(&state) {
            tracing::info!(component = self.name, ?state, "health changed");
            inner.components.insert(self.name, state);
        }
    }

    pub fn ready(&self) {
        self.set(State::Ready);
    }

    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(State::NotReady(reason.into()));
    }

    pub fn affected(&self, reason: impl Into<String>) {
        self.set(State::Affected(reason.into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_component_decides_and_shutdown_is_final() {
        let health = Health::default();
        let (db, bus) = (health.register("db"), health.register("bus"));
        assert!(!health.report().ready);
        db.ready();
        bus.affected("reconnecting");
        assert!(health.report().ready);
        db.not_ready("gone");
        assert!(!health.report().ready);
        db.ready();
        health.shutting_down();
        assert!(!health.report().ready);
    }
}
