//! A server at the end of a kubeconfig that is no Kubernetes: TLS is right, and
//! every request gets the same bytes.

use std::sync::Arc;

use anyhow::Result;
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Answers until it is dropped.
pub(super) struct OddServer {
    port: u16,
    authority: String,
    ended: CancellationToken,
}

impl OddServer {
    /// Answers every request with these bytes, head and body.
    pub(super) async fn start(response: &'static str) -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let configuration = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![leaf.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;

        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let ended = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.clone().spawn(ended.clone().run_until_cancelled_owned(async move {
            let acceptor = TlsAcceptor::from(Arc::new(configuration));
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(answer(acceptor.clone(), stream, response));
            }
        }));
        Ok(Self {
            port,
            authority: authority.pem(),
            ended,
        })
    }

    /// A kubeconfig that leads here.
    pub(super) fn kubeconfig(&self) -> String {
        super::clusters::kubeconfig(
            &format!("https://127.0.0.1:{}", self.port),
            &format!("certificate-authority-data: {}", STANDARD.encode(&self.authority)),
            "token: any",
        )
    }
}

impl Drop for OddServer {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

/// One connection. That the other end goes away is no concern of this server.
async fn answer(acceptor: TlsAcceptor, stream: TcpStream, response: &str) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_buf(&mut head).await {
            Ok(read) if read > 0 => {}
            _ => return,
        }
    }
    let _ = stream.write_all(response.as_bytes()).await;
    let _ = stream.shutdown().await;
}
