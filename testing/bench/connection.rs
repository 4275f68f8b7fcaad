//! One connection to a server, plain or TLS, on which requests follow one
//! another: what a pooled client has, and nothing besides.

use std::sync::Arc;

use anyhow::{Context, Result};
use http::{Request, Response, header::HOST};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Where a server is and what it wants to see.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// `127.0.0.1:PORT`.
    pub(crate) address: String,
    /// Whom its certificate is to be signed by, PEM; plain HTTP without.
    pub(crate) authority: Option<String>,
    /// A bearer token.
    pub(crate) token: Option<String>,
}

/// An open connection.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
    _driver: AbortOnDropHandle<()>,
}

impl Connection {
    pub(crate) async fn open(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(&target.address).await?;
        stream.set_nodelay(true)?;
        let (sender, driver) = match &target.authority {
            None => start(stream).await?,
            Some(authority) => {
                let name = ServerName::try_from("127.0.0.1")?;
                start(connector(authority)?.connect(name, stream).await?).await?
            }
        };
        Ok(Self {
            sender,
            target: target.clone(),
            _driver: driver,
        })
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let headers = request.headers_mut();
        headers.insert(HOST, self.target.address.parse()?);
        if let Some(token) = &self.target.token {
            headers.insert(http::header::AUTHORIZATION, format!("Bearer {token}").parse()?);
        }
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}

async fn start<S>(stream: S) -> Result<(SendRequest<Full<Bytes>>, AbortOnDropHandle<()>)>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = TaskTracker::new().spawn(async move {
        // An error shows at the requests that are under way.
        let _ = connection.await;
    });
    Ok((sender, AbortOnDropHandle::new(driver)))
}

fn connector(authority: &str) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_slice(authority.as_bytes())
        .ok()
        .context("no certificate")?;
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(configuration)))
}
