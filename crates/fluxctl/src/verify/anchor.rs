//! Whether a root is on the chain: the transaction is fetched from a chain node, its bytes give its id, its `OP_RETURN`
//! carries epoch, root and count, and it is deep enough in the best chain.

use fluxplane_flux_chain::{Address, Transaction, script::ScriptKind};
use fluxplane_ledger::settlement::Anchor;
use serde::Serialize;

use super::{Report, line::chain};
use crate::chain_rpc::{Error, Node, PlacedTransaction};

/// Confirmations after which an anchor is final: one more than the deepest reorganisation fluxd accepts (`src/main.h`,
/// `MAX_REORG_LENGTH`).
pub const FINAL_CONFIRMATIONS: i64 = 40;

/// Who must have sent an anchor.
///
/// Anyone can put a payload into a transaction, so a plane could anchor two different books and show each customer one. The
/// address of its validator, known from elsewhere, rules that out: then the anchors of that address are all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sender(pub Address);

/// Where an anchor was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Anchored {
    pub txid: String,
    pub height: Option<u32>,
    pub confirmations: i64,
}

/// Checks that `txid` anchors what is expected. An `Err` means that the node could not be asked.
pub async fn check_anchor(
    node: &Node,
    txid: &str,
    expected: &Anchor,
    sender: Option<Sender>,
) -> Result<(Report, Anchored), Error> {
    let mut report = Report::default();
    let mut found = Anchored {
        txid: txid.to_owned(),
        ..Anchored::default()
    };
    let placed = match node.transaction(txid).await {
        Ok(placed) => placed,
        Err(err) if err.is_unknown() => {
            report.failed(
                "transaction",
                format!("the chain node knows no transaction {txid}"),
            );
            return Ok((report, found));
        }
        Err(err) => return Err(err),
    };
    let bytes = hex::decode(&placed.hex).unwrap_or_default();
    let transaction = match read(&bytes, txid) {
        Ok(transaction) => transaction,
        Err(why) => {
            report.failed("transaction", why);
            return Ok((report, found));
        }
    };
    report.passed(
        "transaction",
        format!("the bytes from the chain node are transaction {txid}"),
    );
    report.judged("payload", payload(&transaction, expected));
    if let Some(sender) = sender {
        report.judged("sender", sender_step(node, &transaction, sender).await?);
        report.judged("only", only_anchor(node, sender, expected).await?);
    }
    depth(node, &placed, &mut report, &mut found).await?;
    Ok((report, found))
}

fn read<'a>(bytes: &'a [u8], txid: &str) -> Result<Transaction<'a>, String> {
    let transaction = Transaction::parse(bytes)
        .map_err(|err| format!("the chain node handed out no transaction: {err}"))?;
    let own = transaction.txid().to_string();
    if own == txid.to_ascii_lowercase() {
        Ok(transaction)
    } else {
        Err(format!(
            "the chain node handed out transaction {own} for {txid}"
        ))
    }
}

/// All payloads of a transaction.
fn payloads<'a>(transaction: &'a Transaction<'_>) -> impl Iterator<Item = &'a [u8]> {
    transaction
        .outputs()
        .iter()
        .filter_map(|output| match output.script.kind() {
            ScriptKind::NullData(data) => Some(data),
            ScriptKind::PubKey(_)
            | ScriptKind::PubKeyHash(_)
            | ScriptKind::ScriptHash(_)
            | ScriptKind::Multisig(_)
            | ScriptKind::NonStandard => None,
        })
}

fn payload(transaction: &Transaction<'_>, expected: &Anchor) -> Result<String, String> {
    let mut last = "the transaction carries no OP_RETURN payload".to_owned();
    for data in payloads(transaction) {
        match Anchor::decode(data) {
            Ok(anchor) if anchor == *expected => {
                let Anchor { epoch, root, count } = anchor;
                return Ok(format!(
                    "OP_RETURN carries epoch {epoch}, {count} leaves, root {root}"
                ));
            }
            Ok(Anchor { epoch, root, count }) => {
                last = format!(
                    "OP_RETURN carries epoch {epoch}, {count} leaves, root {root}; expected are epoch {}, {} leaves, root {}",
                    expected.epoch, expected.count, expected.root
                );
            }
            Err(err) => last = chain(&err),
        }
    }
    Err(last)
}

/// Whether all coins that a transaction spends belonged to the sender. The chain has checked the signatures.
async fn sent_by(
    node: &Node,
    transaction: &Transaction<'_>,
    Sender(address): Sender,
) -> Result<bool, Error> {
    let wanted = address.script();
    for input in transaction.inputs() {
        let parent = node.transaction(&input.previous.txid.to_string()).await?;
        let bytes = hex::decode(&parent.hex).unwrap_or_default();
        let spent = Transaction::parse(&bytes)
            .ok()
            .filter(|tx| tx.txid() == input.previous.txid);
        let index = usize::try_from(input.previous.n).unwrap_or(usize::MAX);
        let own = spent
            .as_ref()
            .and_then(|spent| spent.outputs().get(index))
            .is_some_and(|output| wanted == output.script);
        if !own {
            return Ok(false);
        }
    }
    Ok(!transaction.inputs().is_empty())
}

async fn sender_step(
    node: &Node,
    transaction: &Transaction<'_>,
    sender: Sender,
) -> Result<Result<String, String>, Error> {
    let address = sender.0;
    Ok(if sent_by(node, transaction, sender).await? {
        Ok(format!("sent by {address}"))
    } else {
        Err(format!("not sent by {address}, but by somebody else"))
    })
}

/// Whether all anchors of the sender for this epoch say the same.
async fn only_anchor(
    node: &Node,
    sender: Sender,
    expected: &Anchor,
) -> Result<Result<String, String>, Error> {
    let (address, epoch) = (sender.0, expected.epoch);
    let txids = node.address_txids(&address.to_string()).await?;
    let looked_at = txids.len();
    for txid in txids {
        let bytes = hex::decode(node.transaction(&txid).await?.hex).unwrap_or_default();
        let Ok(transaction) = Transaction::parse(&bytes) else {
            continue;
        };
        let differs = payloads(&transaction)
            .filter_map(|data| Anchor::decode(data).ok())
            .any(|anchor| anchor.epoch == epoch && anchor != *expected);
        if differs && sent_by(node, &transaction, sender).await? {
            return Ok(Err(format!(
                "{address} also anchored another root for epoch {epoch}, in transaction {txid}"
            )));
        }
    }
    Ok(Ok(format!(
        "no other root for epoch {epoch} in the {looked_at} transactions of {address}"
    )))
}

/// Whether the transaction is in the best chain, and how deep.
async fn depth(
    node: &Node,
    placed: &PlacedTransaction,
    report: &mut Report,
    found: &mut Anchored,
) -> Result<(), Error> {
    let Some(block) = &placed.blockhash else {
        report.failed(
            "block",
            "the transaction is in no block yet; try again later",
        );
        return Ok(());
    };
    let header = node.header(block).await?;
    found.confirmations = header.confirmations;
    if header.confirmations < 1 || node.block_hash(header.height).await? != *block {
        report.failed("block", format!("block {block} is not on the best chain"));
        return Ok(());
    }
    found.height = Some(header.height);
    report.passed(
        "block",
        format!("in block {} of the best chain, {block}", header.height),
    );
    let confirmations = header.confirmations;
    if confirmations >= FINAL_CONFIRMATIONS {
        let detail = format!("{confirmations} confirmations, {FINAL_CONFIRMATIONS} are final");
        report.passed("final", detail);
    } else {
        let detail = format!(
            "{confirmations} confirmations; a reorganisation can still undo fewer than {FINAL_CONFIRMATIONS}, try again later"
        );
        report.failed("final", detail);
    }
    Ok(())
}
