//! Output scripts as JSON (fluxd `ScriptPubKeyToJSON`).

use serde::Serialize;

use crate::{
    address::{Address, AddressSpace},
    script::{Script, ScriptKind, SighashSuffix},
};

/// `scriptPubKey` of an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScriptPubKeyJson {
    pub asm: String,
    pub hex: String,
    #[serde(rename = "reqSigs", skip_serializing_if = "Option::is_none")]
    pub req_sigs: Option<u8>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
}

/// Describes an output script. Without an address there is no number of signatures either.
pub fn script_pub_key(script: Script<'_>, space: AddressSpace) -> ScriptPubKeyJson {
    let kind = script.kind();
    let addresses = Address::all_of_script(script, space);
    let required = match &kind {
        ScriptKind::Multisig(multisig) => multisig.required,
        ScriptKind::PubKey(_)
        | ScriptKind::PubKeyHash(_)
        | ScriptKind::ScriptHash(_)
        | ScriptKind::NullData(_)
        | ScriptKind::NonStandard => 1,
    };
    ScriptPubKeyJson {
        asm: script.asm(SighashSuffix::Plain),
        hex: hex::encode(script.as_bytes()),
        req_sigs: (!addresses.is_empty()).then_some(required),
        kind: kind.name(),
        addresses,
    }
}
