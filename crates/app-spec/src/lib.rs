//! FluxOS specifications v1 to v8 and the native one: parse, canonical form, validate, convert, hash, signatures. Pure.
//!
//! | module | what |
//! |---|---|
//! | [`json`] | a JSON value as JavaScript sees it, with limits and duplicate-key detection |
//! | [`legacy`] | the specification of FluxOS: coercion, canonical form, verdict, update rules |
//! | [`strict`] | what new submissions must satisfy beyond FluxOS' own checks |
//! | [`native`] | our own specification `fluxplane/v1`, and conversion from and to FluxOS' |
//! | [`geolocation`], [`volumes`], [`image`] | the grammars inside single fields |
//! | [`message`] | signed text, hash, both signature schemes, who may sign an update |
//! | [`batch`] | one JSON line in, one JSON line out, for tools |

pub mod batch;
pub mod geolocation;
pub mod image;
pub mod json;
pub mod legacy;
pub mod message;
pub mod native;
pub mod strict;
pub mod volumes;
