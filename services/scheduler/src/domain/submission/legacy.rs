//! Specifications of FluxOS: FluxOS' verdict and ours, FluxOS' messages.
//!
//! The hash goes on the chain with the payment, so the canonical form must be FluxOS' to the byte.

use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::{self, Context, LegacySpec, Restart, check_update},
    message::{
        AppMessage, Authority, MessageType, SealedExtension, Signer, Verified, check_canonical,
        message_hash, recover_signer,
    },
    strict,
};
use fluxplane_core::error::Violation;

use super::{
    Circumstances, Draft, MAX_SPEC_BYTES, MAX_SPEC_DEPTH, Previous, SignedSpec, Submission, Update,
    bad_signature, broken_store, check_message, check_name, not_yours, spec_refused,
    wallet_address, wrong_type,
};
use crate::domain::{
    Refusal, Workload,
    workload::{self, of_finding},
};

/// Judges a specification as a submission would be, but for its signature.
pub(super) fn draft(spec_json: &str, height: u64) -> Result<Draft, Refusal> {
    let judged = judge(spec_json, height)?;
    Ok(Draft {
        name: judged.name,
        workload: judged.workload,
    })
}

/// Judges a registration.
pub(super) fn register(
    signed: &SignedSpec,
    who: &Circumstances<'_>,
) -> Result<Submission, Refusal> {
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
pub(super) fn update(
    signed: &SignedSpec,
    previous: &Previous<'_>,
    who: &Circumstances<'_>,
) -> Result<Update, Refusal> {
    let judged = judge(&signed.spec_json, who.height)?;
    check_name(&judged.name, previous.name)?;
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
            native: false,
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
    let kind = kind.ok_or_else(|| wrong_type(signed, wanted))?;
    check_message(signed, now_ms)?;
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

/// A specification of ours.
fn stored(spec_json: &str) -> Result<LegacySpec, Refusal> {
    let document = parse(spec_json.as_bytes(), Limits::default()).map_err(|_| broken_store())?;
    LegacySpec::from_value(document.value).map_err(|_| broken_store())
}
