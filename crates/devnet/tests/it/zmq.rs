//! What subscribers see, over a real socket.

use fluxplane_core::Tier;
use fluxplane_devnet::{ChainHandle, Devnet};
use fluxplane_flux_chain::Hash256;
use tokio::time::timeout;
use zeromq::{Socket as _, SocketRecv as _, SubSocket};

use crate::ground::{PATIENCE, confirmed_node, payment, sent, served};

/// A message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Received {
    topic: String,
    body: Vec<u8>,
    sequence: u32,
}

struct Subscriber {
    socket: SubSocket,
    /// Whether raw blocks are among what it subscribed to.
    raw_blocks: bool,
}

impl Subscriber {
    /// Subscribes to topics that begin with a prefix, and returns when messages arrive. Blocks are made until one does.
    async fn to(devnet: &Devnet, prefix: &str) -> Self {
        let mut socket = SubSocket::new();
        socket
            .connect(&devnet.zmq_address().unwrap())
            .await
            .unwrap();
        socket.subscribe(prefix).await.unwrap();
        let mut subscriber = Self {
            socket,
            raw_blocks: prefix.is_empty(),
        };
        let chain = devnet.chain();
        loop {
            chain.mine(1).unwrap();
            let patience = std::time::Duration::from_millis(200);
            if timeout(patience, subscriber.socket.recv()).await.is_ok() {
                break;
            }
        }
        subscriber.drain(&chain).await;
        subscriber
    }

    async fn next(&mut self) -> Received {
        let message = timeout(PATIENCE, self.socket.recv())
            .await
            .unwrap()
            .unwrap();
        let frames = message.into_vec();
        assert_eq!(frames.len(), 3);
        Received {
            topic: String::from_utf8(frames[0].to_vec()).unwrap(),
            body: frames[1].to_vec(),
            sequence: u32::from_le_bytes(frames[2][..].try_into().unwrap()),
        }
    }

    /// Takes everything up to the last message of one more block.
    async fn drain(&mut self, chain: &ChainHandle) {
        chain.mine(1).unwrap();
        let raw = chain.block(chain.height()).unwrap();
        let height = chain.height().to_le_bytes();
        let mut last = self.next().await;
        // The raw block comes last; who has not subscribed to it stops at the height.
        while !(last.topic == "rawblock" && last.body == *raw) {
            if !self.raw_blocks && last.topic == "hashblockheight" && last.body.ends_with(&height) {
                return;
            }
            last = self.next().await;
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Received> {
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            taken.push(self.next().await);
        }
        taken
    }
}

fn topics(messages: &[Received]) -> Vec<&str> {
    messages.iter().map(|message| &*message.topic).collect()
}

fn display(hash: &Hash256) -> Vec<u8> {
    hex::decode(hash.to_string()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_told_in_the_daemons_order() {
    let devnet = served().await;
    let chain = devnet.chain();
    let mut subscriber = Subscriber::to(&devnet, "").await;
    let hash = chain.mine(1).unwrap()[0];
    let raw = chain.block(chain.height()).unwrap();
    let messages = subscriber.take(7).await;
    assert_eq!(
        topics(&messages),
        [
            "checkedblock",
            "hashtx",
            "rawtx",
            "fluxnodelistdelta",
            "hashblock",
            "hashblockheight",
            "rawblock"
        ]
    );
    let coinbase = crate::ground::mined_at(&chain, chain.height())[0];
    assert_eq!(messages[0].body, *raw);
    assert_eq!(messages[1].body, display(&coinbase));
    assert_eq!(Hash256::sha256d(&messages[2].body), coinbase);
    assert_eq!(messages[4].body, display(&hash));
    let mut with_height = display(&hash);
    with_height.extend_from_slice(&chain.height().to_le_bytes());
    assert_eq!(messages[5].body, with_height);
    assert_eq!(messages[6].body, *raw);
    devnet.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_per_topic_and_leave_nothing_out() {
    let devnet = served().await;
    let chain = devnet.chain();
    let mut subscriber = Subscriber::to(&devnet, "").await;
    sent(&chain, &payment(&chain, 0, &chain.account(1).1)).unwrap();
    chain.mine(3).unwrap();
    // The payment when it came; three blocks of one transaction each, and the payment again in the first.
    let messages = subscriber.take(2 + 3 * 7 + 2).await;
    let mut last = std::collections::BTreeMap::new();
    for message in &messages {
        if let Some(before) = last.insert(message.topic.clone(), message.sequence) {
            assert_eq!(message.sequence, before + 1, "{}", message.topic);
        }
    }
    assert_eq!(topics(&messages)[..2], ["hashtx", "rawtx"]);
    assert_eq!(
        messages
            .iter()
            .filter(|message| message.topic == "rawtx")
            .count(),
        5
    );
    devnet.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reorganisation_is_told_once_with_every_transaction_and_the_last_block_only() {
    let devnet = served().await;
    let chain = devnet.chain();
    let mut subscriber = Subscriber::to(&devnet, "").await;
    let paid = sent(&chain, &payment(&chain, 0, &chain.account(1).1)).unwrap();
    chain.mine(2).unwrap();
    subscriber.take(2 + 2 * 7 + 2).await;
    let done = chain.reorganise(2, None).unwrap();
    // Two blocks back with three transactions, three blocks on with one each.
    let messages = subscriber.take(3 * 2 + 3 * 3 + 5).await;
    let expected: Vec<&str> = [
        ["hashtx", "rawtx"].repeat(3),
        ["checkedblock", "hashtx", "rawtx"].repeat(3),
        vec![
            "chainreorg",
            "fluxnodelistdelta",
            "hashblock",
            "hashblockheight",
            "rawblock",
        ],
    ]
    .concat();
    assert_eq!(topics(&messages), expected);
    // The old tip first, and in its block the coinbase first.
    assert_eq!(messages[4].body, display(&paid));
    let mut body = Vec::new();
    for block in [done.old, done.new, done.fork] {
        body.extend(display(&block.hash));
        body.extend(block.height.to_le_bytes());
    }
    assert_eq!(messages[15].body, body);
    assert_eq!(body.len(), 108);
    let delta = &messages[16].body;
    assert_eq!(delta[..4], done.old.height.to_le_bytes());
    assert_eq!(delta[4..8], done.new.height.to_le_bytes());
    assert_eq!(delta[8..40], display(&done.old.hash));
    assert_eq!(delta[40..72], display(&done.new.hash));
    // The flag of a reorganisation, and no node.
    assert_eq!(delta[72..], [1, 0, 0, 0]);
    assert_eq!(messages[17].body, display(&done.new.hash));
    devnet.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_delta_tells_who_came_was_paid_and_went() {
    let devnet = served().await;
    let chain = devnet.chain();
    let mut subscriber = Subscriber::to(&devnet, "").await;
    let from = chain.height();
    let node = confirmed_node(&chain, Tier::Cumulus, "198.51.100.99");
    chain.mine(1).unwrap();
    chain.remove_node(&node.collateral).unwrap();
    chain.mine(1).unwrap();
    let mut deltas = Vec::new();
    while deltas.len() < 4 {
        let message = subscriber.next().await;
        if message.topic == "fluxnodelistdelta" {
            deltas.push(message.body);
        }
    }
    let mut outpoint = display(&node.collateral.txid);
    outpoint.extend_from_slice(&node.collateral.n.to_le_bytes());
    let mut entry = outpoint.clone();
    for key in [node.collateral_key.public_key(), node.node_key.public_key()] {
        entry.push(33);
        entry.extend_from_slice(key.as_bytes());
    }
    let entry_of = |confirmed: u32, paid: u32| {
        let mut bytes = entry.clone();
        bytes.extend_from_slice(&confirmed.to_le_bytes());
        bytes.extend_from_slice(&paid.to_le_bytes());
        // Tier 1, status 3 (confirmed).
        bytes.extend_from_slice(&[1, 3, 13]);
        bytes.extend_from_slice(b"198.51.100.99");
        bytes
    };
    let lists = |delta: &[u8]| delta[73..].to_vec();
    // The start is on no list of this topic.
    assert_eq!(lists(&deltas[0]), [0, 0, 0]);
    let confirmed_at = from + 2;
    assert_eq!(
        lists(&deltas[1]),
        [vec![1], entry_of(confirmed_at, 0), vec![0, 0]].concat()
    );
    let paid = entry_of(confirmed_at, from + 3);
    assert_eq!(lists(&deltas[2]), [vec![0, 0, 1], paid].concat());
    assert_eq!(lists(&deltas[3]), [vec![0, 1], outpoint, vec![0]].concat());
    devnet.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_gets_the_topics_it_asked_for() {
    let devnet = served().await;
    let chain = devnet.chain();
    let mut subscriber = Subscriber::to(&devnet, "hashblock").await;
    chain.mine(3).unwrap();
    let messages = subscriber.take(6).await;
    // Topics are prefixes: who asks for one gets the longer one, too.
    assert_eq!(
        topics(&messages),
        ["hashblock", "hashblockheight"].repeat(3)
    );
    devnet.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_beside_the_best_chain_is_not_told() {
    let devnet = served().await;
    let chain = devnet.chain();
    let mut subscriber = Subscriber::to(&devnet, "").await;
    chain.mine(1).unwrap();
    subscriber.take(7).await;
    let old = chain.block(chain.height()).unwrap();
    chain.reorganise(1, None).unwrap();
    subscriber.take(2 + 2 * 3 + 5).await;
    // The block that was replaced is known already; nothing is said about it.
    assert_eq!(crate::ground::submit(&chain, &old), "duplicate");
    let aside = crate::ground::altered(&old, |draft| draft.time += 7);
    assert_eq!(crate::ground::submit(&chain, &aside), "inconclusive");
    chain.mine(1).unwrap();
    let next = subscriber.next().await;
    assert_eq!(next.topic, "checkedblock");
    assert_eq!(next.body, *chain.block(chain.height()).unwrap());
    devnet.shutdown().await.unwrap();
}
