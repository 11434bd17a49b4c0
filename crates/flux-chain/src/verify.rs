//! Verifies the scripts of inputs for the two kinds of outputs people use: pay-to-public-key-hash, and pay-to-script-hash with a
//! multisig redeem script. There is no script interpreter here; any other output is [`InputFault::Unsupported`].

use fluxplane_core::Sat;

use crate::{
    hash::Hash160,
    key::PublicKey,
    script::{Multisig, Script},
    sighash::{SighashCache, SighashError, SpentOutput},
    tx::Transaction,
};

/// Why an input does not prove that it may spend its output.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputFault {
    #[error(transparent)]
    Sighash(#[from] SighashError),
    #[error(
        "the output is neither pay-to-public-key-hash nor pay-to-script-hash with a multisig script"
    )]
    Unsupported,
    #[error("the unlocking script has another shape than the output asks for")]
    Shape,
    #[error("the public key or redeem script is not the one the output names")]
    WrongHash,
    #[error("the signature is not strict DER with a known hash type")]
    Encoding,
    #[error("{valid} of {required} signatures are valid")]
    Signature { valid: usize, required: usize },
}

/// Verifies one input against the output it spends.
pub fn verify_input(
    transaction: &Transaction<'_>,
    index: usize,
    spent_script: Script<'_>,
    value: Sat,
    branch_id: u32,
) -> Result<(), InputFault> {
    InputVerifier::new(transaction, branch_id)?.verify(index, spent_script, value)
}

/// Verifies the inputs of one transaction, sharing what their digests have in common.
#[derive(Debug, Clone)]
pub struct InputVerifier<'t, 'a> {
    transaction: &'t Transaction<'a>,
    cache: SighashCache<'t, 'a>,
    branch_id: u32,
}

impl<'t, 'a> InputVerifier<'t, 'a> {
    pub fn new(transaction: &'t Transaction<'a>, branch_id: u32) -> Result<Self, SighashError> {
        let cache = SighashCache::new(transaction)?;
        Ok(Self {
            transaction,
            cache,
            branch_id,
        })
    }

    pub fn verify(
        &self,
        index: usize,
        spent_script: Script<'_>,
        value: Sat,
    ) -> Result<(), InputFault> {
        let inputs = self.transaction.inputs();
        let count = inputs.len();
        let input = inputs
            .get(index)
            .ok_or(SighashError::NoSuchInput { index, count })?;
        let pushes = pushes(input.script)?;
        if let Some(hash) = spent_script.p2pkh_hash() {
            return self.verify_key(index, &pushes, &hash, spent_script, value);
        }
        match spent_script.p2sh_hash() {
            Some(hash) => self.verify_multisig(index, &pushes, &hash, value),
            None => Err(InputFault::Unsupported),
        }
    }

    fn verify_key(
        &self,
        index: usize,
        pushes: &[&[u8]],
        hash: &Hash160,
        script_code: Script<'_>,
        value: Sat,
    ) -> Result<(), InputFault> {
        let [signature, key] = pushes else {
            return Err(InputFault::Shape);
        };
        if Hash160::of(key) != *hash {
            return Err(InputFault::WrongHash);
        }
        let key = PublicKey::parse(key).ok_or(InputFault::Shape)?;
        let spent = SpentOutput { script_code, value };
        if self.signed(index, signature, &key, &spent)? {
            return Ok(());
        }
        let (valid, required) = (0, 1);
        Err(InputFault::Signature { valid, required })
    }

    fn verify_multisig(
        &self,
        index: usize,
        pushes: &[&[u8]],
        hash: &Hash160,
        value: Sat,
    ) -> Result<(), InputFault> {
        let [dummy, signatures @ .., redeem] = pushes else {
            return Err(InputFault::Shape);
        };
        if Hash160::of(redeem) != *hash {
            return Err(InputFault::WrongHash);
        }
        let script_code = Script::new(redeem);
        let multisig = Multisig::parse(script_code).ok_or(InputFault::Unsupported)?;
        let required = usize::from(multisig.required);
        // The operation takes one push more than it needs.
        if !dummy.is_empty() || signatures.len() != required {
            return Err(InputFault::Shape);
        }
        let spent = SpentOutput { script_code, value };
        // Signatures stand in the order of their keys, so each key is looked at once.
        let mut keys = multisig.keys.iter();
        let mut valid = 0;
        for signature in signatures {
            for key in keys.by_ref() {
                let Some(key) = PublicKey::parse(key) else {
                    continue;
                };
                if self.signed(index, signature, &key, &spent)? {
                    valid += 1;
                    break;
                }
            }
        }
        if valid == required {
            Ok(())
        } else {
            Err(InputFault::Signature { valid, required })
        }
    }

    fn signed(
        &self,
        index: usize,
        signature: &[u8],
        key: &PublicKey,
        spent: &SpentOutput<'_>,
    ) -> Result<bool, InputFault> {
        if !strict_signature(signature) {
            return Err(InputFault::Encoding);
        }
        let (hash_type, der) = signature.split_last().ok_or(InputFault::Encoding)?;
        let hash_type = u32::from(*hash_type);
        let digest = self
            .cache
            .signature_hash(index, spent, hash_type, self.branch_id)?;
        Ok(key.verify_der(&digest, der))
    }
}

fn pushes(script: Script<'_>) -> Result<Vec<&[u8]>, InputFault> {
    script
        .instructions()
        .map(|step| match step {
            Ok(step) if step.pushes_data() => Ok(step.data),
            _ => Err(InputFault::Shape),
        })
        .collect()
}

/// Whether bytes are a signature in strict DER followed by a defined hash type (fluxd `CheckSignatureEncoding` with `STRICTENC`).
pub(crate) fn strict_signature(bytes: &[u8]) -> bool {
    let Some((hash_type, der)) = bytes.split_last() else {
        return false;
    };
    matches!(hash_type & !0x80, 1..=3) && (9..=73).contains(&bytes.len()) && strict_der(der)
}

/// `30 <length> 02 <length> <R> 02 <length> <S>` with two positive integers in their shortest form.
fn strict_der(der: &[u8]) -> bool {
    let [0x30, total, body @ ..] = der else {
        return false;
    };
    usize::from(*total) == body.len()
        && der_integer(body)
            .and_then(der_integer)
            .is_some_and(<[u8]>::is_empty)
}

/// Takes one integer off the front and gives back what follows.
fn der_integer(bytes: &[u8]) -> Option<&[u8]> {
    let [0x02, length, rest @ ..] = bytes else {
        return None;
    };
    let (number, rest) = rest.split_at_checked(usize::from(*length))?;
    let shortest = match number {
        [] => false,
        [0] => true,
        [0, next, ..] => next & 0x80 != 0,
        [first, ..] => first & 0x80 == 0,
    };
    shortest.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hash::Hash256, key::PrivateKey};

    #[test]
    fn only_strict_signatures_pass() {
        let key = PrivateKey::from_bytes(&[3; 32], true).unwrap();
        let mut good = key.sign_der(&Hash256::sha256d(b"x"));
        good.push(1);
        assert!(strict_signature(&good));
        for (position, value) in [(0, 0x31), (1, 0), (2, 3), (3, 0)] {
            let mut bad = good.clone();
            bad[position] = value;
            assert!(!strict_signature(&bad), "byte {position}");
        }
        *good.last_mut().unwrap() = 4;
        assert!(!strict_signature(&good));
        assert!(!strict_signature(&[]));
    }

    #[test]
    fn a_negative_or_padded_integer_is_refused() {
        assert!(!strict_der(&[0x30, 6, 2, 1, 0x80, 2, 1, 1]));
        assert!(!strict_der(&[0x30, 7, 2, 2, 0, 1, 2, 1, 1]));
        assert!(strict_der(&[0x30, 7, 2, 2, 0, 0x80, 2, 1, 1]));
    }
}
