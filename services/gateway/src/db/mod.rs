//! SQL of the gateway.
//!
//! ## What do we store?
//!
//! - `challenge`, `login_phrase`: phrases waiting to be signed. Gone when used; swept when expired.
//! - `session`, `session_token`: who is signed in, tokens as hashes. Swept a while after they ended.
//! - `audit`: every changing call. Kept for good, except calls that proved nobody.

pub mod audit;
pub mod challenges;
pub mod login_phrases;
pub mod sessions;
