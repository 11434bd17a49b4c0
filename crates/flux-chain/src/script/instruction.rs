//! Walks a script step by step, as fluxd's `CScript::GetOp` does.

use crate::script::opcode;

/// One step. `data` is empty unless the step is a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction<'a> {
    pub opcode: u8,
    pub data: &'a [u8],
}

impl Instruction<'_> {
    /// Whether the step is a data push, `OP_0` included.
    pub const fn pushes_data(&self) -> bool {
        self.opcode <= opcode::PUSHDATA4
    }
}

/// A push that wants more bytes than the script has. Nothing after it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the push at byte {offset} of the script wants more bytes than follow it")]
pub struct MalformedPush {
    pub offset: usize,
}

/// Iterator over the steps; ends after the first malformed push.
#[derive(Debug, Clone)]
pub struct Instructions<'a> {
    rest: &'a [u8],
    position: usize,
}

impl<'a> Instructions<'a> {
    pub(crate) const fn new(script: &'a [u8]) -> Self {
        Self {
            rest: script,
            position: 0,
        }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        self.position += count;
        Some(taken)
    }

    /// Length of the data of a push with `opcode`, read from the script where the opcode does not say it.
    fn push_length(&mut self, opcode: u8) -> Option<usize> {
        match opcode {
            opcode::PUSHDATA1 => self.take(1)?.first().copied().map(usize::from),
            opcode::PUSHDATA2 => {
                let bytes = self.take(2)?.try_into().ok()?;
                Some(usize::from(u16::from_le_bytes(bytes)))
            }
            opcode::PUSHDATA4 => {
                let bytes = self.take(4)?.try_into().ok()?;
                usize::try_from(u32::from_le_bytes(bytes)).ok()
            }
            direct => Some(usize::from(direct)),
        }
    }
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<Instruction<'a>, MalformedPush>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.position;
        let opcode = *self.take(1)?.first()?;
        if opcode > opcode::PUSHDATA4 {
            return Some(Ok(Instruction { opcode, data: &[] }));
        }
        let data = self
            .push_length(opcode)
            .and_then(|length| self.take(length));
        let Some(data) = data else {
            self.rest = &[];
            return Some(Err(MalformedPush { offset }));
        };
        Some(Ok(Instruction { opcode, data }))
    }
}
