//! A chain like mainnet's since Proof of Node, made in memory and the same every time.
//!
//! The mix is that of two mainnet blocks in `tests/fixtures/fluxd-vectors.json` (2,020,000 and 2,996,914) and of the network
//! around them: 6,700 nodes of 1,500 owners, each confirming itself once in 500 to 640 blocks, so 12 confirms a block of 197 to
//! 205 bytes; a coinbase with the dev fund and one payee a tier; a transfer every other block, of one to three inputs and two
//! outputs; one in twenty of these pays for an application; and every 50 blocks somebody moves a collateral and starts anew. Keys
//! are real, signatures are random bytes of the right length: nobody who follows a daemon checks them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use anyhow::{Context as _, Result};
use fluxplane_core::{Sat, Tier};
use fluxplane_flux_chain::{
    Address, Block, ChainParams, Hash256, OutPoint, PrivateKey, PublicKey, ScriptBuf,
    address::AddressSpace,
    build::{BlockDraft, Output, StartBuilder, StartKind, coinbase_outputs, coinbase_transaction},
    fluxnode::{BlockView, Collateral, FluxnodeState, Mode},
    params::Devnet,
    script::{data_output, p2pkh},
};

const OWNERS: u32 = 1_500;

/// Nodes per tier, about as on mainnet in September 2026.
const NODES: [(Tier, u32, u32); 3] = [
    (Tier::Cumulus, 4_300, 1_000),
    (Tier::Nimbus, 1_500, 12_500),
    (Tier::Stratus, 900, 40_000),
];

/// Collateral outputs that one coinbase gives out in the beginning.
const GRANTS: usize = 500;

/// Depth of collateral, as on mainnet.
const DEPTH: u32 = 100;

/// Starts per block in the beginning.
const STARTS: usize = 60;

/// Blocks between two moves of a collateral.
const MOVE_EVERY: u32 = 50;

/// Numbers that look random and repeat (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    fn within(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high - low) + 1;
        low + u32::try_from(self.next() % span).unwrap_or(0)
    }

    fn fill(&mut self, bytes: &mut Vec<u8>, length: usize) {
        let end = bytes.len() + length;
        while bytes.len() < end {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(end);
    }
}

/// A coin that can be spent.
struct Coin {
    outpoint: OutPoint,
    value: i64,
}

/// What a node needs to be confirmed.
#[derive(Clone)]
struct Machine {
    collateral: OutPoint,
    tier: Tier,
    owner: usize,
    ip: Vec<u8>,
}

/// The chain in the making.
struct Maker {
    params: Arc<ChainParams>,
    state: FluxnodeState,
    random: Random,
    owners: Vec<(PublicKey, ScriptBuf)>,
    key: PrivateKey,
    previous: Hash256,
    /// Coins per owner, oldest first.
    coins: Vec<VecDeque<Coin>>,
    owner_of: HashMap<Vec<u8>, usize>,
    /// Collateral outputs, for starts.
    collaterals: HashMap<OutPoint, Collateral>,
    /// Who starts and who confirms next, by height.
    starts: BTreeMap<u32, Vec<Machine>>,
    confirms: BTreeMap<u32, Vec<(Machine, bool)>>,
    /// Nodes in the order in which their collateral moves.
    movers: VecDeque<Machine>,
    shop: ScriptBuf,
}

/// Raw blocks from genesis on and what they are judged by.
pub(crate) struct Synthetic {
    pub(crate) blocks: Vec<Vec<u8>>,
    pub(crate) rules: Devnet,
    /// Who is paid for applications.
    pub(crate) shop: Address,
}

/// Makes `count` blocks after the genesis block.
pub(crate) fn make(genesis: Vec<u8>, count: u32) -> Result<Synthetic> {
    let rules = Devnet {
        reduction_interval: 1_051_200,
        max_reductions: 20,
        collateral_depth: DEPTH,
        ..Devnet::default()
    };
    let key = PrivateKey::from_bytes(&[9; 32], true).context("a key")?;
    let shop = Address::of_key(&key.public_key(), AddressSpace::Test);
    let mut maker = Maker::new(Arc::new(rules.params()), key, &shop, &genesis)?;
    let mut blocks = vec![genesis];
    for height in 1..=count {
        blocks.push(maker.block(height)?);
    }
    Ok(Synthetic {
        blocks,
        rules,
        shop,
    })
}

impl Maker {
    fn new(
        params: Arc<ChainParams>,
        key: PrivateKey,
        shop: &Address,
        genesis: &[u8],
    ) -> Result<Self> {
        let mut owners = Vec::new();
        for number in 1..=OWNERS {
            let mut secret = [7; 32];
            secret[..4].copy_from_slice(&number.to_be_bytes());
            let public = PrivateKey::from_bytes(&secret, true)
                .context("a key")?
                .public_key();
            let script = Address::of_key(&public, AddressSpace::Test).script();
            owners.push((public, script));
        }
        let owner_of = owners
            .iter()
            .enumerate()
            .map(|(owner, (_, script))| (script.to_vec(), owner))
            .collect();
        Ok(Self {
            state: FluxnodeState::genesis(Arc::clone(&params)),
            params,
            random: Random(0x0f1a_2026),
            coins: owners.iter().map(|_| VecDeque::new()).collect(),
            owners,
            owner_of,
            key,
            previous: Block::parse(genesis)?.header.hash(),
            collaterals: HashMap::new(),
            starts: BTreeMap::new(),
            confirms: BTreeMap::new(),
            movers: VecDeque::new(),
            shop: shop.script(),
        })
    }

    fn block(&mut self, height: u32) -> Result<Vec<u8>> {
        let mut transactions = vec![self.coinbase(height)];
        let mut moved = None;
        if height.is_multiple_of(MOVE_EVERY) && height > 1_000 {
            moved = self.movers.front().map(|machine| machine.collateral);
            transactions.extend(self.move_collateral(height));
        }
        if height.is_multiple_of(2) && height > 300 {
            transactions.extend(self.transfer(height));
        }
        for machine in self.starts.remove(&height).unwrap_or_default() {
            transactions.push(self.start(&machine, height));
            let at = height + self.random.within(2, 5);
            self.confirms.entry(at).or_default().push((machine, true));
        }
        for (machine, initial) in self.confirms.remove(&height).unwrap_or_default() {
            // Its collateral may have moved.
            let gone = moved == Some(machine.collateral);
            if gone || self.state.node(&machine.collateral).is_none() {
                continue;
            }
            transactions.push(self.confirm(&machine, height, initial));
            let at = height + self.random.within(505, 635);
            self.confirms.entry(at).or_default().push((machine, false));
        }
        let mut signature = Vec::new();
        self.random.fill(&mut signature, 71);
        let draft = BlockDraft {
            previous: self.previous,
            final_sapling_root: Hash256::ZERO,
            time: self.params.genesis.time + height * 30,
            bits: 0x1f0b_ffff,
            producer: self
                .movers
                .front()
                .map_or(OutPoint::new(Hash256::ZERO, 0), |machine| {
                    machine.collateral
                }),
            transactions,
        };
        let raw = draft.seal_with(&signature)?;
        self.take(height, &raw)?;
        Ok(raw)
    }

    /// Dev fund and payees; in the beginning also the collaterals.
    fn coinbase(&mut self, height: u32) -> Vec<u8> {
        let payees = self.state.next_payees();
        let mut outputs = coinbase_outputs(&self.params, height, &payees, Sat::ZERO);
        let all = NODES.iter().flat_map(|(tier, count, flux)| {
            std::iter::repeat_n((*tier, *flux), usize::try_from(*count).unwrap_or(0))
        });
        let first = usize::try_from(height - 1).unwrap_or(0) * GRANTS;
        for (index, (_, flux)) in all.enumerate().skip(first).take(GRANTS) {
            let script = self.owners[index % self.owners.len()].1.clone();
            let value = Sat::from_flux(flux.into());
            outputs.push(Output { script, value });
        }
        coinbase_transaction(&self.params, height, &outputs).bytes
    }

    fn start(&mut self, machine: &Machine, height: u32) -> Vec<u8> {
        let owner = self.owners[machine.owner].0;
        let start = StartBuilder {
            kind: StartKind::Plain {
                collateral_key: owner,
            },
            collateral: machine.collateral,
            node_key: owner,
            sig_time: self.params.genesis.time + height * 30,
            delegation: None,
        };
        start.sign(&self.key).bytes
    }

    /// As `v5_confirm_update` of the vectors is laid out.
    fn confirm(&mut self, machine: &Machine, height: u32, initial: bool) -> Vec<u8> {
        let time = self.params.genesis.time + height * 30;
        let mut bytes = Vec::with_capacity(205);
        bytes.extend_from_slice(&5_u32.to_le_bytes());
        bytes.push(4);
        bytes.extend_from_slice(machine.collateral.txid.as_wire());
        bytes.extend_from_slice(&machine.collateral.n.to_le_bytes());
        bytes.extend_from_slice(&time.to_le_bytes());
        bytes.push(machine.tier.number());
        bytes.extend_from_slice(&(time - 600).to_le_bytes());
        bytes.push(u8::from(!initial));
        bytes.push(u8::try_from(machine.ip.len()).unwrap_or(0));
        bytes.extend_from_slice(&machine.ip);
        for _ in 0..2 {
            bytes.push(65);
            self.random.fill(&mut bytes, 65);
        }
        bytes
    }

    /// One to three coins of an owner go to somebody, the rest comes back.
    fn transfer(&mut self, height: u32) -> Option<Vec<u8>> {
        let owner = usize::try_from(self.random.within(0, OWNERS - 1)).ok()?;
        let wanted = usize::try_from(self.random.within(1, 3)).ok()?;
        let count = wanted.min(self.coins[owner].len());
        let spent: Vec<Coin> = self.coins[owner].drain(..count).collect();
        let total: i64 = spent.iter().map(|coin| coin.value).sum();
        let fee = 1_000;
        if total <= 2 * fee {
            return None;
        }
        let given = (total - fee) / 3;
        let pays = self.random.within(1, 20) == 1;
        let receiver = match self.random.within(1, 4) {
            _ if pays => self.shop.clone(),
            1 => p2pkh(&fluxplane_flux_chain::Hash160::of(&height.to_le_bytes())),
            _ => {
                let other = usize::try_from(self.random.within(0, OWNERS - 1)).ok()?;
                self.owners[other].1.clone()
            }
        };
        let mut outputs = vec![
            (given, receiver.to_vec()),
            (total - fee - given, self.owners[owner].1.to_vec()),
        ];
        if pays {
            let hash = hex::encode(Hash256::sha256d(&height.to_le_bytes()).as_wire());
            outputs.push((0, data_output(hash.as_bytes()).ok()?.to_vec()));
        }
        Some(self.spend(&spent, &outputs))
    }

    /// The oldest mover's collateral goes to a new output, with which it starts again.
    fn move_collateral(&mut self, height: u32) -> Option<Vec<u8>> {
        let mut machine = self.movers.pop_front()?;
        let value = self.collaterals.get(&machine.collateral)?.value.get();
        let coin = self.coins[machine.owner].pop_front()?;
        if coin.value <= 1_000 {
            return None;
        }
        let old = Coin {
            outpoint: machine.collateral,
            value,
        };
        let script = self.owners[machine.owner].1.to_vec();
        let outputs = [(value, script.clone()), (coin.value - 1_000, script)];
        let bytes = self.spend(&[old, coin], &outputs);
        machine.collateral = OutPoint::new(Hash256::sha256d(&bytes), 0);
        self.starts
            .entry(height + DEPTH + 10)
            .or_default()
            .push(machine.clone());
        self.movers.push_back(machine);
        Some(bytes)
    }

    /// A version 4 transaction as `v4_regular_transfer` of the vectors is laid out.
    fn spend(&mut self, coins: &[Coin], outputs: &[(i64, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(100 + 150 * coins.len());
        bytes.extend_from_slice(&0x8000_0004_u32.to_le_bytes());
        bytes.extend_from_slice(&0x892f_2085_u32.to_le_bytes());
        bytes.push(u8::try_from(coins.len()).unwrap_or(0));
        for coin in coins {
            bytes.extend_from_slice(coin.outpoint.txid.as_wire());
            bytes.extend_from_slice(&coin.outpoint.n.to_le_bytes());
            // A signature of 71 bytes and a key of 33, each with its length.
            bytes.extend_from_slice(&[106, 71]);
            self.random.fill(&mut bytes, 71);
            bytes.push(33);
            self.random.fill(&mut bytes, 33);
            bytes.extend_from_slice(&u32::MAX.to_le_bytes());
        }
        bytes.push(u8::try_from(outputs.len()).unwrap_or(0));
        for (value, script) in outputs {
            bytes.extend_from_slice(&value.to_le_bytes());
            bytes.push(u8::try_from(script.len()).unwrap_or(0));
            bytes.extend_from_slice(script);
        }
        // Lock time, expiry, value balance; no spends, outputs or JoinSplits.
        bytes.extend_from_slice(&[0; 4 + 4 + 8 + 3]);
        bytes
    }

    /// Takes in the finished block.
    fn take(&mut self, height: u32, raw: &[u8]) -> Result<()> {
        let block = Block::parse(raw)?;
        self.previous = block.header.hash();
        let txids = block.txids();
        let view = BlockView::new(height, &block).with_txids(&txids);
        let applied = self
            .state
            .apply_block(&view, &self.collaterals, Mode::Follow);
        applied.with_context(|| format!("block {height}"))?;
        let tiers = NODES.map(|(tier, _, flux)| (Sat::from_flux(flux.into()), tier));
        for (txid, transaction) in txids.iter().zip(&block.transactions) {
            for (n, output) in (0..).zip(transaction.outputs()) {
                let outpoint = OutPoint::new(*txid, n);
                let Some(owner) = self.owner_of.get(output.script.as_bytes()) else {
                    continue;
                };
                let tier = tiers.iter().find(|(value, _)| *value == output.value);
                let Some((_, tier)) = tier else {
                    let value = output.value.get();
                    self.coins[*owner].push_back(Coin { outpoint, value });
                    continue;
                };
                let collateral = Collateral {
                    value: output.value,
                    height,
                    script: output.script.to_owned(),
                };
                self.collaterals.insert(outpoint, collateral);
                if transaction.is_coinbase() {
                    self.found_node(outpoint, *tier, *owner);
                }
            }
        }
        Ok(())
    }

    /// Plans the first start of a node.
    fn found_node(&mut self, collateral: OutPoint, tier: Tier, owner: usize) {
        let number = self.movers.len();
        let [_, b, c, _] = u32::try_from(number).unwrap_or(0).to_be_bytes();
        let ip = format!("{}.{b}.{c}.{}:16127", 30 + number % 60, number % 250);
        let machine = Machine {
            collateral,
            tier,
            owner,
            ip: ip.into_bytes(),
        };
        let at = 150 + u32::try_from(number / STARTS).unwrap_or(0);
        self.starts.entry(at).or_default().push(machine.clone());
        self.movers.push_back(machine);
    }
}
