//! Any service may be killed at any part of an application's life, and it still ends right.

use anyhow::Result;
use fluxplane_testkit::plane::LocalPlane;

use super::support::TestPlane;

/// Runs the demonstration and sends SIGKILL to a service before each of its parts.
async fn the_demonstration_survives_losing(service: &'static str) {
    let Some(mut test) = TestPlane::start("").await.unwrap() else {
        return;
    };
    let mut killed = 0;
    let mut kill = |_, plane: &LocalPlane| -> Result<()> {
        // Killed again while it comes up would be another test; here it must have come up in between.
        plane.wait_until_ready()?;
        plane.kill_service(service)?;
        killed += 1;
        Ok(())
    };
    let shown = test.demo(&mut kill).await.unwrap();
    assert!(shown.verdict.ends_with("verified"), "{shown:?}");
    assert_eq!(killed, 6, "before each part");
    assert_eq!(
        test.plane.starts(service),
        1 + killed,
        "started again each time"
    );
    test.plane.stop().await.unwrap();
}

macro_rules! services {
    ($($test:ident: $service:literal,)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $test() {
            the_demonstration_survives_losing($service).await;
        }
    )*};
}

services! {
    chain_indexer: "chain-indexer",
    node_registry: "node-registry",
    scheduler: "scheduler",
    billing: "billing",
    validator: "validator",
    gateway: "gateway",
}
