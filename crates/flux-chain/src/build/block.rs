//! Coinbases and proof-of-node blocks. For the development chain and for tests; nobody else makes blocks with this.

use fluxplane_core::Sat;

use crate::{
    block::merkle_root,
    build::{Built, Output},
    encode::{DecodeError, Sink},
    fluxnode::Payee,
    hash::Hash256,
    header::PON_VERSION,
    key::PrivateKey,
    outpoint::OutPoint,
    params::{ChainParams, Upgrade},
    script::{Script, push_height},
    subsidy::{block_subsidy, one_time_outputs},
    tx::{OVERWINTERED, SAPLING_GROUP, Transaction, TxIn, TxOut},
};

/// The outputs the daemon puts into a coinbase: dev fund with the fees, the payees, then what is due once.
pub fn coinbase_outputs(
    params: &ChainParams,
    height: u32,
    payees: &[Payee],
    fees: Sat,
) -> Vec<Output> {
    let paid: i64 = payees.iter().map(|payee| payee.amount.get()).sum();
    let rest = block_subsidy(params, height).get() - paid + fees.get();
    let mut outputs = vec![Output {
        script: params.funds.dev_fund.script(),
        value: Sat::new(rest),
    }];
    outputs.extend(payees.iter().map(|payee| Output {
        script: payee.script.clone(),
        value: payee.amount,
    }));
    outputs.extend(one_time_outputs(params, height).map(|owed| Output {
        script: owed.address.script(),
        value: owed.amount,
    }));
    outputs
}

/// A coinbase for the block at `height`: version 4 where ACADIA is active, version 1 before.
pub fn coinbase_transaction(params: &ChainParams, height: u32, outputs: &[Output]) -> Built {
    let sapling = params.is_active(Upgrade::Acadia, height);
    let mut script = Vec::new();
    push_height(&mut script, height);
    // The daemon appends OP_0, so that the script of an early height is long enough.
    script.push(0);
    let mut bytes = Vec::new();
    if sapling {
        bytes.put_u32(OVERWINTERED | 4);
        bytes.put_u32(SAPLING_GROUP);
    } else {
        bytes.put_u32(1);
    }
    bytes.put_length(1);
    TxIn {
        previous: OutPoint::NULL,
        script: Script::new(&script),
        sequence: u32::MAX,
    }
    .write_to(&mut bytes);
    bytes.put_length(outputs.len());
    for output in outputs {
        TxOut {
            value: output.value,
            script: output.script.as_script(),
        }
        .write_to(&mut bytes);
    }
    bytes.put_u32(0);
    if sapling {
        // Expiry 0, value balance 0, no spends, outputs or JoinSplits.
        bytes.put_u32(0);
        bytes.put_i64(0);
        bytes.put(&[0, 0, 0]);
    }
    let txid = Hash256::sha256d(&bytes);
    Built { bytes, txid }
}

/// A proof-of-node block without its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockDraft {
    pub previous: Hash256,
    pub final_sapling_root: Hash256,
    pub time: u32,
    pub bits: u32,
    /// The node that produces the block.
    pub producer: OutPoint,
    /// Serialised transactions, the coinbase first.
    pub transactions: Vec<Vec<u8>>,
}

impl BlockDraft {
    /// Signs the block with the key of the producing node.
    pub fn seal(&self, key: &PrivateKey) -> Result<Vec<u8>, DecodeError> {
        let hash = self.hash()?;
        self.seal_with(&key.sign_der(&hash))
    }

    /// Puts a given signature field in.
    pub fn seal_with(&self, signature: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut bytes = self.hashed_part()?;
        bytes.put_var_bytes(signature);
        bytes.put_length(self.transactions.len());
        for transaction in &self.transactions {
            bytes.put(transaction);
        }
        Ok(bytes)
    }

    /// The hash of the block, which no signature changes.
    pub fn hash(&self) -> Result<Hash256, DecodeError> {
        Ok(Hash256::sha256d(&self.hashed_part()?))
    }

    fn hashed_part(&self) -> Result<Vec<u8>, DecodeError> {
        let txids = self
            .transactions
            .iter()
            .enumerate()
            .map(|(index, bytes)| {
                let transaction = Transaction::parse(bytes);
                let transaction = transaction.map_err(|error| error.within("tx", index))?;
                Ok(transaction.txid())
            })
            .collect::<Result<Vec<_>, DecodeError>>()?;
        let mut bytes = Vec::new();
        bytes.put_i32(PON_VERSION);
        bytes.put(self.previous.as_wire());
        bytes.put(merkle_root(&txids).root.as_wire());
        bytes.put(self.final_sapling_root.as_wire());
        bytes.put_u32(self.time);
        bytes.put_u32(self.bits);
        self.producer.write_to(&mut bytes);
        Ok(bytes)
    }
}
