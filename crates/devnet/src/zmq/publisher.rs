//! Sends messages through a PUB socket.

use std::net::{SocketAddr, TcpListener};

use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;
use zeromq::{PubSocket, Socket as _, SocketSend as _, ZmqError, ZmqMessage};

use crate::zmq::Message;

/// Why messages cannot be published.
#[derive(Debug, thiserror::Error)]
pub enum PublisherError {
    #[error("cannot listen for ZMQ subscribers on {address}; choose a free port with --zmq-bind")]
    Bind {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("the ZMQ socket does not take the listener on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: ZmqError,
    },
}

/// Listens for subscribers and tells the address, which has a real port even when port 0 was asked for.
pub(crate) async fn bind(address: SocketAddr) -> Result<(PubSocket, SocketAddr), PublisherError> {
    let refused = |source| PublisherError::Bind { address, source };
    let listener = TcpListener::bind(address).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let mut socket = PubSocket::new();
    socket
        .bind_listener(listener)
        .await
        .map_err(|source| PublisherError::Listen { address, source })?;
    Ok((socket, bound))
}

/// Forwards messages until it is told to stop.
pub(crate) async fn publish(
    mut socket: PubSocket,
    mut messages: Receiver<Message>,
    stop: CancellationToken,
) {
    loop {
        let received = tokio::select! {
            received = messages.recv() => received,
            () = stop.cancelled() => return,
        };
        match received {
            Ok(message) => {
                if let Err(error) = socket.send(frames(&message)).await {
                    tracing::warn!(topic = message.topic.name(), %error, "publish");
                }
            }
            Err(RecvError::Lagged(lost)) => {
                tracing::warn!(
                    lost,
                    "messages are lost; subscribers see a gap in the counters"
                );
            }
            Err(RecvError::Closed) => return,
        }
    }
}

fn frames(message: &Message) -> ZmqMessage {
    let mut frames = ZmqMessage::from(message.topic.name());
    frames.push_back(message.body.to_vec().into());
    frames.push_back(message.sequence.to_le_bytes().to_vec().into());
    frames
}
