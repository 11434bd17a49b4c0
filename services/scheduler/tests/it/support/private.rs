//! What is private, as nodes and owners see it, and as whoever reads the database does.

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_envelope::{Delivery, RecipientKey, SealedMessage, SystemEntropy};
use fluxplane_proto::{
    node_registry::v1::PrivatePart,
    scheduler::v1::{
        DeliverPrivateRequest, Instance, PutSecretRequest, RegistryCredentials, Secret,
        put_secret_request::Content,
    },
};
use prost::Message as _;
use tonic::Status;

use super::{Plane, caller, key, wallet::Wallet};

impl Plane {
    /// What the registry gets for the node of an instance, opened as that node does.
    pub(crate) async fn delivered(
        &self,
        node: &str,
        instance: &str,
        epoch: u64,
    ) -> Result<PrivatePart, Status> {
        let key = RecipientKey::generate(&SystemEntropy).unwrap();
        let request = DeliverPrivateRequest {
            node_id: node.to_owned(),
            instance_id: instance.to_owned(),
            assignment_epoch: epoch,
            recipient_key: key.public().to_vec(),
        };
        let mut client = self.secrets_as("node-registry");
        let answer = client.deliver_private(request).await?.into_inner();
        let delivery = Delivery {
            instance: instance.parse::<InstanceId>().unwrap().uuid(),
            epoch,
            node: node.parse::<NodeId>().unwrap().uuid(),
        };
        let message = SealedMessage {
            encapsulated: answer.encapsulated_key,
            ciphertext: answer.ciphertext,
        };
        let plaintext = key.open(delivery, &message).unwrap();
        Ok(PrivatePart::decode(plaintext.as_slice()).unwrap())
    }

    /// The environment of the one component of an instance, as its node gets it.
    pub(crate) async fn environment(&self, instance: &Instance) -> Vec<String> {
        let epoch = instance.assignment_epoch;
        let part = self
            .delivered(&instance.node_id, &instance.instance_id, epoch)
            .await
            .unwrap();
        part.components[0].environment.clone()
    }

    pub(crate) async fn put_secret(&self, wallet: &Wallet, name: &str, value: &str) -> Secret {
        let request = put(wallet, name, Content::Value(value.to_owned()));
        let mut client = self.secrets_as("gateway");
        let answer = client.put_secret(request).await.unwrap();
        answer.into_inner().secret.unwrap()
    }

    /// Tables in which a text stands, as it is or in bytes.
    pub(crate) async fn tables_with(&self, text: &str) -> Vec<String> {
        let tables = sqlx::query_scalar!(
            r#"
            SELECT tablename::text AS "table!" FROM pg_tables
            WHERE schemaname = current_schema() AND (xpath('/row/c/text()', query_to_xml(
                format('SELECT count(*) AS c FROM %I AS t WHERE t::text LIKE %L OR t::text LIKE %L',
                       tablename, '%' || $1::text || '%', '%' || encode(convert_to($1, 'UTF8'), 'hex') || '%'),
                false, true, '')))[1]::text <> '0'
            "#,
            text,
        );
        tables.fetch_all(&self.db.pool).await.unwrap()
    }
}

pub(crate) fn put(wallet: &Wallet, name: &str, content: Content) -> PutSecretRequest {
    PutSecretRequest {
        caller: Some(caller(wallet)),
        idempotency_key: key(),
        name: name.to_owned(),
        content: Some(content),
    }
}

pub(crate) fn credentials(password: &str) -> Content {
    Content::Credentials(RegistryCredentials {
        registry: "ghcr.io".to_owned(),
        username: "robot".to_owned(),
        password: password.to_owned(),
    })
}
