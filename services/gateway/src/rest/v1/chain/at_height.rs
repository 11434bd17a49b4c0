//! Answers as of an earlier block.

use serde::Deserialize;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HeightQuery {
    /// The block after which the answer holds; the last one when left out.
    #[param(example = 2_996_914)]
    pub height: Option<u32>,
}
