//! Transactions as JSON (fluxd `src/rpc/rawtransaction.cpp`, `TxToJSON`).

use fluxplane_core::Sat;
use serde::Serialize;

use crate::{
    address::AddressSpace,
    describe::{
        Amount, FluxnodeJson,
        fluxnode::describe_fluxnode,
        script::{ScriptPubKeyJson, script_pub_key},
    },
    hash::Hash256,
    script::SighashSuffix,
    tx::{Body, JoinSplit, Transaction, Transfer, TxIn},
};

/// A transaction as `decoderawtransaction` shows it; with a context, as `getrawtransaction` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransactionJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    pub txid: Hash256,
    pub version: u32,
    #[serde(flatten)]
    pub body: BodyJson,
    #[serde(flatten)]
    pub context: TransactionContext,
}

/// Where a transaction stands in the chain, as far as the caller knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TransactionContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blockhash: Option<Hash256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmations: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocktime: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BodyJson {
    Transfer(TransferJson),
    Fluxnode(FluxnodeJson),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TransferJson {
    pub overwintered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versiongroupid: Option<String>,
    pub locktime: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiryheight: Option<u32>,
    pub vin: Vec<InputJson>,
    pub vout: Vec<OutputJson>,
    #[serde(rename = "vJoinSplit")]
    pub join_splits: Vec<JoinSplitJson>,
    #[serde(flatten)]
    pub sapling: Option<SaplingJson>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum InputJson {
    Coinbase {
        coinbase: String,
        sequence: u32,
    },
    Spend {
        txid: Hash256,
        vout: u32,
        #[serde(rename = "scriptSig")]
        script_sig: ScriptSigJson,
        sequence: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScriptSigJson {
    pub asm: String,
    pub hex: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutputJson {
    pub value: Amount,
    #[serde(rename = "valueZat")]
    pub value_zat: Sat,
    #[serde(rename = "valueSat")]
    pub value_sat: Sat,
    pub n: usize,
    #[serde(rename = "scriptPubKey")]
    pub script_pub_key: ScriptPubKeyJson,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JoinSplitJson {
    pub vpub_old: Amount,
    #[serde(rename = "vpub_oldZat")]
    pub vpub_old_zat: i64,
    pub vpub_new: Amount,
    #[serde(rename = "vpub_newZat")]
    pub vpub_new_zat: i64,
    pub anchor: Hash256,
    pub nullifiers: [Hash256; 2],
    pub commitments: [Hash256; 2],
    #[serde(rename = "onetimePubKey")]
    pub onetime_pub_key: Hash256,
    #[serde(rename = "randomSeed")]
    pub random_seed: Hash256,
    pub macs: [Hash256; 2],
    pub proof: String,
    pub ciphertexts: [String; 2],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaplingJson {
    #[serde(rename = "valueBalance")]
    pub value_balance: Amount,
    #[serde(rename = "valueBalanceZat")]
    pub value_balance_zat: i64,
    #[serde(rename = "vShieldedSpend")]
    pub spends: Vec<SpendJson>,
    #[serde(rename = "vShieldedOutput")]
    pub outputs: Vec<ShieldedOutputJson>,
    #[serde(rename = "bindingSig", skip_serializing_if = "Option::is_none")]
    pub binding_sig: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SpendJson {
    pub cv: Hash256,
    pub anchor: Hash256,
    pub nullifier: Hash256,
    pub rk: Hash256,
    pub proof: String,
    #[serde(rename = "spendAuthSig")]
    pub spend_auth_sig: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShieldedOutputJson {
    pub cv: Hash256,
    pub cmu: Hash256,
    #[serde(rename = "ephemeralKey")]
    pub ephemeral_key: Hash256,
    #[serde(rename = "encCiphertext")]
    pub enc_ciphertext: String,
    #[serde(rename = "outCiphertext")]
    pub out_ciphertext: String,
    pub proof: String,
}

/// Describes a transaction. The id is passed in by callers that know it and computed otherwise.
pub fn transaction(
    transaction: &Transaction<'_>,
    txid: Option<Hash256>,
    space: AddressSpace,
) -> TransactionJson {
    TransactionJson {
        hex: None,
        txid: txid.unwrap_or_else(|| transaction.txid()),
        version: transaction.version(),
        body: match &transaction.body {
            Body::Transfer(transfer) => BodyJson::Transfer(describe_transfer(transfer, space)),
            Body::Fluxnode(fluxnode) => BodyJson::Fluxnode(describe_fluxnode(fluxnode)),
        },
        context: TransactionContext::default(),
    }
}

fn describe_transfer(transfer: &Transfer<'_>, space: AddressSpace) -> TransferJson {
    let coinbase = transfer.is_coinbase();
    let outputs = transfer.outputs.iter().enumerate();
    TransferJson {
        overwintered: transfer.version_group.is_some(),
        versiongroupid: transfer.version_group.map(|group| format!("{group:08x}")),
        locktime: transfer.lock_time,
        expiryheight: transfer.expiry_height,
        vin: transfer
            .inputs
            .iter()
            .map(|input| describe_input(input, coinbase))
            .collect(),
        vout: outputs
            .map(|(n, output)| OutputJson {
                value: Amount(output.value),
                value_zat: output.value,
                value_sat: output.value,
                n,
                script_pub_key: script_pub_key(output.script, space),
            })
            .collect(),
        join_splits: transfer
            .join_splits
            .iter()
            .flat_map(|list| list.iter().map(|item| describe_join_split(&item)))
            .collect(),
        sapling: describe_sapling(transfer),
    }
}

fn describe_input(input: &TxIn<'_>, coinbase: bool) -> InputJson {
    let (script, sequence) = (hex::encode(input.script.as_bytes()), input.sequence);
    if coinbase {
        return InputJson::Coinbase {
            coinbase: script,
            sequence,
        };
    }
    InputJson::Spend {
        txid: input.previous.txid,
        vout: input.previous.n,
        script_sig: ScriptSigJson {
            asm: input.script.asm(SighashSuffix::Spell),
            hex: script,
        },
        sequence,
    }
}

fn describe_join_split(item: &JoinSplit<'_>) -> JoinSplitJson {
    JoinSplitJson {
        vpub_old: Amount(Sat::new(item.value_in)),
        vpub_old_zat: item.value_in,
        vpub_new: Amount(Sat::new(item.value_out)),
        vpub_new_zat: item.value_out,
        anchor: item.anchor(),
        nullifiers: item.nullifiers(),
        commitments: item.commitments(),
        onetime_pub_key: item.ephemeral_key(),
        random_seed: item.random_seed(),
        macs: item.macs(),
        proof: hex::encode(item.proof()),
        ciphertexts: item.ciphertexts().map(hex::encode),
    }
}

fn describe_sapling(transfer: &Transfer<'_>) -> Option<SaplingJson> {
    let sapling = transfer.sapling.as_ref()?;
    Some(SaplingJson {
        value_balance: Amount(Sat::new(sapling.value_balance)),
        value_balance_zat: sapling.value_balance,
        spends: sapling
            .spends()
            .map(|spend| SpendJson {
                cv: spend.value_commitment(),
                anchor: spend.anchor(),
                nullifier: spend.nullifier(),
                rk: spend.randomized_key(),
                proof: hex::encode(spend.proof()),
                spend_auth_sig: hex::encode(spend.signature()),
            })
            .collect(),
        outputs: sapling
            .outputs()
            .map(|output| ShieldedOutputJson {
                cv: output.value_commitment(),
                cmu: output.note_commitment(),
                ephemeral_key: output.ephemeral_key(),
                enc_ciphertext: hex::encode(output.note_ciphertext()),
                out_ciphertext: hex::encode(output.outgoing_ciphertext()),
                proof: hex::encode(output.proof()),
            })
            .collect(),
        binding_sig: sapling.binding_signature().map(hex::encode),
    })
}
