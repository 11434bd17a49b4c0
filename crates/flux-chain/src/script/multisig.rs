//! m-of-n scripts: bare outputs and the redeem scripts of P2SH fluxnodes.

use crate::{
    key::PublicKey,
    script::{Script, opcode},
};

/// `m <key>... n OP_CHECKMULTISIG`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Multisig<'a> {
    /// How many signatures are needed.
    pub required: u8,
    /// The key pushes, each of 33 to 65 bytes. A push need not be a valid key.
    pub keys: Vec<&'a [u8]>,
}

impl<'a> Multisig<'a> {
    /// Reads the script; `None` when it has another shape or m and n do not match the keys.
    pub fn parse(script: Script<'a>) -> Option<Self> {
        // Cheap refusal first: most scripts are no multisig.
        if script.as_bytes().last() != Some(&opcode::CHECKMULTISIG) {
            return None;
        }
        let mut steps = script.instructions();
        let required = opcode::small_number(steps.next()?.ok()?.opcode)?;
        let mut keys = Vec::new();
        let total = loop {
            let step = steps.next()?.ok()?;
            if (33..=65).contains(&step.data.len()) {
                keys.push(step.data);
            } else {
                break opcode::small_number(step.opcode)?;
            }
        };
        let check = steps.next()?.ok()?.opcode;
        let fits = check == opcode::CHECKMULTISIG
            && steps.next().is_none()
            && (1..=total).contains(&required)
            && keys.len() == usize::from(total);
        fits.then_some(Self { required, keys })
    }

    /// The pushes that are valid public keys, in order.
    pub fn public_keys(&self) -> impl Iterator<Item = PublicKey> {
        self.keys.iter().filter_map(|key| PublicKey::parse(key))
    }
}
