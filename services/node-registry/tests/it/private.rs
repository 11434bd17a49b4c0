//! Private parts pass through to the node whose certificate asks, and nobody reads them on the way.

use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_platform::error::{Remote, ServiceError, to_status};
use fluxplane_proto::{
    node_registry::v1::{FetchPrivateRequest, agent_service_client::AgentServiceClient},
    scheduler::v1::DeliverPrivateRequest,
};
use tonic::Code;

use crate::{
    agent::Agent,
    support::{Plane, SEALED, join},
};

fn request() -> FetchPrivateRequest {
    FetchPrivateRequest {
        instance_id: "the instance".to_owned(),
        assignment_epoch: 7,
        recipient_key: vec![1; 32],
    }
}

#[tokio::test]
async fn the_node_is_the_one_of_the_certificate() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 1, 1).await);
    let answer = agent.fetch_private(request()).await.unwrap();
    let sealed = (
        answer.encapsulated_key.as_slice(),
        answer.ciphertext.as_slice(),
    );
    assert_eq!(sealed, SEALED);
    let asked = DeliverPrivateRequest {
        node_id: agent.node_id.clone(),
        instance_id: "the instance".to_owned(),
        assignment_epoch: 7,
        recipient_key: vec![1; 32],
    };
    assert_eq!(*plane.scheduler.asked.lock().unwrap(), [asked]);
}

#[derive(Debug, thiserror::Error)]
#[error("the assignment is over")]
struct Over;

impl ServiceError for Over {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Conflict
    }

    fn reason(&self) -> Reason {
        Reason::AssignmentOver
    }

    fn violations(&self) -> Vec<Violation> {
        vec![Violation::new("assignment_epoch", 7, "rule", "remedy")]
    }
}

#[tokio::test]
async fn a_refusal_arrives_with_its_reason() {
    let plane = Plane::start().await;
    let agent = Agent::new(&plane, join(&plane, 1, 1).await);
    *plane.scheduler.refusal.lock().unwrap() = Some(to_status(&Over));
    let status = agent.fetch_private(request()).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    let remote = Remote::from(status);
    assert_eq!(remote.reason, Reason::AssignmentOver);
    assert_eq!(remote.violations[0].field, "assignment_epoch");
}

#[tokio::test]
async fn a_machine_whose_place_was_taken_and_a_stranger_get_nothing() {
    let plane = Plane::start().await;
    let former = Agent::new(&plane, join(&plane, 1, 1).await);
    join(&plane, 1, 1).await;
    let status = former.fetch_private(request()).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    let tls = fluxplane_platform::tls::anonymous_client(&plane.ca_pem);
    let channel = fluxplane_platform::grpc::client::channel(&plane.agents, tls).unwrap();
    let mut stranger = AgentServiceClient::new(channel.connect().await.unwrap());
    let status = stranger.fetch_private(request()).await.unwrap_err();
    assert!(
        matches!(
            status.code(),
            Code::PermissionDenied | Code::Unauthenticated
        ),
        "{status:?}"
    );
    assert_eq!(plane.scheduler.asked.lock().unwrap().len(), 0);
}
