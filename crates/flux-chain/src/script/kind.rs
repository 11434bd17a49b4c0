//! Which of fluxd's templates a script matches.

use crate::{
    hash::Hash160,
    key::PublicKey,
    script::{Instruction, Multisig, Script, opcode},
};

/// The largest data push the daemon still calls `nulldata` (fluxd `src/script/standard.h`, `MAX_OP_RETURN_RELAY`).
const MAX_NULL_DATA: usize = 80;

/// The result of template matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptKind<'a> {
    /// A public key and `OP_CHECKSIG`. The bytes have the length of a key but need not be one.
    PubKey(&'a [u8]),
    /// Pays to the hash of a public key.
    PubKeyHash(Hash160),
    /// Pays to the hash of a redeem script.
    ScriptHash(Hash160),
    /// m of n keys.
    Multisig(Multisig<'a>),
    /// `OP_RETURN` with at most one step of at most 80 bytes of data after it.
    NullData(&'a [u8]),
    NonStandard,
}

impl ScriptKind<'_> {
    /// The name fluxd prints as `type`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PubKey(_) => "pubkey",
            Self::PubKeyHash(_) => "pubkeyhash",
            Self::ScriptHash(_) => "scripthash",
            Self::Multisig(_) => "multisig",
            Self::NullData(_) => "nulldata",
            Self::NonStandard => "nonstandard",
        }
    }
}

impl<'a> Script<'a> {
    /// Matches the script against the templates.
    pub fn kind(self) -> ScriptKind<'a> {
        if let Some(hash) = self.p2pkh_hash() {
            return ScriptKind::PubKeyHash(hash);
        }
        if let Some(hash) = self.p2sh_hash() {
            return ScriptKind::ScriptHash(hash);
        }
        // Every template but multisig has at most five steps.
        let mut steps = self.instructions();
        let mut head = [None; 5];
        for slot in &mut head {
            *slot = steps.next().and_then(Result::ok);
        }
        let whole = steps.next().is_none();
        match head {
            [Some(first), second, None, None, None]
                if first.opcode == opcode::RETURN && self.well_formed() =>
            {
                let data = second.map_or(&[][..], |step: Instruction<'a>| step.data);
                if data.len() <= MAX_NULL_DATA {
                    return ScriptKind::NullData(data);
                }
            }
            [Some(key), Some(check), None, None, None]
                if check.opcode == opcode::CHECKSIG
                    && (33..=65).contains(&key.data.len())
                    && self.well_formed() =>
            {
                return ScriptKind::PubKey(key.data);
            }
            [
                Some(dup),
                Some(hash160),
                Some(hash),
                Some(equal),
                Some(check),
            ] if whole
                && dup.opcode == opcode::DUP
                && hash160.opcode == opcode::HASH160
                && equal.opcode == opcode::EQUALVERIFY
                && check.opcode == opcode::CHECKSIG =>
            {
                if let Ok(hash) = hash.data.try_into() {
                    return ScriptKind::PubKeyHash(Hash160::from_wire(hash));
                }
            }
            _ => {}
        }
        Multisig::parse(self).map_or(ScriptKind::NonStandard, ScriptKind::Multisig)
    }

    /// The key or script a single signer can spend with, as fluxd's `ExtractDestination` finds it. Bare multisig has
    /// no single one.
    pub fn destination(self) -> Option<Destination> {
        match self.kind() {
            ScriptKind::PubKey(key) => PublicKey::parse(key).map(|key| Destination::Key(key.id())),
            ScriptKind::PubKeyHash(hash) => Some(Destination::Key(hash)),
            ScriptKind::ScriptHash(hash) => Some(Destination::Script(hash)),
            ScriptKind::Multisig(_) | ScriptKind::NullData(_) | ScriptKind::NonStandard => None,
        }
    }

    fn well_formed(self) -> bool {
        self.instructions().all(|step| step.is_ok())
    }
}

/// Who can spend an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Destination {
    Key(Hash160),
    Script(Hash160),
}
