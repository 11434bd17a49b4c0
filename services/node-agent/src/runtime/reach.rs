//! Whether a published TCP port answers.

use std::{fmt, io, net::SocketAddr, time::Duration};

use tokio::{io::AsyncReadExt as _, net::TcpStream};

/// Why a port does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreachable {
    pub address: SocketAddr,
    pub cause: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "port {} of {}: {}",
            self.address.port(),
            self.address.ip(),
            self.cause
        )
    }
}

/// How long a fresh connection is watched. Docker's port proxy accepts for a container that does not listen and closes
/// right after, when it could not connect to it.
const WATCHED: Duration = Duration::from_millis(100);

/// Connects, and makes sure that the connection is not closed at once.
pub(super) async fn tcp(address: SocketAddr, limit: Duration) -> Result<(), Unreachable> {
    watched(address, limit, WATCHED).await
}

async fn watched(address: SocketAddr, limit: Duration, watch: Duration) -> Result<(), Unreachable> {
    let fail = |cause: String| Unreachable { address, cause };
    let mut stream = match tokio::time::timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(err)) => return Err(fail(words(&err))),
        Err(_) => return Err(fail(format!("no answer within {} ms", limit.as_millis()))),
    };
    let mut byte = [0];
    match tokio::time::timeout(watch, stream.read(&mut byte)).await {
        Ok(Ok(0)) => Err(fail(
            "accepts connections and closes them at once".to_owned(),
        )),
        Ok(Err(err)) => Err(fail(words(&err))),
        // It waits for us to speak, or it greeted us.
        Err(_) | Ok(Ok(_)) => Ok(()),
    }
}

fn words(err: &io::Error) -> String {
    match err.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens".to_owned(),
        io::ErrorKind::ConnectionReset => "resets connections".to_owned(),
        _ => err.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use fluxplane_testkit::{PATIENCE, free_address};
    use tokio::{io::AsyncWriteExt as _, net::TcpListener, task::JoinSet};

    use super::*;

    #[tokio::test]
    async fn a_listener_that_waits_or_greets_answers() {
        for greeting in [&b""[..], b"220 hello\r\n"] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut server = JoinSet::new();
            server.spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(greeting).await.unwrap();
                assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
            });
            assert_eq!(tcp(address, PATIENCE).await, Ok(()));
        }
    }

    #[tokio::test]
    async fn a_proxy_that_closes_at_once_does_not_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = JoinSet::new();
        server.spawn(async move { drop(listener.accept().await.unwrap()) });
        let err = watched(address, PATIENCE, PATIENCE).await.unwrap_err();
        assert!(err.to_string().contains("closes them at once"), "{err}");
    }

    #[tokio::test]
    async fn a_port_without_a_listener_is_named() {
        let address = free_address();
        let err = tcp(address, PATIENCE).await.unwrap_err();
        assert_eq!(
            err.to_string(),
            format!("port {} of 127.0.0.1: nothing listens", address.port())
        );
    }
}
