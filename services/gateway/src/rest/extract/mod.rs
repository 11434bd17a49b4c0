//! What handlers take out of a request. Whatever does not fit is refused with its field, its value, the rule and a remedy.

mod call;
mod explain;
mod json;
mod params;

pub use call::{Call, ClientIp, IdempotencyKey, RequestId, derived_key};
pub use json::{JsonBody, read_body};
pub use params::{PathParams, QueryParams};
