//! What a FLUX is worth: asked of several sources, agreed on, set by hand, and never guessed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
};
use fluxplane_billing::config::SourceConfig;
use fluxplane_core::{ErrorKind, IdSource as _, error::Reason};
use fluxplane_flux_chain::{
    address::FluxId,
    key::PrivateKey,
    message::{CompactSignature, Magic},
};
use fluxplane_platform::{
    config::{Secret, Span},
    error::Remote,
};
use fluxplane_pricing::native::{FluxUsd, RateStatement as Stated};
use fluxplane_proto::billing::v1::{
    CreateQuoteRequest, GetRateRequest, GetRateResponse, OverrideRateRequest, Quote, Rate,
    RateSourceState as Wire, RateStatement,
};
use fluxplane_testkit::eventually;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    play::{OWNER, spec as web_server},
    support::{LIMIT, Plane, START, caller, stamp},
};

/// Rate sources on the web: what they answer, and how often they were asked.
#[derive(Clone, Default)]
struct Web {
    answers: Arc<Mutex<HashMap<String, (StatusCode, String)>>>,
    asked: Arc<Mutex<HashMap<String, u32>>>,
    serving: Arc<Mutex<JoinSet<()>>>,
}

impl Web {
    async fn serve() -> (Self, String) {
        let web = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/{name}", axum::routing::get(answer));
        let router = router.with_state(web.clone());
        let serving = async move { axum::serve(listener, router).await.unwrap() };
        web.serving.lock().unwrap().spawn(serving);
        (web, url)
    }

    fn says(&self, name: &str, usd: &str) {
        self.answers_with(
            name,
            StatusCode::OK,
            &format!("{{\"flux\":{{\"usd\":{usd}}}}}"),
        );
    }

    fn answers_with(&self, name: &str, status: StatusCode, body: &str) {
        let answer = (status, body.to_owned());
        self.answers.lock().unwrap().insert(name.to_owned(), answer);
    }

    fn asked(&self, name: &str) -> u32 {
        self.asked.lock().unwrap().get(name).copied().unwrap_or(0)
    }
}

async fn answer(State(web): State<Web>, Path(name): Path<String>) -> (StatusCode, String) {
    *web.asked.lock().unwrap().entry(name.clone()).or_default() += 1;
    let answers = web.answers.lock().unwrap();
    answers
        .get(&name)
        .cloned()
        .unwrap_or((StatusCode::NOT_FOUND, String::new()))
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A plane with four live sources of which three must agree; `signer` may set the rate by hand.
async fn plane(url: &str, signer: &str) -> Plane {
    let (url, signer) = (url.to_owned(), signer.to_owned());
    Plane::start_with(move |config| {
        let source = |name: &str| SourceConfig::Http {
            name: name.to_owned(),
            url: Secret::new(format!("{url}/{name}")),
            pointer: "/flux/usd".to_owned(),
            time_pointer: (name == "d").then(|| "/at".to_owned()),
        };
        config.rate.sources = NAMES.map(source).into();
        config.rate.min_sources = 3;
        config.rate.max_answer_bytes = 1_000;
        config.rate.timeout = Span(Duration::from_secs(2));
        config.rate.override_signers.insert(signer.clone());
    })
    .await
}

async fn outlook(plane: &Plane) -> GetRateResponse {
    let answer = plane.gateway().get_rate(GetRateRequest {}).await;
    answer.unwrap().into_inner()
}

/// Waits until every source was asked so often.
async fn all_asked(plane: &Plane, web: &Web, times: u32) -> GetRateResponse {
    eventually(LIMIT, async || {
        let asked = NAMES.map(|name| web.asked(name));
        let known = outlook(plane).await;
        let settled = known
            .sources
            .iter()
            .all(|source| source.at.is_some() || source.problem != "it was not asked yet");
        let done = asked == [times; 4] && settled;
        done.then_some(known).ok_or(asked)
    })
    .await
}

async fn quoted(plane: &Plane, key: &str) -> Result<Quote, Remote> {
    let request = CreateQuoteRequest {
        caller: caller(OWNER),
        idempotency_key: key.to_owned(),
        spec_json: web_server("web").to_string(),
        update_of: String::new(),
    };
    let answer = plane.gateway().create_quote(request).await;
    Ok(answer.map_err(Remote::from)?.into_inner().quote.unwrap())
}

fn states(sources: &[fluxplane_proto::billing::v1::RateSource]) -> Vec<(&str, Wire)> {
    let state = |own: &fluxplane_proto::billing::v1::RateSource| own.state();
    sources
        .iter()
        .map(|own| (own.name.as_str(), state(own)))
        .collect()
}

fn gauge(plane: &Plane, line: &str) -> i64 {
    let text = plane.metrics.encode();
    let value = text
        .lines()
        .find_map(|own| own.strip_prefix(line)?.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("no {line}"))
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_quote_is_pinned_to_the_median_of_the_sources_that_agree() {
    let (web, url) = Web::serve().await;
    web.says("a", "0.0512");
    web.says("b", "\"0.0510\"");
    web.says("c", "5.08e-2");
    web.answers_with(
        "d",
        StatusCode::OK,
        &format!("{{\"flux\":{{\"usd\":0.2}},\"at\":{START}}}"),
    );
    let plane = plane(&url, "nobody").await;
    all_asked(&plane, &web, 1).await;

    let quote = quoted(&plane, "1").await.unwrap();
    let rate = quote.rate.clone().unwrap();
    assert_eq!((rate.micro_usd, quote.rate_micro_usd), (51_000, 51_000));
    assert_eq!(rate.at, stamp(START));
    assert_eq!(rate.source, "median of a, b, c");
    let expected = [
        ("a", Wire::Used),
        ("b", Wire::Used),
        ("c", Wire::Used),
        ("d", Wire::Far),
    ];
    assert_eq!(states(&rate.sources), expected);
    assert!(rate.rate_id > 0 && rate.statement.is_none());
    let words = quote.breakdown.join("\n");
    assert!(
        words.contains("0.051000 USD per FLUX (median of a, b, c)"),
        "{words}"
    );

    // Whoever asks soon after is pinned to the same, and later words change nothing of a quote.
    let same = quoted(&plane, "2").await.unwrap();
    assert_eq!(same.rate, quote.rate);
    web.says("a", "0.0612");
    web.says("b", "0.0610");
    web.says("c", "0.0608");
    plane.pass(60);
    all_asked(&plane, &web, 2).await;
    let later = eventually(LIMIT, async || {
        let quote = quoted(&plane, &fluxplane_core::SystemIds.next().to_string())
            .await
            .unwrap();
        let micros = quote.rate_micro_usd;
        (micros == 61_000).then_some(quote).ok_or(micros)
    })
    .await;
    assert!(later.rate.unwrap().rate_id > rate.rate_id);
    let request = fluxplane_proto::billing::v1::GetQuoteRequest {
        quote_id: quote.quote_id.clone(),
    };
    let again = plane
        .gateway()
        .get_quote(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(again.quote.unwrap(), quote);
}

#[tokio::test]
async fn without_enough_fresh_words_there_is_no_quote_instead_of_a_guess() {
    let (web, url) = Web::serve().await;
    web.says("a", "0.05");
    web.says("b", "0.05");
    web.answers_with("c", StatusCode::INTERNAL_SERVER_ERROR, "{}");
    web.answers_with("d", StatusCode::OK, &"x".repeat(1_001));
    let plane = plane(&url, "nobody").await;
    let known = all_asked(&plane, &web, 1).await;
    assert_eq!(known.rate, None);
    assert!(
        known
            .problem
            .contains("2 sources are fresh, but 3 are needed"),
        "{}",
        known.problem
    );
    assert!(
        known.sources[2].problem.contains("500"),
        "{:?}",
        known.sources[2]
    );
    assert!(
        known.sources[3].problem.contains("longer than 1000 bytes"),
        "{:?}",
        known.sources[3]
    );
    assert_eq!(states(&known.sources)[2], ("c", Wire::Silent));
    let refused = quoted(&plane, "1").await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.reason),
        (ErrorKind::Unavailable, Reason::RateUnavailable)
    );
    assert_eq!(gauge(&plane, "fluxplane_rate_available"), 0);

    // The third answers: there is a rate, also under the key that was refused.
    web.says("c", "0.0501");
    plane.pass(60);
    let quote = eventually(LIMIT, async || quoted(&plane, "1").await).await;
    assert_eq!(quote.rate_micro_usd, 50_000);
    eventually(LIMIT, async || {
        let available = gauge(&plane, "fluxplane_rate_available");
        (available == 1).then_some(()).ok_or(available)
    })
    .await;
    assert_eq!(gauge(&plane, "fluxplane_rate_micro_usd"), 50_000);
    assert_eq!(gauge(&plane, "fluxplane_rate_spread_ppm"), 2_000);
    assert_eq!(gauge(&plane, "fluxplane_rate_sources{state=\"used\"}"), 3);

    // All fall silent: their last words hold for ten minutes and no longer.
    for name in NAMES {
        web.answers_with(name, StatusCode::NOT_FOUND, "");
    }
    plane.pass(599);
    assert!(quoted(&plane, "2").await.is_ok());
    plane.pass(2);
    let refused = quoted(&plane, "3").await.unwrap_err();
    assert_eq!(refused.reason, Reason::RateUnavailable);
}

#[tokio::test]
async fn a_source_that_says_how_old_its_word_is_is_believed() {
    let (web, url) = Web::serve().await;
    for name in ["a", "b"] {
        web.says(name, "0.05");
    }
    let old = START - 601;
    web.answers_with(
        "d",
        StatusCode::OK,
        &format!("{{\"flux\":{{\"usd\":0.05}},\"at\":{old}}}"),
    );
    let plane = plane(&url, "nobody").await;
    let known = all_asked(&plane, &web, 1).await;
    assert_eq!(states(&known.sources)[3], ("d", Wire::Stale));
    assert!(known.rate.is_none());
}

struct Signer(PrivateKey);

impl Signer {
    fn new(n: u8) -> Self {
        Self(PrivateKey::from_bytes(&[n; 32], true).unwrap())
    }

    fn id(&self) -> String {
        FluxId::of_key(&self.0.public_key()).to_string()
    }

    fn states(&self, micro_usd: u32, from: u64, until: u64) -> RateStatement {
        let stated = Stated {
            rate: FluxUsd::new(micro_usd.into(), 100_000_000).unwrap(),
            valid_from: from,
            valid_until: until,
            reason: "exchanges halted".to_owned(),
        };
        let text = stated.text();
        let signature = CompactSignature::sign(&self.0, Magic::BITCOIN, text.as_bytes());
        RateStatement {
            micro_usd: micro_usd.into(),
            valid_from_unix_s: from,
            valid_until_unix_s: until,
            reason: stated.reason,
            signer: self.id(),
            signature: signature.to_base64(),
        }
    }
}

async fn set(plane: &Plane, key: &str, statement: &RateStatement) -> Result<Rate, Remote> {
    let request = OverrideRateRequest {
        caller: caller("an administrator"),
        idempotency_key: key.to_owned(),
        statement: Some(statement.clone()),
    };
    let answer = plane.gateway().override_rate(request).await;
    Ok(answer.map_err(Remote::from)?.into_inner().rate.unwrap())
}

#[tokio::test]
async fn a_signed_statement_goes_before_all_sources_until_it_ends() {
    let (web, url) = Web::serve().await;
    let signer = Signer::new(7);
    let plane = plane(&url, &signer.id()).await;
    all_asked(&plane, &web, 1).await;
    assert!(quoted(&plane, "none").await.is_err());

    let statement = signer.states(80_000, START - 10, START + 3_600);
    let rate = set(&plane, "1", &statement).await.unwrap();
    assert_eq!((rate.micro_usd, rate.at), (80_000, stamp(START - 10)));
    assert_eq!(
        rate.source,
        format!("set by {}: exchanges halted", signer.id())
    );
    assert_eq!(rate.statement.as_ref(), Some(&statement));
    // Repeating the request changes nothing; the same text under another key is an old text.
    assert_eq!(set(&plane, "1", &statement).await.unwrap(), rate);
    let refused = set(&plane, "2", &statement).await.unwrap_err();
    assert_eq!(refused.reason, Reason::MessageUsed);
    let quote = quoted(&plane, "q").await.unwrap();
    assert_eq!(quote.rate.unwrap(), rate);

    // A later statement replaces it, also a shorter one; when that ends, the first does not come back.
    let short = signer.states(90_000, START, START + 60);
    assert_eq!(set(&plane, "3", &short).await.unwrap().micro_usd, 90_000);
    plane.pass(60);
    assert!(quoted(&plane, "after").await.is_err());
}

#[tokio::test]
async fn a_statement_that_is_not_exactly_what_an_authorised_person_signed_does_not_count() {
    let (_web, url) = Web::serve().await;
    let signer = Signer::new(7);
    let plane = plane(&url, &signer.id()).await;
    let good = signer.states(80_000, START, START + 3_600);
    let with = |change: fn(&mut RateStatement)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed
    };
    for (name, statement, reason, field) in [
        (
            "another rate",
            with(|own| own.micro_usd = 80_001),
            Reason::SignatureInvalid,
            "signature",
        ),
        (
            "a longer time",
            with(|own| own.valid_until_unix_s += 1),
            Reason::SignatureInvalid,
            "signature",
        ),
        (
            "another reason",
            with(|own| own.reason = "greed".to_owned()),
            Reason::SignatureInvalid,
            "signature",
        ),
        (
            "somebody else",
            Signer::new(8).states(80_000, START, START + 60),
            Reason::Forbidden,
            "signer",
        ),
        (
            "too long",
            signer.states(80_000, START, START + 86_401),
            Reason::InvalidRequest,
            "valid_until",
        ),
        (
            "over",
            signer.states(80_000, START - 60, START),
            Reason::InvalidRequest,
            "valid_until",
        ),
        (
            "not yet",
            signer.states(80_000, START + 1, START + 60),
            Reason::InvalidRequest,
            "valid_from",
        ),
        (
            "no rate",
            with(|own| own.micro_usd = 0),
            Reason::InvalidRequest,
            "micro_usd",
        ),
        (
            "no reason",
            with(|own| own.reason = String::new()),
            Reason::InvalidRequest,
            "reason",
        ),
    ] {
        let refused = set(&plane, &name.replace(' ', "-"), &statement)
            .await
            .unwrap_err();
        assert_eq!(refused.reason, reason, "{name}: {refused:?}");
        assert_eq!(refused.violations[0].field, field, "{name}");
    }
    assert!(set(&plane, "good", &good).await.is_ok());
}

#[tokio::test]
async fn accepted_rates_and_statements_never_change() {
    let plane = Plane::start().await;
    quoted(&plane, "1").await.unwrap();
    for change in [
        "UPDATE rate SET micro_usd = 1",
        "DELETE FROM rate",
        "DELETE FROM rate_statement",
    ] {
        let refused = sqlx::raw_sql(change).execute(&plane.db.pool).await;
        assert!(
            refused.unwrap_err().to_string().contains("is forbidden"),
            "{change}"
        );
    }
}
