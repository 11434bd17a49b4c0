//! Whether a signed specification is taken: the verdict on it, its age, its signature.
//!
//! The canonical form is made here from what the client sent, and it is what the signature and the hash are over. The hash
//! goes on the chain with the payment.
//!
//! | module | what |
//! |---|---|
//! | `legacy` | specifications of FluxOS, whose bytes must be FluxOS' own |
//! | `native` | specifications `fluxplane/v1` |

mod legacy;
mod native;

use fluxplane_app_spec::{
    message::{EXTENDERS, MESSAGE_VERSION, check_age, support_team_at},
    native::is_native,
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_flux_chain::{address::FluxId, key::PublicKey};

use super::{Refusal, Workload};

/// Longest specification; the gateway takes no larger body.
const MAX_SPEC_BYTES: usize = 256 * 1024;

/// Deepest nesting; a specification needs four.
const MAX_SPEC_DEPTH: usize = 32;

/// A specification with its owner's signature, as the client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedSpec {
    pub kind: String,
    pub version: u32,
    pub spec_json: String,
    pub timestamp_ms: u64,
    pub signature: String,
}

/// Who submits, and when.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Wallet that signed in.
    pub principal: &'a str,
    /// Height whose rules hold; see [`legacy::rules_height`].
    pub height: u64,
    pub now_ms: u64,
}

/// A specification that may be deployed, submitted by one who may.
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    pub name: String,
    /// Wallet address of the owner it names.
    pub owner: String,
    /// Canonical JSON.
    pub canonical: String,
    pub message_hash: String,
    pub workload: Workload,
    /// Some folder asks to be synced between instances, which the plane does not do.
    pub wants_sync: bool,
    /// Of `fluxplane/v1`; FluxOS has no messages for it.
    pub native: bool,
}

/// What an update starts from.
#[derive(Debug, Clone, Copy)]
pub struct Previous<'a> {
    pub name: &'a str,
    /// Wallet address.
    pub owner: &'a str,
    /// Canonical JSON.
    pub spec_json: &'a str,
}

/// An update that may be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub submission: Submission,
    /// Whether running containers must be replaced.
    pub restarts: bool,
}

/// A specification that nobody signed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub name: String,
    pub workload: Workload,
}

/// Judges a specification as a submission would be, but for its signature.
pub fn draft(spec_json: &str, height: u64) -> Result<Draft, Refusal> {
    if is_native_text(spec_json) {
        native::draft(spec_json)
    } else {
        legacy::draft(spec_json, height)
    }
}

/// Whether `principal` may sign updates of applications that are not its own.
pub fn is_delegate(principal: &str, height: u64) -> bool {
    support_team_at(height) == Some(principal) || EXTENDERS.contains(&principal)
}

/// Judges a registration.
pub fn register(signed: &SignedSpec, who: &Circumstances<'_>) -> Result<Submission, Refusal> {
    if is_native_text(&signed.spec_json) {
        native::register(signed, who)
    } else {
        legacy::register(signed, who)
    }
}

/// Judges an update: who may sign it, and what it may change.
pub fn update(
    signed: &SignedSpec,
    previous: &Previous<'_>,
    who: &Circumstances<'_>,
) -> Result<Update, Refusal> {
    let kinds = [previous.spec_json, &signed.spec_json].map(is_native_text);
    match kinds {
        [false, false] => legacy::update(signed, previous, who),
        [true, true] => native::update(signed, previous, who),
        [true, false] => Err(other_kind("fluxplane/v1", "a specification of FluxOS")),
        [false, true] => Err(other_kind("FluxOS", "fluxplane/v1")),
    }
}

/// Whether a specification is one of ours. They are signed, priced and stored differently.
pub fn is_native_text(spec_json: &str) -> bool {
    // What is no JSON object is refused in the words for FluxOS' specifications.
    spec_json.trim_start().starts_with('{') && is_native(spec_json.as_bytes())
}

fn other_kind(before: &str, now: &str) -> Refusal {
    let rule = format!(
        "the application has a specification of {before}, and an update keeps the kind: both are priced by their own list"
    );
    spec_refused(vec![Violation::new(
        "spec",
        now,
        rule,
        "convert the update with `fluxctl spec convert`, or submit another application",
    )])
}

/// An update keeps the name.
fn check_name(name: &str, previous: &str) -> Result<(), Refusal> {
    if name == previous {
        return Ok(());
    }
    Err(spec_refused(vec![Violation::new(
        "spec.name",
        name,
        format!("an update keeps the name `{previous}`, also its case"),
        "write the name as it is, or submit another application",
    )]))
}

/// Whether a message has the type it must have.
fn wrong_type(signed: &SignedSpec, wanted: &str) -> Refusal {
    let rule = format!("the type of this message is {wanted}");
    Refusal::invalid(Violation::new(
        "type",
        &signed.kind,
        rule,
        "sign it with this type; the type is part of the signed text",
    ))
}

/// The version and the age of a message.
fn check_message(signed: &SignedSpec, now_ms: u64) -> Result<(), Refusal> {
    if signed.version != MESSAGE_VERSION {
        let rule = format!("messages have version {MESSAGE_VERSION}");
        return Err(Refusal::invalid(Violation::new(
            "version",
            signed.version,
            rule,
            "sign it with this version",
        )));
    }
    check_age(signed.timestamp_ms, now_ms).map_err(|err| {
        let rule = format!(
            "a message is at most one hour old and five minutes early, and it is {now_ms} now ({err})"
        );
        Refusal::invalid(Violation::new(
            "timestamp",
            signed.timestamp_ms,
            rule,
            "set the clock and sign again",
        ))
    })?;
    Ok(())
}

/// The canonical address of an owner: an address is its own, a public key has that of its key hash.
fn wallet_address(owner: &str) -> Option<String> {
    if owner.starts_with("0x") {
        // The strict verdict accepts it with its checksum only.
        return Some(owner.to_owned());
    }
    if let Ok(id) = owner.parse::<FluxId>() {
        return Some(id.to_string());
    }
    let key = owner.parse::<PublicKey>().ok()?;
    Some(FluxId::of_key(&key).to_string())
}

fn broken_store() -> Refusal {
    Refusal::new(
        ErrorKind::Internal,
        Reason::Internal,
        "a specification that was canonical once is not any more",
        Vec::new(),
    )
}

fn spec_refused(violations: Vec<Violation>) -> Refusal {
    Refusal::spec(violations)
}

fn not_yours(field: &str, signer: &str, principal: &str) -> Refusal {
    let rule = format!("you are signed in as {principal}");
    Refusal::new(
        ErrorKind::Forbidden,
        Reason::Forbidden,
        format!("{field} names {signer}, but {rule}"),
        vec![Violation::new(
            field,
            signer,
            rule,
            "sign in with the wallet that signs the message",
        )],
    )
}

fn bad_signature(signed: &SignedSpec, err: impl std::fmt::Display) -> Refusal {
    let over = if is_native_text(&signed.spec_json) {
        "fluxplane/v1 + SHA-256 of the canonical JSON"
    } else {
        "canonical JSON"
    };
    let rule = format!(
        "it must be the owner's signature over type + version + {over} + timestamp ({err})"
    );
    Refusal::new(
        ErrorKind::Invalid,
        Reason::SignatureInvalid,
        "the signature does not fit the message",
        vec![Violation::new(
            "signature",
            &signed.signature,
            rule,
            "sign the canonical form with the owner's key; `fluxctl deploy --print-message` prints the text",
        )],
    )
}
