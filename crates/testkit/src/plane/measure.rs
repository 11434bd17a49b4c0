//! How long a plane takes from a submission to running copies, by the time stamps of its own timeline; and, in [`quotes`],
//! how long it takes to quote.

mod quotes;

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{LocalPlane, demo::App, programs};

pub use quotes::{Quotes, quotes};

/// How long one deployment may take before the measurement is given up.
const LIMIT: Duration = Duration::from_mins(3);

/// One deployment, milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Deployment {
    /// From the accepted submission to nodes for all copies. Includes the payment's way into a block.
    pub submit_to_placed: u64,
    /// From the accepted submission to all copies healthy.
    pub submit_to_running: u64,
    /// From counted money to nodes for all copies: the plane's own part.
    pub funded_to_placed: u64,
    /// From counted money to all copies healthy.
    pub funded_to_running: u64,
}

/// Deploys, measures and cancels applications one after another. `each` hears of every one.
pub fn deployments(
    plane: &LocalPlane,
    count: u32,
    mut each: impl FnMut(u32, &Deployment),
) -> Result<Vec<Deployment>> {
    let customer = plane.ctl.wallet("customer")?;
    plane.chain.faucet(&customer.address, "500")?;
    customer.login()?;
    let app = App::from_template(&customer.id)?;
    plane.engine.provide_image(&app.image, app.container_port)?;
    let key = customer.key_file.display().to_string();
    let mut all = Vec::new();
    for number in 0..count {
        let app = App::from_template(&customer.id)?;
        app.write(&plane.layout)?;
        let file = App::file(&plane.layout);
        let deploy = [
            "deploy",
            "--file",
            &file,
            "--key-file",
            &key,
            "--pay-with",
            &key,
            "--yes",
        ];
        // Coins of the last payment are spendable again with the next block.
        customer.ctl().until(LIMIT, &deploy)?;
        customer
            .ctl()
            .until_json(LIMIT, &["apps", &app.name], |found| {
                anyhow::ensure!(found["state"] == "running", "it is {}", found["state"]);
                Ok(())
            })?;
        let events = customer.ctl().json(&["events", &app.name])?;
        let measured = Deployment::read(&events)?;
        each(number, &measured);
        all.push(measured);
        customer.ctl().json(&["cancel", &app.name, "--yes"])?;
        let instances = ["instances", &app.name];
        customer.ctl().until_json(LIMIT, &instances, |found| {
            let left = found["items"].as_array().map_or(0, Vec::len);
            anyhow::ensure!(left == 0, "{left} copies have not stopped");
            Ok(())
        })?;
    }
    Ok(all)
}

impl Deployment {
    fn read(events: &Value) -> Result<Self> {
        let items = events["items"].as_array().context("no timeline")?;
        let at = |stage: &str, last: bool| -> Result<i64> {
            let mut of_stage = items.iter().filter(|event| event["stage"] == stage);
            let event = if last {
                of_stage.next_back()
            } else {
                of_stage.next()
            };
            let event = event.with_context(|| format!("no stage {stage}"))?;
            millis(&programs::text(event, "/at")?)
        };
        let (accepted, funded) = (at("accepted", false)?, at("funded", false)?);
        let (placed, running) = (at("placed", true)?, at("running", false)?);
        let between = |from: i64, to: i64| u64::try_from(to - from).unwrap_or(0);
        Ok(Self {
            submit_to_placed: between(accepted, placed),
            submit_to_running: between(accepted, running),
            funded_to_placed: between(funded, placed),
            funded_to_running: between(funded, running),
        })
    }
}

/// Milliseconds since 1970 of a time as the API writes it.
fn millis(text: &str) -> Result<i64> {
    let time: chrono::DateTime<chrono::Utc> = text
        .parse()
        .with_context(|| format!("`{text}` is no time"))?;
    Ok(time.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_off_the_timeline() {
        let event = |stage: &str, at: &str| json!({ "stage": stage, "at": at });
        let events = json!({ "items": [
            event("accepted", "2026-01-01T00:00:00.000Z"),
            event("funded", "2026-01-01T00:00:01.500Z"),
            event("placed", "2026-01-01T00:00:01.600Z"),
            event("placed", "2026-01-01T00:00:01.610Z"),
            event("running", "2026-01-01T00:00:03.000Z"),
        ]});
        let read = Deployment::read(&events).unwrap();
        assert_eq!(
            (read.submit_to_placed, read.submit_to_running),
            (1_610, 3_000)
        );
        assert_eq!(
            (read.funded_to_placed, read.funded_to_running),
            (110, 1_500)
        );
    }
}
