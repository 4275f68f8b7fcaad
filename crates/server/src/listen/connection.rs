//! One connection, from its first byte to its last request.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::{PlainHttp, TlsSettings};

/// Deadline for each step before a request is complete: first byte, TLS handshake, request header.
const STEP: Duration = Duration::from_secs(10);
/// Most bytes of header, and the size at which hyper stops growing its buffers (measured: 16 KiB costs 40 % of speed).
const BUFFER: usize = 64 * 1024;
/// Most header fields of a request (the Kubernetes API server's clients send about ten).
const MAX_HEADERS: usize = 100;
/// First byte of a TLS record that carries a handshake (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// Who is at the other end of a connection; a request extension.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    /// The address the connection came from.
    pub address: SocketAddr,
    /// Whether the connection is TLS.
    pub tls: bool,
}

/// What all connections of a listener share.
pub(super) struct Shared {
    pub(super) app: Router,
    pub(super) tls: Option<TlsSettings>,
    pub(super) plain: PlainHttp,
    pub(super) handshakes: Semaphore,
    pub(super) shutdown: CancellationToken,
}

/// Serves one connection. Its errors are the client's affair and end here.
pub(super) async fn serve(shared: &Shared, stream: TcpStream, remote: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let mut first = [0_u8; 1];
    let Ok(Ok(1)) = tokio::time::timeout(STEP, stream.peek(&mut first)).await else {
        return;
    };
    let loopback = remote.ip().to_canonical().is_loopback()
        && stream
            .local_addr()
            .is_ok_and(|local| local.ip().to_canonical().is_loopback());
    match (&shared.tls, first[0] == TLS_HANDSHAKE) {
        (Some(tls), true) => serve_tls(shared, tls, stream, remote).await,
        (_, false) if shared.plain == PlainHttp::Anywhere || loopback => {
            let peer = Peer {
                address: remote,
                tls: false,
            };
            serve_http1(shared, stream, peer).await;
        }
        _ => tracing::debug!(peer = %remote, "refused a connection that does not speak TLS"),
    }
}

async fn serve_tls(shared: &Shared, tls: &TlsSettings, stream: TcpStream, remote: SocketAddr) {
    let Ok(permit) = shared.handshakes.acquire().await else {
        return;
    };
    let acceptor = tokio_rustls::TlsAcceptor::from(tls.load_full());
    let stream = match tokio::time::timeout(STEP, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(peer = %remote, %error, "TLS handshake failed"),
        Err(_) => return tracing::debug!(peer = %remote, "TLS handshake took too long"),
    };
    drop(permit);
    let peer = Peer {
        address: remote,
        tls: true,
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        serve_http2(shared, stream, peer).await;
    } else {
        serve_http1(shared, stream, peer).await;
    }
}

async fn serve_http1<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(shared: &Shared, stream: S, peer: Peer) {
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(STEP)
        .max_buf_size(BUFFER)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service(shared, peer))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shared.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.address, %error, "connection ended");
    }
}

async fn serve_http2<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(shared: &Shared, stream: S, peer: Peer) {
    // Extended CONNECT stays off: an upgrade is HTTP/1.1 alone, so that one check sees every one of them.
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(250)
        .max_header_list_size(BUFFER as u32)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20))
        .serve_connection(TokioIo::new(stream), service(shared, peer));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shared.shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %peer.address, %error, "connection ended");
    }
}

/// The application as hyper calls it, with the peer as a request extension.
fn service(
    shared: &Shared,
    peer: Peer,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future = impl Future<Output = Result<axum::response::Response, std::convert::Infallible>> + Send + 'static,
> + Send
+ 'static {
    let app: Router = shared.app.clone();
    hyper::service::service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        app.clone().oneshot(request.map(axum::body::Body::new))
    })
}
