//! A command in a container over a WebSocket, spoken by hand: the client library is built without it.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::fixture::{World, deployment};

/// Opens a TLS connection as the kubeconfig says, with its token.
async fn connect(world: &World) -> (TlsStream<TcpStream>, String) {
    let kubeconfig: serde_json::Value = serde_saphyr::from_str(&world.member.kubeconfig()).unwrap();
    let encoded = kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
        .as_str()
        .unwrap();
    let pem = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let address = world.member.endpoint().trim_start_matches("https://").to_owned();
    let stream = TcpStream::connect(&address).await.unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let token = kubeconfig["users"][0]["user"]["token"].as_str().unwrap().to_owned();
    (stream, token)
}

/// The next binary message: channel and text.
async fn message(stream: &mut TlsStream<TcpStream>) -> (u8, String) {
    let head = [stream.read_u8().await.unwrap(), stream.read_u8().await.unwrap()];
    let length = match head[1] {
        126 => usize::from(stream.read_u16().await.unwrap()),
        short => usize::from(short),
    };
    let mut payload = vec![0; length];
    stream.read_exact(&mut payload).await.unwrap();
    assert_eq!(head[0], 0x82, "one whole binary message");
    (payload[0], String::from_utf8(payload[1..].to_vec()).unwrap())
}

/// Sends a binary message; a client masks what it sends, here with zeros.
async fn send(stream: &mut TlsStream<TcpStream>, payload: &[u8]) {
    let length = u8::try_from(payload.len()).unwrap();
    let frame = [&[0x82, 0x80 | length, 0, 0, 0, 0], payload].concat();
    stream.write_all(&frame).await.unwrap();
}

#[tokio::test]
async fn a_command_is_echoed_and_ends_well_when_its_input_does() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    let pod = world.pod_names().await.remove(0);
    let (mut stream, token) = connect(&world).await;
    let request = format!(
        "GET /api/v1/namespaces/shop/pods/{pod}/exec?command=cat&stdin=true&stdout=true HTTP/1.1\r\nhost: member\r\nauthorization: Bearer {token}\r\n\
         connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: v5.channel.k8s.io\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert!(head.contains("sec-websocket-protocol: v5.channel.k8s.io"), "{head}");
    assert_eq!(message(&mut stream).await, (1, "simulated: cat\n".into()));
    send(&mut stream, b"\0hello\n").await;
    assert_eq!(message(&mut stream).await, (1, "hello\n".into()));
    send(&mut stream, &[255, 0]).await;
    let (channel, status) = message(&mut stream).await;
    assert_eq!(channel, 3);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["status"], "Success");
}

#[tokio::test]
async fn a_command_without_an_upgrade_is_refused() {
    let world = World::shop().await;
    world.ready(deployment("web", 1)).await;
    let pod = world.pod_names().await.remove(0);
    let path = format!("/api/v1/namespaces/shop/pods/{pod}/exec?command=ls");
    assert_eq!(world.send("POST", &path, &[], "").await.status(), 400);
    let path = format!("/api/v1/namespaces/shop/pods/{pod}/portforward?ports=80");
    assert_eq!(world.send("POST", &path, &[], "").await.status(), 501);
}
