//! The one connector. Forwarding, probes and controllers all reach a member through it, so that there is one place
//! where names are resolved, addresses judged and certificates verified.
//!
//! It resolves, unmaps IPv4 written as IPv6, judges *every* answer, and dials an address it judged: never a name, so
//! that nothing can answer differently in between. What it dials is the registered endpoint, whatever URI it is asked
//! for. Proxies of the environment play no part.

mod failure;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection as Describe};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub use failure::{ConnectError, ConnectFailure, ConnectStage};

use crate::connection::{Connection, ConnectionError};
use crate::endpoint::{AddressPolicy, Endpoint, unmap};

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 16;
/// How long a peer may be silent on the TCP level before the kernel asks.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Turns a host name into addresses.
pub type Resolver = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// How long each step may take.
#[derive(Debug, Clone, Copy)]
pub struct Deadlines {
    /// Resolving a name, and opening a TCP connection.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// From sending a short forwarded request to the headers of its answer.
    pub response_header: Duration,
    /// A whole request of the hub's own.
    pub own_request: Duration,
    /// One question of the staged check.
    pub question: Duration,
    /// One probe.
    pub probe: Duration,
    /// Waiting for a free place towards a member.
    pub queue: Duration,
    /// A watch, as the member is asked to end it.
    pub watch: Duration,
    /// Silence on a watch, after which it is taken for dead.
    pub silence: Duration,
    /// The first wait before a watch that failed is tried again; it doubles each time.
    pub retry_first: Duration,
    /// The longest such wait.
    pub retry_most: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            tls: Duration::from_secs(10),
            response_header: Duration::from_secs(60),
            own_request: Duration::from_secs(30),
            question: Duration::from_secs(10),
            probe: Duration::from_secs(3),
            queue: Duration::from_secs(2),
            watch: Duration::from_secs(290),
            silence: Duration::from_secs(295),
            retry_first: Duration::from_millis(800),
            retry_most: Duration::from_secs(30),
        }
    }
}

/// How the hub reaches the network.
#[derive(Clone)]
pub struct Network {
    /// Which addresses may be dialled.
    pub policy: Arc<AddressPolicy>,
    /// How names are resolved.
    pub resolver: Resolver,
    /// How long each step may take.
    pub deadlines: Deadlines,
}

impl Network {
    /// The system's resolver and the conventional deadlines.
    pub fn new(policy: AddressPolicy) -> Self {
        let resolver: Resolver = Arc::new(|host, port| {
            Box::pin(async move {
                let found = tokio::net::lookup_host((host.as_str(), port)).await?;
                Ok(found.map(|address| address.ip()).collect())
            })
        });
        Self {
            policy: Arc::new(policy),
            resolver,
            deadlines: Deadlines::default(),
        }
    }
}

/// A verified connection to a member.
pub(crate) type Stream = TlsStream<TcpStream>;

/// Makes verified connections to one member.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: Arc<Inner>,
}

struct Inner {
    endpoint: Endpoint,
    server_name: ServerName<'static>,
    tls: TlsConnector,
    network: Network,
}

impl Connector {
    pub(crate) fn new(connection: &Connection, network: &Network) -> Result<Self, ConnectionError> {
        let inner = Inner {
            endpoint: connection.endpoint.clone(),
            server_name: connection.server_name()?,
            tls: TlsConnector::from(Arc::new(client_config(connection)?)),
            network: network.clone(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The addresses of the endpoint, all of them judged: one bad answer refuses the name.
    pub(crate) async fn resolve(&self) -> Result<Vec<SocketAddr>, ConnectError> {
        let Inner { endpoint, network, .. } = &*self.inner;
        let fail = |failure| ConnectError::new(ConnectStage::Dns, failure);
        network
            .policy
            .judge_endpoint(endpoint)
            .map_err(|refused| fail(refused.into()))?;
        let limit = network.deadlines.connect;
        let found = match endpoint.ip() {
            Some(ip) => vec![ip],
            None => match timeout(limit, (network.resolver)(endpoint.host(), endpoint.port())).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) => return Err(fail(ConnectFailure::Unresolved { host: endpoint.host() })),
                Err(_) => return Err(fail(ConnectFailure::TimedOut(limit))),
            },
        };
        if found.is_empty() {
            return Err(fail(ConnectFailure::Unresolved { host: endpoint.host() }));
        }
        let sockets: Vec<_> = found
            .into_iter()
            .map(|ip| SocketAddr::new(unmap(ip), endpoint.port()))
            .collect();
        for socket in &sockets {
            network
                .policy
                .judge_socket(*socket)
                .map_err(|refused| fail(refused.into()))?;
        }
        Ok(sockets)
    }

    /// Dials the addresses in turn, within one deadline.
    pub(crate) async fn dial(&self, addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
        let limit = self.inner.network.deadlines.connect;
        let end = Instant::now() + limit;
        let mut last = ConnectFailure::TimedOut(limit);
        let count = addresses.len().min(MAX_ADDRESSES);
        for (n, address) in addresses.iter().take(count).enumerate() {
            let left = end.saturating_duration_since(Instant::now());
            let share = left / u32::try_from(count - n).unwrap_or(1);
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    set_options(&stream).map_err(|error| ConnectError::io(ConnectStage::Tcp, &error))?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = ConnectFailure::Io(error.kind()),
                Err(_) => last = ConnectFailure::TimedOut(limit),
            }
        }
        Err(ConnectError::new(ConnectStage::Tcp, last))
    }

    /// Shakes hands and verifies; no byte of HTTP is sent before.
    pub(crate) async fn secure(&self, stream: TcpStream) -> Result<Stream, ConnectError> {
        let limit = self.inner.network.deadlines.tls;
        let handshake = self.inner.tls.connect(self.inner.server_name.clone(), stream);
        match timeout_at(Instant::now() + limit, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(ConnectError::tls(&error)),
            Err(_) => Err(ConnectError::new(ConnectStage::Tls, ConnectFailure::TimedOut(limit))),
        }
    }

    /// All three steps.
    pub(crate) async fn connect(&self) -> Result<Stream, ConnectError> {
        let addresses = self.resolve().await?;
        let stream = self.dial(&addresses).await?;
        self.secure(stream).await
    }
}

/// A dead peer is noticed by the kernel: a watch may rightly be silent for minutes.
fn set_options(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = socket2::TcpKeepalive::new()
        .with_time(KEEPALIVE)
        .with_interval(KEEPALIVE / 3)
        .with_retries(3);
    socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

/// Certificates are always verified; there is no way to make a configuration that does not.
fn client_config(connection: &Connection) -> Result<ClientConfig, ConnectionError> {
    let mut roots = RootCertStore::empty();
    match connection.ca_certificates()? {
        Some(certificates) => {
            for certificate in certificates {
                roots
                    .add(certificate)
                    .map_err(|_| ConnectionError::CertificateAuthority)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| ConnectionError::CertificateAuthority)?
        .with_root_certificates(roots);
    let mut config = match connection.credential.certified_key()? {
        Some(pair) => builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(pair))),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // A resumed session is not verified again, and certificates end.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// A connection as hyper's pool takes it.
pub(crate) struct Pooled(TokioIo<Stream>);

impl Describe for Pooled {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Pooled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl hyper::rt::Write for Pooled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, pieces)
    }
}

impl tower::Service<Uri> for Connector {
    type Response = Pooled;
    type Error = ConnectError;
    type Future = BoxFuture<'static, Result<Pooled, ConnectError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map(|stream| Pooled(TokioIo::new(stream))) })
    }
}
