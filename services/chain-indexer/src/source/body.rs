//! Reading an answer that may be longer than it should.

use reqwest::Response;

use super::SourceError;

/// Reads a body of at most `limit` bytes.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, SourceError> {
    let announced = response.content_length().unwrap_or(0);
    if usize::try_from(announced).unwrap_or(usize::MAX) > limit {
        return Err(SourceError::TooLong { limit });
    }
    let mut body = Vec::with_capacity(usize::try_from(announced).unwrap_or(0));
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(SourceError::TooLong { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
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
