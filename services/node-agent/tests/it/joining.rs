//! A machine becomes a node.

use fluxplane_flux_chain::{address::AddressSpace, key::PrivateKey};
use fluxplane_node_agent::{app::join::JoinError, store::UsageQueue};
use fluxplane_platform::error::to_status;

use crate::{
    agent::{Machine, benchmark, token},
    plane::Plane,
    refusal::WrongKey,
};

#[tokio::test]
async fn a_machine_proves_its_node_key_and_keeps_what_it_gets() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let identity = machine.join(&plane).await;
    let request = plane.memory().joins.pop().unwrap();
    assert_eq!(request.token, token());
    assert_eq!(request.collateral.unwrap().vout, 1);
    assert_eq!(request.benchmark.unwrap().threads, benchmark().threads);
    assert_eq!(request.place.unwrap().region, "Bavaria");
    assert_eq!(
        (request.ip.as_str(), request.probe_port),
        ("127.0.0.1", machine.probe_port.into())
    );

    let stored = machine.dir().identity().unwrap().unwrap();
    assert_eq!(
        (stored.node, &stored.key_pem),
        (identity.node, &identity.key_pem)
    );
    assert!(stored.certificate_pem.contains("BEGIN CERTIFICATE"));
    assert!(
        !format!("{stored:?}").contains("PRIVATE"),
        "the key stays out of logs"
    );
    let half = stored.renew_at() - stored.certificate_issued_at;
    assert_eq!(
        half.num_days(),
        14,
        "30 days less a fraction of a second, halved"
    );
}

#[tokio::test]
async fn joining_twice_is_refused_unless_it_is_meant() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let first = machine.join(&plane).await;
    let queue = UsageQueue::load(&machine.dir()).unwrap();
    queue
        .push(fluxplane_node_agent::domain::usage::Report {
            from: 0,
            to: 10,
            instances: vec![],
        })
        .unwrap();

    let err = machine.try_join(machine.request(&plane)).await.unwrap_err();
    assert!(
        matches!(err, JoinError::Joined(node) if node == first.node),
        "{err}"
    );
    assert!(err.to_string().contains("--force"), "{err}");
    assert_eq!(plane.memory().joins.len(), 1);

    let mut again = machine.request(&plane);
    again.force = true;
    let second = machine.try_join(again).await.unwrap();
    assert_ne!(second.node, first.node);
    assert_eq!(second.former_nodes, [first.node]);
    // What the former node had still to report is not the new one's.
    assert_eq!(UsageQueue::load(&machine.dir()).unwrap().waiting(), 0);
}

#[tokio::test]
async fn a_wrong_token_or_key_is_refused_before_the_plane_is_asked() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let mut cut_off = token();
    cut_off.truncate(60);
    for text in ["", "fxj_12", &cut_off] {
        let mut request = machine.request(&plane);
        request.token = text.to_owned();
        assert!(
            matches!(machine.try_join(request).await, Err(JoinError::Token)),
            "{text}"
        );
    }
    let mut request = machine.request(&plane);
    request.node_key_wif = "not a key".to_owned();
    assert!(matches!(
        machine.try_join(request).await,
        Err(JoinError::NodeKey)
    ));
    assert!(plane.memory().joins.is_empty());
    assert!(machine.dir().identity().unwrap().is_none());
}

#[tokio::test]
async fn a_refusal_carries_what_the_plane_has_to_say() {
    let (plane, machine) = (Plane::start().await, Machine::new());
    let mut request = machine.request(&plane);
    let other = PrivateKey::from_bytes(&[9; 32], true).unwrap();
    request.node_key_wif = other.to_wif(AddressSpace::Test);
    let err = machine.try_join(request).await.unwrap_err();
    let JoinError::Refused(remote) = err else {
        panic!("{err}")
    };
    assert_eq!(remote.violations[0].field, "node_key_signature");
    assert!(machine.dir().identity().unwrap().is_none());

    plane.memory().refuse_join = Some(to_status(&WrongKey));
    let err = machine.try_join(machine.request(&plane)).await.unwrap_err();
    assert!(matches!(err, JoinError::Refused(_)), "{err}");
}

#[tokio::test]
async fn a_plane_with_another_authority_is_not_talked_to() {
    let (plane, other, machine) = (Plane::start().await, Plane::start().await, Machine::new());
    let mut request = machine.request(&plane);
    request.ca_pem.clone_from(&other.ca_pem);
    let err = machine.try_join(request).await.unwrap_err();
    assert!(matches!(err, JoinError::Connect(_)), "{err}");
    assert!(
        plane.memory().joins.is_empty(),
        "the token was not shown to a stranger"
    );
}
