//! Transactions that move coins: versions 1 to 4, and the unused version numbers that share their layout.

use fluxplane_core::Sat;

use crate::{
    encode::{DecodeError, Problem, Reader, Sink},
    outpoint::OutPoint,
    script::{Note, Script, note_of_outputs},
    tx::{
        OVERWINTER_GROUP, OVERWINTERED, SAPLING_GROUP,
        shielded::{JoinSplits, Sapling},
    },
};

/// Smallest serialised input: outpoint, empty script, sequence.
const LEAST_INPUT: usize = OutPoint::SIZE + 1 + 4;

/// Smallest serialised output: value, empty script.
const LEAST_OUTPUT: usize = 8 + 1;

/// Inputs, outputs and shielded parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// Present since Overwinter.
    pub version_group: Option<u32>,
    pub inputs: Vec<TxIn<'a>>,
    pub outputs: Vec<TxOut<'a>>,
    pub lock_time: u32,
    /// Last height at which the transaction may be mined, 0 for no limit. Present since Overwinter.
    pub expiry_height: Option<u32>,
    /// Present in version 4.
    pub sapling: Option<Sapling<'a>>,
    /// Present from version 2 on.
    pub join_splits: Option<JoinSplits<'a>>,
}

/// An input: which output it spends, and the proof that it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxIn<'a> {
    pub previous: OutPoint,
    pub script: Script<'a>,
    pub sequence: u32,
}

/// An output: how much, and who may spend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TxOut<'a> {
    pub value: Sat,
    pub script: Script<'a>,
}

impl<'a> Transfer<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, header: u32) -> Result<Self, DecodeError> {
        let version = header & !OVERWINTERED;
        let version_group = if header & OVERWINTERED == 0 {
            None
        } else {
            let group = reader.u32("versionGroupId")?;
            if !matches!((version, group), (3, OVERWINTER_GROUP) | (4, SAPLING_GROUP)) {
                let problem = Problem::UnknownFormat { version, group };
                return Err(reader.error("versionGroupId", problem));
            }
            Some(group)
        };
        let inputs = read_list(reader, "vin", LEAST_INPUT, TxIn::read)?;
        let outputs = read_list(reader, "vout", LEAST_OUTPUT, TxOut::read)?;
        let lock_time = reader.u32("lockTime")?;
        let expiry_height = match version_group {
            Some(_) => Some(reader.u32("expiryHeight")?),
            None => None,
        };
        let mut sapling = match version_group {
            Some(SAPLING_GROUP) => Some(Sapling::read(reader)?),
            _ => None,
        };
        let join_splits = if version >= 2 {
            Some(JoinSplits::read(reader, sapling.is_some())?)
        } else {
            None
        };
        if let Some(sapling) = &mut sapling {
            sapling.read_binding_signature(reader)?;
        }
        Ok(Self {
            version_group,
            inputs,
            outputs,
            lock_time,
            expiry_height,
            sapling,
            join_splits,
        })
    }

    /// Whether the only input refers to nothing, as in the first transaction of a block.
    pub fn is_coinbase(&self) -> bool {
        matches!(self.inputs.as_slice(), [only] if only.previous.is_null())
    }

    /// The text the transaction carries for FluxOS, if any.
    pub fn note(&self) -> Option<Note> {
        note_of_outputs(&self.outputs)
    }

    /// What leaves the transparent pool: outputs, what enters a JoinSplit, and a negative value balance.
    /// `None` when a term or the sum is outside the money range (fluxd `CTransaction::GetValueOut`).
    pub fn value_out(&self) -> Option<Sat> {
        let shielded = self.sapling.as_ref().map_or(0, |part| part.value_balance);
        let mut terms: Vec<i64> = self.outputs.iter().map(|out| out.value.get()).collect();
        terms.push(shielded.min(0).checked_neg()?);
        terms.extend(
            self.join_splits
                .iter()
                .flat_map(|part| part.iter().map(|js| js.value_in)),
        );
        money_sum(terms)
    }

    /// What comes back from the shielded pools.
    pub fn shielded_value_in(&self) -> Option<Sat> {
        let shielded = self.sapling.as_ref().map_or(0, |part| part.value_balance);
        let mut terms = vec![shielded.max(0)];
        terms.extend(
            self.join_splits
                .iter()
                .flat_map(|part| part.iter().map(|js| js.value_out)),
        );
        money_sum(terms)
    }

    pub(super) fn write_to(&self, sink: &mut impl Sink) {
        if let Some(group) = self.version_group {
            sink.put_u32(group);
        }
        sink.put_length(self.inputs.len());
        for input in &self.inputs {
            input.write_to(sink);
        }
        sink.put_length(self.outputs.len());
        for output in &self.outputs {
            output.write_to(sink);
        }
        sink.put_u32(self.lock_time);
        if let Some(height) = self.expiry_height {
            sink.put_u32(height);
        }
        if let Some(sapling) = &self.sapling {
            sapling.write_to(sink);
        }
        if let Some(join_splits) = &self.join_splits {
            join_splits.write_to(sink);
        }
        if let Some(signature) = self.sapling.as_ref().and_then(Sapling::binding_signature) {
            sink.put(signature);
        }
    }
}

/// The most one amount may be (fluxd `src/amount.h`, `MAX_MONEY`): 440 million FLUX. It bounds amounts, not the supply.
pub(crate) const MAX_MONEY: i64 = 440_000_000 * fluxplane_core::money::SAT_PER_FLUX;

/// Adds amounts; `None` as soon as a term or a partial sum leaves the money range.
pub(crate) fn money_sum(terms: impl IntoIterator<Item = i64>) -> Option<Sat> {
    let in_range = |value: i64| (0..=MAX_MONEY).contains(&value).then_some(value);
    terms
        .into_iter()
        .try_fold(0, |sum: i64, term| in_range(sum + in_range(term)?))
        .map(Sat::new)
}

fn read_list<'a, T>(
    reader: &mut Reader<'a>,
    name: &'static str,
    least_item: usize,
    read: impl Fn(&mut Reader<'a>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    let count = reader.count(name, least_item)?;
    let mut items = Vec::with_capacity(count);
    for index in 0..count {
        items.push(read(reader).map_err(|error| error.within(name, index))?);
    }
    Ok(items)
}

impl<'a> TxIn<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            previous: reader.outpoint("prevout")?,
            script: Script::new(reader.var_bytes("scriptSig")?),
            sequence: reader.u32("sequence")?,
        })
    }

    pub(crate) fn write_to(&self, sink: &mut impl Sink) {
        self.previous.write_to(sink);
        sink.put_var_bytes(self.script.as_bytes());
        sink.put_u32(self.sequence);
    }
}

impl<'a> TxOut<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            value: Sat::new(reader.i64("value")?),
            script: Script::new(reader.var_bytes("scriptPubKey")?),
        })
    }

    pub(crate) fn write_to(&self, sink: &mut impl Sink) {
        sink.put_i64(self.value.get());
        sink.put_var_bytes(self.script.as_bytes());
    }
}
