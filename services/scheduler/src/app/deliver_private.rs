//! The private part of an instance, for the node of its present assignment and for nobody else.

use std::collections::BTreeMap;

use fluxplane_core::id::{InstanceId, NodeId};
use fluxplane_envelope::Zeroizing;

use super::{
    Context, Error,
    vault::{Keys, secret_row},
};
use crate::{
    db::{self, revisions::Assigned, secrets::Stored},
    domain::{
        Private, Refusal,
        private::PrivateComponent,
        secret::{Content, Credentials},
        workload::Component,
    },
};

/// Who asks for what. The registry knows the node by its certificate.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    pub node: NodeId,
    pub instance: InstanceId,
    pub epoch: u64,
}

/// Opens the private part, with the present values of its secrets.
pub async fn private_part(ctx: &Context, question: Question) -> Result<Private, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let Question {
        node,
        instance,
        epoch,
    } = question;
    let found = db::revisions::assigned(&mut conn, instance).await?;
    // Whether there is such an instance is nobody's business but its node's.
    let assigned = found
        .filter(|assigned| assigned.node == Some(node.uuid()))
        .ok_or_else(|| Refusal::not_assigned(instance, node))?;
    if assigned.epoch != epoch || !assigned.wanted {
        return Err(Refusal::assignment_over(instance, epoch, assigned.epoch).into());
    }
    let owner = assigned.owner.as_str();
    let names: Vec<String> = assigned
        .workload
        .secret_uses()
        .into_iter()
        .map(|one| one.secret)
        .collect();
    let secrets = if names.is_empty() {
        Vec::new()
    } else {
        db::secrets::by_names(&mut conn, owner, &names).await?
    };
    let sealed = assigned
        .environments
        .iter()
        .chain(secrets.iter().map(|secret| &secret.sealed))
        .map(Vec::as_slice);
    let keys = ctx.vault.keys_for(&mut conn, sealed).await?;
    put_together(&assigned, &secrets, &keys)
}

fn put_together(assigned: &Assigned, secrets: &[Stored], keys: &Keys) -> Result<Private, Error> {
    let owner = assigned.owner.as_str();
    let mut environments = match &assigned.environments {
        Some(sealed) => keys.environments(sealed, owner, assigned.revision)?,
        None => assigned.workload.environments(),
    };
    let mut opened = BTreeMap::new();
    for secret in secrets {
        let described = &secret.described;
        let row = secret_row(owner, described.id, described.version);
        let bytes = keys.open(&row, &secret.sealed)?;
        if let Some(content) = Content::from_bytes(described.kind, &bytes) {
            opened.insert(described.name.as_str(), content);
        }
    }
    let components = assigned.workload.components.iter().map(|component| {
        let environment = environments.remove(&component.name).unwrap_or_default();
        let mut private = PrivateComponent {
            name: component.name.clone(),
            environment: environment.into_iter().map(Zeroizing::new).collect(),
            credentials: credentials(component, &opened)?,
        };
        for (variable, secret) in &component.secrets {
            let value = match opened.get(secret.as_str()) {
                Some(Content::Value(value)) => value,
                Some(Content::Registry(_)) | None => {
                    return Err(Error::from(Refusal::no_secret(secret)));
                }
            };
            let entry = format!("{variable}={}", value.as_str());
            private.environment.push(Zeroizing::new(entry));
        }
        Ok(private)
    });
    Ok(Private {
        components: components.collect::<Result<_, Error>>()?,
    })
}

fn credentials(
    component: &Component,
    opened: &BTreeMap<&str, Content>,
) -> Result<Option<Credentials>, Error> {
    let Some(name) = &component.registry_credentials else {
        return Ok(None);
    };
    match opened.get(name.as_str()) {
        Some(Content::Registry(credentials)) => Ok(Some(credentials.clone())),
        Some(Content::Value(_)) | None => Err(Refusal::no_secret(name).into()),
    }
}
