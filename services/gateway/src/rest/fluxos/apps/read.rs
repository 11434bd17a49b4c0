//! What FluxOS shows of applications: specifications, messages, hashes, places.

use axum::extract::State;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use fluxplane_app_spec::json::Value;
use fluxplane_core::error::Reason;
use fluxplane_proto::{
    chain_indexer::v1::GetFluxnodeRequest,
    common::v1::OutPoint,
    scheduler::v1::{MessageStanding, PublishedInstance, PublishedMessage},
};
use futures::{StreamExt as _, stream};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    published::{self, Wanted},
    verify::previous,
};
use crate::rest::{
    Gateway,
    fluxos::{
        envelope::{Data, Refused, js},
        params::Params,
    },
    wire::{self, Malformed, required, time},
};

/// How long FluxOS keeps a place that is not announced again (`locationTtlS`). This plane hears of a lost node in seconds.
const LOCATION_LIFE: TimeDelta = TimeDelta::seconds(7_500);

/// Nodes asked for at a time.
const AT_A_TIME: usize = 16;

/// `GET /apps/globalappsspecifications/:hash?/:owner?/:appname?`
pub async fn global_specifications(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<Vec<Box<RawValue>>>, Refused> {
    let messages = filtered(&gateway, &params, MessageStanding::Current).await?;
    let rows = messages.iter().map(row);
    Ok(Data(rows.collect::<Result<_, _>>()?))
}

/// `GET /apps/appspecifications/:appname/:decrypt?`
pub async fn specifications(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<Box<RawValue>>, Refused> {
    let name = params.get("appname");
    if name.is_empty() {
        return Err(Refused::error("No Application Name specified"));
    }
    let current = published::current(&gateway, name).await?;
    let current = current.ok_or_else(|| {
        Refused::because(Reason::NotFound, format!("Application: {name} not found"))
    })?;
    if !params.get("decrypt").is_empty() {
        // No application here is encrypted.
        return Err(Refused::error(
            "App spec decryption is only possible for version 8+ Apps.",
        ));
    }
    Ok(Data(row(&current)?))
}

/// `GET /apps/permanentmessages/:hash?/:owner?/:appname?`
pub async fn permanent_messages(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<Vec<PermanentMessage>>, Refused> {
    let messages = filtered(&gateway, &params, MessageStanding::Paid).await?;
    let rows = messages.into_iter().map(PermanentMessage::new);
    Ok(Data(rows.collect::<Result<_, _>>()?))
}

/// `GET /apps/temporarymessages/:hash?`
pub async fn temporary_messages(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<Vec<TemporaryMessage>>, Refused> {
    let messages = filtered(&gateway, &params, MessageStanding::Waiting).await?;
    let rows = messages.into_iter().map(TemporaryMessage::new);
    Ok(Data(rows.collect::<Result<_, _>>()?))
}

/// `GET /apps/hashes`
pub async fn hashes(State(gateway): State<Gateway>) -> Result<Data<Vec<AppHash>>, Refused> {
    let wanted = Wanted {
        standing: MessageStanding::Paid,
        ..Wanted::default()
    };
    let messages = published::messages(&gateway, &wanted).await?;
    // Only what is on the chain has a transaction.
    let paid = messages
        .into_iter()
        .filter(|message| !message.payment_txid.is_empty());
    let hashes = paid.map(|message| AppHash {
        txid: message.payment_txid,
        hash: message.message_hash,
        height: message.payment_height,
        value: message.paid_sat,
        message: true,
    });
    Ok(Data(hashes.collect()))
}

/// `GET /apps/location/:appname?`
pub async fn location(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Data<Vec<Location>>, Refused> {
    let name = params.get("appname");
    if name.is_empty() {
        return Err(Refused::error("No Flux App name specified"));
    }
    locations_of(&gateway, name).await.map(Data)
}

/// `GET /apps/locations`
pub async fn locations(State(gateway): State<Gateway>) -> Result<Data<Vec<Location>>, Refused> {
    locations_of(&gateway, "").await.map(Data)
}

/// Messages by the parameters that FluxOS knows. Its names are compared letter by letter.
async fn filtered(
    gateway: &Gateway,
    params: &Params,
    standing: MessageStanding,
) -> Result<Vec<PublishedMessage>, Refused> {
    let wanted = Wanted {
        standing,
        message_hash: params.get("hash").to_owned(),
        owner: params.get("owner").to_owned(),
        name: params.get("appname").to_owned(),
    };
    let mut messages = published::messages(gateway, &wanted).await?;
    messages.retain(|message| wanted.name.is_empty() || message.app_name == wanted.name);
    Ok(messages)
}

/// The specification with the hash and the height of its message, as FluxOS keeps it.
fn row(message: &PublishedMessage) -> Result<Box<RawValue>, Refused> {
    let mut value = previous(message)?.value;
    if let Value::Object(spec) = &mut value {
        spec.set("hash", message.message_hash.as_str());
        spec.set("height", f64::from(message.payment_height));
    }
    Ok(js(&value)?)
}

fn specification(message: &PublishedMessage) -> Result<Box<RawValue>, Malformed> {
    let signed = required("signed_spec", message.signed_spec.as_ref())?;
    wire::json("spec_json", signed.spec_json.clone())
}

/// A time as JavaScript writes it.
pub fn js_time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A message that was paid.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PermanentMessage {
    r#type: String,
    version: u32,
    app_specifications: Box<RawValue>,
    hash: String,
    timestamp: u64,
    signature: String,
    txid: String,
    height: u32,
    value_sat: i64,
}

impl PermanentMessage {
    fn new(message: PublishedMessage) -> Result<Self, Malformed> {
        let app_specifications = specification(&message)?;
        let signed = required("signed_spec", message.signed_spec)?;
        Ok(Self {
            r#type: signed.r#type,
            version: signed.version,
            app_specifications,
            hash: message.message_hash,
            timestamp: signed.timestamp_ms,
            signature: signed.signature,
            txid: message.payment_txid,
            height: message.payment_height,
            value_sat: message.paid_sat,
        })
    }
}

/// A message that waits for its payment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TemporaryMessage {
    app_specifications: Box<RawValue>,
    r#type: String,
    version: u32,
    hash: String,
    timestamp: u64,
    signature: String,
    received_at: String,
    expire_at: String,
}

impl TemporaryMessage {
    fn new(message: PublishedMessage) -> Result<Self, Malformed> {
        let app_specifications = specification(&message)?;
        let signed = required("signed_spec", message.signed_spec)?;
        Ok(Self {
            app_specifications,
            r#type: signed.r#type,
            version: signed.version,
            hash: message.message_hash,
            timestamp: signed.timestamp_ms,
            signature: signed.signature,
            received_at: js_time(time("submitted_at", message.submitted_at)?),
            expire_at: js_time(time("pay_until", message.pay_until)?),
        })
    }
}

/// A payment on the chain that carries the hash of a message.
#[derive(Debug, Serialize)]
pub struct AppHash {
    txid: String,
    hash: String,
    height: u32,
    value: i64,
    message: bool,
}

/// Where a copy runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location {
    name: String,
    hash: String,
    /// As the chain's list has it: host, or host:port of the node.
    ip: String,
    /// FluxOS hears of a place now and then; the plane knows of it all the time.
    broadcasted_at: String,
    expire_at: String,
    running_since: String,
    static_ip: bool,
}

async fn locations_of(gateway: &Gateway, name: &str) -> Result<Vec<Location>, Refused> {
    let instances = published::instances(gateway, name).await?;
    let now = gateway.ctx.clock.now();
    let located = stream::iter(instances)
        .map(|instance| location_of(gateway, instance, now))
        .buffered(AT_A_TIME);
    let located: Vec<Result<Location, Refused>> = located.collect().await;
    located.into_iter().collect()
}

async fn location_of(
    gateway: &Gateway,
    instance: PublishedInstance,
    now: DateTime<Utc>,
) -> Result<Location, Refused> {
    let listed = listed_ip(gateway, instance.collateral.clone()).await?;
    Ok(Location {
        name: instance.app_name,
        hash: instance.message_hash,
        ip: listed.unwrap_or(instance.node_ip),
        broadcasted_at: js_time(now),
        expire_at: js_time(now + LOCATION_LIFE),
        running_since: js_time(time("healthy_at", instance.healthy_at)?),
        static_ip: instance.static_ip,
    })
}

/// How the chain's list writes the address of a node; nodes behind one address differ by their ports.
async fn listed_ip(
    gateway: &Gateway,
    collateral: Option<OutPoint>,
) -> Result<Option<String>, Refused> {
    let request = GetFluxnodeRequest { collateral };
    match gateway.peers.chain.get_fluxnode(request).await {
        Ok(answer) => Ok(answer
            .fluxnode
            .map(|node| node.ip)
            .filter(|ip| !ip.is_empty())),
        Err(remote) if remote.reason == Reason::NotFound => Ok(None),
        Err(remote) => Err(remote.into()),
    }
}
