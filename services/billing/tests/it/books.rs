//! The audit sees every sat that is not where the journal says.

use fluxplane_testkit::eventually;

use crate::{
    play::{app, pay},
    support::{LIMIT, Plane},
};

#[tokio::test]
async fn a_balance_that_does_not_follow_the_journal_raises_the_alarm() {
    let plane = Plane::start().await;
    plane.credit(&pay(1, &app(1).hash(1), &[1_000])).await;
    let shows = async |line: &str| {
        eventually(LIMIT, async || {
            let text = plane.metrics.encode();
            if text.contains(line) {
                Ok(())
            } else {
                Err(text)
            }
        })
        .await;
    };
    shows("fluxplane_ledger_balance_sat{kind=\"suspense\"} 1000\n").await;
    shows("fluxplane_ledger_imbalance_sat 0\n").await;
    shows("fluxplane_suspense_payments 1\n").await;
    sqlx::raw_sql(
        "ALTER TABLE account DISABLE TRIGGER account_balance_follows_journal;
         UPDATE account SET balance = balance + 1 WHERE kind = 'suspense';
         ALTER TABLE account ENABLE TRIGGER account_balance_follows_journal;",
    )
    .execute(&plane.db.pool)
    .await
    .unwrap();
    shows("fluxplane_ledger_imbalance_sat 1\n").await;
    shows("fluxplane_ledger_balance_drift 1\n").await;
    shows("fluxplane_task_runs_total{task=\"billing.audit\",outcome=\"failed\"}").await;
}
