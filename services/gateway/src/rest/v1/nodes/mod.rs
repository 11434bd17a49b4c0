//! Machines of operators.

pub mod create_join_token;
pub mod get_node;
pub mod list_nodes;
mod node;
pub mod summarize_nodes;

use utoipa_axum::{router::OpenApiRouter, routes};

pub use node::{OutPoint, Tier};

use crate::rest::Gateway;

pub(super) fn routes() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new()
        .routes(routes!(list_nodes::list_nodes))
        .routes(routes!(summarize_nodes::summarize_nodes))
        .routes(routes!(get_node::get_node))
        .routes(routes!(create_join_token::create_join_token))
}
