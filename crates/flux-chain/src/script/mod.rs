//! Locking and unlocking scripts: what they are, what they say, how to make them.
//!
//! Nothing here runs a script. fluxd's templates (`src/script/standard.cpp`, `Solver`) are recognised exactly, including
//! their oddities; everything else is [`ScriptKind::NonStandard`].

mod asm;
mod instruction;
mod kind;
mod make;
mod multisig;
mod note;
pub mod opcode;

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use asm::SighashSuffix;
pub(crate) use asm::script_number;
pub use instruction::{Instruction, Instructions, MalformedPush};
pub use kind::{Destination, ScriptKind};
pub use make::{DataTooLong, MAX_DATA_LENGTH, MultisigShape, data_output, multisig, p2pkh, p2sh};
pub(crate) use make::{push, push_height};
pub use multisig::Multisig;
pub use note::{Note, note_of_outputs};

use crate::hash::Hash160;

/// The largest script a consensus rule admits (fluxd `src/script/script.h`, `MAX_SCRIPT_SIZE`).
pub const MAX_SCRIPT_SIZE: usize = 10_000;

/// A borrowed script.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub const fn len(self) -> usize {
        self.0.len()
    }

    pub fn to_owned(self) -> ScriptBuf {
        ScriptBuf(self.0.to_vec())
    }

    /// The id a pay-to-script-hash output names when this is its redeem script.
    pub fn id(self) -> Hash160 {
        Hash160::of(self.0)
    }

    /// The key id, when this is byte for byte the usual pay-to-public-key-hash script.
    pub fn p2pkh_hash(self) -> Option<Hash160> {
        match self.0 {
            [
                opcode::DUP,
                opcode::HASH160,
                20,
                hash @ ..,
                opcode::EQUALVERIFY,
                opcode::CHECKSIG,
            ] => hash.try_into().ok().map(Hash160::from_wire),
            _ => None,
        }
    }

    /// The script id, when this is byte for byte a pay-to-script-hash script.
    pub fn p2sh_hash(self) -> Option<Hash160> {
        match self.0 {
            [opcode::HASH160, 20, hash @ .., opcode::EQUAL] => {
                hash.try_into().ok().map(Hash160::from_wire)
            }
            _ => None,
        }
    }

    pub const fn instructions(self) -> Instructions<'a> {
        Instructions::new(self.0)
    }

    /// Whether the script only pushes data. As fluxd has it, `OP_RESERVED` counts as a push.
    pub fn push_only(self) -> bool {
        self.instructions()
            .all(|step| step.is_ok_and(|instruction| instruction.opcode <= opcode::N16))
    }

    /// Signature operations by fluxd's count (`CScript::GetSigOpCount`); `accurate` reads the number of keys of a
    /// multisig instead of assuming 20.
    pub fn signature_operations(self, accurate: bool) -> u32 {
        let mut last = 0xff;
        let mut count = 0;
        for instruction in self.instructions().map_while(Result::ok) {
            match instruction.opcode {
                opcode::CHECKSIG | opcode::CHECKSIGVERIFY => count += 1,
                opcode::CHECKMULTISIG | opcode::CHECKMULTISIGVERIFY => {
                    count += match opcode::small_number(last) {
                        Some(keys @ 1..) if accurate => u32::from(keys),
                        _ => 20,
                    };
                }
                _ => {}
            }
            last = instruction.opcode;
        }
        count
    }
}

impl fmt::Debug for Script<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// An owned script.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptBuf(Vec<u8>);

impl ScriptBuf {
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub fn as_script(&self) -> Script<'_> {
        Script(&self.0)
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for ScriptBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for ScriptBuf {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl PartialEq<Script<'_>> for ScriptBuf {
    fn eq(&self, other: &Script<'_>) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for ScriptBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_script().fmt(f)
    }
}

impl Serialize for ScriptBuf {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for ScriptBuf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Self).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
