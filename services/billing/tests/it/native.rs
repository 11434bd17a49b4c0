//! Specifications `fluxplane/v1`: their own price list, their own terms, credit for what is not used.

use fluxplane_core::error::Reason;
use fluxplane_platform::error::Remote;
use fluxplane_proto::{
    billing::v1::{
        CreateQuoteRequest, EstimatePriceRequest, FluxDiscount, PriceLine, Quote, RevisionFunded,
    },
    scheduler::v1::{AppEnded, AppState, Funding},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    play::{App, OWNER, app, pay, spec as fluxos_spec},
    support::{Plane, caller, stamp},
};

/// Signs specifications of these tests; only its form is looked at.
const SIGNER: &str = "1CbErtneaX2QVyUfwU7JGB7VzvPgrgc3uC";

/// The standard component of the price list's examples: one thread, 2,000 MiB, 20 GiB. Three copies.
fn spec(name: &str) -> Value {
    json!({
        "schema": "fluxplane/v1",
        "name": name,
        "owner": SIGNER,
        "components": {
            "web": {
                "image": "nginx:1.27", "cpu": "1core", "memory": "2000Mi", "disk": "20Gi",
                "env": { "PASSWORD": "marker" },
            },
        },
        "instances": 3,
    })
}

/// 30 days.
const MONTH: u64 = 2_592_000;

/// What [`spec`] costs at 0.10 USD per FLUX: 2.277816 USD, 5 per cent less in FLUX.
const MICRO_USD: i64 = 2_277_816;
const PRICE: i64 = 2_163_925_200;

fn sums(lines: &[PriceLine]) -> (i64, i64) {
    lines.iter().fold((0, 0), |(usd, sat), line| {
        (
            usd + line.usd.as_ref().unwrap().units,
            sat + line.flux.as_ref().unwrap().units,
        )
    })
}

fn price(quote: &Quote) -> i64 {
    quote.price.as_ref().unwrap().units
}

async fn refused(plane: &Plane, spec: &Value, update_of: &str) -> (Reason, Vec<String>) {
    let request = CreateQuoteRequest {
        caller: caller(OWNER),
        idempotency_key: fluxplane_core::IdSource::next(&fluxplane_core::SystemIds).to_string(),
        spec_json: spec.to_string(),
        update_of: update_of.to_owned(),
    };
    let answer = plane.gateway().create_quote(request).await;
    let remote = Remote::from(answer.unwrap_err());
    let fields = remote.violations.into_iter().map(|one| one.field);
    (remote.reason, fields.collect())
}

/// Quotes, submits and pays a revision.
async fn fund(plane: &Plane, app: &App, number: u32, spec: &Value, update_of: &str) -> Quote {
    let quote = plane.quote_for(OWNER, spec, update_of).await;
    let submitted = app.submitted(plane, number, &quote, Funding::ChainPayment);
    plane.tell(&submitted).await;
    if price(&quote) > 0 {
        let payment = pay(
            app.number * 10 + u128::from(number),
            &app.hash(number),
            &[price(&quote)],
        );
        plane.credit(&payment).await;
    }
    let wanted = app.revision(number).to_string();
    plane
        .hear(|funded: &RevisionFunded| funded.revision_id == wanted)
        .await;
    quote
}

#[tokio::test]
async fn a_quote_is_made_by_the_plane_s_own_list_and_says_nothing_of_fluxos() {
    let plane = Plane::start().await;
    let quote = plane.quote_for(OWNER, &spec("shop"), "").await;
    assert_eq!(price(&quote), PRICE);
    assert_eq!(quote.price_usd.as_ref().unwrap().units, MICRO_USD);
    assert_eq!(sums(&quote.lines), (MICRO_USD, PRICE));
    assert_eq!(quote.lines.len(), 3);
    assert!(
        quote.lines[0].item.starts_with("web: "),
        "{:?}",
        quote.lines
    );
    assert_eq!((quote.instances, quote.term_seconds), (3, MONTH));
    assert_eq!(
        (quote.term_blocks, quote.network_minimum.clone()),
        (None, None)
    );
    assert!(
        quote.price_table.contains("version 1"),
        "{}",
        quote.price_table
    );
    let words = quote.breakdown.join("\n");
    for part in [
        "30 days",
        "Pay as you go",
        "0.100000 USD per FLUX",
        "5 %",
        "sat each",
    ] {
        assert!(words.contains(part), "{part} is not in:\n{words}");
    }
    let canonical = fluxplane_app_spec::native::parse(spec("shop").to_string().as_bytes()).unwrap();
    let sha256 = hex::encode(Sha256::digest(canonical.canonical()));
    assert_eq!(quote.spec_sha256, sha256);
    assert_eq!(
        plane.scheduler.asked("shop"),
        (1, 1),
        "previewed, and its name kept"
    );
}

#[tokio::test]
async fn a_term_costs_less_by_the_day_and_a_ceiling_below_the_price_is_refused() {
    let plane = Plane::start().await;
    let mut year = spec("shop");
    year["billing"] = json!({ "mode": "term", "term": "365d" });
    let quote = plane.quote_for(OWNER, &year, "").await;
    // docs/PRICING.md, the examples.
    assert_eq!(quote.price_usd.as_ref().unwrap().units, 24_695_324);
    assert_eq!(sums(&quote.lines), (24_695_324, price(&quote)));
    assert_eq!(quote.term_seconds, 365 * 86_400);
    year["placement"] = json!({ "maxPrice": "0.75USD" });
    let refused = refused(&plane, &year, "").await;
    let expected = (
        Reason::SpecInvalid,
        vec!["spec.placement.maxPrice".to_owned()],
    );
    assert_eq!(refused, expected);
}

#[tokio::test]
async fn what_is_wrong_and_what_is_not_served_is_named_and_not_priced() {
    let plane = Plane::start().await;
    for (change, field) in [
        (json!({ "instances": 0 }), "spec.instances"),
        (
            json!({ "notifications": [{ "email": "a@example.org" }] }),
            "spec.notifications[0]",
        ),
        (json!({ "instance": 3 }), "spec.instance"),
    ] {
        let mut wrong = spec("shop");
        for (key, value) in change.as_object().unwrap() {
            wrong[key] = value.clone();
        }
        let (reason, fields) = refused(&plane, &wrong, "").await;
        assert_eq!(
            (reason, fields.contains(&field.to_owned())),
            (Reason::SpecInvalid, true),
            "{fields:?}"
        );
    }
}

#[tokio::test]
async fn an_estimate_is_the_quote_without_the_promise() {
    let plane = Plane::start().await;
    let request = EstimatePriceRequest {
        spec_json: spec("shop").to_string(),
        ..EstimatePriceRequest::default()
    };
    let estimate = plane.gateway().estimate_price(request).await.unwrap();
    let estimate = estimate.into_inner();
    assert_eq!(estimate.price.as_ref().unwrap().units, PRICE);
    let discount = (estimate.discount(), estimate.discount_percent);
    assert_eq!(discount, (FluxDiscount::Percent, 5));
}

#[tokio::test]
async fn pay_as_you_go_returns_what_was_not_used_when_it_ends() {
    let plane = Plane::start().await;
    let app = app(1);
    fund(&plane, &app, 1, &spec(&app.name), "").await;
    assert_eq!(plane.money(OWNER).await, (0, PRICE, 0));
    plane.pass(MONTH / 10);
    plane
        .tell(&AppEnded {
            app_id: app.id().to_string(),
            state: AppState::Cancelled.into(),
            ended_at: stamp(plane.now()),
        })
        .await;
    // Nine tenths return at once; the tenth that could still be evidenced when its epoch is settled.
    let (available, held, _) = plane.money(OWNER).await;
    assert_eq!((available, held), (PRICE - PRICE / 10, PRICE / 10));
    plane.pass(10);
    plane.close_epoch().await;
    assert_eq!(plane.money(OWNER).await, (PRICE, 0, 0));
    plane.assert_books_balance().await;
}

#[tokio::test]
async fn an_update_is_credited_with_the_running_term_and_then_costs_what_a_fresh_one_would() {
    let plane = Plane::start().await;
    let app = app(1);
    fund(&plane, &app, 1, &spec(&app.name), "").await;
    plane.pass(MONTH / 3);
    let mut larger = spec(&app.name);
    larger["instances"] = json!(6);
    let quote = fund(&plane, &app, 2, &larger, &app.name).await;
    // The quote counts what is left when it expires, 15 minutes later.
    let left = i64::try_from(MONTH - MONTH / 3 - 900).unwrap();
    let charged = PRICE - PRICE * left / i64::try_from(MONTH).unwrap();
    let credit = PRICE - charged;
    assert!(
        (price(&quote) - (2 * PRICE - credit)).abs() <= 1,
        "{quote:?}"
    );
    assert_eq!(sums(&quote.lines).1, price(&quote));
    assert_eq!(
        sums(&quote.lines).0,
        quote.price_usd.as_ref().unwrap().units
    );
    let last = quote.lines.last().unwrap();
    assert_eq!(last.item, "what is left of the running term");

    let total = sqlx::query_scalar!(
        "SELECT total_sat FROM term WHERE revision_id = $1",
        app.revision(2)
    );
    let total = total.fetch_one(&plane.db.pool).await.unwrap();
    assert_eq!(
        total,
        2 * PRICE,
        "the new term is worth what a fresh one costs"
    );
    // What the quote did not count yet came back at once.
    let (available, _, _) = plane.money(OWNER).await;
    let cut = PRICE - PRICE / 3 - credit;
    assert!((available - cut).abs() <= 2, "{available} {cut}");
    plane.assert_books_balance().await;

    let smaller = json!({ "instances": 1 });
    let mut less = spec(&app.name);
    less["instances"] = smaller["instances"].clone();
    let free = plane.quote_for(OWNER, &less, &app.name).await;
    assert_eq!(price(&free), 0);
    assert_eq!(sums(&free.lines), (0, 0));
}

#[tokio::test]
async fn an_update_keeps_the_kind_of_specification() {
    let plane = Plane::start().await;
    let (native, fluxos) = (app(1), app(2));
    fund(&plane, &native, 1, &spec(&native.name), "").await;
    plane.deploy(&fluxos).await;
    let expected = (Reason::SpecInvalid, vec!["spec".to_owned()]);
    let to_fluxos = refused(&plane, &fluxos_spec(&native.name), &native.name).await;
    assert_eq!(to_fluxos, expected);
    let to_native = refused(&plane, &spec(&fluxos.name), &fluxos.name).await;
    assert_eq!(to_native, expected);
}
