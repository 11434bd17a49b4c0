//! Scripts as text, letter for letter as fluxd prints them (`src/core_write.cpp`, `ScriptToAsmStr`).

use crate::{
    script::{Script, opcode},
    verify::strict_signature,
};

/// Whether pushes that look like signatures get their hash type spelled out, as in `[ALL]`. fluxd does so for inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SighashSuffix {
    Spell,
    Plain,
}

impl Script<'_> {
    /// The text. Pushes of up to four bytes print as numbers; what follows a malformed push is lost in `[error]`.
    pub fn asm(self, suffix: SighashSuffix) -> String {
        // A script that starts with OP_RETURN may hold data that only looks like a signature.
        let spendable = self.as_bytes().first() != Some(&opcode::RETURN);
        let spell = suffix == SighashSuffix::Spell && spendable;
        let mut text = String::with_capacity(self.len() * 2 + 16);
        for step in self.instructions() {
            if !text.is_empty() {
                text.push(' ');
            }
            let Ok(step) = step else {
                text.push_str("[error]");
                return text;
            };
            if !step.pushes_data() {
                text.push_str(opcode::name(step.opcode));
            } else if step.data.len() <= 4 {
                text.push_str(&script_number(step.data).to_string());
            } else {
                push_data(&mut text, step.data, spell);
            }
        }
        text
    }
}

fn push_data(text: &mut String, data: &[u8], spell: bool) {
    if spell
        && strict_signature(data)
        && let Some((hash_type, signature)) = data.split_last()
        && let Some(name) = hash_type_name(*hash_type)
    {
        text.push_str(&hex::encode(signature));
        text.push_str(name);
    } else {
        text.push_str(&hex::encode(data));
    }
}

const fn hash_type_name(hash_type: u8) -> Option<&'static str> {
    match hash_type {
        0x01 => Some("[ALL]"),
        0x02 => Some("[NONE]"),
        0x03 => Some("[SINGLE]"),
        0x81 => Some("[ALL|ANYONECANPAY]"),
        0x82 => Some("[NONE|ANYONECANPAY]"),
        0x83 => Some("[SINGLE|ANYONECANPAY]"),
        _ => None,
    }
}

/// Little-endian magnitude with the sign in the top bit (fluxd `CScriptNum`). Up to eight bytes.
pub(crate) fn script_number(bytes: &[u8]) -> i64 {
    let mut magnitude = [0; 8];
    let Some(room) = magnitude.get_mut(..bytes.len()) else {
        return 0;
    };
    room.copy_from_slice(bytes);
    let negative = room.last_mut().is_some_and(|top| {
        let sign = *top & 0x80 != 0;
        *top &= 0x7f;
        sign
    });
    let magnitude = i64::from_le_bytes(magnitude);
    if negative { -magnitude } else { magnitude }
}
