//! Transactions that start and confirm fluxnodes (versions 5 and 6).
//!
//! The layout of a version 6 start depends on the bits of its "flux version" ([`flux_version`]). Combinations that consensus
//! refuses are still read as fluxd reads them, so that a block that holds one can be named and rejected.

use crate::{
    encode::{DecodeError, Reader, Sink},
    outpoint::OutPoint,
    script::Script,
    tx::DelegateField,
};

/// Bits of the flux version of a version 6 start.
pub mod flux_version {
    /// Collateral pays to a key.
    pub const NORMAL: i32 = 0x001;
    /// Collateral pays to a script. Wins over [`NORMAL`] when reading; consensus refuses both together.
    pub const P2SH: i32 = 0x002;
    /// A delegates part follows.
    pub const DELEGATES: i32 = 0x100;
}

const TYPE_START: i8 = 2;
const TYPE_CONFIRM: i8 = 4;

/// A fluxnode transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fluxnode<'a> {
    Start(Start<'a>),
    Confirm(Confirm<'a>),
    /// A type byte no rule knows. Nothing is read after it; consensus refuses the transaction.
    Unknown(i8),
}

/// Announces a node: locks nothing, but names the collateral and the key of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start<'a> {
    /// Present in version 6.
    pub flux_version: Option<i32>,
    pub body: StartBody<'a>,
    /// Present when the flux version says so.
    pub delegates: Option<DelegateField<'a>>,
}

/// The part of a start that depends on who owns the collateral. Keys are raw: their length is not checked on reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartBody<'a> {
    Normal {
        collateral: OutPoint,
        collateral_key: &'a [u8],
        node_key: &'a [u8],
        sig_time: u32,
        signature: &'a [u8],
    },
    P2sh {
        collateral: OutPoint,
        node_key: &'a [u8],
        redeem_script: Script<'a>,
        sig_time: u32,
        signature: &'a [u8],
    },
    /// A version 6 start with neither kind bit: no fields at all.
    Empty,
}

/// Reports that a node runs: where, and how strong its machine measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm<'a> {
    pub collateral: OutPoint,
    pub sig_time: u32,
    pub benchmark_tier: i8,
    pub benchmark_sig_time: u32,
    pub update_type: i8,
    /// Address of the node, usually `host` or `host:port`. Bytes, because nothing makes them text.
    pub ip: &'a [u8],
    /// By the key of the node.
    pub signature: &'a [u8],
    /// By the benchmark key of the network.
    pub benchmark_signature: &'a [u8],
}

/// Whether a confirm is the first of a node or a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateKind {
    Initial,
    Update,
}

impl Confirm<'_> {
    pub const fn update_kind(&self) -> Option<UpdateKind> {
        match self.update_type {
            0 => Some(UpdateKind::Initial),
            1 => Some(UpdateKind::Update),
            _ => None,
        }
    }
}

impl<'a> Fluxnode<'a> {
    pub(super) fn read(reader: &mut Reader<'a>, upgraded: bool) -> Result<Self, DecodeError> {
        match reader.i8("nType")? {
            TYPE_START if upgraded => Start::read_upgraded(reader).map(Self::Start),
            TYPE_START => Ok(Self::Start(Start {
                flux_version: None,
                body: StartBody::read_normal(reader)?,
                delegates: None,
            })),
            TYPE_CONFIRM => Confirm::read(reader).map(Self::Confirm),
            other => Ok(Self::Unknown(other)),
        }
    }

    /// The node the transaction is about; `None` when it names none.
    pub const fn collateral(&self) -> Option<OutPoint> {
        match self {
            Self::Start(start) => start.collateral(),
            Self::Confirm(confirm) => Some(confirm.collateral),
            Self::Unknown(_) => None,
        }
    }

    /// The type byte.
    pub const fn type_byte(&self) -> i8 {
        match self {
            Self::Start(_) => TYPE_START,
            Self::Confirm(_) => TYPE_CONFIRM,
            Self::Unknown(other) => *other,
        }
    }

    /// Writes what follows the version.
    pub(crate) fn write_to(&self, sink: &mut impl Sink) {
        sink.put_i8(self.type_byte());
        match self {
            Self::Start(start) => start.write_to(sink),
            Self::Confirm(confirm) => {
                confirm.write_unsigned(sink);
                sink.put_var_bytes(confirm.signature);
                sink.put_var_bytes(confirm.benchmark_signature);
            }
            Self::Unknown(_) => {}
        }
    }
}

impl<'a> Start<'a> {
    fn read_upgraded(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let version = reader.i32("nFluxTxVersion")?;
        let body = if version & flux_version::P2SH != 0 {
            StartBody::read_p2sh(reader)?
        } else if version & flux_version::NORMAL != 0 {
            StartBody::read_normal(reader)?
        } else {
            StartBody::Empty
        };
        let delegates = if version & flux_version::DELEGATES != 0 {
            Some(DelegateField::read(reader)?)
        } else {
            None
        };
        Ok(Self {
            flux_version: Some(version),
            body,
            delegates,
        })
    }

    pub const fn collateral(&self) -> Option<OutPoint> {
        match &self.body {
            StartBody::Normal { collateral, .. } | StartBody::P2sh { collateral, .. } => {
                Some(*collateral)
            }
            StartBody::Empty => None,
        }
    }

    pub const fn node_key(&self) -> &'a [u8] {
        match &self.body {
            StartBody::Normal { node_key, .. } | StartBody::P2sh { node_key, .. } => node_key,
            StartBody::Empty => &[],
        }
    }

    /// The key that owns the collateral; empty for a P2SH start.
    pub const fn collateral_key(&self) -> &'a [u8] {
        match &self.body {
            StartBody::Normal { collateral_key, .. } => collateral_key,
            StartBody::P2sh { .. } | StartBody::Empty => &[],
        }
    }

    pub const fn redeem_script(&self) -> Option<Script<'a>> {
        match &self.body {
            StartBody::P2sh { redeem_script, .. } => Some(*redeem_script),
            StartBody::Normal { .. } | StartBody::Empty => None,
        }
    }

    pub const fn sig_time(&self) -> u32 {
        match &self.body {
            StartBody::Normal { sig_time, .. } | StartBody::P2sh { sig_time, .. } => *sig_time,
            StartBody::Empty => 0,
        }
    }

    pub const fn signature(&self) -> &'a [u8] {
        match &self.body {
            StartBody::Normal { signature, .. } | StartBody::P2sh { signature, .. } => signature,
            StartBody::Empty => &[],
        }
    }

    /// Whether fluxd takes this for a P2SH start: the P2SH bit without the normal bit, in version 6.
    pub const fn is_p2sh(&self) -> bool {
        self.kind_bits() == flux_version::P2SH
    }

    /// Whether fluxd takes this for an upgraded normal start: the normal bit without the P2SH bit, in version 6.
    pub const fn is_upgraded_normal(&self) -> bool {
        self.kind_bits() == flux_version::NORMAL
    }

    const fn kind_bits(&self) -> i32 {
        match self.flux_version {
            Some(version) => version & (flux_version::NORMAL | flux_version::P2SH),
            None => 0,
        }
    }

    fn write_to(&self, sink: &mut impl Sink) {
        if let Some(version) = self.flux_version {
            sink.put_i32(version);
        }
        self.body.write_unsigned(sink, |key| key);
        if !matches!(self.body, StartBody::Empty) {
            sink.put_var_bytes(self.signature());
        }
        if let Some(delegates) = &self.delegates {
            delegates.write_to(sink, delegates.using, |key| key);
        }
    }
}

impl<'a> StartBody<'a> {
    fn read_normal(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self::Normal {
            collateral: reader.outpoint("collateralIn")?,
            collateral_key: reader.var_bytes("collateralPubkey")?,
            node_key: reader.var_bytes("pubKey")?,
            sig_time: reader.u32("sigTime")?,
            signature: reader.var_bytes("sig")?,
        })
    }

    fn read_p2sh(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self::P2sh {
            collateral: reader.outpoint("collateralIn")?,
            node_key: reader.var_bytes("pubKey")?,
            redeem_script: Script::new(reader.var_bytes("redeemScript")?),
            sig_time: reader.u32("sigTime")?,
            signature: reader.var_bytes("sig")?,
        })
    }

    /// Writes all but the signature; `key` decides how a key is written.
    pub(super) fn write_unsigned(&self, sink: &mut impl Sink, key: impl Fn(&'a [u8]) -> &'a [u8]) {
        match self {
            Self::Normal {
                collateral,
                collateral_key,
                node_key,
                sig_time,
                signature: _,
            } => {
                collateral.write_to(sink);
                sink.put_var_bytes(key(collateral_key));
                sink.put_var_bytes(key(node_key));
                sink.put_u32(*sig_time);
            }
            Self::P2sh {
                collateral,
                node_key,
                redeem_script,
                sig_time,
                signature: _,
            } => {
                collateral.write_to(sink);
                sink.put_var_bytes(key(node_key));
                sink.put_var_bytes(redeem_script.as_bytes());
                sink.put_u32(*sig_time);
            }
            Self::Empty => {}
        }
    }
}

impl<'a> Confirm<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            collateral: reader.outpoint("collateralIn")?,
            sig_time: reader.u32("sigTime")?,
            benchmark_tier: reader.i8("benchmarkTier")?,
            benchmark_sig_time: reader.u32("benchmarkSigTime")?,
            update_type: reader.i8("nUpdateType")?,
            ip: reader.var_bytes("ip")?,
            signature: reader.var_bytes("sig")?,
            benchmark_signature: reader.var_bytes("benchmarkSig")?,
        })
    }

    pub(super) fn write_unsigned(&self, sink: &mut impl Sink) {
        self.collateral.write_to(sink);
        sink.put_u32(self.sig_time);
        sink.put_i8(self.benchmark_tier);
        sink.put_u32(self.benchmark_sig_time);
        sink.put_i8(self.update_type);
        sink.put_var_bytes(self.ip);
    }
}
