//! Anybody asks what a specification would cost.

use fluxplane_core::error::Violation;
use fluxplane_pricing::native::copies;

use super::{
    Context, Error,
    create_quote::{Predecessor, current_height, no_price, predecessor},
    rates,
};
use crate::{
    db,
    domain::{
        quote::{Estimate, estimate, native},
        spec::{self, Spec},
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
    let before = if question.update_of.is_empty() {
        None
    } else {
        let app = db::apps::running(&mut conn, &question.update_of, &question.owner).await?;
        let app = app.ok_or_else(|| {
            let rule = "it must be an application of this owner that runs";
            let remedy = "leave it out for a new application";
            let violation = Violation::new("update_of", &question.update_of, rule, remedy);
            Error::Invalid(vec![violation])
        })?;
        Some(predecessor(&mut conn, &app, &spec, ctx.now_s()).await?)
    };
    let rate = rates::now(&mut conn, ctx).await?;
    match &spec {
        Spec::FluxOs(spec) => {
            let running = before.as_ref().and_then(Predecessor::fluxos);
            estimate(spec, height, &rate, running).map_err(|err| no_price(&err))
        }
        Spec::Native(spec) => {
            let epoch = db::epochs::newest(&mut conn).await?.unwrap_or(0);
            let question = native::Question {
                spec,
                instances: copies(spec).1,
                table: ctx.rules.tables.at(epoch),
                rate: &rate,
                unused: before.as_ref().and_then(Predecessor::unused),
            };
            native::estimate(&question).map_err(|violation| Error::Spec(vec![violation]))
        }
    }
}
