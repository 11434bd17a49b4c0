//! How long a quote takes over REST: from the first byte of the request to the last of the answer.
//!
//! A quote judges the specification, prices it, asks the scheduler for a preview, keeps name and room, and is stored: five
//! round trips to Postgres that write, over three services. Reading a quote goes the same way without the work, so it is
//! what the rest can be compared with.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use super::super::{LocalPlane, ctl::Wallet, demo::App, programs};

/// Pause between the beginnings of two requests: below the gateway's limit for one address (50 a second).
const BEAT: Duration = Duration::from_millis(25);

/// Names that are quoted in turn; the scheduler keeps at most 20 for an owner.
const NAMES: u32 = 10;

/// Longest an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What requests took, in microseconds, in the order they were made.
#[derive(Debug, Clone, Default)]
pub struct Quotes {
    /// `POST /v1/quotes`.
    pub made: Vec<u64>,
    /// `GET /v1/quotes/{id}`.
    pub read: Vec<u64>,
}

/// Asks for `count` quotes, one after another, and reads each.
pub async fn quotes(plane: &LocalPlane, count: u32) -> Result<Quotes> {
    let wallet = plane.ctl.wallet("quotes")?;
    let gateway = Gateway::sign_in(plane, &wallet).await?;
    let bodies = (0..NAMES).map(|number| {
        let app = App::named(&wallet.id, &format!("Quoted{number}"))?;
        Ok(json!({ "spec": app.spec() }))
    });
    let bodies = bodies.collect::<Result<Vec<_>>>()?;
    let mut beat = tokio::time::interval(BEAT);
    let mut quotes = Quotes::default();
    for (number, body) in (0..count).zip(bodies.iter().cycle()) {
        beat.tick().await;
        let (quote, took) = gateway.quote(number, body).await?;
        quotes.made.push(took);
        beat.tick().await;
        let id = programs::text(&quote, "/quote_id")?;
        quotes.read.push(gateway.read(&id).await?);
    }
    Ok(quotes)
}

/// The gateway's REST, signed in.
struct Gateway {
    client: Client,
    url: String,
    token: String,
}

impl Gateway {
    async fn sign_in(plane: &LocalPlane, wallet: &Wallet) -> Result<Self> {
        // The client wants one, also for plain HTTP; another part of the process may have installed it.
        rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let mut gateway = Self {
            client: Client::builder()
                .timeout(TIMEOUT)
                .tcp_nodelay(true)
                .build()?,
            url: plane.addresses.http("gateway"),
            token: String::new(),
        };
        let address = json!({ "address": wallet.id });
        let challenge = gateway.post("/v1/auth/challenges", "", &address).await?;
        let challenge = answer(challenge, StatusCode::CREATED).await?;
        let phrase = programs::text(&challenge, "/phrase")?;
        let key = wallet.key_file.display().to_string();
        let sign = ["wallet", "sign", "--key-file", &key, &phrase];
        let signed = wallet.ctl().json(&sign)?;
        let session = json!({
            "address": wallet.id,
            "phrase": phrase,
            "signature": programs::text(&signed, "/signature")?,
        });
        let session = gateway.post("/v1/auth/sessions", "", &session).await?;
        let session = answer(session, StatusCode::CREATED).await?;
        gateway.token = programs::text(&session, "/access_token")?;
        Ok(gateway)
    }

    async fn quote(&self, number: u32, body: &Value) -> Result<(Value, u64)> {
        let started = Instant::now();
        let key = format!("measured-quote-{number}");
        let made = self.post("/v1/quotes", &key, body).await?;
        let made = answer(made, StatusCode::CREATED).await?;
        Ok((made, micros(started)))
    }

    async fn read(&self, id: &str) -> Result<u64> {
        let started = Instant::now();
        let url = format!("{}/v1/quotes/{id}", self.url);
        let asked = self.client.get(url).bearer_auth(&self.token);
        answer(asked.send().await?, StatusCode::OK).await?;
        Ok(micros(started))
    }

    async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Response> {
        let mut asked = self.client.post(format!("{}{path}", self.url)).json(body);
        if !key.is_empty() {
            asked = asked
                .header("idempotency-key", key)
                .bearer_auth(&self.token);
        }
        Ok(asked.send().await?)
    }
}

/// The body of an answer that must have this status.
async fn answer(response: Response, wanted: StatusCode) -> Result<Value> {
    let status = response.status();
    let text = response.text().await?;
    ensure!(status == wanted, "{status}: {text}");
    serde_json::from_str(&text).with_context(|| format!("not JSON: {text}"))
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}
