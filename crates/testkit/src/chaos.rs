//! A TCP proxy between a client and a server that can cut, refuse and stall their connections.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Result;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// How the link behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Up,
    /// Connections are closed and new ones refused after accepting.
    Cut,
    /// Connections stay open and nothing passes.
    Stalled,
}

/// Listens on a free port and forwards to a server. Stops on drop.
#[derive(Debug)]
pub struct ChaosProxy {
    pub address: SocketAddr,
    link: Arc<watch::Sender<Link>>,
    _stop: DropGuard,
}

impl ChaosProxy {
    pub async fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let link = Arc::new(watch::Sender::new(Link::Up));
        let stop = CancellationToken::new();
        let (states, stopped) = (Arc::clone(&link), stop.clone());
        #[expect(clippy::disallowed_methods, reason = "ends with the drop guard")]
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = listener.accept() => {
                        if let Ok((client, _)) = accepted {
                            connections.spawn(forward(client, upstream, states.subscribe()));
                        }
                    }
                }
            }
        });
        Ok(Self {
            address,
            link,
            _stop: stop.drop_guard(),
        })
    }

    /// Changes the link for existing and new connections.
    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

async fn forward(mut client: TcpStream, upstream: SocketAddr, mut link: watch::Receiver<Link>) {
    if *link.borrow() == Link::Cut {
        return;
    }
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        return;
    };
    loop {
        let state = *link.borrow_and_update();
        match state {
            Link::Cut => return,
            Link::Stalled => {
                if link.changed().await.is_err() {
                    return;
                }
            }
            Link::Up => {
                tokio::select! {
                    // Bytes in the copy's own buffer are lost when a stall begins in the middle of a write; a peer sees
                    // that as the broken link it stands for.
                    _ = copy_bidirectional(&mut client, &mut server) => return,
                    changed = link.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}
