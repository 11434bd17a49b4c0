//! Single steps by example, and whole rollouts by simulation.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::Instance;

const RULES: Rules = Rules {
    health_timeout: TimeDelta::seconds(600),
    retry: TimeDelta::seconds(5),
};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// A situation that owns its parts.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) now: DateTime<Utc>,
    pub(crate) deadlines: Deadlines,
    pub(crate) ended: bool,
    pub(crate) target: Goal,
    pub(crate) stable: Option<Goal>,
    pub(crate) copies: Vec<Copy>,
    next_id: u128,
}

pub(crate) fn goal(number: u32, instances: u32) -> Goal {
    Goal {
        number,
        rollout: number,
        instances,
        containers: Containers::Unproven,
        finished: false,
        secrets: 0,
    }
}

fn works(goal: Goal) -> Goal {
    Goal {
        containers: Containers::RolledOut,
        finished: true,
        ..goal
    }
}

impl Scene {
    fn empty(target: Goal) -> Self {
        Self {
            now: at(1_000),
            deadlines: Deadlines::default(),
            ended: false,
            target,
            stable: None,
            copies: Vec::new(),
            next_id: 1,
        }
    }

    /// All instances of revision 1 are healthy.
    pub(crate) fn deployed(instances: u32) -> Self {
        let mut scene = Self::empty(works(goal(1, instances)));
        for slot in 0..instances {
            scene.add(slot, 1, InstanceState::Healthy);
        }
        scene
    }

    /// The same when revision 2, with other containers, was just funded.
    pub(crate) fn updating(instances: u32) -> Self {
        let mut scene = Self::deployed(instances);
        scene.stable = Some(scene.target);
        scene.target = goal(2, instances);
        scene
    }

    pub(crate) fn situation(&self) -> Situation<'_> {
        Situation {
            now: self.now,
            rules: RULES,
            deadlines: self.deadlines,
            ended: self.ended,
            target: Some(self.target),
            stable: self.stable,
            copies: &self.copies,
        }
    }

    fn next(&self) -> Step {
        next_step(&self.situation())
    }

    fn add(&mut self, slot: u32, number: u32, state: InstanceState) -> InstanceId {
        let id: InstanceId = Uuid::from_u128(self.next_id).into();
        self.next_id += 1;
        let revision = Uuid::from_u128(number.into()).into();
        let app = Uuid::from_u128(99).into();
        let mut instance = Instance::new(id, app, slot, revision, self.now);
        let mut standing = None;
        if state != InstanceState::Pending {
            instance.assign(
                Uuid::from_u128(1_000 + self.next_id).into(),
                revision,
                self.now,
            );
            standing = Some(Standing::Ready);
        }
        instance.state = state;
        if state == InstanceState::Healthy {
            instance.healthy_at = Some(self.now);
        }
        self.copies.push(Copy {
            instance,
            number,
            rollout: number,
            resources: fluxplane_core::Resources::ZERO,
            ports: Vec::new(),
            standing,
        });
        id
    }

    pub(crate) fn set(&mut self, position: usize, state: InstanceState) {
        let now = self.now;
        self.copies[position].instance.enter(state, "", now);
    }

    fn id(&self, position: usize) -> InstanceId {
        self.copies[position].instance.id
    }

    fn until(&self) -> Option<DateTime<Utc>> {
        match self.next() {
            Step::Wait { until } => until,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_funded_application_asks_for_all_its_instances_at_once() {
    let scene = Scene::empty(goal(1, 3));
    let wishes = [0, 1, 2].map(|slot| Wish {
        slot,
        vacancy: Vacancy::Empty,
    });
    assert_eq!(
        scene.next(),
        Step::Place {
            number: 1,
            wishes: wishes.to_vec()
        }
    );
}

#[test]
fn what_waits_for_a_node_is_tried_again_after_a_pause() {
    let mut scene = Scene::empty(goal(1, 1));
    let id = scene.add(0, 1, InstanceState::Pending);
    scene.copies[0].instance.tried_at = Some(scene.now);
    assert_eq!(scene.until(), Some(scene.now + RULES.retry));
    scene.now += RULES.retry;
    let wish = Wish {
        slot: 0,
        vacancy: Vacancy::Pending(id),
    };
    let wishes = vec![wish];
    assert_eq!(scene.next(), Step::Place { number: 1, wishes });
}

#[test]
fn a_suspect_node_keeps_its_instances_and_a_lost_one_does_not() {
    let mut scene = Scene::deployed(2);
    scene.copies[1].standing = Some(Standing::Unsure);
    assert_eq!(scene.until(), None);
    scene.copies[1].standing = Some(Standing::Gone);
    let wish = Wish {
        slot: 1,
        vacancy: Vacancy::Lost(scene.id(1)),
    };
    let wishes = vec![wish];
    assert_eq!(scene.next(), Step::Place { number: 1, wishes });
}

#[test]
fn fewer_wanted_instances_stop_the_highest_slots() {
    let mut scene = Scene::deployed(3);
    scene.target.instances = 1;
    assert_eq!(scene.next(), Step::Stop(vec![scene.id(1), scene.id(2)]));
}

#[test]
fn an_ended_application_stops_everything_and_gives_up_what_cannot_answer() {
    let mut scene = Scene::deployed(2);
    scene.ended = true;
    scene.deadlines.term = Some(scene.now);
    assert_eq!(scene.next(), Step::Stop(vec![scene.id(0), scene.id(1)]));
    scene.set(0, InstanceState::Stopping);
    scene.set(1, InstanceState::Stopping);
    assert_eq!(scene.until(), None);
    scene.copies[0].standing = Some(Standing::Gone);
    assert_eq!(scene.next(), Step::GiveUp(vec![scene.id(0)]));
}

#[test]
fn deadlines_come_first() {
    let mut scene = Scene::deployed(1);
    scene.deadlines = Deadlines {
        unpaid: None,
        term: Some(at(5_000)),
        update: Some(at(2_000)),
    };
    assert_eq!(scene.until(), Some(at(2_000)));
    scene.now = at(2_000);
    assert_eq!(scene.next(), Step::DropUpdate);
    scene.now = at(5_000);
    assert_eq!(scene.next(), Step::Expire(Expiry::TermOver));
    scene.deadlines.unpaid = Some(at(4_000));
    assert_eq!(scene.next(), Step::Expire(Expiry::Unpaid));
}

#[test]
fn an_update_changes_one_instance_and_waits_for_its_health() {
    let mut scene = Scene::updating(3);
    assert_eq!(scene.next(), Step::Update(scene.id(0)));
    scene.copies[0].rollout = 2;
    scene.set(0, InstanceState::Starting);
    scene.copies[0].instance.healthy_at = None;
    assert_eq!(scene.until(), Some(scene.now + RULES.health_timeout));
    scene.set(0, InstanceState::Healthy);
    scene.target.containers = Containers::Proven;
    assert_eq!(scene.next(), Step::Update(scene.id(1)));
}

#[test]
fn an_instance_that_does_not_serve_anyway_is_updated_first() {
    let mut scene = Scene::updating(3);
    scene.set(2, InstanceState::Unhealthy);
    assert_eq!(scene.next(), Step::Update(scene.id(2)));
    // On a suspect node nothing can be changed now.
    scene.copies[2].standing = Some(Standing::Unsure);
    assert_eq!(scene.next(), Step::Update(scene.id(0)));
}

#[test]
fn a_failed_or_late_instance_stops_the_rollout() {
    let mut scene = Scene::updating(2);
    scene.copies[0].rollout = 2;
    scene.copies[0].instance.healthy_at = None;
    scene.set(0, InstanceState::Failed);
    scene.copies[0].instance.reason = "no such image".to_owned();
    let stop = |cause: &str| Step::StopRollout {
        instance: scene.id(0),
        cause: cause.to_owned(),
    };
    assert_eq!(scene.next(), stop("instance 0 failed: no such image"));
    let mut late = scene.clone();
    late.set(0, InstanceState::Pulling);
    assert_eq!(late.until(), Some(late.now + RULES.health_timeout));
    late.now += RULES.health_timeout;
    assert_eq!(
        late.next(),
        stop("instance 0 is pulling and was not healthy for 600 seconds")
    );
    late.target.containers = Containers::Failed;
    assert_eq!(late.until(), None, "a stopped rollout stays stopped");
}

#[test]
fn until_the_target_is_proven_vacancies_get_what_worked() {
    let mut scene = Scene::updating(3);
    scene.target.instances = 5;
    scene.copies[1].standing = Some(Standing::Gone);
    let wish = Wish {
        slot: 1,
        vacancy: Vacancy::Lost(scene.id(1)),
    };
    let wishes = vec![wish];
    assert_eq!(scene.next(), Step::Place { number: 1, wishes });
    scene.target.containers = Containers::Proven;
    let Step::Place { number: 2, wishes } = scene.next() else {
        panic!()
    };
    assert_eq!(wishes.len(), 3, "the lost one and two more");
    scene.target.containers = Containers::Failed;
    assert!(matches!(scene.next(), Step::Place { number: 1, wishes } if wishes.len() == 1));
}

#[test]
fn a_failing_copy_after_a_mere_change_of_number_stops_nothing() {
    let mut scene = Scene::deployed(2);
    scene.stable = Some(works(goal(1, 2)));
    for copy in &mut scene.copies {
        copy.rollout = 2;
    }
    scene.target = Goal {
        number: 3,
        finished: false,
        instances: 3,
        ..works(goal(2, 2))
    };
    scene.add(2, 3, InstanceState::Failed);
    scene.copies[2].rollout = 2;
    assert_eq!(scene.until(), None);
}

/// What a simulated node does with an instance that it is given.
fn react(scene: &mut Scene, position: usize, works: bool) {
    let state = if works {
        InstanceState::Healthy
    } else {
        InstanceState::Failed
    };
    scene.set(position, state);
    let now = scene.now;
    if works {
        scene.copies[position].instance.healthy_at = Some(now);
    }
    let copy = &scene.copies[position];
    let unproven = scene.target.containers == Containers::Unproven;
    if copy.serves() && copy.rollout == scene.target.rollout && unproven {
        scene.target.containers = Containers::Proven;
    }
}

/// Carries out a step as if every node had room.
fn carry_out(scene: &mut Scene, step: &Step) {
    let now = scene.now;
    match step {
        Step::Place { number, wishes } => {
            for wish in wishes {
                if let Vacancy::Lost(id) = wish.vacancy {
                    scene.copies.retain(|copy| copy.instance.id != id);
                }
                scene.add(wish.slot, *number, InstanceState::Assigned);
            }
        }
        Step::Update(id) => {
            let number = scene.target.number;
            let revision = Uuid::from_u128(number.into()).into();
            let copy = scene
                .copies
                .iter_mut()
                .find(|copy| copy.instance.id == *id)
                .unwrap();
            let node = copy.instance.node.unwrap();
            copy.instance.assign(node, revision, now);
            (copy.number, copy.rollout) = (number, number);
        }
        Step::Stop(ids) => scene.copies.retain(|copy| !ids.contains(&copy.instance.id)),
        Step::StopRollout { .. } => scene.target.containers = Containers::Failed,
        Step::Expire(_) | Step::DropUpdate | Step::GiveUp(_) | Step::Wait { .. } => {
            panic!("{step:?} in a rollout")
        }
    }
}

proptest! {
    /// Nodes are lost and instances report in any order; the rollout ends with all instances on the target if it works,
    /// and with all but one on what worked before if it does not; and never is more than one instance down for it.
    #[test]
    fn a_rollout_ends_right_whatever_happens(
        before in 1_u32..6,
        after in 1_u32..6,
        target_works in any::<bool>(),
        choices in proptest::collection::vec((0_usize..6, 0_u8..10), 0..60),
    ) {
        let mut scene = Scene::updating(before);
        scene.target.instances = after;
        let mut choices = choices.into_iter();
        let mut quiet = 0;
        for round in 0.. {
            prop_assert!(round < 500, "no end: {scene:?}");
            scene.now += TimeDelta::seconds(1);
            let step = scene.next();
            if !matches!(step, Step::Wait { .. }) {
                carry_out(&mut scene, &step);
            }
            let target = scene.target.rollout;
            let down_for_update = scene
                .copies
                .iter()
                .filter(|copy| copy.rollout == target && copy.number == target && !copy.serves())
                .filter(|copy| copy.instance.epoch > 1)
                .count();
            prop_assert!(down_for_update <= 1, "{scene:?}");
            let starting: Vec<usize> = (0..scene.copies.len())
                .filter(|p| scene.copies[*p].instance.state == InstanceState::Assigned)
                .collect();
            match choices.next() {
                // A node is lost now and then.
                Some((pick, 0)) if !scene.copies.is_empty() => {
                    let position = pick % scene.copies.len();
                    scene.copies[position].standing = Some(Standing::Gone);
                }
                Some((pick, _)) if !starting.is_empty() => {
                    let position = starting[pick % starting.len()];
                    let works = scene.copies[position].rollout == 1 || target_works;
                    react(&mut scene, position, works);
                }
                Some(_) => {}
                None if starting.is_empty() => {
                    quiet += 1;
                    if quiet > 3 && matches!(scene.next(), Step::Wait { .. }) {
                        break;
                    }
                }
                None => {
                    let position = starting[0];
                    let works = scene.copies[position].rollout == 1 || target_works;
                    react(&mut scene, position, works);
                }
            }
        }
        let on = |rollout| scene.copies.iter().filter(|copy| copy.rollout == rollout && copy.serves()).count();
        if target_works {
            prop_assert_eq!(on(2), usize::try_from(after).unwrap());
            prop_assert_eq!(on(1), 0);
        } else {
            prop_assert_eq!(scene.target.containers, Containers::Failed);
            // The one that failed stays, unless its node was lost and its slot got what worked.
            let failed = scene.copies.len() - on(1);
            prop_assert!(failed <= 1, "{:?}", scene);
            prop_assert_eq!(scene.copies.len(), usize::try_from(before).unwrap());
        }
    }
}
