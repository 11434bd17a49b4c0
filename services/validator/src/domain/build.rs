//! The transaction that anchors an epoch: one `OP_RETURN` of 49 bytes, the change back to the anchoring address, and
//! nothing else.

use std::fmt;

use fluxplane_core::Sat;
use fluxplane_flux_chain::{
    Address, ChainParams, PrivateKey,
    address::AddressSpace,
    build::{BuildError, FeeRate, PaymentBuilder, SignError, Utxo},
    key::PrivateKeyError,
};
use fluxplane_ledger::settlement::Anchor as Commitment;

/// More bytes than an anchor with one input has; pays for choosing a coin before the size is known.
const ROOMY: usize = 500;

/// Who anchors, and on which chain.
#[derive(Clone)]
pub struct Signer {
    key: PrivateKey,
    pub address: Address,
    pub params: ChainParams,
    pub fee_rate: FeeRate,
    /// Blocks after which an unmined anchor may no longer be mined; 0 for never.
    pub expiry_blocks: u32,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A signed anchor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    pub txid: String,
    pub raw: Vec<u8>,
    pub inputs: Vec<Utxo>,
    pub change: Option<(u32, Sat)>,
    /// 0: never.
    pub expiry_height: u32,
}

/// Why there is no transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorTxError {
    #[error("build the anchor: {0}")]
    Build(BuildError),
    #[error("sign the anchor: {0}")]
    Sign(SignError),
}

impl Signer {
    /// Reads the anchoring key in wallet import format.
    pub fn new(
        wif: &str,
        params: ChainParams,
        fee_rate: FeeRate,
        expiry_blocks: u32,
    ) -> Result<Self, PrivateKeyError> {
        let space: AddressSpace = params.addresses;
        let key = PrivateKey::from_wif(wif, space)?;
        Ok(Self {
            address: Address::of_key(&key.public_key(), space),
            key,
            params,
            fee_rate,
            expiry_blocks,
        })
    }

    /// What the coins of an anchor must hold: the fee, and change worth keeping.
    pub fn needed(&self) -> Sat {
        let fee = self.fee_rate.fee(ROOMY);
        fee.checked_add(self.fee_rate.dust(34)).unwrap_or(fee)
    }

    /// Builds and signs, to be mined on top of `tip`.
    pub fn sign(
        &self,
        commitment: &Commitment,
        coins: Vec<Utxo>,
        tip: u32,
    ) -> Result<Signed, AnchorTxError> {
        let expiry_height = match self.expiry_blocks {
            0 => 0,
            blocks => tip.saturating_add(blocks),
        };
        let mut builder = PaymentBuilder::new()
            .fee_rate(self.fee_rate)
            .change_to(self.address)
            .expiry_height(expiry_height);
        if !self.key.is_compressed() {
            builder = builder.long_keys();
        }
        for coin in &coins {
            builder = builder.spend(coin.clone());
        }
        let unsigned = builder
            .data(&commitment.encode())
            .and_then(PaymentBuilder::build)
            .map_err(AnchorTxError::Build)?;
        let branch = self.params.branch_id(tip.saturating_add(1));
        let built = unsigned
            .sign(std::slice::from_ref(&self.key), branch)
            .map_err(AnchorTxError::Sign)?;
        let change = unsigned.change.and_then(|index| {
            let output = unsigned.outputs.get(index)?;
            Some((u32::try_from(index).ok()?, output.value))
        });
        Ok(Signed {
            txid: built.txid.to_string(),
            raw: built.bytes,
            inputs: coins,
            change,
            expiry_height,
        })
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_core::id::EpochNumber;
    use fluxplane_flux_chain::{Hash256, Network, OutPoint, Transaction, verify::verify_input};
    use fluxplane_ledger::settlement::Hash32;

    use super::*;

    fn signer() -> Signer {
        let params = ChainParams::of(Network::Devnet);
        let key = PrivateKey::from_bytes(&[9; 32], true).unwrap();
        let wif = key.to_wif(params.addresses);
        Signer::new(&wif, params, FeeRate(1_000), 0).unwrap()
    }

    #[test]
    fn an_anchor_carries_its_payload_and_returns_the_change() {
        let signer = signer();
        let commitment = Commitment {
            epoch: EpochNumber(3),
            root: Hash32([5; 32]),
            count: 17,
        };
        let coin = Utxo {
            outpoint: OutPoint::new(Hash256::ZERO, 4),
            value: Sat::from_flux(2),
            script: signer.address.script(),
        };
        let signed = signer.sign(&commitment, vec![coin.clone()], 100).unwrap();
        let transaction = Transaction::parse(&signed.raw).unwrap();
        assert_eq!(transaction.txid().to_string(), signed.txid);
        let outputs = transaction.outputs();
        let payload = outputs.last().unwrap().script.as_bytes();
        assert_eq!(Commitment::decode(&payload[2..]), Ok(commitment));
        let (index, value) = signed.change.unwrap();
        assert_eq!(outputs[usize::try_from(index).unwrap()].value, value);
        assert!(value < coin.value && value.get() > coin.value.get() - 1_000);
        let branch = signer.params.branch_id(101);
        verify_input(&transaction, 0, coin.script.as_script(), coin.value, branch).unwrap();
    }

    #[test]
    fn the_key_is_not_printed() {
        assert!(!format!("{:?}", signer()).contains("key"));
    }
}
