//! Why a request is refused: the kind, the code, a sentence, and what exactly is wrong field by field.

use chrono::{DateTime, Utc};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
    id::{InstanceId, NodeId},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub kind: ErrorKind,
    pub reason: Reason,
    pub message: String,
    pub violations: Vec<Violation>,
}

impl Refusal {
    pub fn new(
        kind: ErrorKind,
        reason: Reason,
        message: impl Into<String>,
        violations: Vec<Violation>,
    ) -> Self {
        Self {
            kind,
            reason,
            message: message.into(),
            violations,
        }
    }

    /// A field of the request is malformed.
    pub fn invalid(violation: Violation) -> Self {
        let message = violation.to_string();
        Self::new(
            ErrorKind::Invalid,
            Reason::InvalidRequest,
            message,
            vec![violation],
        )
    }

    /// There is no such application, or it is somebody else's.
    pub fn no_app(name: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            Reason::NotFound,
            format!("you have no application `{name}`"),
            vec![Violation::new(
                "name",
                name,
                "an application is found by its name, by its owner",
                "list your applications, or sign in with the wallet that owns it",
            )],
        )
    }

    pub fn no_instance(id: impl std::fmt::Display) -> Self {
        let id = id.to_string();
        Self::new(
            ErrorKind::NotFound,
            Reason::NotFound,
            format!("none of your applications has an instance {id}"),
            vec![Violation::new(
                "instance_id",
                &id,
                "an instance is found by its id, by the owner of its application",
                "list the instances of the application",
            )],
        )
    }

    pub fn name_taken(name: &str) -> Self {
        Self::new(
            ErrorKind::AlreadyExists,
            Reason::NameTaken,
            format!("the name `{name}` is taken"),
            vec![Violation::new(
                "spec.name",
                name,
                "a name belongs to one living application, whatever its case, from submission on",
                "choose another name; to change an application of yours, update it",
            )],
        )
    }

    /// Only messages of FluxOS can be read by everybody: clients written for FluxOS could not read others.
    pub fn not_publishable(name: &str) -> Self {
        Self::invalid(Violation::new(
            "published",
            name,
            "only specifications of FluxOS are published, because whoever reads them expects FluxOS' messages",
            "leave it out, or convert the specification to FluxOS' with `fluxctl spec convert`",
        ))
    }

    /// Somebody else holds a quote for the name.
    pub fn name_reserved(name: &str, until: DateTime<Utc>) -> Self {
        let until = until.format("%Y-%m-%d %H:%M:%S UTC");
        Self::new(
            ErrorKind::AlreadyExists,
            Reason::NameTaken,
            format!("the name `{name}` is reserved by another owner's quote until {until}"),
            vec![Violation::new(
                "spec.name",
                name,
                format!("a firm quote keeps the name for whoever asked for it, here until {until}"),
                format!("choose another name, or come back after {until}"),
            )],
        )
    }

    pub fn too_many_reserved(owner: &str, limit: u32) -> Self {
        Self::new(
            ErrorKind::Exhausted,
            Reason::RateLimited,
            format!("{limit} names are reserved by quotes of {owner} already"),
            vec![Violation::new(
                "spec.name",
                owner,
                format!("an owner's quotes keep at most {limit} names at once"),
                "deploy one of them first, or wait until a quote expires",
            )],
        )
    }

    /// What is wrong with a specification.
    pub fn spec(violations: Vec<Violation>) -> Self {
        let first = violations
            .first()
            .map_or_else(|| "it is malformed".to_owned(), ToString::to_string);
        let more = violations.len().saturating_sub(1);
        let message = if more == 0 {
            format!("the specification is refused: {first}")
        } else {
            format!("the specification is refused: {first} (and {more} more)")
        };
        Self::new(ErrorKind::Invalid, Reason::SpecInvalid, message, violations)
    }

    pub fn no_secret(name: &str) -> Self {
        Self::new(
            ErrorKind::NotFound,
            Reason::NotFound,
            format!("there is no secret `{name}`"),
            vec![Violation::new(
                "name",
                name,
                "no secret of this owner has the name",
                "list the secrets, or store it",
            )],
        )
    }

    pub fn secret_in_use(name: &str, used_by: &[String], rule: &str) -> Self {
        let apps = used_by.join(", ");
        Self::new(
            ErrorKind::Conflict,
            Reason::SecretInUse,
            format!("the secret `{name}` is in use by {apps}"),
            vec![Violation::new(
                "name",
                name,
                format!("{rule}, and these do: {apps}"),
                "update or cancel them first, or force it",
            )],
        )
    }

    pub fn too_many_secrets(owner: &str, limit: u32) -> Self {
        Self::new(
            ErrorKind::Exhausted,
            Reason::RateLimited,
            format!("{owner} has {limit} secrets already"),
            vec![Violation::new(
                "name",
                owner,
                format!("an owner has at most {limit} secrets"),
                "delete one that nothing uses",
            )],
        )
    }

    /// Says the same whether the instance exists or not.
    pub fn not_assigned(instance: InstanceId, node: NodeId) -> Self {
        Self::new(
            ErrorKind::Forbidden,
            Reason::Forbidden,
            format!("instance {instance} is not assigned to node {node}"),
            vec![Violation::new(
                "instance_id",
                instance,
                "a node gets the private part of its own instances",
                "wait for the next desired state",
            )],
        )
    }

    pub fn assignment_over(instance: InstanceId, asked: u64, epoch: u64) -> Self {
        Self::new(
            ErrorKind::Conflict,
            Reason::AssignmentOver,
            format!("assignment {asked} of instance {instance} is over"),
            vec![Violation::new(
                "assignment_epoch",
                asked,
                format!(
                    "the last assignment is {epoch}, and only the present one gets the private part"
                ),
                "wait for the next desired state",
            )],
        )
    }

    /// The same signed message was submitted before, by whatever request.
    pub fn message_used(timestamp_ms: u64) -> Self {
        Self::new(
            ErrorKind::AlreadyExists,
            Reason::MessageUsed,
            "this signed message was submitted before",
            vec![Violation::new(
                "timestamp",
                timestamp_ms,
                "a signed message is taken once: its hash names the payment",
                "sign again with the present time",
            )],
        )
    }

    pub fn too_many_unpaid(owner: &str, limit: u32) -> Self {
        Self::new(
            ErrorKind::Exhausted,
            Reason::RateLimited,
            format!("{limit} applications of {owner} wait for their payment already"),
            vec![Violation::new(
                "spec.owner",
                owner,
                format!(
                    "an owner has at most {limit} unpaid applications, because each reserves its name"
                ),
                "pay or cancel one of them first",
            )],
        )
    }

    pub fn ended(name: &str, state: &str) -> Self {
        Self::new(
            ErrorKind::Conflict,
            Reason::AppEnded,
            format!("the application `{name}` is {state}"),
            vec![Violation::new(
                "name",
                name,
                "an application that ended stays ended",
                "submit it anew; the name is free if nobody took it since",
            )],
        )
    }

    pub fn revision_pending(number: u32) -> Self {
        Self::new(
            ErrorKind::Conflict,
            Reason::RevisionPending,
            format!("revision {number} waits for its payment"),
            vec![Violation::new(
                "name",
                format!("revision {number}"),
                "one revision at a time waits for its payment",
                "pay it, or wait until its time to be paid is over",
            )],
        )
    }

    pub fn stale(expected: u64, found: u64) -> Self {
        Self::new(
            ErrorKind::Stale,
            Reason::StaleVersion,
            format!("the application has version {found}"),
            vec![Violation::new(
                "expected_version",
                expected,
                "a change names the version of the application it was made for",
                "read the application again and repeat the change if it still makes sense",
            )],
        )
    }
}
