//! What transactions say to the plane besides paying it: anchors of settlement epochs, and price messages of the foundation.
//!
//! Anybody can write an anchor, so what is announced is what the bytes say and who seems to have signed. A price message counts by
//! its sender alone, who is proven by the outputs that it spends: an unlocking script may show any redeem script, as long as the
//! output it unlocks does not ask.

use chrono::{DateTime, Utc};
use fluxplane_flux_chain::{
    Address, Hash256, OutPoint, Script, Transaction,
    address::AddressSpace,
    script::{Multisig, note_of_outputs, opcode},
};
use fluxplane_ledger::settlement::anchor::{Anchor, AnchorError};

use crate::domain::{
    Tip,
    chain::Collaterals,
    payment::Place,
    price::{self, PriceProblem, PriceRow},
};

/// First bytes of an anchor (`fluxplane_ledger::settlement::Anchor`).
const ANCHOR_MAGIC: &[u8] = b"FXP1";

/// Something a transaction says. What it says never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub txid: Hash256,
    pub content: Content,
    /// Owners of the inputs, as the unlocking scripts tell them.
    pub senders: Vec<Address>,
    pub first_seen_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Anchor {
        payload: Vec<u8>,
        read: Result<Anchor, AnchorError>,
    },
    Price {
        text: String,
        read: Result<PriceRow, PriceProblem>,
    },
}

/// The kinds of notes, in the order of the database's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Anchor,
    Price,
}

impl Kind {
    pub const ALL: [Self; 2] = [Self::Anchor, Self::Price];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Price => "price",
        }
    }
}

impl Content {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Anchor { .. } => Kind::Anchor,
            Self::Price { .. } => Kind::Price,
        }
    }

    /// Reads the payload of an anchor.
    pub fn anchor(payload: &[u8]) -> Self {
        Self::Anchor {
            read: Anchor::decode(payload),
            payload: payload.to_vec(),
        }
    }

    /// Reads the text of a price message. `last` says whether no output follows it.
    pub fn price(text: String, last: bool) -> Self {
        let read = if last {
            price::read(&text)
        } else {
            Err(PriceProblem::NotLast)
        };
        Self::Price { text, read }
    }
}

/// A note and what was announced of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRecord {
    pub note: Note,
    pub place: Place,
    /// Highest threshold announced since it entered its block.
    pub announced: u32,
}

/// The name of a note.
pub type NoteKey = (Hash256, Kind);

impl NoteRecord {
    pub const fn key(&self) -> NoteKey {
        (self.note.txid, self.note.content.kind())
    }

    /// A note that is in the mempool as far as anyone knows.
    pub const fn waiting(note: Note) -> Self {
        Self {
            note,
            place: Place::Mempool,
            announced: 0,
        }
    }

    pub const fn mined_in(&mut self, block: Tip) {
        self.place = Place::Mined(block);
        self.announced = 0;
    }
}

/// The anchor a transaction carries, mined or not.
pub fn anchor_in(
    transaction: &Transaction<'_>,
    txid: Hash256,
    space: AddressSpace,
    seen_at: DateTime<Utc>,
) -> Option<Note> {
    let payload = transaction
        .outputs()
        .iter()
        .filter_map(|output| payload(output.script))
        .find(|payload| payload.starts_with(ANCHOR_MAGIC))?;
    Some(Note {
        txid,
        content: Content::anchor(payload),
        senders: senders(transaction, space),
        first_seen_at: seen_at,
    })
}

/// The price message a mined transaction carries. `outputs` knows the foundation's outputs among those it spends.
pub fn price_in(
    transaction: &Transaction<'_>,
    txid: Hash256,
    foundation: &[Address],
    outputs: &Collaterals,
    seen_at: DateTime<Utc>,
) -> Option<Note> {
    let is_foundation =
        |script: Script<'_>| foundation.iter().any(|address| address.script() == script);
    let to_itself = |transaction: &Transaction<'_>| {
        let mut paid = transaction.outputs().iter();
        paid.any(|output| is_foundation(output.script))
    };
    if foundation.is_empty() || !to_itself(transaction) {
        return None;
    }
    let note = price_text(transaction)?;
    let sent_by: Vec<Address> = transaction
        .inputs()
        .iter()
        .filter_map(|input| outputs.get(&input.previous))
        .filter_map(|spent| {
            let owner = |address: &&Address| address.script() == spent.script.as_script();
            foundation.iter().find(owner).copied()
        })
        .collect();
    if sent_by.is_empty() {
        return None;
    }
    Some(Note {
        txid,
        content: Content::price(note.text, note.last),
        senders: distinct(sent_by),
        first_seen_at: seen_at,
    })
}

/// Outputs whose owners decide whether the transaction is a price message; none for nearly every transaction.
pub fn price_inputs<'t>(
    transaction: &'t Transaction<'_>,
) -> impl Iterator<Item = OutPoint> + use<'t> {
    price_text(transaction)
        .into_iter()
        .flat_map(|_| transaction.inputs().iter().map(|input| input.previous))
}

/// The text of a transaction that wants to set prices.
fn price_text(transaction: &Transaction<'_>) -> Option<fluxplane_flux_chain::script::Note> {
    let begins = |script: Script<'_>| {
        payload(script).is_some_and(|payload| payload.starts_with(b"p") || payload.len() <= 4)
    };
    // Printing scripts is dear, and nearly none has such a text.
    if !transaction.outputs().iter().any(|out| begins(out.script)) {
        return None;
    }
    note_of_outputs(transaction.outputs()).filter(|note| price::is_price_text(&note.text))
}

/// The data behind an `OP_RETURN`.
fn payload(script: Script<'_>) -> Option<&[u8]> {
    if script.as_bytes().first() != Some(&opcode::RETURN) {
        return None;
    }
    let pushed = script.instructions().nth(1)?.ok()?;
    Some(pushed.data)
}

/// Owners of the inputs as their unlocking scripts show them: the last push is the key, or the redeem script of a multisig.
fn senders(transaction: &Transaction<'_>, space: AddressSpace) -> Vec<Address> {
    let inputs = transaction.inputs().iter();
    distinct(inputs.filter_map(|input| sender(input.script, space)))
}

fn sender(unlocking: Script<'_>, space: AddressSpace) -> Option<Address> {
    let last = unlocking.instructions().last()?.ok()?.data;
    if let Some(key) = fluxplane_flux_chain::PublicKey::parse(last) {
        return Some(Address::of_key(&key, space));
    }
    let redeem = Script::new(last);
    Multisig::parse(redeem).map(|_| Address::of_redeem_script(redeem, space))
}

fn distinct(addresses: impl IntoIterator<Item = Address>) -> Vec<Address> {
    let mut distinct = Vec::new();
    for address in addresses {
        if !distinct.contains(&address) {
            distinct.push(address);
        }
    }
    distinct
}
