//! The text a transaction carries, as FluxOS reads it (RunOnFlux/flux `ZelBack/src/services/explorerService.js`,
//! `decodeMessage`): it decodes the *printed* script, two digits a character, up to the first `00`.

use crate::{
    script::{Script, SighashSuffix, opcode},
    tx::TxOut,
};

/// The marker FluxOS looks for in a printed script.
const MARKER: &str = "OP_RETURN ";

/// A text found in an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub text: String,
    /// Index of the output that carries it.
    pub output: usize,
    /// Whether no output follows. FluxOS starts the text anew at each output, so it sees no text when another output
    /// comes after; wallets that put their change last lose the payment there.
    pub last: bool,
}

/// The text of a transaction: of all outputs that carry one, the last.
pub fn note_of_outputs(outputs: &[TxOut<'_>]) -> Option<Note> {
    let (output, text) = outputs
        .iter()
        .enumerate()
        .rev()
        .find_map(|(index, output)| Some((index, output.script.note()?)))?;
    let last = output + 1 == outputs.len();
    Some(Note { text, output, last })
}

impl Script<'_> {
    /// The text after `OP_RETURN`; `None` when the script has no data there.
    ///
    /// Each byte is one character (U+0000 to U+00FF). Data of up to four bytes prints as a decimal number and is read
    /// from those digits, and text after the first push is read together with the space before it; both as FluxOS does.
    pub fn note(self) -> Option<String> {
        if self.p2pkh_hash().is_some()
            || self.p2sh_hash().is_some()
            || !self.as_bytes().contains(&opcode::RETURN)
        {
            return None;
        }
        let asm = self.asm(SighashSuffix::Plain);
        let printed = asm.split(MARKER).nth(1).filter(|text| !text.is_empty())?;
        let digits = printed
            .as_bytes()
            .chunks(2)
            .take_while(|pair| *pair != b"00");
        Some(digits.map(character).collect())
    }
}

/// JavaScript's `String.fromCharCode(parseInt(pair, 16))`.
fn character(pair: &[u8]) -> char {
    let text = std::str::from_utf8(pair).unwrap_or_default().trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    // parseInt stops at the first character that is no digit; without any digit it is NaN, which becomes U+0000.
    let value = digits
        .chars()
        .map_while(|digit| digit.to_digit(16))
        .fold(0, |value, digit| value * 16 + digit);
    let unit = if negative { 0x1_0000 - value } else { value };
    char::from_u32(unit & 0xffff).unwrap_or('\0')
}
