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
    shows("fluxplane_ledger_imbalance_sat{asset=\"FLUX\"} 0\n").await;
    shows("fluxplane_suspense_payments 1\n").await;
    sqlx::raw_sql(
        "ALTER TABLE account DISABLE TRIGGER account_balance_follows_journal;
         UPDATE account SET balance = balance + 1 WHERE kind = 'suspense';
         ALTER TABLE account ENABLE TRIGGER account_balance_follows_journal;",
    )
    .execute(&plane.db.pool)
    .await
    .unwrap();
    shows("fluxplane_ledger_imbalance_sat{asset=\"FLUX\"} 1\n").await;
    shows("fluxplane_ledger_balance_drift 1\n").await;
    shows("fluxplane_task_runs_total{task=\"billing.audit\",outcome=\"failed\"}").await;
}

#[tokio::test]
async fn a_surplus_in_one_currency_does_not_hide_a_loss_in_another() {
    let plane = Plane::start().await;
    sqlx::raw_sql(
        "ALTER TABLE account DISABLE TRIGGER account_balance_follows_journal;
         INSERT INTO account (asset, name, kind, balance)
         VALUES ('FLUX', 'revenue', 'revenue', 7), ('USDC', 'revenue', 'revenue', -7);
         ALTER TABLE account ENABLE TRIGGER account_balance_follows_journal;",
    )
    .execute(&plane.db.pool)
    .await
    .unwrap();
    for line in [
        "fluxplane_ledger_imbalance_sat{asset=\"FLUX\"} 7\n",
        "fluxplane_ledger_imbalance_sat{asset=\"USDC\"} -7\n",
    ] {
        eventually(LIMIT, async || {
            let text = plane.metrics.encode();
            if text.contains(line) {
                Ok(())
            } else {
                Err(text)
            }
        })
        .await;
    }
    let mut conn = plane.db.pool.acquire().await.unwrap();
    let audit = fluxplane_billing::db::ledger::audit(&mut conn).await;
    assert_eq!(audit.unwrap().imbalance, 14);
}
