//! Asks a source over HTTP what a FLUX is worth. Its answer is bounded in time and size, and believed in nothing but one number.

use std::time::Duration;

use fluxplane_platform::http::{self, BodyError};
use reqwest::{Client, StatusCode, Url};

use crate::domain::rate::answer::{self, AnswerError};

/// A place on the web that knows the rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSource {
    pub name: String,
    pub url: Url,
    /// JSON pointer to dollars per FLUX.
    pub pointer: String,
    /// JSON pointer to when that was, in seconds or milliseconds since 1970. Without it the rate is of the time of the answer.
    pub time_pointer: Option<String>,
}

/// What a source answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    pub micro_usd: u32,
    /// When it was so, in seconds since 1970, if the source says.
    pub at: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("it did not answer in time")]
    Timeout,
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("its answer is of no use")]
    Answer(#[source] AnswerError),
}

/// Asks sources.
#[derive(Debug, Clone)]
pub struct Asker {
    http: Client,
    max_bytes: usize,
}

impl Asker {
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(timeout: Duration, max_bytes: usize) -> anyhow::Result<Self> {
        let http = http::client(timeout)?;
        Ok(Self { http, max_bytes })
    }

    /// # Errors
    /// When it does not answer, or with nothing of use.
    pub async fn ask(&self, source: &HttpSource) -> Result<Word, AskError> {
        let asking = self.http.get(source.url.clone()).send();
        let response = asking.await.map_err(broken)?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(AskError::Status(status));
        }
        let body = http::body(response, self.max_bytes).await;
        let body = body.map_err(|err| match err {
            BodyError::TooLong { limit } => AskError::TooLong(limit),
            BodyError::Broken(err) => broken(err),
        })?;
        let micro_usd = answer::micro_usd(&body, &source.pointer).map_err(AskError::Answer)?;
        let at = source.time_pointer.as_deref();
        let at = at.map(|pointer| answer::unix_seconds(&body, pointer));
        let at = at.transpose().map_err(AskError::Answer)?;
        Ok(Word { micro_usd, at })
    }
}

fn broken(err: reqwest::Error) -> AskError {
    // The address may carry a key; the configuration names it anyway.
    let err = err.without_url();
    if err.is_timeout() {
        AskError::Timeout
    } else {
        AskError::Unreachable(err)
    }
}
