//! The delegates part of a version 6 start: other keys that may start the same node.

use crate::encode::{DecodeError, Reader, Sink};

/// Keys a delegates part may list (fluxd `CFluxnodeDelegates::MAX_PUBKEYS_LENGTH`).
pub const MAX_DELEGATES: usize = 4;

/// The delegates part of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegateField<'a> {
    /// The byte of the "using delegates" flag; any value but 0 means yes.
    pub using: u8,
    pub data: Option<DelegateData<'a>>,
}

/// What a start says about delegates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegateData<'a> {
    pub version: i8,
    pub kind: i8,
    /// Present for version 1 updates. An empty list removes all delegates.
    pub keys: Option<DelegateKeys<'a>>,
}

/// The keys an update lists. Read once when the transaction is read, kept as the bytes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegateKeys<'a> {
    count: usize,
    raw: &'a [u8],
}

impl<'a> DelegateKeys<'a> {
    pub const fn len(&self) -> usize {
        self.count
    }

    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The keys as raw bytes; neither length nor content is checked.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = Reader::new(self.raw);
        (0..self.count).map_while(move |_| reader.var_bytes("key").ok())
    }

    /// Takes `count` keys that were written with their lengths.
    pub(crate) const fn from_wire(count: usize, raw: &'a [u8]) -> Self {
        Self { count, raw }
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = reader.count("delegateStartingKeys", 1)?;
        let start = reader.position();
        for index in 0..count {
            let key = reader.var_bytes("key");
            key.map_err(|error| error.within("delegateStartingKeys", index))?;
        }
        let raw = reader.since(start);
        Ok(Self { count, raw })
    }
}

/// What the delegates part is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelegateKind {
    /// Sets the keys that may start the node.
    Update,
    /// The start is signed by one of the keys set before.
    Signing,
}

impl DelegateData<'_> {
    pub const fn delegate_kind(&self) -> Option<DelegateKind> {
        match self.kind {
            1 => Some(DelegateKind::Update),
            2 => Some(DelegateKind::Signing),
            _ => None,
        }
    }
}

impl<'a> DelegateField<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let using = reader.u8("fUsingDelegates")?;
        let data = match using {
            0 => None,
            _ => Some(DelegateData::read(reader)?),
        };
        Ok(Self { using, data })
    }

    pub(super) fn write_to(
        &self,
        sink: &mut impl Sink,
        using: u8,
        key: impl Fn(&'a [u8]) -> &'a [u8],
    ) {
        sink.put_u8(using);
        let Some(data) = &self.data else { return };
        sink.put_i8(data.version);
        sink.put_i8(data.kind);
        if let Some(keys) = &data.keys {
            sink.put_length(keys.len());
            for bytes in keys.iter() {
                sink.put_var_bytes(key(bytes));
            }
        }
    }
}

impl<'a> DelegateData<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = reader.i8("delegateData.nDelegateVersion")?;
        let kind = reader.i8("delegateData.nType")?;
        let keys = if version == 1 && kind == 1 {
            Some(DelegateKeys::read(reader)?)
        } else {
            None
        };
        Ok(Self {
            version,
            kind,
            keys,
        })
    }
}
