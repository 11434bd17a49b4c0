//! What an application costs. Pure.
//!
//! | module | what |
//! |---|---|
//! | [`legacy`] | the rules of FluxOS v8.17, to the last digit, at every height |
//! | [`native`] | our own price list: integers, versioned tables, no jumps; the FLUX/USD rate |
//! | [`batch`] | one JSON line in, one JSON line out, for tools |

pub mod batch;
pub mod legacy;
pub mod native;
