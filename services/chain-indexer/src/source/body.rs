//! Reading an answer that may be longer than it should.

use fluxplane_platform::http::{self, BodyError};
use reqwest::Response;

use super::SourceError;

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(response: Response, limit: usize) -> Result<Vec<u8>, SourceError> {
    http::body(response, limit).await.map_err(|err| match err {
        BodyError::TooLong { limit } => SourceError::TooLong { limit },
        BodyError::Broken(err) => failed(err),
    })
}

/// A request or an answer that broke off.
pub(super) fn failed(err: reqwest::Error) -> SourceError {
    // The address may carry credentials; the configuration names it anyway.
    let err = err.without_url();
    if err.is_timeout() {
        SourceError::Timeout(err)
    } else {
        SourceError::Unreachable(err)
    }
}
