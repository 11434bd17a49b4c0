//! The client: one plane, at most one session. Clones share both.

use std::{sync::Arc, time::Duration};

use fluxplane_core::{Clock, IdSource, SystemClock, SystemIds};
use fluxplane_platform::{
    http::{self, BodyError},
    problem::Problem,
    tls,
};
use reqwest::{Certificate, Response, Url, redirect::Policy};
use serde::de::DeserializeOwned;
use tokio::{sync::Mutex, time::sleep};

use super::{
    Error, Keeper,
    call::{Call, Repeat},
};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest an answer may take as a whole; the gateway gives up after half of it.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Longest silence inside an answer. A stream carries a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);

/// How often a call is made before it counts as failed.
const ATTEMPTS: u32 = 4;

/// Pause after the first failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Longest pause, whatever the plane asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Largest JSON answer; a page of blocks is far smaller.
const MAX_ANSWER_BYTES: usize = 32 << 20;

/// What a client is made of.
#[derive(Debug)]
pub struct Options {
    /// Where the API is, without `/v1`.
    pub server: Url,
    /// An authority to trust besides the system's, PEM.
    pub ca_pem: Option<Vec<u8>>,
    pub keeper: Keeper,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

impl Options {
    /// For a plane at `server`, not signed in; a session that is opened is kept in memory.
    pub fn anonymous(server: Url) -> Self {
        Self {
            server,
            ca_pem: None,
            keeper: Keeper::memory(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
        }
    }
}

/// The REST API of one plane.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: Url,
    http: reqwest::Client,
    keeper: Keeper,
    /// Held while tokens are renewed, so that one refresh token is presented once.
    renewing: Mutex<()>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl Client {
    pub fn new(options: Options) -> Result<Self, Error> {
        tls::install_crypto_provider();
        let mut http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE)
            .redirect(Policy::none())
            .user_agent(concat!("fluxctl/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true);
        if let Some(pem) = &options.ca_pem {
            let bundle = Certificate::from_pem_bundle(pem).map_err(Error::Setup)?;
            http = http.tls_certs_merge(bundle);
        }
        Ok(Self(Arc::new(Inner {
            server: options.server,
            http: http.build().map_err(Error::Setup)?,
            keeper: options.keeper,
            renewing: Mutex::new(()),
            clock: options.clock,
            ids: options.ids,
        })))
    }

    /// Where the API is.
    pub fn server(&self) -> &Url {
        &self.0.server
    }

    pub(super) fn keeper(&self) -> &Keeper {
        &self.0.keeper
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub(super) fn renewing(&self) -> &Mutex<()> {
        &self.0.renewing
    }

    /// A fresh idempotency key.
    pub(super) fn key(&self) -> String {
        self.0.ids.next().to_string()
    }

    /// The server as messages and session files name it.
    pub(super) fn server_name(&self) -> String {
        self.0.server.as_str().trim_end_matches('/').to_owned()
    }

    /// Makes a call and reads its JSON answer.
    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Error> {
        let response = Box::pin(self.send(call)).await?;
        let status = response.status().as_u16();
        let body = self.body(response).await?;
        self.parse(status, &body)
    }

    /// Makes a call whose answer has no content that matters.
    pub(super) async fn empty(&self, call: &Call) -> Result<(), Error> {
        Box::pin(self.send(call)).await.map(|_| ())
    }

    /// Reads JSON that the plane sent.
    pub(super) fn parse<T: DeserializeOwned>(&self, status: u16, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|err| self.foreign(status, err.to_string()))
    }

    pub(super) fn foreign(&self, status: u16, what: impl Into<String>) -> Error {
        let (server, what) = (self.server_name(), what.into());
        Error::Foreign {
            server,
            status,
            what,
        }
    }

    /// Makes a call until it succeeds, fails for good, or failed often enough. Only answers of the 2xx kind are `Ok`.
    pub(super) async fn send(&self, call: &Call) -> Result<Response, Error> {
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            let token = if call.signed_in {
                Some(self.access_token().await?)
            } else {
                None
            };
            let failure = match self.attempt(call, token.as_deref()).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            if let Some(token) = &token
                && failure.is_unauthenticated()
                && !renewed
            {
                // The plane's clock decides, not ours; or the session was ended elsewhere.
                renewed = true;
                self.renew(token).await?;
                continue;
            }
            attempt += 1;
            let again = match call.repeat {
                Repeat::Always => failure.passing(),
                Repeat::Unsent => failure.never_sent(),
            };
            if !again || attempt == ATTEMPTS {
                return Err(failure);
            }
            sleep(self.pause(attempt, failure.retry_after())).await;
        }
    }

    /// Makes a call once.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        token: Option<&str>,
    ) -> Result<Response, Error> {
        let mut request = self
            .0
            .http
            .request(call.method.clone(), call.url(&self.0.server));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &call.body {
            request = request
                .header("content-type", "application/json")
                .body(body.clone());
        }
        if !call.streams {
            request = request.timeout(ANSWER_TIMEOUT);
        }
        let response = request.send().await.map_err(|source| Error::Unreachable {
            server: self.server_name(),
            source,
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = self.body(response).await?;
        match serde_json::from_slice::<Problem>(&body) {
            // The status line counts, should the two differ.
            Ok(problem) => Err(Error::Problem(Box::new(Problem { status, ..problem }))),
            Err(_) => Err(self.foreign(status, format!("{} bytes", body.len()))),
        }
    }

    /// How long to wait before the next attempt, with a random half so that clients do not come back together.
    pub(super) fn pause(&self, attempt: u32, asked: Option<u32>) -> Duration {
        let backoff = FIRST_PAUSE * 2_u32.saturating_pow(attempt.saturating_sub(1));
        let asked = asked.map_or(Duration::ZERO, |seconds| {
            Duration::from_secs(seconds.into())
        });
        let pause = backoff.max(asked).min(LONGEST_PAUSE);
        let [.., random] = *self.0.ids.next().as_bytes();
        pause + pause * u32::from(random) / 512
    }

    async fn body(&self, response: Response) -> Result<Vec<u8>, Error> {
        let status = response.status().as_u16();
        let body = http::body(response, MAX_ANSWER_BYTES).await;
        body.map_err(|err| match err {
            BodyError::TooLong { limit } => {
                self.foreign(status, format!("more than {limit} bytes"))
            }
            BodyError::Broken(source) => Error::Broken {
                server: self.server_name(),
                source,
            },
        })
    }
}
