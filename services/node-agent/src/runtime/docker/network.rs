//! One private bridge per instance, on which its components find each other by name.

use std::collections::HashMap;

use bollard::{Docker, errors::Error as Failure, models::NetworkCreateRequest};
use fluxplane_core::id::{InstanceId, NodeId};

use super::{super::RuntimeError, failed, unless};
use crate::domain::{
    container::{bridge_name, network_name},
    label,
};

/// Names the bridge interface, so that an operator sees which instance it belongs to. Both engines know the option.
const BRIDGE_NAME: &str = "com.docker.network.bridge.name";

pub(super) async fn ensure(
    client: &Docker,
    instance: InstanceId,
    node: NodeId,
) -> Result<(), RuntimeError> {
    let name = network_name(instance);
    match client.inspect_network(&name, None).await {
        Ok(_) => return Ok(()),
        Err(Failure::DockerResponseServerError {
            status_code: 404, ..
        }) => {}
        Err(err) => return Err(failed("inspect network", &err)),
    }
    let request = NetworkCreateRequest {
        name,
        driver: Some("bridge".to_owned()),
        options: Some(HashMap::from([(
            BRIDGE_NAME.to_owned(),
            bridge_name(instance),
        )])),
        labels: Some(HashMap::from([
            (label::NODE.to_owned(), node.to_string()),
            (label::INSTANCE.to_owned(), instance.to_string()),
        ])),
        ..NetworkCreateRequest::default()
    };
    // 409: made since we looked.
    unless(
        client.create_network(request).await.map(drop),
        &[409],
        "create network",
    )
}

pub(super) async fn remove(client: &Docker, instance: InstanceId) -> Result<(), RuntimeError> {
    let removed = client.remove_network(&network_name(instance)).await;
    unless(removed, &[404], "remove network")
}
