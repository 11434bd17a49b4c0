//! What an application's instances make of it. The one place where its state is derived.

use super::{
    AppState, Copy, InstanceState,
    rollout::{Containers, Situation},
};

/// Most instances named in a reason; the rest is counted.
const NAMED: usize = 3;

/// What follows from a situation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub state: AppState,
    /// Why it is not running; empty when it is.
    pub reason: String,
    /// Instances that serve, whatever their revision.
    pub healthy: u32,
    /// An instance with the target's containers serves.
    pub proven: bool,
    /// As many instances of the target serve as are wanted.
    pub complete: bool,
    /// Every wanted slot has an instance with a node.
    pub placed: bool,
}

/// Derives the state of an application that is funded and has not ended. `failure` is why its rollout stopped.
pub fn derive(situation: &Situation<'_>, failure: Option<&str>) -> Option<Status> {
    let target = situation.target.filter(|_| !situation.ended)?;
    let live: Vec<&Copy> = situation
        .copies
        .iter()
        .filter(|copy| copy.is_live())
        .collect();
    let up_to_date = |copy: &&&Copy| copy.rollout == target.rollout && copy.serves();
    let healthy = count(live.iter().filter(|copy| copy.serves()));
    let current = count(live.iter().filter(up_to_date));
    let placed = count(
        live.iter()
            .filter(|copy| copy.instance.node.is_some() && copy.rollout == target.rollout),
    );
    let complete = current >= target.instances;
    let any_failed = live
        .iter()
        .any(|copy| copy.instance.state == InstanceState::Failed);
    let updating = situation.stable.is_some() && target.containers != Containers::RolledOut;
    let (state, reason) = match failure {
        Some(cause) => {
            let kept = situation
                .goal_for_vacancies()
                .map_or(target.number, |goal| goal.number);
            let kept = if kept == target.number {
                String::new()
            } else {
                format!("; the other instances keep revision {kept}")
            };
            let number = target.number;
            (
                AppState::Degraded,
                format!("the update to revision {number} stopped: {cause}{kept}"),
            )
        }
        None if complete => (AppState::Running, String::new()),
        None => {
            let first = !target.finished && !any_failed;
            let state = if first {
                AppState::Deploying
            } else {
                AppState::Degraded
            };
            let wanted = target.instances;
            let progress = if updating {
                format!(
                    "{current} of {wanted} instances run revision {}",
                    target.number
                )
            } else {
                format!("{healthy} of {wanted} instances are healthy")
            };
            (state, with_troubles(progress, &live))
        }
    };
    Some(Status {
        state,
        reason,
        healthy,
        proven: current > 0,
        complete,
        placed: placed >= target.instances,
    })
}

/// Adds what is the matter with single instances.
fn with_troubles(progress: String, live: &[&Copy]) -> String {
    let troubles: Vec<String> = live.iter().filter_map(|copy| trouble(copy)).collect();
    if troubles.is_empty() {
        return progress;
    }
    let named = troubles.iter().take(NAMED).cloned().collect::<Vec<_>>();
    let more = troubles.len() - named.len();
    let tail = if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    };
    format!("{progress}; {}{tail}", named.join("; "))
}

fn trouble(copy: &Copy) -> Option<String> {
    let instance = &copy.instance;
    let slot = instance.slot;
    let because = |text: &str| {
        if instance.reason.is_empty() {
            format!("instance {slot} {text}")
        } else {
            format!("instance {slot} {text}: {}", instance.reason)
        }
    };
    if copy.is_gone() {
        return Some(because("is on a lost node"));
    }
    match instance.state {
        InstanceState::Pending => Some(because("waits for a node")),
        InstanceState::Failed => Some(because("failed")),
        InstanceState::Unhealthy => Some(because("is unhealthy")),
        InstanceState::Assigned
        | InstanceState::Pulling
        | InstanceState::Starting
        | InstanceState::Healthy
        | InstanceState::Stopping
        | InstanceState::Stopped
        | InstanceState::Lost => None,
    }
}

fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Standing, rollout::tests::Scene};

    fn status(scene: &Scene, failure: Option<&str>) -> Status {
        derive(&scene.situation(), failure).unwrap()
    }

    #[test]
    fn an_application_runs_when_all_wanted_instances_of_its_revision_serve() {
        let mut scene = Scene::deployed(3);
        assert_eq!(status(&scene, None).state, AppState::Running);
        assert_eq!(status(&scene, None).reason, "");
        scene.set(1, InstanceState::Unhealthy);
        scene.copies[1].instance.reason = "probe timed out".to_owned();
        let degraded = status(&scene, None);
        assert_eq!((degraded.state, degraded.healthy), (AppState::Degraded, 2));
        assert_eq!(
            degraded.reason,
            "2 of 3 instances are healthy; instance 1 is unhealthy: probe timed out"
        );
    }

    #[test]
    fn a_healthy_report_from_a_lost_node_counts_for_nothing() {
        let mut scene = Scene::deployed(2);
        scene.copies[0].standing = Some(Standing::Gone);
        let status = status(&scene, None);
        assert_eq!((status.state, status.healthy), (AppState::Degraded, 1));
        assert!(status.reason.contains("instance 0 is on a lost node"));
    }

    #[test]
    fn the_first_deployment_is_not_called_degraded_until_something_fails() {
        let mut scene = Scene::deployed(2);
        scene.target.finished = false;
        scene.set(0, InstanceState::Pulling);
        assert_eq!(status(&scene, None).state, AppState::Deploying);
        scene.set(0, InstanceState::Failed);
        assert_eq!(status(&scene, None).state, AppState::Degraded);
    }

    #[test]
    fn an_update_runs_only_when_every_instance_has_it_and_says_why_it_stopped() {
        let mut scene = Scene::updating(3);
        let half = status(&scene, None);
        assert_eq!((half.state, half.healthy), (AppState::Deploying, 3));
        assert_eq!(half.reason, "0 of 3 instances run revision 2");
        scene.target.containers = Containers::Failed;
        let stopped = status(&scene, Some("instance 0 failed: no such image"));
        assert_eq!(stopped.state, AppState::Degraded);
        assert_eq!(
            stopped.reason,
            "the update to revision 2 stopped: instance 0 failed: no such image; the other instances keep revision 1"
        );
    }

    #[test]
    fn nothing_is_derived_before_the_money_and_after_the_end() {
        let mut scene = Scene::deployed(1);
        scene.ended = true;
        assert_eq!(derive(&scene.situation(), None), None);
    }
}
