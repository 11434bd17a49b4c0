//! Prices for whoever asks, without a quote that binds.

use fluxplane_core::{ErrorKind, error::Reason};
use fluxplane_platform::error::Remote;
use fluxplane_proto::billing::v1::{EstimatePriceRequest, EstimatePriceResponse, FluxDiscount};
use serde_json::Value;

use crate::{
    play::{OWNER, app, fixture, spec},
    support::Plane,
};

impl Plane {
    async fn estimate(
        &self,
        spec: &Value,
        update_of: &str,
        owner: &str,
    ) -> Result<EstimatePriceResponse, Remote> {
        let request = EstimatePriceRequest {
            spec_json: spec.to_string(),
            update_of: update_of.to_owned(),
            owner: owner.to_owned(),
        };
        let answer = self.gateway().estimate_price(request).await;
        answer
            .map(tonic::Response::into_inner)
            .map_err(Remote::from)
    }
}

#[tokio::test]
#[expect(clippy::float_cmp, reason = "both are whole numbers of cents")]
async fn every_specification_is_priced_as_fluxos_prices_it_and_nothing_is_stored() {
    let plane = Plane::start().await;
    let file = fixture("fluxos-app-specs.json");
    let mut seen = 0;
    for entry in file["specs"].as_array().unwrap() {
        let Some(price) = entry.get("price").filter(|price| price.is_object()) else {
            continue;
        };
        let estimate = plane.estimate(&entry["spec"], "", "").await.unwrap();
        let cents = |amount: &Value| (amount.as_f64().unwrap() * 100.0).round();
        let units = |money: i64, per_cent: i64| f64::from(i32::try_from(money / per_cent).unwrap());
        let id = entry["id"].as_str().unwrap();
        let usd = estimate.price_usd.as_ref().unwrap().units;
        assert_eq!(units(usd, 10_000), cents(&price["quote"]["usd"]), "{id}");
        let flux = estimate.price.as_ref().unwrap().units;
        assert!(
            units(flux, 1_000_000) >= cents(&price["quote"]["flux"]),
            "{id}"
        );
        assert_eq!(
            (estimate.discount(), estimate.discount_percent),
            (FluxDiscount::Percent, 5),
            "{id}"
        );
        seen += 1;
    }
    assert!(seen >= 20, "only {seen} were priced");
    let metrics = plane.metrics.encode();
    assert!(metrics.contains("fluxplane_quotes_total 0"), "{metrics}");
}

#[tokio::test]
async fn an_update_is_estimated_with_its_credit_or_as_free() {
    let plane = Plane::start().await;
    let app = app(1);
    let funded = plane.deploy(&app).await;
    assert_eq!(funded.txid.len(), 64, "{}", funded.txid);
    assert!(funded.height > 0);
    assert_eq!(funded.received_sat, funded.amount_sat);
    let same = spec(&app.name);
    let free = plane.estimate(&same, &app.name, OWNER).await.unwrap();
    assert_eq!(free.discount(), FluxDiscount::Free);
    assert_eq!(free.price.unwrap().units, 0);
    let mut larger = same.clone();
    larger["instances"] = 6.into();
    let fresh = plane.estimate(&larger, "", "").await.unwrap();
    let credited = plane.estimate(&larger, &app.name, OWNER).await.unwrap();
    assert!(credited.price.unwrap().units < fresh.price.unwrap().units);
    let strange = plane.estimate(&larger, &app.name, "1SomebodyElse").await;
    assert_eq!(strange.unwrap_err().kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn what_has_no_price_is_refused_by_its_field() {
    let plane = Plane::start().await;
    for wrong in [serde_json::json!({}), serde_json::json!([])] {
        let refused = plane.estimate(&wrong, "", "").await.unwrap_err();
        assert_eq!(refused.reason, Reason::SpecInvalid, "{wrong}");
        assert_eq!(refused.violations[0].field, "spec", "{wrong}");
    }
}
