//! The outgoing HTTP client: deadlines, bounded bodies, ring.

use std::time::Duration;

use reqwest::{Client, Response, redirect::Policy};

/// Time to connect; a host that takes longer is as good as gone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Makes a client whose requests end after `timeout`. Redirects are not followed: every peer is configured.
pub fn client(timeout: Duration) -> anyhow::Result<Client> {
    crate::tls::install_crypto_provider();
    Ok(Client::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .redirect(Policy::none())
        .tcp_nodelay(true)
        .build()?)
}

/// Why a body was not read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the answer is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is longer, by what it announces or by what arrives, and when it breaks off.
pub async fn body(mut response: Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(BodyError::TooLong { limit });
    }
    let mut body = Vec::with_capacity(announced);
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > limit {
            return Err(BodyError::TooLong { limit });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
