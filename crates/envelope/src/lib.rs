//! Sealing what is private, at rest and on its way.
//!
//! At rest, three levels of keys: a *root key* from a file outside of the database wraps one *tenant key* per owner, which
//! wraps a fresh *data key* per value. Whoever has the database alone has nothing; whoever moves a sealed value to another
//! row has nothing either, because the row's identity is part of what is authenticated.
//!
//! On its way to a machine, a value is sealed to a key that machine made for this one delivery (HPKE, RFC 9180), so that
//! whoever passes it on sees nothing.
//!
//! Pure: no files, no clock; randomness comes through [`Entropy`].

mod aead;
mod delivery;
mod entropy;
mod root;
mod row;
mod tenant;

pub use aead::Refused;
pub use delivery::{BadRecipient, Delivery, RecipientKey, SealedMessage, seal_to};
pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use root::{AddError, RingError, RootRing};
pub use row::Row;
pub use tenant::{OpenError, TenantKey, key_of, root_version_of};
pub use zeroize::{Zeroize, Zeroizing};
