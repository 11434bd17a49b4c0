//! Forgets callers who have not called for a while, so that the rate limiter's memory follows its use.

use fluxplane_platform::reconciler::{Progress, Reconciler};

use crate::rest::limits::Limits;

#[derive(Debug)]
pub struct ForgetBuckets {
    pub limits: Limits,
}

impl Reconciler for ForgetBuckets {
    const NAME: &'static str = "gateway.forget_buckets";

    async fn reconcile(&mut self) -> anyhow::Result<Progress> {
        let kept = self.limits.forget_idle();
        Ok(Progress::done(format!("{kept} callers in memory")))
    }
}
