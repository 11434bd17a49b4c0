//! What an application costs. Pure.
//!
//! | module | what |
//! |---|---|
//! | [`legacy`] | the rules of FluxOS v8.17, to the last digit, at every height |
//! | [`batch`] | one JSON line in, one JSON line out, for tools |

pub mod batch;
pub mod legacy;
