//! Anybody asks what a specification would cost.

use fluxplane_core::error::Violation;

use super::{
    Context, Error,
    create_quote::{current_height, no_price, running_revision},
    rates,
};
use crate::{
    db,
    domain::{
        quote::{Estimate, estimate},
        spec,
    },
};

#[derive(Debug)]
pub struct EstimatePrice {
    pub spec_json: String,
    /// Name of the running application; empty for a registration.
    pub update_of: String,
    /// Who owns it.
    pub owner: String,
}

/// Prices a specification and stores nothing.
pub async fn estimate_price(ctx: &Context, question: EstimatePrice) -> Result<Estimate, Error> {
    let mut conn = ctx.pool.acquire().await?;
    let height = current_height(&mut conn, ctx)
        .await?
        .ok_or(Error::HeightUnknown)?;
    let spec = spec::read_unjudged(&question.spec_json).map_err(Error::Spec)?;
    let running = if question.update_of.is_empty() {
        None
    } else {
        let app = db::apps::running(&mut conn, &question.update_of, &question.owner).await?;
        let app = app.ok_or_else(|| {
            let rule = "it must be an application of this owner that runs";
            let remedy = "leave it out for a new application";
            let violation = Violation::new("update_of", &question.update_of, rule, remedy);
            Error::Invalid(vec![violation])
        })?;
        Some(running_revision(&mut conn, &app).await?)
    };
    let rate = rates::now(&mut conn, ctx).await?;
    estimate(&spec, height, &rate, running.as_ref()).map_err(|err| no_price(&err))
}
