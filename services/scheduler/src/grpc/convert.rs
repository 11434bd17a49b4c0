//! Between wire and domain. Unknown enum values are errors inbound, never defaults.

use chrono::{DateTime, Utc};
use fluxplane_app_spec::message::MESSAGE_VERSION;
use fluxplane_core::{
    Funding,
    error::Violation,
    id::{InstanceId, NodeId},
};
use fluxplane_proto::{
    common::v1::{Caller, OutPoint},
    scheduler::v1 as wire,
};
use prost_types::Timestamp;

use crate::{
    app::preview::Preview,
    db::{instances::Located, timeline::StoredEntry},
    domain::{
        AppState, InstanceState, Refusal,
        app::{Details, Published},
        published::{Location, PublishedMessage, Standing, Wanted},
        submission::SignedSpec,
    },
};

/// Longest quote id; billing's are UUIDs.
const MAX_QUOTE_ID: usize = 64;

/// Longest name that can exist (FluxOS v8).
const MAX_NAME: usize = 63;

pub fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0),
    }
}

/// A moment that a request names.
pub fn time(field: &'static str, at: Option<Timestamp>) -> Result<DateTime<Utc>, Refusal> {
    let read = at.and_then(|at| {
        let nanos = u32::try_from(at.nanos).ok()?;
        DateTime::from_timestamp(at.seconds, nanos)
    });
    read.ok_or_else(|| {
        let rule = "a request names a moment";
        Refusal::invalid(Violation::new(field, "missing", rule, "send a time"))
    })
}

pub fn preview_to_wire(preview: Preview) -> wire::PreviewPlacementResponse {
    wire::PreviewPlacementResponse {
        nodes_matching: preview.nodes_matching,
        nodes_known: preview.nodes_known,
        instances_wanted: preview.wanted,
        instances_placeable: preview.placeable,
        pending_reason: preview.pending.unwrap_or_default(),
        expected_start_seconds: preview.expected_start,
        starts_measured: preview.starts_measured,
    }
}

/// The wallet that signed in.
pub fn principal(caller: Option<Caller>) -> Result<String, Refusal> {
    let principal = caller.unwrap_or_default().principal;
    if principal.is_empty() {
        return Err(Refusal::invalid(Violation::new(
            "caller.principal",
            "",
            "a request names the wallet that signed in",
            "sign in first",
        )));
    }
    Ok(principal)
}

pub fn name(name: String) -> Result<String, Refusal> {
    if name.is_empty() || name.len() > MAX_NAME {
        let rule = format!("a name has 1 to {MAX_NAME} characters");
        let remedy = "write the name of the application";
        return Err(Refusal::invalid(Violation::new("name", name, rule, remedy)));
    }
    Ok(name)
}

pub fn quote_id(text: String) -> Result<String, Refusal> {
    let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.is_empty() || text.len() > MAX_QUOTE_ID || !printable {
        let rule = format!("a quote id has 1 to {MAX_QUOTE_ID} printable characters");
        let remedy = "ask for a quote first and send its id";
        return Err(Refusal::invalid(Violation::new(
            "quote_id", text, rule, remedy,
        )));
    }
    Ok(text)
}

pub fn instance_id(text: &str) -> Result<InstanceId, Refusal> {
    text.parse().map_err(|_| {
        let rule = "an instance id is a UUID";
        let remedy = "list the instances of the application";
        Refusal::invalid(Violation::new("instance_id", text, rule, remedy))
    })
}

pub fn funding(funding: i32) -> Result<Funding, Refusal> {
    match wire::Funding::try_from(funding) {
        Ok(wire::Funding::ChainPayment) => Ok(Funding::ChainPayment),
        Ok(wire::Funding::Balance) => Ok(Funding::Balance),
        Ok(wire::Funding::Unspecified) | Err(_) => {
            let rule = "an application is paid on the chain or from the owner's balance";
            let remedy = "name chain_payment or balance";
            Err(Refusal::invalid(Violation::new(
                "funding", funding, rule, remedy,
            )))
        }
    }
}

pub const fn funding_to_wire(funding: Funding) -> wire::Funding {
    match funding {
        Funding::ChainPayment => wire::Funding::ChainPayment,
        Funding::Balance => wire::Funding::Balance,
    }
}

pub fn signed_spec(signed: Option<wire::SignedSpec>) -> Result<SignedSpec, Refusal> {
    let signed = signed.ok_or_else(|| {
        let rule = "a submission carries a signed specification";
        let remedy = "sign the specification and send it";
        Refusal::invalid(Violation::new("signed_spec", "", rule, remedy))
    })?;
    Ok(SignedSpec {
        kind: signed.r#type,
        version: signed.version,
        spec_json: signed.spec_json,
        timestamp_ms: signed.timestamp_ms,
        signature: signed.signature,
    })
}

pub const fn state_to_wire(state: AppState) -> wire::AppState {
    match state {
        AppState::AwaitingPayment => wire::AppState::AwaitingPayment,
        AppState::Deploying => wire::AppState::Deploying,
        AppState::Running => wire::AppState::Running,
        AppState::Degraded => wire::AppState::Degraded,
        AppState::Cancelled => wire::AppState::Cancelled,
        AppState::Expired => wire::AppState::Expired,
    }
}

const fn instance_state_to_wire(state: InstanceState) -> wire::InstanceState {
    match state {
        InstanceState::Pending => wire::InstanceState::Pending,
        InstanceState::Assigned => wire::InstanceState::Assigned,
        InstanceState::Pulling => wire::InstanceState::Pulling,
        InstanceState::Starting => wire::InstanceState::Starting,
        InstanceState::Healthy => wire::InstanceState::Healthy,
        InstanceState::Unhealthy => wire::InstanceState::Unhealthy,
        InstanceState::Failed => wire::InstanceState::Failed,
        InstanceState::Stopping => wire::InstanceState::Stopping,
        InstanceState::Stopped => wire::InstanceState::Stopped,
        InstanceState::Lost => wire::InstanceState::Lost,
    }
}

pub fn app_to_wire(details: &Details) -> wire::App {
    let Details {
        app,
        current,
        pending,
    } = details;
    let wanted = if app.state.has_ended() {
        0
    } else {
        current.revision.instances
    };
    wire::App {
        app_id: app.id.to_string(),
        name: app.name.clone(),
        owner: app.owner.clone(),
        state: state_to_wire(app.state).into(),
        state_reason: app.state_reason.clone(),
        current: Some(revision_to_wire(current)),
        pending: pending.as_ref().map(revision_to_wire),
        instances_wanted: wanted,
        instances_healthy: app.healthy,
        created_at: Some(timestamp(app.created_at)),
        expires_at: app.expires_at.map(timestamp),
        version: app.version,
    }
}

fn revision_to_wire(published: &Published) -> wire::Revision {
    let revision = &published.revision;
    let pay_until = revision.awaits_payment().then_some(revision.pay_until);
    wire::Revision {
        revision_id: revision.id.to_string(),
        number: revision.number,
        spec_json: published.spec_json.clone(),
        message_hash: revision.message_hash.clone(),
        quote_id: revision.quote_id.clone(),
        submitted_at: Some(timestamp(revision.submitted_at)),
        funded_at: revision.funded_at.map(timestamp),
        pay_until: pay_until.map(timestamp),
    }
}

pub fn instance_to_wire(located: &Located) -> wire::Instance {
    let Located { copy, ip } = located;
    let instance = &copy.instance;
    // Only where something may answer.
    let reachable = ip.filter(|_| copy.is_live() && !copy.is_gone());
    let endpoints = reachable.into_iter().flat_map(|ip| {
        let ports = copy.ports.iter();
        ports.map(move |port| std::net::SocketAddr::new(ip, *port).to_string())
    });
    wire::Instance {
        instance_id: instance.id.to_string(),
        app_id: instance.app.to_string(),
        slot: instance.slot,
        state: instance_state_to_wire(instance.state).into(),
        reason: instance.reason.clone(),
        revision_id: instance.revision.to_string(),
        node_id: instance
            .node
            .as_ref()
            .map_or_else(String::new, NodeId::to_string),
        assignment_epoch: instance.epoch,
        endpoints: endpoints.collect(),
        created_at: Some(timestamp(instance.created_at)),
        healthy_at: instance.healthy_at.map(timestamp),
        revision_number: copy.number,
    }
}

pub fn entry_to_wire(entry: &StoredEntry) -> wire::TimelineEntry {
    wire::TimelineEntry {
        sequence: entry.sequence,
        at: Some(timestamp(entry.at)),
        stage: entry.stage.clone(),
        instance_id: entry
            .instance
            .as_ref()
            .map_or_else(String::new, InstanceId::to_string),
        node_id: entry
            .node
            .as_ref()
            .map_or_else(String::new, NodeId::to_string),
        message: entry.message.clone(),
        revision_number: entry.revision,
    }
}

pub fn wanted(request: wire::ListPublishedMessagesRequest) -> Result<Wanted, Refusal> {
    let standing = match wire::MessageStanding::try_from(request.standing) {
        Ok(wire::MessageStanding::Unspecified) => None,
        Ok(wire::MessageStanding::Waiting) => Some(Standing::Waiting),
        Ok(wire::MessageStanding::Paid) => Some(Standing::Paid),
        Ok(wire::MessageStanding::Current) => Some(Standing::Current),
        Err(_) => {
            let rule = "a message waits, was paid, or is current";
            let remedy = "name one of these, or none";
            let value = request.standing;
            return Err(Refusal::invalid(Violation::new(
                "standing", value, rule, remedy,
            )));
        }
    };
    Ok(Wanted {
        standing,
        message_hash: request.message_hash,
        owner: request.owner,
        name: request.name,
    })
}

pub fn message_to_wire(message: PublishedMessage) -> wire::PublishedMessage {
    wire::PublishedMessage {
        signed_spec: Some(wire::SignedSpec {
            r#type: message.kind,
            version: MESSAGE_VERSION,
            spec_json: message.spec_json,
            timestamp_ms: message.signed_at_ms,
            signature: message.signature,
        }),
        message_hash: message.message_hash,
        app_name: message.app_name,
        owner: message.owner,
        app_state: state_to_wire(message.app_state).into(),
        app_version: message.app_version,
        submitted_at: Some(timestamp(message.submitted_at)),
        pay_until: Some(timestamp(message.pay_until)),
        funded_at: message.funded_at.map(timestamp),
        payment_txid: message.payment_txid,
        payment_height: message.payment_height,
        paid_sat: message.paid.get(),
    }
}

pub fn location_to_wire(location: Location) -> wire::PublishedInstance {
    let (txid, vout) = location.collateral;
    wire::PublishedInstance {
        instance_id: location.instance.to_string(),
        app_name: location.app_name,
        message_hash: location.message_hash,
        collateral: Some(OutPoint { txid, vout }),
        node_ip: location.ip.to_string(),
        static_ip: location.static_ip,
        healthy_at: Some(timestamp(location.healthy_at)),
    }
}
