//! Whether a signed specification is taken: FluxOS' verdict, ours, its age, its signature.
//!
//! The canonical form is made here from what the client sent, and it is what the signature and the hash are over: the
//! hash goes on the chain with the payment, so it must be FluxOS' to the byte.

use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::{self, Context, LegacySpec, Restart, check_update},
    message::{
        AppMessage, Authority, EXTENDERS, MESSAGE_VERSION, MessageType, SealedExtension, Signer,
        Verified, check_age, check_canonical, message_hash, recover_signer, support_team_at,
    },
    strict::{self, Finding},
};
use fluxplane_core::{
    ErrorKind,
    error::{Reason, Violation},
};
use fluxplane_flux_chain::{address::FluxId, key::PublicKey};

use super::{Refusal, Workload, workload};

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
    let judged = judge(spec_json, height)?;
    Ok(Draft {
        name: judged.name,
        workload: judged.workload,
    })
}

/// Whether `principal` may sign updates of applications that are not its own.
pub fn is_delegate(principal: &str, height: u64) -> bool {
    support_team_at(height) == Some(principal) || EXTENDERS.contains(&principal)
}

/// Judges a registration.
pub fn register(signed: &SignedSpec, who: &Circumstances<'_>) -> Result<Submission, Refusal> {
    let judged = judge(&signed.spec_json, who.height)?;
    if judged.owner != who.principal {
        return Err(not_yours("spec.owner", &judged.owner, who.principal));
    }
    let message = message(signed, false, &judged, who.now_ms)?;
    let verified = message
        .verify_registration()
        .map_err(|err| bad_signature(signed, err))?;
    check_form(signed, &judged.signing_owner)?;
    Ok(judged.into_submission(&verified, signed))
}

/// Judges an update: who may sign it, and what it may change.
pub fn update(
    signed: &SignedSpec,
    previous: &Previous<'_>,
    who: &Circumstances<'_>,
) -> Result<Update, Refusal> {
    let judged = judge(&signed.spec_json, who.height)?;
    if judged.name != previous.name {
        return Err(spec_refused(vec![Violation::new(
            "spec.name",
            &judged.name,
            format!(
                "an update keeps the name `{}`, also its case",
                previous.name
            ),
            "write the name as it is, or submit another application",
        )]));
    }
    let before = stored(previous.spec_json)?;
    let before_value = parse(previous.spec_json.as_bytes(), Limits::default())
        .map_err(|_| broken_store())?
        .value;
    check_update(&before, &judged.spec).map_err(|err| {
        let remedy = "change what may change, or submit another application";
        spec_refused(vec![Violation::new("spec", &judged.name, err.0, remedy)])
    })?;
    let message = message(signed, true, &judged, who.now_ms)?;
    let owner = before.owner.to_text();
    let authority = Authority {
        owner: &owner,
        previous: Some(&before_value),
        height: who.height,
        sealed_extension: SealedExtension::Refuse,
    };
    let verified = message
        .verify_update(&authority)
        .map_err(|err| bad_signature(signed, err))?;
    let signer = match verified.signer {
        Signer::Owner => owner.into_owned(),
        Signer::SupportTeam | Signer::Extender => {
            recover_signer(&verified.text, "", &signed.signature)
                .map_err(|err| bad_signature(signed, err))?
        }
    };
    let address = wallet_address(&signer).unwrap_or_else(|| signer.clone());
    if address != who.principal {
        return Err(not_yours("signature", &address, who.principal));
    }
    check_form(signed, &signer)?;
    let restarts = Restart::between(&before, &judged.spec) != Restart::None;
    Ok(Update {
        submission: judged.into_submission(&verified, signed),
        restarts,
    })
}

/// A specification that both FluxOS and we take, whoever signed it.
struct Judged {
    name: String,
    /// Wallet address.
    owner: String,
    /// The owner as the specification names it: an address, or a public key.
    signing_owner: String,
    canonical: String,
    canonical_value: Value,
    workload: Workload,
    wants_sync: bool,
    spec: LegacySpec,
}

impl Judged {
    fn into_submission(self, verified: &Verified, signed: &SignedSpec) -> Submission {
        Submission {
            name: self.name,
            owner: self.owner,
            canonical: self.canonical,
            // Over the text that was really signed, which may be in a historic key order.
            message_hash: message_hash(&verified.text, &signed.signature),
            workload: self.workload,
            wants_sync: self.wants_sync,
        }
    }
}

fn judge(spec_json: &str, height: u64) -> Result<Judged, Refusal> {
    let limits = Limits {
        max_bytes: MAX_SPEC_BYTES,
        max_depth: MAX_SPEC_DEPTH,
    };
    let document = parse(spec_json.as_bytes(), limits).map_err(|err| {
        let remedy = "send the specification as one JSON object";
        spec_refused(vec![Violation::new(
            "spec",
            spec_json,
            err.to_string(),
            remedy,
        )])
    })?;
    // Nothing else matters when what to run cannot be known.
    let sealed = document
        .value
        .as_object()
        .and_then(|spec| spec.get("enterprise"));
    if let Some(blob) = sealed
        .and_then(Value::as_str)
        .filter(|blob| !blob.is_empty())
    {
        return Err(spec_refused(vec![workload::sealed(blob)]));
    }
    let judged = legacy::judge(document.value.clone(), height, &Context::shipped());
    let findings = strict::check(&document.value, &document.duplicates, judged.as_ref().err());
    let spec = match judged {
        Ok(spec) if findings.is_empty() => spec,
        Ok(_) | Err(_) => {
            return Err(spec_refused(findings.into_iter().map(of_finding).collect()));
        }
    };
    let view = spec.view().map_err(|err| {
        let field = format!("spec.{}", err.path);
        let remedy = "write a value that a machine can have";
        spec_refused(vec![Violation::new(field, &err.value, err.rule, remedy)])
    })?;
    let workload = Workload::of(&view).map_err(spec_refused)?;
    let signing_owner = view.owner.to_owned();
    let owner = wallet_address(&signing_owner).ok_or_else(|| {
        let rule = "the owner is a Flux ID, a 0x address, or a public key";
        spec_refused(vec![Violation::new(
            "spec.owner",
            &signing_owner,
            rule,
            "write the address that will sign updates",
        )])
    })?;
    let wants_sync = view.components.iter().any(|component| {
        let flags = component.flags;
        flags.synced || flags.receive_first || flags.single_primary
    });
    let name = view.name.to_owned();
    let canonical = spec.canonical();
    let canonical_value = parse(canonical.as_bytes(), Limits::default())
        .map_err(|_| broken_store())?
        .value;
    Ok(Judged {
        name,
        owner,
        signing_owner,
        canonical,
        canonical_value,
        workload,
        wants_sync,
        spec,
    })
}

/// The message as it was signed: over the canonical form.
fn message(
    signed: &SignedSpec,
    update: bool,
    judged: &Judged,
    now_ms: u64,
) -> Result<AppMessage, Refusal> {
    let wanted = if update {
        "fluxappupdate"
    } else {
        "fluxappregister"
    };
    let kind = signed
        .kind
        .parse::<MessageType>()
        .ok()
        .filter(|kind| kind.is_update() == update);
    let kind = kind.ok_or_else(|| {
        let rule = format!("the type of this message is {wanted}");
        Refusal::invalid(Violation::new(
            "type",
            &signed.kind,
            rule,
            "sign it with this type; the type is part of the signed text",
        ))
    })?;
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
    Ok(AppMessage {
        kind,
        version: signed.version,
        spec: judged.canonical_value.clone(),
        timestamp: signed.timestamp_ms,
        signature: signed.signature.clone(),
    })
}

/// One text per signature: otherwise anybody could turn a message into another one with another hash.
fn check_form(signed: &SignedSpec, owner: &str) -> Result<(), Refusal> {
    check_canonical(owner, &signed.signature).map_err(|err| bad_signature(signed, err))
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

/// A specification of ours.
fn stored(spec_json: &str) -> Result<LegacySpec, Refusal> {
    let document = parse(spec_json.as_bytes(), Limits::default()).map_err(|_| broken_store())?;
    LegacySpec::from_value(document.value).map_err(|_| broken_store())
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
    let first = violations
        .first()
        .map_or_else(|| "it is malformed".to_owned(), ToString::to_string);
    let more = violations.len().saturating_sub(1);
    let message = if more == 0 {
        format!("the specification is refused: {first}")
    } else {
        format!("the specification is refused: {first} (and {more} more)")
    };
    Refusal::new(ErrorKind::Invalid, Reason::SpecInvalid, message, violations)
}

fn of_finding(finding: Finding) -> Violation {
    let field = if finding.path.is_empty() {
        "spec".to_owned()
    } else {
        format!("spec.{}", finding.path)
    };
    Violation::new(field, finding.value, finding.rule, finding.remedy)
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
    let rule = format!(
        "it must be the owner's signature over type + version + canonical JSON + timestamp ({err})"
    );
    Refusal::new(
        ErrorKind::Invalid,
        Reason::SignatureInvalid,
        "the signature does not fit the message",
        vec![Violation::new(
            "signature",
            &signed.signature,
            rule,
            "sign the canonical form with the owner's key; `fluxctl spec hash` prints the text",
        )],
    )
}
