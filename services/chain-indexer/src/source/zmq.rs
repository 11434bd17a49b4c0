//! A fluxd that announces over ZeroMQ. Only a nudge: announcements get lost, come once for many blocks, and name a step back that
//! never becomes a reorganisation (fluxd `src/zmq/`). What happened is always asked for.

use zeromq::{Socket as _, SocketRecv as _, SubSocket, ZmqError};

/// Topics that say that a look is worth while.
const TOPICS: [&str; 3] = ["hashblock", "rawtx", "chainreorg"];

/// What was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Announcement {
    /// The tip changed.
    Tip,
    /// A transaction entered the mempool, or a block that was connected or disconnected holds it.
    Transaction,
    /// A topic nobody asked for.
    Other,
}

/// A subscription to a daemon's announcements. Reconnects by itself.
pub struct Subscriber(SubSocket);

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber").finish_non_exhaustive()
    }
}

impl Subscriber {
    /// Connects and subscribes. `endpoint` is `tcp://host:port`.
    pub async fn connect(endpoint: &str) -> Result<Self, ZmqError> {
        let mut socket = SubSocket::new();
        socket.connect(endpoint).await?;
        for topic in TOPICS {
            socket.subscribe(topic).await?;
        }
        Ok(Self(socket))
    }

    /// The next announcement. Cancel-safe: at worst one is lost, which only costs time.
    pub async fn next(&mut self) -> Result<Announcement, ZmqError> {
        let message = self.0.recv().await?;
        let topic = message.get(0).map(AsRef::as_ref).unwrap_or_default();
        Ok(match topic {
            b"hashblock" | b"chainreorg" => Announcement::Tip,
            b"rawtx" => Announcement::Transaction,
            _ => Announcement::Other,
        })
    }
}
