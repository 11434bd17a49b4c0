//! A plane that sells, and a customer who is signed in and has a specification.

use fluxplane_app_spec::message::recover_signer;
use serde_json::Value;

use super::{
    Cli, Plane, Run,
    plane::Connection,
    sample::{instance, page, quote, spec, submitted, uuid},
};

/// A plane that takes an application of a fresh key.
pub(crate) struct Shop {
    pub(crate) plane: Plane,
    pub(crate) cli: Cli,
    pub(crate) key_file: String,
    pub(crate) spec_file: String,
    pub(crate) owner: String,
}

impl Shop {
    pub(crate) async fn new(paid_by_chain: bool) -> Self {
        let plane = Plane::start().await;
        let cli = Cli::new(Some(&plane.url));
        let (key, key_file) = cli.signed_in().await;
        let owner = key.flux_id().to_string();
        plane
            .answers("POST /v1/quotes", 201, quote(&owner))
            .says(&format!("GET /v1/quotes/{}", uuid(1)), quote(&owner))
            .answers("POST /v1/apps", 201, submitted(&owner, paid_by_chain))
            .says(
                "GET /v1/apps/shop/instances",
                page(&[
                    instance(0, "healthy"),
                    instance(1, "healthy"),
                    instance(2, "healthy"),
                ]),
            );
        let spec_file = cli.file("spec.json", spec(&owner, 3));
        Self {
            plane,
            cli,
            key_file,
            spec_file,
            owner,
        }
    }

    /// Runs `deploy` on the specification, signed with the owner's key.
    pub(crate) async fn deploy(&self, more: &[&str]) -> Run {
        self.submit("deploy", more).await
    }

    /// Runs a verb that takes the specification and the owner's key.
    pub(crate) async fn submit(&self, verb: &str, more: &[&str]) -> Run {
        let (spec, key) = (self.spec_file.as_str(), self.key_file.as_str());
        let arguments = [verb, "-f", spec, "--key-file", key];
        self.cli.run(&[&arguments, more].concat()).await
    }

    pub(crate) fn timeline(&self, connections: &[Connection]) {
        for connection in connections {
            self.plane
                .streams("GET /v1/apps/shop/events", connection.clone());
        }
    }

    /// What was submitted.
    pub(crate) fn registration(&self) -> Value {
        self.plane.seen_of("POST /v1/apps").last().unwrap().body["registration"].clone()
    }

    /// Checks that the owner signed what was submitted, and returns its moment.
    pub(crate) fn check_signature(&self) -> u64 {
        let registration = self.registration();
        let timestamp = registration["timestamp"].as_u64().unwrap();
        let kind = registration["type"].as_str().unwrap();
        let text = format!("{kind}1{}{timestamp}", spec(&self.owner, 3));
        let signature = registration["signature"].as_str().unwrap();
        assert_eq!(
            recover_signer(&text, &self.owner, signature).as_ref(),
            Ok(&self.owner)
        );
        timestamp
    }
}
