//! Fluxnode transactions as JSON, in the words of fluxd (`src/rpc/rawtransaction.cpp`, `TxToJSON`).

use bitcoin::base64::{Engine as _, prelude::BASE64_STANDARD};
use fluxplane_core::Tier;
use serde::Serialize;

use crate::{
    hash::Hash256,
    outpoint::OutPoint,
    script::SighashSuffix,
    tx::{Confirm, DelegateData, Fluxnode, Start},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FluxnodeJson {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub collateral_output: String,
    pub collateral: String,
    pub txhash: Hash256,
    pub outidx: String,
    pub sigtime: u32,
    pub sig: String,
    pub ip: String,
    #[serde(flatten)]
    pub start: Option<StartJson>,
    #[serde(flatten)]
    pub confirm: Option<ConfirmJson>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StartJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fluxnode_upgraded_tx_version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeemscript: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collateral_pubkey: Option<String>,
    pub zelnode_pubkey: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub using_delegates: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate_data: Option<DelegateJson>,
}

/// The names are those of `listfluxnodedelegates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DelegateJson {
    pub delegate_version: i8,
    pub delegate_type: i8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delegate_keys: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfirmJson {
    pub update_type: i8,
    pub benchmark_tier: String,
    pub benchmark_sigtime: u32,
    pub benchmark_sig: String,
}

pub(super) fn describe_fluxnode(fluxnode: &Fluxnode<'_>) -> FluxnodeJson {
    let collateral = fluxnode.collateral().unwrap_or(OutPoint::NULL);
    let (kind, sigtime, sig, ip): (_, _, &[u8], &[u8]) = match fluxnode {
        Fluxnode::Start(start) => (
            "Starting a fluxnode",
            start.sig_time(),
            start.signature(),
            &[],
        ),
        Fluxnode::Confirm(confirm) => (
            "Confirming a fluxnode",
            confirm.sig_time,
            confirm.signature,
            confirm.ip,
        ),
        Fluxnode::Unknown(_) => ("No type (Error)", 0, &[], &[]),
    };
    FluxnodeJson {
        kind,
        collateral_output: collateral.short_text(),
        collateral: collateral.full_text(),
        txhash: collateral.txid,
        outidx: collateral.n.to_string(),
        sigtime,
        sig: BASE64_STANDARD.encode(sig),
        ip: ip.iter().copied().map(char::from).collect(),
        start: match fluxnode {
            Fluxnode::Start(start) => Some(describe_start(start)),
            Fluxnode::Confirm(_) | Fluxnode::Unknown(_) => None,
        },
        confirm: match fluxnode {
            Fluxnode::Confirm(confirm) => Some(describe_confirm(confirm)),
            Fluxnode::Start(_) | Fluxnode::Unknown(_) => None,
        },
    }
}

fn describe_start(start: &Start<'_>) -> StartJson {
    let redeem = start.redeem_script().filter(|_| start.is_p2sh());
    StartJson {
        fluxnode_upgraded_tx_version: start.flux_version,
        redeemscript: redeem.map(|script| script.asm(SighashSuffix::Plain)),
        collateral_pubkey: redeem
            .is_none()
            .then(|| BASE64_STANDARD.encode(start.collateral_key())),
        zelnode_pubkey: BASE64_STANDARD.encode(start.node_key()),
        using_delegates: start.delegates.as_ref().map(|field| field.using != 0),
        delegate_data: start
            .delegates
            .as_ref()
            .and_then(|field| field.data.as_ref())
            .map(describe_delegates),
    }
}

fn describe_delegates(data: &DelegateData<'_>) -> DelegateJson {
    DelegateJson {
        delegate_version: data.version,
        delegate_type: data.kind,
        delegate_keys: data.keys.map(|keys| keys.iter().map(hex::encode).collect()),
    }
}

fn describe_confirm(confirm: &Confirm<'_>) -> ConfirmJson {
    let number = confirm.benchmark_tier;
    let tier = u8::try_from(number).ok().and_then(Tier::from_number);
    let name = match (tier, number) {
        (Some(tier), _) => tier.name().to_owned(),
        (None, 0) => "NONE".to_owned(),
        (None, _) => format!("UNKNOWN TIER ({number})"),
    };
    ConfirmJson {
        update_type: confirm.update_type,
        benchmark_tier: name,
        benchmark_sigtime: confirm.benchmark_sig_time,
        benchmark_sig: BASE64_STANDARD.encode(confirm.benchmark_signature),
    }
}
