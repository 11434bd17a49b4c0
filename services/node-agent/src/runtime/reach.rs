//! Whether a published port answers, to a connection or to a question.

use std::{fmt, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

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

/// Asks with GET. An answer from 200 to 399 is good; nothing behind the status line is read.
pub(super) async fn http(
    address: SocketAddr,
    path: &str,
    limit: Duration,
) -> Result<(), Unreachable> {
    let fail = |cause: String| Unreachable { address, cause };
    let status = match tokio::time::timeout(limit, status_of(address, path)).await {
        Ok(Ok(line)) => line,
        Ok(Err(err)) => return Err(fail(words(&err))),
        Err(_) => return Err(fail(format!("no answer within {} ms", limit.as_millis()))),
    };
    let code = status
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse::<u16>().ok());
    match code {
        Some(200..=399) => Ok(()),
        Some(code) => Err(fail(format!("answers {path} with status {code}"))),
        None => Err(fail("does not speak HTTP".to_owned())),
    }
}

/// The first line of the answer.
async fn status_of(address: SocketAddr, path: &str) -> io::Result<String> {
    /// Longer than any status line that counts.
    const LONGEST: u64 = 256;
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: fluxplane-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut line = String::new();
    let mut reader = BufReader::new(stream).take(LONGEST);
    reader.read_line(&mut line).await?;
    Ok(line)
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
    use tokio::{net::TcpListener, task::JoinSet};

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
    async fn an_answer_is_judged_by_its_status() {
        for (answer, good) in [
            ("HTTP/1.1 200 OK\r\n\r\n", true),
            ("HTTP/1.0 302 Found\r\nLocation: /\r\n\r\n", true),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", false),
            ("HTTP/1.1 404\r\n", false),
            ("220 hello\r\n", false),
            ("", false),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let mut server = JoinSet::new();
            server.spawn(async move {
                let (stream, _) = listener.accept().await.unwrap();
                let mut reader = BufReader::new(stream);
                let mut line = String::new();
                reader.read_line(&mut line).await.unwrap();
                assert_eq!(line, "GET /live HTTP/1.1\r\n");
                while line != "\r\n" {
                    line.clear();
                    reader.read_line(&mut line).await.unwrap();
                }
                reader.get_mut().write_all(answer.as_bytes()).await.unwrap();
            });
            let said = http(address, "/live", PATIENCE).await;
            assert_eq!(said.is_ok(), good, "{answer:?}: {said:?}");
        }
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
