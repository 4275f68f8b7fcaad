//! The port of a member: TLS, HTTP/1.1 and HTTP/2, bounded connections, an end.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::Error;
use crate::faults::Faults;

/// For a handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// For the head of a request, and so also for how long a connection may stay idle.
const HEAD: Duration = Duration::from_secs(90);
/// For requests under way when the member ends.
const FAREWELL: Duration = Duration::from_secs(1);
const BACKLOG: u32 = 1024;
/// Streams of one HTTP/2 connection, as API servers have them.
const STREAMS: u32 = 250;

/// A port that is listened on, or held without listening: then connections are refused, and nobody else can take it.
enum Port {
    Open(TcpListener),
    Held(TcpSocket),
    /// Somebody else was faster; it is tried again when it is to open.
    Lost,
}

fn socket(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

impl Port {
    fn close(self, address: SocketAddr) -> Self {
        if let Self::Open(listener) = self {
            drop(listener);
        }
        // While it is held nobody may share it; to listen again beside connections that linger it has to be shared.
        let held = socket(address).and_then(|socket| socket.set_reuseaddr(false).map(|()| socket));
        held.map_or(Self::Lost, Self::Held)
    }

    fn open(self, address: SocketAddr) -> Self {
        let opened = match self {
            Self::Open(listener) => return Self::Open(listener),
            Self::Held(socket) => socket.set_reuseaddr(true).and_then(|()| socket.listen(BACKLOG)),
            Self::Lost => socket(address).and_then(|socket| socket.listen(BACKLOG)),
        };
        opened.map_or(Self::Lost, Self::Open)
    }

    async fn accept(&self) -> std::io::Result<TcpStream> {
        match self {
            Self::Open(listener) => listener.accept().await.map(|(stream, _)| stream),
            Self::Held(_) | Self::Lost => std::future::pending().await,
        }
    }
}

/// The server of one member.
pub(crate) struct Listener {
    port: Port,
    address: SocketAddr,
}

impl Listener {
    /// Takes a loopback port.
    pub(crate) fn bind(port: u16) -> Result<Self, Error> {
        let listening = || -> std::io::Result<(TcpListener, SocketAddr)> {
            let listener = socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?.listen(BACKLOG)?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = listening().map_err(|source| Error::Listen { port, source })?;
        Ok(Self {
            port: Port::Open(listener),
            address,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the member ends.
    pub(crate) async fn serve(self, server: Server) {
        let Self { mut port, address } = self;
        let mut faults = server.faults.follow();
        // Connections end together when the port closes.
        let mut connections = server.ended.child_token();
        loop {
            if faults.refuses() {
                if matches!(port, Port::Open(_)) {
                    port = port.close(address);
                    connections.cancel();
                }
            } else if !matches!(port, Port::Open(_)) {
                port = port.open(address);
                connections = server.ended.child_token();
            }
            let permit = server.permits.clone().acquire_owned();
            let accepted = async {
                let permit = permit.await.ok()?;
                let stream = port.accept().await.ok()?;
                Some((permit, stream))
            };
            tokio::select! {
                () = server.ended.cancelled() => return,
                () = faults.changed() => {}
                accepted = accepted => match accepted {
                    Some((permit, stream)) => server.take(stream, permit, connections.clone()),
                    // Out of file descriptors, or the like: some will be free again.
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                },
            }
        }
    }
}

/// What connections of a member are served with.
pub(crate) struct Server {
    acceptor: TlsAcceptor,
    service: TowerToHyperService<Router>,
    faults: Faults,
    ended: CancellationToken,
    tasks: TaskTracker,
    permits: Arc<Semaphore>,
}

impl Server {
    pub(crate) fn new(
        tls: Arc<ServerConfig>,
        router: Router,
        faults: Faults,
        ended: CancellationToken,
        tasks: TaskTracker,
        connections: usize,
    ) -> Self {
        Self {
            acceptor: TlsAcceptor::from(tls),
            service: TowerToHyperService::new(router),
            faults,
            ended,
            tasks,
            permits: Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS))),
        }
    }

    fn take(&self, stream: TcpStream, permit: OwnedSemaphorePermit, ended: CancellationToken) {
        let (acceptor, service) = (self.acceptor.clone(), self.service.clone());
        self.tasks.spawn(async move {
            let _permit = permit;
            let connection = connection(acceptor, service, stream, &ended);
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection to a simulated member failed");
            }
        });
    }
}

async fn connection(
    acceptor: TlsAcceptor,
    service: TowerToHyperService<Router>,
    stream: TcpStream,
    ended: &CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let stream = tokio::select! {
        () = ended.cancelled() => return Ok(()),
        stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)) => stream??,
    };
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let builder = auto::Builder::new(TokioExecutor::new());
    // What was agreed on is known: nothing has to be guessed from the first bytes, for which there is no deadline.
    let mut builder = if is_h2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        done = connection.as_mut() => return done,
        () = ended.cancelled() => {}
    }
    connection.as_mut().graceful_shutdown();
    match tokio::time::timeout(FAREWELL, connection).await {
        Ok(done) => done,
        Err(_) => Ok(()),
    }
}
