//! Version 4 payments from pay-to-public-key-hash outputs.
//!
//! Data goes into the last output: FluxOS reads the text of a payment only there.

use std::collections::BTreeMap;

use fluxplane_core::Sat;

use crate::{
    address::Address,
    build::{Built, FeeRate, MIN_RELAY_FEE},
    encode::Sink,
    hash::{Hash160, Hash256},
    key::PrivateKey,
    outpoint::OutPoint,
    script::{DataTooLong, Script, ScriptBuf, data_output, push},
    sighash::{SIGHASH_ALL, SighashCache, SighashError, SpentOutput},
    tx::{OVERWINTERED, SAPLING_GROUP, Transaction, TxIn, TxOut},
};

/// A coin to spend. Never pass the collateral of a node: spending it ends the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utxo {
    pub outpoint: OutPoint,
    pub value: Sat,
    pub script: ScriptBuf,
}

/// An output to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub script: ScriptBuf,
    pub value: Sat,
}

/// Sequence of an input whose transaction takes part in the lock time, and of one that does not care.
const FINAL_SEQUENCE: u32 = u32::MAX;

/// Longest parts of an unlocking script: a signature of at most 71 bytes with its hash type, and a key written short or long.
const SIGNATURE_PUSH: usize = 1 + 71 + 1;
const SHORT_KEY_PUSH: usize = 1 + 33;
const LONG_KEY_PUSH: usize = 1 + 65;

/// Bytes of an input beside its script: outpoint, script length, sequence.
const INPUT_REST: usize = OutPoint::SIZE + 1 + 4;

/// Collects what a payment shall do.
#[derive(Debug, Clone)]
pub struct PaymentBuilder {
    inputs: Vec<Utxo>,
    outputs: Vec<Output>,
    data: Option<ScriptBuf>,
    change: Option<Address>,
    fee_rate: FeeRate,
    key_push: usize,
    lock_time: u32,
    expiry_height: u32,
}

/// Why no payment can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Data(#[from] DataTooLong),
    #[error("a payment needs at least one coin to spend")]
    NoInputs,
    #[error("coin {0} is given twice")]
    InputTwice(OutPoint),
    #[error("coin {0} does not pay to a public key hash; only such coins can be spent")]
    UnsupportedInput(OutPoint),
    #[error(
        "an output of {value} FLUX is below the dust limit of {least}; nodes would not relay it"
    )]
    Dust { value: Sat, least: Sat },
    #[error("the amounts do not fit into the money range")]
    OutOfRange,
    #[error("the coins hold {available} FLUX; {needed} are needed with the fee")]
    Insufficient { available: Sat, needed: Sat },
}

impl Default for PaymentBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl PaymentBuilder {
    /// A payment at the relay minimum that never expires.
    pub const fn new() -> Self {
        Self {
            inputs: Vec::new(),
            outputs: Vec::new(),
            data: None,
            change: None,
            fee_rate: MIN_RELAY_FEE,
            key_push: SHORT_KEY_PUSH,
            lock_time: 0,
            expiry_height: 0,
        }
    }

    /// Spends a coin.
    #[must_use]
    pub fn spend(mut self, coin: Utxo) -> Self {
        self.inputs.push(coin);
        self
    }

    /// Pays an address.
    #[must_use]
    pub fn pay(mut self, address: &Address, value: Sat) -> Self {
        let script = address.script();
        self.outputs.push(Output { script, value });
        self
    }

    /// Carries data of at most 80 bytes.
    pub fn data(mut self, data: &[u8]) -> Result<Self, BuildError> {
        self.data = Some(data_output(data)?);
        Ok(self)
    }

    /// Sends what is left to an address. Without it, what is left becomes fee.
    #[must_use]
    pub const fn change_to(mut self, address: Address) -> Self {
        self.change = Some(address);
        self
    }

    #[must_use]
    pub const fn fee_rate(mut self, rate: FeeRate) -> Self {
        self.fee_rate = rate;
        self
    }

    /// Says that the coins belong to keys whose public keys are written long, which makes the transaction larger.
    #[must_use]
    pub const fn long_keys(mut self) -> Self {
        self.key_push = LONG_KEY_PUSH;
        self
    }

    /// Last height at which the payment may be mined; 0 for no limit. Nodes refuse it when fewer than 3 blocks remain.
    #[must_use]
    pub const fn expiry_height(mut self, height: u32) -> Self {
        self.expiry_height = height;
        self
    }

    #[must_use]
    pub const fn lock_time(mut self, lock_time: u32) -> Self {
        self.lock_time = lock_time;
        self
    }

    /// Computes fee and change.
    pub fn build(self) -> Result<Unsigned, BuildError> {
        let available = self.check_inputs()?;
        let paid = self.check_outputs()?;
        let data = self.data.map(|script| Output {
            script,
            value: Sat::ZERO,
        });
        let inputs = self.inputs.len() * (INPUT_REST + SIGNATURE_PUSH + self.key_push);
        let plain = FRAME + inputs + total_size(self.outputs.iter().chain(&data));
        let mut outputs = self.outputs;
        let least = self.fee_rate.fee(plain);
        let needed = paid.checked_add(least).ok_or(BuildError::OutOfRange)?;
        let left = available
            .checked_sub(needed)
            .ok_or(BuildError::OutOfRange)?;
        if left.is_negative() {
            return Err(BuildError::Insufficient { available, needed });
        }
        let mut fee = Sat::new(least.get() + left.get());
        let mut change = None;
        if let Some(address) = self.change {
            let script = address.script();
            let output_size = output_size(&script);
            let value = Sat::new(left.get() - self.fee_rate.fee(output_size).get());
            // Change that is not worth its own output goes to the fee.
            if value >= self.fee_rate.max(MIN_RELAY_FEE).dust(output_size) {
                fee = Sat::new(fee.get() - value.get());
                change = Some(outputs.len());
                outputs.push(Output { script, value });
            }
        }
        outputs.extend(data);
        Ok(Unsigned {
            inputs: self.inputs,
            outputs,
            change,
            fee,
            lock_time: self.lock_time,
            expiry_height: self.expiry_height,
        })
    }

    fn check_inputs(&self) -> Result<Sat, BuildError> {
        if self.inputs.is_empty() {
            return Err(BuildError::NoInputs);
        }
        let mut seen = std::collections::BTreeSet::new();
        for coin in &self.inputs {
            if !seen.insert(coin.outpoint) {
                return Err(BuildError::InputTwice(coin.outpoint));
            }
            if coin.script.as_script().p2pkh_hash().is_none() {
                return Err(BuildError::UnsupportedInput(coin.outpoint));
            }
        }
        crate::tx::money_sum(self.inputs.iter().map(|coin| coin.value.get()))
            .ok_or(BuildError::OutOfRange)
    }

    fn check_outputs(&self) -> Result<Sat, BuildError> {
        for output in &self.outputs {
            let least = MIN_RELAY_FEE.dust(output_size(&output.script));
            if output.value < least {
                let value = output.value;
                return Err(BuildError::Dust { value, least });
            }
        }
        crate::tx::money_sum(self.outputs.iter().map(|output| output.value.get()))
            .ok_or(BuildError::OutOfRange)
    }
}

/// Scripts here are shorter than 253 bytes, so their lengths take one byte.
fn output_size(script: &[u8]) -> usize {
    8 + 1 + script.len()
}

/// Header, group, two counts, lock time, expiry, value balance, three empty lists. A count takes up to three bytes.
const FRAME: usize = 4 + 4 + 3 + 3 + 4 + 4 + 8 + 3;

fn total_size<'o>(outputs: impl Iterator<Item = &'o Output>) -> usize {
    outputs.map(|output| output_size(&output.script)).sum()
}

/// A payment whose inputs wait for signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    pub inputs: Vec<Utxo>,
    pub outputs: Vec<Output>,
    /// Index of the output that returns the change.
    pub change: Option<usize>,
    pub fee: Sat,
    pub lock_time: u32,
    pub expiry_height: u32,
}

/// Why a payment cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("no key is given for coin {coin}, which belongs to key id {owner}")]
    KeyMissing { coin: OutPoint, owner: Hash160 },
    #[error("coin {0} does not pay to a public key hash")]
    UnsupportedInput(OutPoint),
    #[error(transparent)]
    Sighash(#[from] SighashError),
}

impl Unsigned {
    /// Signs every input with the key that owns its coin.
    pub fn sign(&self, keys: &[PrivateKey], branch_id: u32) -> Result<Built, SignError> {
        let owners: BTreeMap<Hash160, &PrivateKey> = keys
            .iter()
            .map(|key| (key.public_key().id(), key))
            .collect();
        let draft = self.serialize(&[]);
        let transaction = Transaction::parse(&draft).expect("our own serialisation is well-formed");
        let cache = SighashCache::new(&transaction)?;
        let mut scripts = Vec::with_capacity(self.inputs.len());
        for (index, coin) in self.inputs.iter().enumerate() {
            let script_code = coin.script.as_script();
            let owner = script_code
                .p2pkh_hash()
                .ok_or(SignError::UnsupportedInput(coin.outpoint))?;
            let key = owners.get(&owner).ok_or(SignError::KeyMissing {
                coin: coin.outpoint,
                owner,
            })?;
            let spent = SpentOutput {
                script_code,
                value: coin.value,
            };
            let digest = cache.signature_hash(index, &spent, SIGHASH_ALL, branch_id)?;
            scripts.push(unlocking_script(key, &digest));
        }
        let bytes = self.serialize(&scripts);
        let txid = Hash256::sha256d(&bytes);
        Ok(Built { bytes, txid })
    }

    /// The transaction with the given unlocking scripts; inputs without one get an empty script.
    pub fn serialize(&self, scripts: &[ScriptBuf]) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.put_u32(OVERWINTERED | 4);
        bytes.put_u32(SAPLING_GROUP);
        bytes.put_length(self.inputs.len());
        for (index, coin) in self.inputs.iter().enumerate() {
            let script = scripts
                .get(index)
                .map_or(Script::default(), ScriptBuf::as_script);
            let input = TxIn {
                previous: coin.outpoint,
                script,
                // A lock time only counts when an input is not final.
                sequence: if self.lock_time == 0 {
                    FINAL_SEQUENCE
                } else {
                    FINAL_SEQUENCE - 1
                },
            };
            input.write_to(&mut bytes);
        }
        bytes.put_length(self.outputs.len());
        for output in &self.outputs {
            let out = TxOut {
                value: output.value,
                script: output.script.as_script(),
            };
            out.write_to(&mut bytes);
        }
        bytes.put_u32(self.lock_time);
        bytes.put_u32(self.expiry_height);
        // No shielded part: value balance 0, no spends, outputs or JoinSplits.
        bytes.put_i64(0);
        bytes.put(&[0, 0, 0]);
        bytes
    }
}

fn unlocking_script(key: &PrivateKey, digest: &Hash256) -> ScriptBuf {
    let mut signature = key.sign_der(digest);
    signature.push(u8::try_from(SIGHASH_ALL).expect("the constant is 1"));
    let mut script = Vec::new();
    push(&mut script, &signature);
    push(&mut script, key.public_key().as_bytes());
    ScriptBuf::new(script)
}
