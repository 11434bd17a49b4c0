//! `POST /apps/appregister` and `/apps/appupdate`: a signed specification is taken, and the hash is answered that a payment
//! on the chain must carry.
//!
//! It goes the way of `/v1`: a quote, then a submission that is paid on the chain. FluxOS' checks come first, in its order and
//! words. Whoever is signed in may submit, as in FluxOS: what counts is who signed the message.

use axum::{Extension, extract::State};
use fluxplane_app_spec::{
    json::Value,
    message::{
        AppMessage, Authority, MESSAGE_VERSION, MessageError, MessageType, SealedExtension, Signer,
        Verified, check_age, message_hash, recover_signer,
    },
};
use fluxplane_core::error::Reason;
use fluxplane_flux_chain::{FluxId, PublicKey};
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    billing::v1::CreateQuoteRequest,
    common::v1::Caller,
    scheduler::v1::{App, Funding, GetAppRequest, SignedSpec, SubmitAppRequest, UpdateAppRequest},
};

use super::{
    published,
    spec::{self, Judged},
    verify::{NOTHING_TO_UPDATE, Previous, compatible, living, name_taken, previous, read},
};
use crate::{
    domain::WalletAddress,
    rest::{
        Gateway,
        extract::{Call, derived_key},
        fluxos::{
            body::{Fields, ensure_object, text_of, whole_of},
            envelope::{Data, Refused},
        },
        layers::Audited,
        v1::specs::height,
        wire::{Malformed, required},
    },
};

type Accepted = (Extension<Audited>, Data<String>);

/// A message as the client sent it, as far as FluxOS looks before it reads the specification.
struct Submitted {
    kind: MessageType,
    specification: fluxplane_app_spec::json::Object,
    timestamp: u64,
    signature: String,
}

pub async fn register(
    State(gateway): State<Gateway>,
    call: Call,
    fields: Fields,
) -> Result<Accepted, Refused> {
    let incomplete = "Incomplete message received. Check if appSpecification, type, version, timestamp and signature are provided.";
    let submitted = Submitted::read(&fields, incomplete, false)?;
    submitted.check_age(&gateway)?;
    let height = height(&gateway).await?;
    let judged = spec::check(submitted.specification.clone(), height)?;
    let message = submitted.message(&judged);
    let taken = living(&gateway, &judged.name).await?;
    if let Some(taken) = &taken
        && !message.has_hash(&taken.message_hash)
    {
        return Err(name_taken(&taken.app_name));
    }
    let verified = message.verify_registration().map_err(bad_signature)?;
    let who = owner_address(&judged.owner)?;
    let hash = message_hash(&verified.text, &submitted.signature);
    if taken.is_some() {
        // Sent again, and taken before.
        return Ok(accepted(&judged.name, hash));
    }
    let way = Way {
        gateway: &gateway,
        caller: caller(&call, &who),
        hash: &hash,
        judged: &judged,
    };
    let quote_id = way.quote(String::new()).await?;
    let request = SubmitAppRequest {
        caller: Some(way.caller.clone()),
        idempotency_key: way.key("register"),
        signed_spec: Some(submitted.wire(&judged)),
        quote_id,
        funding: Funding::ChainPayment.into(),
        published: true,
    };
    let answer = gateway.peers.scheduler.submit_app(request).await;
    let app = required("app", answer.map_err(|err| refused(err, &judged.name))?.app)?;
    Ok(accepted(&judged.name, submitted_hash(app, &hash)?))
}

pub async fn update(
    State(gateway): State<Gateway>,
    call: Call,
    fields: Fields,
) -> Result<Accepted, Refused> {
    let incomplete = "Incomplete message received. Check if appSpecification, timestamp, type, version and signature are provided.";
    let submitted = Submitted::read(&fields, incomplete, true)?;
    submitted.check_age(&gateway)?;
    let height = height(&gateway).await?;
    let judged = spec::check(submitted.specification.clone(), height)?;
    let running = running(&gateway, &call, &judged.name).await?;
    compatible(&running.previous, &judged)?;
    let message = submitted.message(&judged);
    let owner = running.previous.spec.owner.to_text().into_owned();
    let authority = Authority {
        owner: &owner,
        previous: Some(&running.previous.value),
        height,
        sealed_extension: SealedExtension::Refuse,
    };
    let verified = message.verify_update(&authority).map_err(bad_signature)?;
    let who = owner_address(&signer(&owner, &verified, &submitted.signature)?)?;
    let hash = message_hash(&verified.text, &submitted.signature);
    if running.waiting.as_deref() == Some(hash.as_str()) {
        return Ok(accepted(&judged.name, hash));
    }
    let way = Way {
        gateway: &gateway,
        caller: caller(&call, &who),
        hash: &hash,
        judged: &judged,
    };
    let quote_id = way.quote(running.name.clone()).await?;
    let request = UpdateAppRequest {
        caller: Some(way.caller.clone()),
        idempotency_key: way.key("update"),
        name: running.name,
        expected_version: running.version,
        signed_spec: Some(submitted.wire(&judged)),
        quote_id,
        funding: Funding::ChainPayment.into(),
    };
    let answer = gateway.peers.scheduler.update_app(request).await;
    let app = required("app", answer.map_err(|err| refused(err, &judged.name))?.app)?;
    Ok(accepted(&judged.name, submitted_hash(app, &hash)?))
}

impl Submitted {
    fn read(fields: &Fields, incomplete: &str, update: bool) -> Result<Self, Refused> {
        let there = [
            "appSpecification",
            "timestamp",
            "signature",
            "type",
            "version",
        ];
        if there.iter().any(|name| fields.truthy(name).is_none()) {
            return Err(Refused::error(incomplete));
        }
        let kind: Option<MessageType> = fields.text(&["type"]).parse().ok();
        let kind = kind
            .filter(|kind| kind.is_update() == update)
            .ok_or_else(|| Refused::error("Invalid type of message"))?;
        if fields.truthy("version").and_then(Value::as_number) != Some(1.0) {
            return Err(Refused::error("Invalid version of message"));
        }
        let specification = fields.truthy("appSpecification").cloned();
        Ok(Self {
            kind,
            specification: ensure_object(specification.unwrap_or(Value::Null))?,
            timestamp: fields
                .truthy("timestamp")
                .and_then(whole_of)
                .ok_or_else(|| Refused::error(incomplete))?,
            signature: fields.truthy("signature").map(text_of).unwrap_or_default(),
        })
    }

    fn check_age(&self, gateway: &Gateway) -> Result<(), Refused> {
        let now = gateway.ctx.clock.now().timestamp_millis();
        check_age(self.timestamp, u64::try_from(now).unwrap_or(0))
            .map_err(|err| Refused::error(err.to_string()))
    }

    /// The message with the specification in the form that is signed.
    fn message(&self, judged: &Judged) -> AppMessage {
        AppMessage {
            kind: self.kind,
            version: MESSAGE_VERSION,
            spec: judged.value.clone(),
            timestamp: self.timestamp,
            signature: self.signature.clone(),
        }
    }

    /// The same for the scheduler.
    fn wire(&self, judged: &Judged) -> SignedSpec {
        SignedSpec {
            r#type: self.kind.name().to_owned(),
            version: MESSAGE_VERSION,
            spec_json: judged.canonical.clone(),
            timestamp_ms: self.timestamp,
            signature: self.signature.clone(),
        }
    }
}

/// What both submissions do alike.
struct Way<'a> {
    gateway: &'a Gateway,
    caller: Caller,
    hash: &'a str,
    judged: &'a Judged,
}

impl Way<'_> {
    /// The same message is the same change, however often it is sent.
    fn key(&self, step: &str) -> String {
        derived_key(&["fluxos", step, self.hash])
    }

    async fn quote(&self, update_of: String) -> Result<String, Refused> {
        let request = CreateQuoteRequest {
            caller: Some(self.caller.clone()),
            idempotency_key: self.key("quote"),
            spec_json: self.judged.canonical.clone(),
            update_of,
        };
        let answer = self.gateway.peers.billing.create_quote(request).await?;
        Ok(required("quote", answer.quote)?.quote_id)
    }
}

/// The application that an update is about.
struct Running {
    /// As registered; an update may write it in another case.
    name: String,
    version: u64,
    previous: Previous,
    /// Hash of a message that waits for its payment.
    waiting: Option<String>,
}

/// An application of whoever is signed in, or a published one: the support team may sign for others.
async fn running(gateway: &Gateway, call: &Call, name: &str) -> Result<Running, Refused> {
    let request = GetAppRequest {
        caller: Some(call.caller()),
        name: name.to_owned(),
    };
    match gateway.peers.scheduler.get_app(request).await {
        Ok(answer) => own(required("app", answer.app)?),
        Err(remote) if remote.reason == Reason::NotFound => {
            let current = published::current(gateway, name).await?;
            let current =
                current.ok_or_else(|| Refused::because(Reason::NotFound, NOTHING_TO_UPDATE))?;
            Ok(Running {
                previous: previous(&current)?,
                name: current.app_name,
                version: current.app_version,
                waiting: None,
            })
        }
        Err(remote) => Err(remote.into()),
    }
}

fn own(app: App) -> Result<Running, Refused> {
    let ended = matches!(
        app.state(),
        fluxplane_proto::scheduler::v1::AppState::Cancelled
            | fluxplane_proto::scheduler::v1::AppState::Expired
    );
    let current = required("app.current", app.current)?;
    if ended || current.funded_at.is_none() {
        return Err(Refused::because(Reason::NotFound, NOTHING_TO_UPDATE));
    }
    Ok(Running {
        previous: read(&current.spec_json)?,
        name: app.name,
        version: app.version,
        waiting: app.pending.map(|revision| revision.message_hash),
    })
}

/// Who signed an update, as the specification would name them.
fn signer(owner: &str, verified: &Verified, signature: &str) -> Result<String, Refused> {
    match verified.signer {
        Signer::Owner => Ok(owner.to_owned()),
        Signer::SupportTeam | Signer::Extender => recover_signer(&verified.text, "", signature)
            .map_err(|_| bad_signature(MessageError::BadUpdate)),
    }
}

/// The wallet behind an owner, who may be named by a public key.
fn owner_address(owner: &str) -> Result<String, Refused> {
    if let Ok(key) = owner.parse::<PublicKey>() {
        return Ok(FluxId::of_key(&key).to_string());
    }
    WalletAddress::parse("owner", owner)
        .map(WalletAddress::into_string)
        .map_err(Refused::plane)
}

/// Other services hear of the wallet that signed the message, whoever's session brought it.
fn caller(call: &Call, who: &str) -> Caller {
    Caller {
        principal: who.to_owned(),
        ..call.caller()
    }
}

fn bad_signature(err: MessageError) -> Refused {
    Refused::because(Reason::SignatureInvalid, err.to_string())
}

/// A refusal of the scheduler, in FluxOS' words where it has some.
fn refused(remote: Remote, name: &str) -> Refused {
    if remote.reason == Reason::NameTaken {
        return name_taken(name);
    }
    remote.into()
}

/// The hash that the scheduler computed. It must be the one that was verified here, or somebody would pay for nothing.
fn submitted_hash(app: App, hash: &str) -> Result<String, Refused> {
    let revisions = [app.pending, app.current];
    let found = revisions
        .into_iter()
        .flatten()
        .find(|revision| revision.message_hash == hash);
    found
        .map(|revision| revision.message_hash)
        .ok_or_else(|| Malformed::value("message_hash", "another one than was signed").into())
}

fn accepted(name: &str, hash: String) -> Accepted {
    let audited = Audited {
        principal: None,
        target: Some(format!("/apps/appspecifications/{name}")),
    };
    (Extension(audited), Data(hash))
}
