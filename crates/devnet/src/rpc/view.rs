//! Transactions with what the indexes know about them: the value and owner of what they spend, and who spent their outputs (fluxd
//! `TxToJSON` with the spent index on).

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, Hash256, OutPoint, Transaction,
    describe::{
        self, Amount, BodyJson, FluxnodeJson, InputJson, JoinSplitJson, OutputJson, SaplingJson,
        ScriptSigJson, TransactionContext, TransferJson,
    },
    script::Destination,
};
use serde::Serialize;

use crate::{chain::indexed_owner, daemon::Daemon, wallet::SPACE};

/// The height the daemon tells for outputs a waiting transaction spends.
const UNMINED: i64 = -1;

#[derive(Debug, Serialize)]
pub(crate) struct TransactionView {
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    txid: Hash256,
    version: u32,
    #[serde(flatten)]
    body: BodyView,
    #[serde(flatten)]
    context: TransactionContext,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum BodyView {
    Transfer(Box<TransferView>),
    Fluxnode(Box<FluxnodeJson>),
}

#[derive(Debug, Serialize)]
struct TransferView {
    overwintered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    versiongroupid: Option<String>,
    locktime: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiryheight: Option<u32>,
    vin: Vec<InputView>,
    vout: Vec<OutputView>,
    #[serde(rename = "vJoinSplit")]
    join_splits: Vec<JoinSplitJson>,
    #[serde(flatten)]
    sapling: Option<SaplingJson>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum InputView {
    Coinbase {
        coinbase: String,
        sequence: u32,
    },
    Spend {
        txid: Hash256,
        vout: u32,
        #[serde(rename = "scriptSig")]
        script_sig: ScriptSigJson,
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<Amount>,
        #[serde(rename = "valueSat", skip_serializing_if = "Option::is_none")]
        value_sat: Option<Sat>,
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
        sequence: u32,
    },
}

#[derive(Debug, Serialize)]
struct OutputView {
    #[serde(flatten)]
    output: OutputJson,
    #[serde(flatten)]
    spent: Option<SpentView>,
}

#[derive(Debug, Serialize)]
struct SpentView {
    #[serde(rename = "spentTxId")]
    txid: Hash256,
    #[serde(rename = "spentIndex")]
    index: usize,
    #[serde(rename = "spentHeight")]
    height: i64,
}

/// What the spent index, or else the memory pool, knows of an output that is spent.
pub(crate) struct SpentOutput {
    pub(crate) txid: Hash256,
    pub(crate) input: usize,
    /// `None`: by a transaction that waits.
    pub(crate) height: Option<u32>,
    value: Sat,
    owner: Option<Destination>,
}

/// Looks an output up, the memory pool first as the daemon does.
pub(crate) fn spent_output(daemon: &Daemon, outpoint: &OutPoint) -> Option<SpentOutput> {
    if let Some((txid, input)) = daemon.mempool.spender(outpoint) {
        let coin = daemon.mempool.coin(outpoint, daemon.chain.coins())?;
        return Some(SpentOutput {
            txid,
            input,
            height: None,
            value: coin.value,
            owner: indexed_owner(coin.script.as_script()),
        });
    }
    let spent = daemon.chain.books().spent(outpoint)?;
    Some(SpentOutput {
        txid: spent.txid,
        input: spent.input,
        height: Some(spent.height),
        value: spent.value,
        owner: spent.owner,
    })
}

/// Describes a transaction without its place in the chain.
pub(crate) fn view(
    daemon: &Daemon,
    transaction: &Transaction<'_>,
    txid: Hash256,
) -> TransactionView {
    let plain = describe::transaction(transaction, Some(txid), SPACE);
    TransactionView {
        hex: None,
        txid,
        version: plain.version,
        body: match plain.body {
            BodyJson::Fluxnode(fluxnode) => BodyView::Fluxnode(Box::new(fluxnode)),
            BodyJson::Transfer(transfer) => {
                BodyView::Transfer(Box::new(transfer_view(daemon, transfer, txid)))
            }
        },
        context: TransactionContext::default(),
    }
}

/// Adds the bytes and the place, as `getrawtransaction` shows them.
pub(crate) fn full_view(
    daemon: &Daemon,
    transaction: &Transaction<'_>,
    txid: Hash256,
    context: TransactionContext,
) -> TransactionView {
    let mut view = view(daemon, transaction, txid);
    view.hex = Some(hex::encode(transaction.raw()));
    view.context = context;
    view
}

fn transfer_view(daemon: &Daemon, transfer: TransferJson, txid: Hash256) -> TransferView {
    let inputs = transfer.vin.into_iter();
    let outputs = (0..).zip(transfer.vout);
    TransferView {
        overwintered: transfer.overwintered,
        versiongroupid: transfer.versiongroupid,
        locktime: transfer.locktime,
        expiryheight: transfer.expiryheight,
        vin: inputs.map(|input| input_view(daemon, input)).collect(),
        vout: outputs
            .map(|(n, output)| {
                let spent = spent_output(daemon, &OutPoint::new(txid, n));
                OutputView {
                    output,
                    spent: spent.map(|spent| SpentView {
                        txid: spent.txid,
                        index: spent.input,
                        height: spent.height.map_or(UNMINED, i64::from),
                    }),
                }
            })
            .collect(),
        join_splits: transfer.join_splits,
        sapling: transfer.sapling,
    }
}

fn input_view(daemon: &Daemon, input: InputJson) -> InputView {
    match input {
        InputJson::Coinbase { coinbase, sequence } => InputView::Coinbase { coinbase, sequence },
        InputJson::Spend {
            txid,
            vout,
            script_sig,
            sequence,
        } => {
            let spent = spent_output(daemon, &OutPoint::new(txid, vout));
            InputView::Spend {
                txid,
                vout,
                script_sig,
                value: spent.as_ref().map(|spent| Amount(spent.value)),
                value_sat: spent.as_ref().map(|spent| spent.value),
                address: spent
                    .and_then(|spent| spent.owner)
                    .map(|owner| Address::of_destination(owner, SPACE)),
                sequence,
            }
        }
    }
}
