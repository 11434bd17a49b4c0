//! A running development chain: the daemon behind its JSON-RPC and ZMQ addresses, and the clock that makes blocks.

use std::{
    net::SocketAddr,
    sync::{Arc, RwLock},
    time::Duration,
};

use fluxplane_core::Clock;
use tokio::{
    net::TcpListener,
    sync::watch,
    task,
    time::{MissedTickBehavior, interval_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    daemon::{Daemon, DevnetError, INTACT, Schedule, Source},
    handle::ChainHandle,
    options::{Credentials, Options},
    replay::Recording,
    rpc::{Server, serve},
    zmq::{PublisherError, bind, publish},
};

/// Why a chain cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Chain(#[from] DevnetError),
    #[error("cannot listen for JSON-RPC on {address}; choose a free port with --rpc-bind")]
    Rpc {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Zmq(#[from] PublisherError),
    #[error("preparing the chain panicked")]
    Panic(#[from] task::JoinError),
}

/// Where and how a chain is served.
#[derive(Debug, Clone)]
struct Endpoints {
    rpc: SocketAddr,
    zmq: Option<SocketAddr>,
    credentials: Credentials,
}

/// A chain that is being served. Dropping it stops everything at once; [`shutdown`](Self::shutdown) stops cleanly.
#[derive(Debug)]
pub struct Devnet {
    daemon: Arc<RwLock<Daemon>>,
    rpc: SocketAddr,
    zmq: Option<SocketAddr>,
    credentials: Credentials,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Devnet {
    /// Begins or resumes a chain and serves it. Returns when it can be called.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options {
            rules,
            data,
            rpc,
            zmq,
            credentials,
            block_interval,
            clock,
        } = options;
        let schedule = Schedule {
            interval: block_interval,
            on: true,
        };
        // Replaying a folder and making the first blocks takes longer than the runtime may be held up.
        let begun =
            task::spawn_blocking(move || Daemon::grown(rules, data.as_deref(), clock, schedule));
        let daemon = begun.await??;
        let endpoints = Endpoints {
            rpc,
            zmq,
            credentials,
        };
        Self::serve(daemon, endpoints).await
    }

    /// Serves a recorded chain, one block of it at a time. A pace of zero shows blocks on demand only (`devnet_step`).
    pub async fn replay(
        recording: Recording,
        pace: Duration,
        rpc: SocketAddr,
        zmq: Option<SocketAddr>,
        credentials: Credentials,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let schedule = Schedule {
            interval: pace,
            on: true,
        };
        let daemon = Daemon::recorded(recording, clock, schedule);
        let endpoints = Endpoints {
            rpc,
            zmq,
            credentials,
        };
        Self::serve(daemon, endpoints).await
    }

    async fn serve(daemon: Daemon, endpoints: Endpoints) -> Result<Self, StartError> {
        let Endpoints {
            rpc,
            zmq,
            credentials,
        } = endpoints;
        let refused = |source| StartError::Rpc {
            address: rpc,
            source,
        };
        let listener = TcpListener::bind(rpc).await.map_err(refused)?;
        let rpc = listener.local_addr().map_err(refused)?;
        let stop = daemon.controls.stop.clone();
        let schedule = daemon.controls.schedule.subscribe();
        let messages = daemon.notifier.subscribe();
        let daemon = Arc::new(RwLock::new(daemon));
        let tasks = TaskTracker::new();
        let zmq = match zmq {
            None => None,
            Some(address) => {
                let (socket, address) = bind(address).await?;
                tasks.spawn(publish(socket, messages, stop.clone()));
                Some(address)
            }
        };
        let server = Server::new(Arc::clone(&daemon), &credentials);
        tasks.spawn({
            let stop = stop.clone();
            async move {
                if let Err(error) = serve(server, listener, stop.clone()).await {
                    tracing::error!(%error, "JSON-RPC ended");
                    stop.cancel();
                }
            }
        });
        tasks.spawn(keep_pace(Arc::clone(&daemon), schedule, stop.clone()));
        tasks.close();
        Ok(Self {
            daemon,
            rpc,
            zmq,
            credentials,
            tasks,
            stop,
        })
    }

    /// Where JSON-RPC is served: `http://127.0.0.1:26124`.
    pub fn rpc_url(&self) -> String {
        format!("http://{}", self.rpc)
    }

    /// Where messages are published: `tcp://127.0.0.1:26123`; `None` when they are not.
    pub fn zmq_address(&self) -> Option<String> {
        self.zmq.map(|address| format!("tcp://{address}"))
    }

    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The chain itself, without the detour over HTTP.
    pub fn chain(&self) -> ChainHandle {
        ChainHandle::new(Arc::clone(&self.daemon))
    }

    /// Resolves when somebody asked the server to stop, be it by the RPC method `stop` or by a listener that broke.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Finishes requests under way, stops everything and waits for the disk. Handles that are left see a chain in memory.
    pub async fn shutdown(self) -> Result<(), StartError> {
        self.stop.cancel();
        self.tasks.wait().await;
        let daemon = Arc::clone(&self.daemon);
        let closed = task::spawn_blocking(move || daemon.write().expect(INTACT).close());
        closed.await?.map_err(DevnetError::from)?;
        Ok(())
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Makes or shows a block whenever it is time.
async fn keep_pace(
    daemon: Arc<RwLock<Daemon>>,
    mut schedule: watch::Receiver<Schedule>,
    stop: CancellationToken,
) {
    loop {
        let Schedule { interval, on } = *schedule.borrow_and_update();
        let paced = async {
            if !on || interval.is_zero() {
                return std::future::pending().await;
            }
            let start = tokio::time::Instant::now() + interval;
            let mut ticks = interval_at(start, interval);
            // A block that took long, or a machine that slept, is not made up for.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                next_block(&daemon).await;
            }
        };
        tokio::select! {
            () = paced => {}
            changed = schedule.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

async fn next_block(daemon: &Arc<RwLock<Daemon>>) {
    let daemon = Arc::clone(daemon);
    let made = task::spawn_blocking(move || {
        let mut daemon = daemon.write().expect(INTACT);
        match daemon.source {
            Source::Grown => daemon.mine(1).map(drop),
            Source::Recorded(_) => daemon.step(1).map(drop),
        }
    });
    match made.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "no block"),
        Err(error) => tracing::error!(%error, "making a block panicked"),
    }
}
