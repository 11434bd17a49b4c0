//! Starts and confirms of fluxnodes.

use fluxplane_core::Tier;

use crate::{
    build::Built,
    encode::Sink,
    key::{PrivateKey, PublicKey},
    message::{CompactSignature, Magic, benchmark_text, confirm_text, start_text},
    outpoint::OutPoint,
    script::{Script, ScriptBuf},
    tx::{
        Confirm, DelegateData, DelegateField, DelegateKeys, FLUXNODE_UPGRADED_VERSION,
        FLUXNODE_VERSION, Fluxnode, Start, StartBody, Transaction, UpdateKind, flux_version,
    },
};

/// A start to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartBuilder {
    pub kind: StartKind,
    pub collateral: OutPoint,
    /// Key of the machine.
    pub node_key: PublicKey,
    /// Unix seconds. Nodes relay a start for an hour from then.
    pub sig_time: u32,
    /// Version 6 only.
    pub delegation: Option<Delegation>,
}

/// Who owns the collateral, and which transaction version says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartKind {
    /// Version 5, collateral of a key.
    Plain { collateral_key: PublicKey },
    /// Version 6, collateral of a key.
    Normal { collateral_key: PublicKey },
    /// Version 6, collateral of a multisig script.
    P2sh { redeem_script: ScriptBuf },
}

/// What a start says about delegates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delegation {
    /// Sets the keys that may start the node, up to 4 and written short; an empty list removes them.
    Update(Vec<PublicKey>),
    /// The start is signed by such a key.
    Signing,
}

impl StartBuilder {
    /// Signs with the owner's key, or with a delegate's when the delegation says so.
    pub fn sign(&self, signer: &PrivateKey) -> Built {
        let keys = self.delegate_keys();
        let unsigned = finish(self.version(), &Fluxnode::Start(self.start(&keys, &[])));
        let text = start_text(&unsigned.txid);
        let signature = CompactSignature::sign(signer, Magic::FLUX, text.as_bytes());
        let start = self.start(&keys, signature.as_bytes());
        finish(self.version(), &Fluxnode::Start(start))
    }

    const fn version(&self) -> u32 {
        match self.kind {
            StartKind::Plain { .. } => FLUXNODE_VERSION,
            StartKind::Normal { .. } | StartKind::P2sh { .. } => FLUXNODE_UPGRADED_VERSION,
        }
    }

    /// The keys of an update as they stand on the wire.
    fn delegate_keys(&self) -> (usize, Vec<u8>) {
        let mut bytes = Vec::new();
        let keys: &[PublicKey] = match &self.delegation {
            Some(Delegation::Update(keys)) => keys,
            Some(Delegation::Signing) | None => &[],
        };
        for key in keys {
            bytes.put_var_bytes(key.as_bytes());
        }
        (keys.len(), bytes)
    }

    fn start<'s>(&'s self, keys: &'s (usize, Vec<u8>), signature: &'s [u8]) -> Start<'s> {
        let node_key = self.node_key.as_bytes();
        let (collateral, sig_time) = (self.collateral, self.sig_time);
        let body = match &self.kind {
            StartKind::Plain { collateral_key } | StartKind::Normal { collateral_key } => {
                StartBody::Normal {
                    collateral,
                    collateral_key: collateral_key.as_bytes(),
                    node_key,
                    sig_time,
                    signature,
                }
            }
            StartKind::P2sh { redeem_script } => StartBody::P2sh {
                collateral,
                node_key,
                redeem_script: Script::new(redeem_script),
                sig_time,
                signature,
            },
        };
        let kind_bit = match self.kind {
            StartKind::Plain { .. } => None,
            StartKind::Normal { .. } => Some(flux_version::NORMAL),
            StartKind::P2sh { .. } => Some(flux_version::P2SH),
        };
        // Version 5 has no room for delegates.
        let delegation = self.delegation.as_ref().filter(|_| kind_bit.is_some());
        let delegates_bit = delegation.map_or(0, |_| flux_version::DELEGATES);
        Start {
            flux_version: kind_bit.map(|bit| bit | delegates_bit),
            body,
            delegates: delegation.map(|delegation| DelegateField {
                using: 1,
                data: Some(match delegation {
                    Delegation::Update(_) => DelegateData {
                        version: 1,
                        kind: 1,
                        keys: Some(DelegateKeys::from_wire(keys.0, &keys.1)),
                    },
                    Delegation::Signing => DelegateData {
                        version: 1,
                        kind: 2,
                        keys: None,
                    },
                }),
            }),
        }
    }
}

/// A confirm to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfirmBuilder {
    pub collateral: OutPoint,
    pub kind: UpdateKind,
    pub sig_time: u32,
    /// What the benchmark measured, and when.
    pub benchmark_tier: Tier,
    pub benchmark_sig_time: u32,
    /// Usually `host` or `host:port`.
    pub ip: String,
}

impl ConfirmBuilder {
    /// Signs with the key of the node and the key of the benchmark. Version 5, as live nodes send it.
    pub fn sign(&self, node: &PrivateKey, benchmark: &PrivateKey) -> Built {
        self.sign_version(FLUXNODE_VERSION, node, benchmark)
    }

    /// Signs a confirm of version 6, which the chain accepts since Proof of Node.
    pub fn sign_upgraded(&self, node: &PrivateKey, benchmark: &PrivateKey) -> Built {
        self.sign_version(FLUXNODE_UPGRADED_VERSION, node, benchmark)
    }

    fn sign_version(&self, version: u32, node: &PrivateKey, benchmark: &PrivateKey) -> Built {
        let text = confirm_text(&self.confirm(&[], &[]));
        let signature = CompactSignature::sign(node, Magic::FLUX, text.as_bytes());
        let text = benchmark_text(&self.confirm(signature.as_bytes(), &[]));
        let measured = CompactSignature::sign(benchmark, Magic::FLUX, &text);
        let confirm = self.confirm(signature.as_bytes(), measured.as_bytes());
        finish(version, &Fluxnode::Confirm(confirm))
    }

    fn confirm<'s>(&'s self, signature: &'s [u8], benchmark_signature: &'s [u8]) -> Confirm<'s> {
        Confirm {
            collateral: self.collateral,
            sig_time: self.sig_time,
            benchmark_tier: i8::try_from(self.benchmark_tier.number())
                .expect("tier numbers are 1 to 3"),
            benchmark_sig_time: self.benchmark_sig_time,
            update_type: match self.kind {
                UpdateKind::Initial => 0,
                UpdateKind::Update => 1,
            },
            ip: self.ip.as_bytes(),
            signature,
            benchmark_signature,
        }
    }
}

fn finish(version: u32, fluxnode: &Fluxnode<'_>) -> Built {
    let mut bytes = Vec::new();
    bytes.put_u32(version);
    fluxnode.write_to(&mut bytes);
    let transaction = Transaction::parse(&bytes).expect("our own serialisation is well-formed");
    let txid = transaction.txid();
    Built { bytes, txid }
}
