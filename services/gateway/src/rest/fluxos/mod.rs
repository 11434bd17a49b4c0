//! A second surface that speaks FluxOS, so that clients and wallets written for it work unchanged. `docs/FLUXOS.md` says what
//! is served and where it differs.
//!
//! The same services answer as for `/v1`: nothing is decided here but how FluxOS would say it.
//!
//! | module | what |
//! |---|---|
//! | [`routes`] | every route of FluxOS: served here, or where it is done instead |
//! | [`envelope`] | how FluxOS answers and refuses |
//! | [`body`], [`params`] | what FluxOS takes |
//! | [`id`] | signing in; the header `zelidauth` |
//! | [`apps`], [`node`], [`daemon`] | the families of routes |

pub mod apps;
pub mod body;
pub mod daemon;
mod decimal;
pub mod envelope;
pub mod id;
pub mod node;
pub mod params;
pub mod routes;

pub use routes::{router as routes, speaks};
