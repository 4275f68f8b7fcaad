//! A member that is nothing but a socket: it notes the bytes it gets and answers with the bytes a test wants. Probes
//! of the hub are answered apart, so that what is noted is what was forwarded.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atoll_server::listen::{Authority, Listener, ServerCertificate};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hub_fixture::{CLUSTERS, Hub, SECRETS, eventually};

pub(crate) type MemberStream = TlsStream<TcpStream>;

/// What the member got.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    /// Request line and headers, byte for byte.
    pub(crate) head: String,
    /// The body, when the reply is [`Reply::Bytes`].
    pub(crate) body: Vec<u8>,
}

impl Got {
    pub(crate) fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// All values of a header.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields
            .filter(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// Names of all headers, in lower case.
    pub(crate) fn names(&self) -> Vec<String> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields.map(|(name, _)| name.to_ascii_lowercase()).collect()
    }
}

/// What the member does about a request.
pub(crate) enum Reply {
    /// Reads the body, then sends these bytes.
    Bytes(Vec<u8>),
    /// Hands the connection over, with what was read past the head.
    Drive(Box<dyn FnOnce(MemberStream, Vec<u8>) -> BoxFuture<'static, ()> + Send>),
}

impl Reply {
    pub(crate) fn drive<F>(drive: impl FnOnce(MemberStream, Vec<u8>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::Drive(Box::new(move |stream, rest| Box::pin(drive(stream, rest))))
    }
}

/// A whole answer.
pub(crate) fn response(code: u16, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {code} X\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn json_response(code: u16, body: &str) -> Vec<u8> {
    response(code, "content-type: application/json\r\n", body)
}

type Script = Arc<dyn Fn(&Got) -> Reply + Send + Sync>;

struct Shared {
    /// Of its `kube-system`: no two members are the same cluster.
    uid: String,
    got: Mutex<Vec<Got>>,
    script: Mutex<Script>,
    probes: Mutex<Vec<Got>>,
}

pub(crate) struct FakeMember {
    pub(crate) address: SocketAddr,
    pub(crate) authority: Authority,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl FakeMember {
    pub(crate) async fn start() -> Self {
        Self::start_at(
            "127.0.0.1:0".parse().unwrap(),
            Authority::generate(Timestamp::now()).unwrap(),
        )
        .await
    }

    async fn start_at(address: SocketAddr, authority: Authority) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let names = ServerCertificate::names(address, []);
        let signer = Authority::from_pem(authority.certificate_pem().to_owned(), &authority.key_pem()).unwrap();
        let certificate = ServerCertificate::Own {
            authority: Arc::new(signer),
            names,
        };
        let mut tls = Arc::unwrap_or_clone(certificate.load(Timestamp::now()).unwrap().load_full());
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let shared = Arc::new(Shared {
            uid: uuid::Uuid::new_v4().to_string(),
            got: Mutex::default(),
            script: Mutex::new(Arc::new(|_: &Got| Reply::Bytes(json_response(200, "{}")))),
            probes: Mutex::default(),
        });
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (serving, ending, connections) = (shared.clone(), stop.clone(), tasks.clone());
        tasks.spawn(async move {
            let accepting = async {
                while let Ok((stream, _)) = listener.accept().await {
                    let (acceptor, shared, stop) = (acceptor.clone(), serving.clone(), ending.clone());
                    connections.spawn(async move {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            stop.run_until_cancelled(serve(stream, shared)).await;
                        }
                    });
                }
            };
            ending.run_until_cancelled(accepting).await;
        });
        Self {
            address,
            authority,
            shared,
            stop,
        }
    }

    /// Answers forwarded requests so from now on.
    pub(crate) fn answer(&self, script: impl Fn(&Got) -> Reply + Send + Sync + 'static) {
        *self.shared.script.lock().unwrap() = Arc::new(script);
    }

    /// Answers every forwarded request with these bytes from now on.
    pub(crate) fn always(&self, bytes: Vec<u8>) {
        self.answer(move |_| Reply::Bytes(bytes.clone()));
    }

    /// What was forwarded so far.
    pub(crate) fn got(&self) -> Vec<Got> {
        self.shared.got.lock().unwrap().clone()
    }

    /// What was forwarded last.
    pub(crate) fn last(&self) -> Got {
        self.got().pop().expect("something was forwarded")
    }

    /// What the hub itself asked.
    pub(crate) fn probes(&self) -> Vec<Got> {
        self.shared.probes.lock().unwrap().clone()
    }

    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Registers it with a hub as kubectl would, and waits until it is ready.
    pub(crate) async fn join(&self, hub: &Hub, name: &str) {
        self.register(hub, name).await;
        let (state, name) = (hub.state.clone(), name.to_owned());
        eventually("the member is ready", || async {
            state.clusters.member(&name).is_some_and(|member| member.is_ready())
        })
        .await;
    }

    async fn register(&self, hub: &Hub, name: &str) {
        hub.post(SECRETS, &Self::secret(name)).await.ok();
        hub.post(CLUSTERS, &self.cluster(name)).await.ok();
    }

    /// The Secret that a cluster of this name refers to.
    pub(crate) fn secret(name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"token": "stored-credential"}})
    }

    /// This member as a cluster of that name.
    pub(crate) fn cluster(&self, name: &str) -> Value {
        json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster", "metadata": {"name": name},
            "spec": {"apiEndpoint": format!("https://{}", self.address), "secretRef": {"name": name},
                "caBundle": STANDARD.encode(self.authority.certificate_pem())}})
    }
}

impl Drop for FakeMember {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves one connection until it ends or is handed over.
async fn serve(mut stream: MemberStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Some((head, rest)) = read_head(&mut stream, &mut buffer).await {
        let mut got = Got { head, body: Vec::new() };
        let is_probe = got.values("impersonate-user").is_empty();
        if is_probe {
            shared.probes.lock().unwrap().push(got.clone());
            read_body(&mut stream, &got, rest).await;
            if stream.write_all(&probe_answer(got.line(), &shared.uid)).await.is_err() {
                return;
            }
            continue;
        }
        let script = shared.script.lock().unwrap().clone();
        match script(&got) {
            Reply::Bytes(bytes) => {
                got.body = read_body(&mut stream, &got, rest).await;
                shared.got.lock().unwrap().push(got);
                if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                    return;
                }
            }
            Reply::Drive(drive) => {
                shared.got.lock().unwrap().push(got);
                return drive(stream, rest).await;
            }
        }
    }
}

fn probe_answer(line: &str, uid: &str) -> Vec<u8> {
    if line.contains("/namespaces/kube-system") {
        let metadata = json!({"name": "kube-system", "uid": uid});
        let namespace = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": metadata});
        return json_response(200, &namespace.to_string());
    }
    if line.contains("/version") {
        return json_response(200, r#"{"major":"1","minor":"36","gitVersion":"v1.36.3"}"#);
    }
    if line.contains("/nodes") {
        return json_response(
            200,
            r#"{"kind":"NodeList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[]}"#,
        );
    }
    response(200, "content-type: text/plain\r\n", "ok")
}

/// Reads up to the end of a head; what came after it is the second part.
async fn read_head(stream: &mut MemberStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = buffer.drain(..end + 4).map(char::from).collect();
            return Some((head, std::mem::take(buffer)));
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Reads a body by its length or by its chunks.
async fn read_body(stream: &mut MemberStream, got: &Got, mut read: Vec<u8>) -> Vec<u8> {
    if let Some(length) = got
        .values("content-length")
        .first()
        .and_then(|text| text.parse::<usize>().ok())
    {
        while read.len() < length && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
    } else if got.values("transfer-encoding") == ["chunked"] {
        while !read.ends_with(b"0\r\n\r\n") && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
    }
    read
}

/// The hub's two surfaces on a port of their own: TLS, and plain HTTP since this is loopback.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) authority: String,
    shutdown: CancellationToken,
}

impl Served {
    pub(crate) async fn start(hub: &Hub) -> Self {
        let authority = Authority::generate(Timestamp::now()).unwrap();
        let authority_pem = authority.certificate_pem().to_owned();
        let any_port: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let certificate = ServerCertificate::Own {
            authority: Arc::new(authority),
            names: ServerCertificate::names(any_port, []),
        };
        let tls = certificate.load(Timestamp::now()).unwrap();
        let listener = Listener::bind(any_port, tls).await.unwrap();
        let address = listener.local_address().unwrap();
        let shutdown = CancellationToken::new();
        let (ending, router, tunnels) = (shutdown.clone(), hub.router(), hub.state.tunnels.clone());
        hub.state
            .tasks
            .spawn(async move { listener.serve(router, ending, tunnels).await });
        Self {
            address,
            authority: authority_pem,
            shutdown,
        }
    }

    /// A connection to it, with these bytes already sent.
    pub(crate) async fn connect(&self, bytes: &[u8]) -> Wire {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        Wire {
            stream,
            buffer: Vec::new(),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A raw connection of a client.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    /// Reads until this text has come; returns all up to and with it.
    pub(crate) async fn until(&mut self, text: &str) -> String {
        let reading = async {
            loop {
                let found = self
                    .buffer
                    .windows(text.len())
                    .position(|window| window == text.as_bytes());
                if let Some(at) = found {
                    return self.buffer.drain(..at + text.len()).map(char::from).collect::<String>();
                }
                let count = self.stream.read_buf(&mut self.buffer).await.unwrap();
                assert_ne!(
                    count,
                    0,
                    "closed before {text:?}: {:?}",
                    String::from_utf8_lossy(&self.buffer)
                );
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reading)
            .await
            .expect("in time")
    }

    /// The head of the answer.
    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Everything until the other end closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let reading = async {
            while self
                .stream
                .read_buf(&mut self.buffer)
                .await
                .is_ok_and(|count| count > 0)
            {}
        };
        tokio::time::timeout(Duration::from_secs(20), reading)
            .await
            .expect("closed in time");
        std::mem::take(&mut self.buffer)
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
}
