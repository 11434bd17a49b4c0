//! Specifications `fluxplane/v1`: the rules of the schema, what the plane serves of it, and messages of their own.
//!
//! What is signed names the content by its hash, says whether it registers or updates, and carries the moment: so a message
//! is taken once, and an old content that is wanted again is signed again.

use fluxplane_app_spec::{
    message::message_hash,
    native::{MessageKind, NativeSpec, content_hash, message_text, parse, verify_message},
};
use fluxplane_core::error::Violation;

use super::{
    Circumstances, Draft, MAX_SPEC_BYTES, Previous, SignedSpec, Submission, Update, bad_signature,
    broken_store, check_message, check_name, not_yours, spec_refused, wallet_address, wrong_type,
};
use crate::domain::{Refusal, Workload, workload::of_finding};

/// Judges a specification as a submission would be, but for its signature.
pub(super) fn draft(spec_json: &str) -> Result<Draft, Refusal> {
    let judged = judge(spec_json)?;
    Ok(Draft {
        name: judged.spec.name,
        workload: judged.workload,
    })
}

/// Judges a registration.
pub(super) fn register(
    signed: &SignedSpec,
    who: &Circumstances<'_>,
) -> Result<Submission, Refusal> {
    let judged = judge(&signed.spec_json)?;
    if judged.owner != who.principal {
        return Err(not_yours("spec.owner", &judged.owner, who.principal));
    }
    let text = text(signed, MessageKind::Register, &judged, who.now_ms)?;
    verify_message(&text, &judged.spec.owner, &signed.signature)
        .map_err(|err| bad_signature(signed, err))?;
    Ok(judged.into_submission(&text, signed))
}

/// Judges an update. The owner of what runs signs it; it may name another owner, who signs the next one.
pub(super) fn update(
    signed: &SignedSpec,
    previous: &Previous<'_>,
    who: &Circumstances<'_>,
) -> Result<Update, Refusal> {
    let judged = judge(&signed.spec_json)?;
    check_name(&judged.spec.name, previous.name)?;
    let before = parse(previous.spec_json.as_bytes()).map_err(|_| broken_store())?;
    let text = text(signed, MessageKind::Update, &judged, who.now_ms)?;
    verify_message(&text, &before.owner, &signed.signature)
        .map_err(|err| bad_signature(signed, err))?;
    let signer = wallet_address(&before.owner).ok_or_else(broken_store)?;
    if signer != who.principal {
        return Err(not_yours("signature", &signer, who.principal));
    }
    // What was served once is served still, or there is nothing to compare with and everything is new.
    let restarts = Workload::of_native(&before).map_or(true, |workload| {
        workload.differs_in_copies(&judged.workload)
    });
    Ok(Update {
        submission: judged.into_submission(&text, signed),
        restarts,
    })
}

/// A specification that keeps all rules and that the plane serves whole.
struct Judged {
    spec: NativeSpec,
    /// Wallet address.
    owner: String,
    canonical: String,
    workload: Workload,
}

impl Judged {
    fn into_submission(self, text: &str, signed: &SignedSpec) -> Submission {
        Submission {
            name: self.spec.name,
            owner: self.owner,
            canonical: self.canonical,
            message_hash: message_hash(text, &signed.signature),
            workload: self.workload,
            wants_sync: false,
            native: true,
        }
    }
}

fn judge(spec_json: &str) -> Result<Judged, Refusal> {
    if spec_json.len() > MAX_SPEC_BYTES {
        let rule = format!("a specification has at most {MAX_SPEC_BYTES} bytes");
        let size = format!("{} bytes", spec_json.len());
        return Err(spec_refused(vec![Violation::new(
            "spec",
            size,
            rule,
            "make it shorter",
        )]));
    }
    let spec = parse(spec_json.as_bytes()).map_err(|rejected| {
        spec_refused(rejected.findings.into_iter().map(of_finding).collect())
    })?;
    let workload = Workload::of_native(&spec).map_err(spec_refused)?;
    let owner = wallet_address(&spec.owner).ok_or_else(|| {
        let rule = "the owner is a Flux ID, a 0x address, or a public key";
        spec_refused(vec![Violation::new(
            "spec.owner",
            &spec.owner,
            rule,
            "write the address that will sign updates",
        )])
    })?;
    Ok(Judged {
        owner,
        canonical: spec.canonical(),
        workload,
        spec,
    })
}

/// The text that must have been signed.
fn text(
    signed: &SignedSpec,
    wanted: MessageKind,
    judged: &Judged,
    now_ms: u64,
) -> Result<String, Refusal> {
    let kind = signed.kind.parse::<MessageKind>().ok();
    if kind != Some(wanted) {
        return Err(wrong_type(signed, wanted.name()));
    }
    check_message(signed, now_ms)?;
    let hash = content_hash(&judged.canonical);
    Ok(message_text(wanted, &hash, signed.timestamp_ms))
}
