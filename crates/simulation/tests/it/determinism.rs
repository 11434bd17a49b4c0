//! One seed is one history.

use std::thread;

use fluxplane_simulation::run;

use crate::small;

#[test]
fn the_same_seed_gives_the_same_history() {
    // Hash maps are seeded anew in every thread; what depends on their order would differ.
    let once = thread::spawn(|| run(small(7))).join().unwrap();
    let twice = run(small(7));
    assert_eq!(once.digest, twice.digest);
    assert_eq!(once.figures.events, twice.figures.events);
    assert_eq!(once.figures.placed_again, twice.figures.placed_again);
}

#[test]
fn another_seed_gives_another_history() {
    assert_ne!(run(small(7)).digest, run(small(8)).digest);
}

#[test]
fn a_shorter_history_is_the_beginning_of_a_longer_one() {
    let broken = |events| {
        let mut settings = small(3);
        settings.events = events;
        settings.sabotage = Some(fluxplane_simulation::Sabotage::Overfill);
        run(settings).failure.unwrap()
    };
    let (short, long) = (broken(500), broken(50_000));
    assert_eq!(short.event, long.event);
    assert_eq!(short.tail, long.tail);
}
