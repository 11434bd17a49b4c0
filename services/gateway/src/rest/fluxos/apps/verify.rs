//! `POST /apps/verifyappregistrationspecifications` and `/apps/verifyappupdatespecifications`: the specification as it must be
//! signed, or why FluxOS or this plane would refuse it.

use axum::extract::State;
use fluxplane_app_spec::{
    json::{Limits, Value, parse},
    legacy::{LegacySpec, check_update},
};
use fluxplane_core::error::Reason;
use fluxplane_proto::scheduler::v1::PublishedMessage;
use serde_json::value::RawValue;

use super::{
    published::{self, Wanted},
    spec::{self, Judged},
};
use crate::rest::{
    Gateway,
    fluxos::{
        body::{Fields, ensure_object},
        envelope::{Data, Refused},
    },
    v1::specs::height,
    wire::{Malformed, required},
};

/// FluxOS' text for an update of what is not there.
pub const NOTHING_TO_UPDATE: &str =
    "Flux App update received but application to update does not exist!";

pub async fn registration(
    State(gateway): State<Gateway>,
    fields: Fields,
) -> Result<Data<Box<RawValue>>, Refused> {
    let judged = spec::check(specification(fields)?, height(&gateway).await?)?;
    if let Some(taken) = living(&gateway, &judged.name).await? {
        return Err(name_taken(&taken.app_name));
    }
    Ok(Data(judged.formatted()?))
}

pub async fn update(
    State(gateway): State<Gateway>,
    fields: Fields,
) -> Result<Data<Box<RawValue>>, Refused> {
    let judged = spec::check(specification(fields)?, height(&gateway).await?)?;
    let current = published::current(&gateway, &judged.name).await?;
    let current = current.ok_or_else(|| Refused::because(Reason::NotFound, NOTHING_TO_UPDATE))?;
    compatible(&previous(&current)?, &judged)?;
    Ok(Data(judged.formatted()?))
}

/// The body is the specification; newer clients put it into `appSpecification`.
pub fn specification(fields: Fields) -> Result<fluxplane_app_spec::json::Object, Refused> {
    match fields.truthy("appSpecification") {
        Some(inner) => ensure_object(inner.clone()),
        None => Ok(fields.0),
    }
}

/// The newest message of a living application of that name.
pub async fn living(gateway: &Gateway, name: &str) -> Result<Option<PublishedMessage>, Refused> {
    let wanted = Wanted {
        name: name.to_owned(),
        ..Wanted::default()
    };
    let messages = published::messages(gateway, &wanted).await?;
    Ok(messages.into_iter().rfind(published::lives))
}

pub fn name_taken(name: &str) -> Refused {
    Refused::because(
        Reason::NameTaken,
        format!(
            "Flux App {name} already registered. Flux App has to be registered under different name."
        ),
    )
}

/// The specification of a message, as a value and as FluxOS understands it.
pub struct Previous {
    pub value: Value,
    pub spec: LegacySpec,
}

pub fn previous(message: &PublishedMessage) -> Result<Previous, Refused> {
    let signed = required("signed_spec", message.signed_spec.as_ref())?;
    read(&signed.spec_json).map_err(Refused::from)
}

/// Reads a canonical specification of ours.
pub fn read(spec_json: &str) -> Result<Previous, Malformed> {
    let document = parse(spec_json.as_bytes(), Limits::default())
        .map_err(|err| Malformed::value("spec_json", err))?;
    let spec = LegacySpec::from_value(document.value.clone())
        .map_err(|err| Malformed::value("spec_json", err))?;
    Ok(Previous {
        value: document.value,
        spec,
    })
}

pub fn compatible(previous: &Previous, next: &Judged) -> Result<(), Refused> {
    check_update(&previous.spec, &next.spec)
        .map_err(|err| Refused::because(Reason::SpecInvalid, err.0))
}
