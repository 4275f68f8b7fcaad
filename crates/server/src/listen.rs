//! The one port: TLS for everybody, and plain HTTP for connections that stay on loopback.
//!
//! `axum::serve` offers no time-outs and no limits, and hyper-util's protocol sniffing waits for ever on a silent
//! socket. So this accept loop is ours: the first byte tells TLS from HTTP, each step before the first request has
//! a deadline, the number of connections and of handshakes has a bound, and a drain waits for requests before it
//! ends what is left.

mod certificate;
mod connection;

pub use certificate::{Authority, CertificateError, ServerCertificate};
pub use connection::Peer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Connections served at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 16_384;
/// TLS handshakes at once: each costs about a millisecond of CPU, which strangers may not take from requests.
const MAX_HANDSHAKES: usize = 256;
/// How long a drain waits for requests under way before it closes connections.
const DRAIN: Duration = Duration::from_secs(20);

/// The TLS set-up in force; replaced when the certificate is renewed or its files change.
pub type TlsSettings = Arc<ArcSwap<rustls::ServerConfig>>;

/// A bound port and what it needs to serve.
pub struct Listener {
    tcp: TcpListener,
    tls: Option<TlsSettings>,
    plain: PlainHttp,
}

/// Where plain HTTP is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only on connections whose both ends are loopback addresses.
    LoopbackOnly,
    /// Everywhere: for the metrics listener, which carries no credential.
    Anywhere,
}

impl Listener {
    /// Binds `address` for TLS, and for plain HTTP on loopback.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, tls: TlsSettings) -> std::io::Result<Self> {
        Ok(Self::bind_plain(address).await?.with_tls(tls))
    }

    /// The same port for TLS, and for plain HTTP on loopback alone.
    #[must_use]
    pub fn with_tls(self, tls: TlsSettings) -> Self {
        Self {
            tls: Some(tls),
            plain: PlainHttp::LoopbackOnly,
            ..self
        }
    }

    /// Binds `address` for plain HTTP alone.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind_plain(address: SocketAddr) -> std::io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        Ok(Self {
            tcp,
            tls: None,
            plain: PlainHttp::Anywhere,
        })
    }

    /// The address that was bound, with the port the system chose for port 0.
    ///
    /// # Errors
    /// When the socket is gone.
    pub fn local_address(&self) -> std::io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves `app` until `shutdown`, then drains: no new connection, 20 s for requests under way, then `tunnels`
    /// is cancelled, because hyper's graceful shutdown does not see upgraded connections.
    pub async fn serve(self, app: Router, shutdown: CancellationToken, tunnels: CancellationToken) {
        let connections = TaskTracker::new();
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let shared = Arc::new(connection::Shared {
            app,
            tls: self.tls,
            plain: self.plain,
            handshakes: Semaphore::new(MAX_HANDSHAKES),
            shutdown: shutdown.clone(),
        });
        loop {
            let slot = tokio::select! {
                () = shutdown.cancelled() => break,
                slot = slots.clone().acquire_owned() => slot.expect("the semaphore is never closed"),
            };
            let (stream, remote) = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = accept(&self.tcp) => accepted,
            };
            let shared = shared.clone();
            connections.spawn(async move {
                connection::serve(&shared, stream, remote).await;
                drop(slot);
            });
        }
        drop(self.tcp);
        connections.close();
        if tokio::time::timeout(DRAIN, connections.wait()).await.is_err() {
            tracing::warn!(
                connections = connections.len(),
                "drain time is over; closing what is left"
            );
            tunnels.cancel();
            // Upgraded connections end by themselves now; anything else goes with the process.
            let _ = tokio::time::timeout(Duration::from_secs(2), connections.wait()).await;
        }
        tunnels.cancel();
    }
}

/// The next connection. A full descriptor table is no reason to stop or to spin: wait a moment and try again.
async fn accept(tcp: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match tcp.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
