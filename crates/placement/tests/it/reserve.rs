//! What a reservation is refused for, and that a refusal changes nothing.

use fluxplane_core::Resources;
use fluxplane_placement::{Engine, Node, NodeState, Request, Reservation, engine::ReserveError};

use crate::fleet::{SMALL, app_id, engine, instance_id, node, node_id, size};

fn copy(instance: u128, app: u128, node: u128) -> Reservation {
    Reservation {
        instance: instance_id(instance),
        app: app_id(app),
        node: node_id(node),
        resources: SMALL,
        ports: [8_080].into(),
    }
}

fn refused(engine: &mut Engine, reservation: Reservation) -> ReserveError {
    let before = (engine.state_digest(), engine.version());
    let error = engine.reserve(reservation).unwrap_err();
    assert_eq!((engine.state_digest(), engine.version()), before);
    error
}

#[test]
fn each_rule_refuses_with_its_own_error() {
    let behind = Node {
        ip: node(1).ip,
        ..node(2)
    };
    let cordoned = Node {
        state: NodeState::Cordoned,
        ..node(3)
    };
    let mut engine = engine([node(1), behind, cordoned]);
    engine.reserve(copy(1, 1, 1)).unwrap();

    let again = refused(&mut engine, copy(1, 2, 2));
    assert!(
        matches!(again, ReserveError::PortTaken { port: 8_080, .. }),
        "{again}"
    );
    let no_ports = |reservation: Reservation| Reservation {
        ports: [].into(),
        ..reservation
    };
    let same_instance = refused(&mut engine, no_ports(copy(1, 2, 2)));
    assert!(
        matches!(same_instance, ReserveError::InstanceTaken(_)),
        "{same_instance}"
    );
    let second = refused(&mut engine, no_ports(copy(2, 1, 1)));
    assert!(
        matches!(second, ReserveError::SecondCopy { .. }),
        "{second}"
    );
    let unknown = refused(&mut engine, copy(2, 1, 9));
    assert!(matches!(unknown, ReserveError::UnknownNode(_)), "{unknown}");
    let closed = refused(&mut engine, copy(2, 1, 3));
    assert!(
        matches!(closed, ReserveError::NotSchedulable { .. }),
        "{closed}"
    );
    let large = Reservation {
        resources: size(1, 1, 1_000),
        ..no_ports(copy(2, 2, 2))
    };
    let large = refused(&mut engine, large);
    assert!(matches!(large, ReserveError::NoRoom { .. }), "{large}");
    assert!(large.to_string().contains("129 GiB free"), "{large}");
}

#[test]
fn what_runs_is_adopted_even_over_capacity_and_blocks_new_work() {
    let mut engine = engine([node(1)]);
    let huge = Reservation {
        resources: size(9_000, 9_000, 900),
        ..copy(1, 1, 1)
    };
    engine.adopt(huge).unwrap();
    assert_eq!(engine.node(node_id(1)).unwrap().free, Resources::ZERO);
    let request = Request::new(app_id(2), SMALL, 1);
    assert!(engine.plan(&request, 1).placements.is_empty());
    engine.release(instance_id(1)).unwrap();
    assert_eq!(engine.plan(&request, 1).placements, [node_id(1)]);
    assert!(engine.release(instance_id(1)).is_err());
}

#[test]
fn a_smaller_measured_capacity_keeps_what_runs() {
    let mut engine = engine([node(1)]);
    engine.reserve(copy(1, 1, 1)).unwrap();
    let shrunk = Node {
        capacity: size(100, 100, 1),
        ..node(1)
    };
    engine.upsert_node(shrunk).unwrap();
    let view = engine.node(node_id(1)).unwrap();
    assert_eq!((view.used, view.free), (SMALL, Resources::ZERO));
    assert_eq!(engine.copies(app_id(1)).count(), 1);
    engine.upsert_node(node(1)).unwrap();
    assert_eq!(
        engine.node(node_id(1)).unwrap().free,
        size(2_500, 4_000, 119)
    );
}

#[test]
fn a_removed_node_returns_what_it_carried() {
    let mut engine = engine([node(1), node(2)]);
    let empty = engine.state_digest();
    engine.reserve(copy(1, 1, 1)).unwrap();
    let (gone, released) = engine.remove_node(node_id(1)).unwrap();
    assert_eq!(released, [copy(1, 1, 1)]);
    engine.upsert_node(gone).unwrap();
    assert_eq!(engine.state_digest(), empty);
    assert_eq!(
        engine
            .plan(&Request::new(app_id(1), SMALL, 2), 1)
            .placements
            .len(),
        2
    );
}

#[test]
fn a_capacity_beyond_the_index_is_refused_by_name() {
    let vast = Node {
        capacity: size(1, u64::from(u32::MAX), 1),
        ..node(1)
    };
    let error = Engine::new().upsert_node(vast).unwrap_err();
    assert_eq!(
        (error.dimension, error.value),
        ("ram_mib", u64::from(u32::MAX))
    );
}

#[test]
fn a_request_beyond_any_node_waits_instead_of_fitting() {
    let engine = engine([Node {
        capacity: size(u64::from(u32::MAX) - 1, 5_000, 129),
        ..node(1)
    }]);
    let absurd = Request::new(app_id(1), size(u64::MAX, 1, 1), 1);
    assert!(engine.plan(&absurd, 1).placements.is_empty());
}
