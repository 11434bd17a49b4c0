//! What the chain tells its subscribers over ZMQ: fluxd's topics, three frames each (topic, body, counter).
//!
//! Messages are made where the chain changes and numbered there, one counter per topic; sending is another task's business. A
//! message that is lost on the way therefore shows as a gap in the counter, as with the daemon.

mod delta;
mod publisher;

use std::{collections::BTreeMap, sync::Arc};

use fluxplane_flux_chain::{Hash256, encode::Sink as _};
use tokio::sync::broadcast;

pub(crate) use publisher::{PublisherError, bind, publish};

use crate::chain::{BlockEntry, BlockRef, NodeListChange};

/// Messages a slow sender may lag behind before the oldest are lost. The ZMQ socket queues another 100,000 per subscriber.
const BACKLOG: usize = 65_536;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    HashBlock,
    HashTx,
    RawBlock,
    RawTx,
    CheckedBlock,
    HashBlockHeight,
    ChainReorg,
    FluxnodeListDelta,
}

impl Topic {
    /// The first frame.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HashBlock => "hashblock",
            Self::HashTx => "hashtx",
            Self::RawBlock => "rawblock",
            Self::RawTx => "rawtx",
            Self::CheckedBlock => "checkedblock",
            Self::HashBlockHeight => "hashblockheight",
            Self::ChainReorg => "chainreorg",
            Self::FluxnodeListDelta => "fluxnodelistdelta",
        }
    }
}

/// A message as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub topic: Topic,
    pub body: Arc<[u8]>,
    /// Number of the message among those of its topic.
    pub sequence: u32,
}

/// Numbers messages and hands them to whoever listens.
#[derive(Debug)]
pub(crate) struct Notifier {
    sender: broadcast::Sender<Message>,
    next: BTreeMap<Topic, u32>,
    /// The tip the next delta starts from, and whether blocks were taken back since.
    delta_from: BlockRef,
    delta_reorganised: bool,
}

impl Notifier {
    pub(crate) fn new(tip: BlockRef) -> Self {
        let (sender, _) = broadcast::channel(BACKLOG);
        Self {
            sender,
            next: BTreeMap::new(),
            delta_from: tip,
            delta_reorganised: false,
        }
    }

    /// Takes a tip as known, without a word: the chain was brought there before anybody could listen.
    pub(crate) const fn start_from(&mut self, tip: BlockRef) {
        self.delta_from = tip;
    }

    /// Messages from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Message> {
        self.sender.subscribe()
    }

    pub(crate) fn transaction(&mut self, txid: &Hash256, raw: &[u8]) {
        self.send(Topic::HashTx, display_order(txid).to_vec());
        self.send(Topic::RawTx, raw.to_vec());
    }

    pub(crate) fn checked_block(&mut self, block: &BlockEntry) {
        self.send(Topic::CheckedBlock, block.raw.to_vec());
    }

    /// Blocks were taken back from `old` to `fork`; the tip is `new`.
    pub(crate) fn reorganisation(&mut self, old: BlockRef, new: BlockRef, fork: BlockRef) {
        self.delta_reorganised = true;
        let mut body = Vec::with_capacity(108);
        for block in [old, new, fork] {
            body.put(&display_order(&block.hash));
            body.put_u32(block.height);
        }
        self.send(Topic::ChainReorg, body);
    }

    /// The tip is another one. The delta is that of the node lists since the last announcement.
    pub(crate) fn new_tip(&mut self, tip: &BlockEntry, changes: &NodeListChange) {
        let to = BlockRef {
            hash: tip.hash,
            height: tip.height,
        };
        let body = delta::body(self.delta_from, to, self.delta_reorganised, changes);
        self.delta_from = to;
        self.delta_reorganised = false;
        self.send(Topic::FluxnodeListDelta, body);
        let hash = display_order(&tip.hash);
        self.send(Topic::HashBlock, hash.to_vec());
        let mut with_height = hash.to_vec();
        with_height.put_u32(tip.height);
        self.send(Topic::HashBlockHeight, with_height);
        self.send(Topic::RawBlock, tip.raw.to_vec());
    }

    fn send(&mut self, topic: Topic, body: Vec<u8>) {
        let next = self.next.entry(topic).or_default();
        let sequence = *next;
        *next = next.wrapping_add(1);
        let message = Message {
            topic,
            body: body.into(),
            sequence,
        };
        // No receiver is no error: nobody asked.
        drop(self.sender.send(message));
    }
}

/// The bytes of a hash as people read it, which is how these topics carry hashes.
fn display_order(hash: &Hash256) -> [u8; 32] {
    let mut bytes = *hash.as_wire();
    bytes.reverse();
    bytes
}
