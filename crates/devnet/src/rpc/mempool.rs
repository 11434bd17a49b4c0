//! What waits for a block.

use std::collections::BTreeSet;

use fluxplane_flux_chain::{
    describe::{Amount, Significant},
    tx::Transfer,
};
use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{
    daemon::Daemon,
    mempool::Entry,
    rpc::{Answer, Method, Params, answer, params::Param, read},
};

pub(super) fn methods() -> Vec<Method> {
    vec![
        read(
            "getrawmempool",
            "( verbose )",
            0..=1,
            "The ids of what waits, or an object with their figures when verbose is true.",
            getrawmempool,
        ),
        read(
            "getmempoolinfo",
            "",
            0..=0,
            "Figures of what waits.",
            getmempoolinfo,
        ),
    ]
}

/// What the daemon's containers add to each transaction, roughly (fluxd `CTxMemPool::DynamicMemoryUsage`).
const OVERHEAD_BYTES: usize = 700;

#[derive(Serialize)]
struct MempoolInfo {
    size: usize,
    bytes: usize,
    usage: usize,
    #[serde(rename = "fullyNotified")]
    fully_notified: bool,
}

fn getmempoolinfo(daemon: &Daemon, _: &Params) -> Answer {
    let (size, bytes) = (daemon.mempool.len(), daemon.mempool.bytes());
    answer(&MempoolInfo {
        size,
        bytes,
        usage: bytes + size * OVERHEAD_BYTES,
        // Subscribers are told before a transaction is counted.
        fully_notified: true,
    })
}

fn getrawmempool(daemon: &Daemon, params: &Params) -> Answer {
    if params.get(0).map_or(Ok(false), Param::boolean)? {
        return answer(&Verbose(daemon));
    }
    let txids: Vec<_> = daemon.mempool.iter().map(|entry| entry.txid).collect();
    answer(&txids)
}

/// Entries by id, in the order they came.
struct Verbose<'d>(&'d Daemon);

impl Serialize for Verbose<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.mempool.len()))?;
        for entry in self.0.mempool.iter() {
            map.serialize_entry(&entry.txid, &view(self.0, entry))?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct EntryView {
    size: usize,
    fee: Amount,
    time: u32,
    height: u32,
    startingpriority: Significant,
    currentpriority: Significant,
    depends: BTreeSet<String>,
}

fn view(daemon: &Daemon, entry: &Entry) -> EntryView {
    let transaction = entry.parse();
    let parents = transaction.inputs().iter().map(|input| input.previous.txid);
    EntryView {
        size: entry.size(),
        fee: Amount(entry.fee),
        time: entry.time,
        height: entry.height,
        startingpriority: priority(entry, entry.height),
        currentpriority: priority(entry, daemon.chain.height()),
        depends: parents
            .filter(|txid| daemon.mempool.contains(txid))
            .map(|txid| txid.to_string())
            .collect(),
    }
}

/// Value times age of what is spent, by the size without what spending costs anyway (fluxd `CTransaction::ComputePriority`).
fn priority(entry: &Entry, height: u32) -> Significant {
    /// An input's outpoint, length and sequence, and the part of its script that does not count.
    const INPUT: usize = 41;
    const FREE_SCRIPT: usize = 110;
    let transaction = entry.parse();
    let size = transaction
        .inputs()
        .iter()
        .map(|input| INPUT + input.script.len().min(FREE_SCRIPT))
        .fold(
            entry.size(),
            |size, free| {
                if size > free { size - free } else { size }
            },
        );
    let paid = transaction
        .as_transfer()
        .and_then(Transfer::value_out)
        .unwrap_or_default();
    let spent = i128::from(paid.get()) + i128::from(entry.fee.get());
    let waited = i128::from(height.saturating_sub(entry.height));
    let age = entry.coin_age + spent * waited;
    Significant::ratio(age, i128::try_from(size).unwrap_or(i128::MAX))
}
