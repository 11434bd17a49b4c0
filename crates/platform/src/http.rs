//! The outgoing HTTP client: deadlines, bounded bodies, ring.

use std::time::Duration;

use reqwest::{Client, redirect::Policy};

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
