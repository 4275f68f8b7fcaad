//! A member that speaks HTTP/1.1 byte by byte over TLS, does what a test tells it, and records what it gets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::authority::{Authority, Leaf};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Number of the connection it came over.
    pub(crate) connection: usize,
    pub(crate) method: String,
    pub(crate) target: String,
    /// In order, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the member does about a request.
pub(crate) enum Reply {
    /// Writes this and goes on reading.
    Raw(Vec<u8>),
    /// Writes this and closes.
    Last(Vec<u8>),
    /// Says nothing, ever.
    Hang,
    /// Writes the head of a chunked answer, then chunks as they come; closes in order at the end, or breaks off.
    Stream {
        chunks: mpsc::Receiver<String>,
        orderly: bool,
    },
    /// Writes this and from then on sends back what it gets.
    Echo(Vec<u8>),
}

impl Reply {
    pub(crate) fn text(code: u16, kind: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {code} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
        Self::Raw(format!("{head}{body}").into_bytes())
    }

    pub(crate) fn json(code: u16, body: &Value) -> Self {
        Self::text(code, "application/json", &body.to_string())
    }

    pub(crate) fn status(code: u16, reason: &str, message: &str, details: &Value) -> Self {
        let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "reason": reason, "message": message, "details": details, "code": code});
        Self::json(code, &status)
    }

    /// A stream and where to put its chunks.
    pub(crate) fn stream(orderly: bool) -> (mpsc::Sender<String>, Self) {
        let (sender, chunks) = mpsc::channel(64);
        (sender, Self::Stream { chunks, orderly })
    }
}

type Script = Arc<dyn Fn(&Seen) -> Option<Reply> + Send + Sync>;

/// The member.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) authority: Authority,
    state: Arc<State>,
    _end: DropGuard,
}

struct State {
    seen: Mutex<Vec<Seen>>,
    script: Mutex<Script>,
    uid: Mutex<String>,
    accepted: AtomicUsize,
    /// Connections whose other side closed, and bytes that came before TLS was done.
    closed: Mutex<Vec<usize>>,
    refused: AtomicUsize,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        Self::with(Authority::new(), &Leaf::default(), false).await
    }

    pub(crate) async fn with(authority: Authority, leaf: &Leaf, clients: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(authority.server(leaf, clients)));
        let state = Arc::new(State {
            seen: Mutex::default(),
            script: Mutex::new(Arc::new(|_| None)),
            uid: Mutex::new("uid-1".into()),
            accepted: AtomicUsize::new(0),
            closed: Mutex::default(),
            refused: AtomicUsize::new(0),
        });
        let end = CancellationToken::new();
        let tracker = TaskTracker::new();
        let accept = accept(listener, acceptor, state.clone(), tracker.clone(), end.clone());
        tracker.spawn(end.clone().run_until_cancelled_owned(accept));
        Self {
            address,
            authority,
            state,
            _end: end.drop_guard(),
        }
    }

    /// From now on: what `script` answers; what it does not answer is answered as by a healthy cluster.
    pub(crate) fn script(&self, script: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) {
        *self.state.script.lock().unwrap() = Arc::new(script);
    }

    pub(crate) fn set_uid(&self, uid: &str) {
        *self.state.uid.lock().unwrap() = uid.to_owned();
    }

    /// All requests to paths that begin like this.
    pub(crate) fn seen(&self, path: &str) -> Vec<Seen> {
        self.state
            .seen
            .lock()
            .unwrap()
            .iter()
            .filter(|seen| seen.target.starts_with(path))
            .cloned()
            .collect()
    }

    /// How many connections there were.
    pub(crate) fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How many of them ended before TLS was done.
    pub(crate) fn refused(&self) -> usize {
        self.state.refused.load(Ordering::SeqCst)
    }

    /// Whether the other side closed this connection.
    pub(crate) fn is_closed(&self, connection: usize) -> bool {
        self.state.closed.lock().unwrap().contains(&connection)
    }
}

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    state: Arc<State>,
    tracker: TaskTracker,
    end: CancellationToken,
) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let number = state.accepted.fetch_add(1, Ordering::SeqCst);
        let (acceptor, state) = (acceptor.clone(), state.clone());
        tracker.spawn(end.clone().run_until_cancelled_owned(async move {
            match acceptor.accept(stream).await {
                Ok(stream) => {
                    let mut connection = Connection {
                        stream,
                        buffer: Vec::new(),
                        number,
                        state: state.clone(),
                    };
                    if connection.serve().await.is_none() {
                        state.closed.lock().unwrap().push(number);
                    }
                }
                Err(_) => {
                    state.refused.fetch_add(1, Ordering::SeqCst);
                }
            }
        }));
    }
}

struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    number: usize,
    state: Arc<State>,
}

/// This side closes.
struct Done;

impl Connection {
    /// `None` when the other side closed.
    async fn serve(&mut self) -> Option<Done> {
        loop {
            let seen = self.request().await?;
            self.state.seen.lock().unwrap().push(seen.clone());
            let script = self.state.script.lock().unwrap().clone();
            let reply = script(&seen).unwrap_or_else(|| self.healthy(&seen));
            match reply {
                Reply::Raw(bytes) => self.write(&bytes).await?,
                Reply::Last(bytes) => {
                    self.write(&bytes).await?;
                    let _ = self.stream.shutdown().await;
                    return Some(Done);
                }
                Reply::Hang => loop {
                    self.fill().await?;
                },
                Reply::Stream { chunks, orderly } => return self.stream(chunks, orderly).await,
                Reply::Echo(head) => {
                    self.write(&head).await?;
                    loop {
                        let bytes = std::mem::take(&mut self.buffer);
                        self.write(&bytes).await?;
                        self.fill().await?;
                    }
                }
            }
        }
    }

    async fn stream(&mut self, mut chunks: mpsc::Receiver<String>, orderly: bool) -> Option<Done> {
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
            .await?;
        loop {
            let mut scratch = [0; 1024];
            tokio::select! {
                chunk = chunks.recv() => match chunk {
                    Some(chunk) => {
                        let framed = format!("{:x}\r\n{chunk}\r\n", chunk.len());
                        self.write(framed.as_bytes()).await?;
                    }
                    None => {
                        if orderly {
                            self.write(b"0\r\n\r\n").await?;
                        }
                        let _ = self.stream.shutdown().await;
                        return Some(Done);
                    }
                },
                read = self.stream.read(&mut scratch) => {
                    read.ok().filter(|count| *count > 0)?;
                }
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.write_all(bytes).await.ok()?;
        self.stream.flush().await.ok()
    }

    async fn fill(&mut self) -> Option<()> {
        let count = self.stream.read_buf(&mut self.buffer).await.ok()?;
        (count > 0).then_some(())
    }

    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < count {
            self.fill().await?;
        }
        Some(self.buffer.drain(..count).collect())
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = self.take(end + 2).await?;
                return Some(String::from_utf8(line[..end].to_vec()).unwrap());
            }
            self.fill().await?;
        }
    }

    async fn request(&mut self) -> Option<Seen> {
        let first = self.line().await?;
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        assert_eq!(words.next(), Some("HTTP/1.1"), "{first}");
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap();
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut seen = Seen {
            connection: self.number,
            method,
            target,
            headers,
            body: Vec::new(),
        };
        if let Some(length) = seen.all("content-length").first().map(|length| length.parse().unwrap()) {
            seen.body = self.take(length).await?;
        } else if seen.all("transfer-encoding") == ["chunked"] {
            loop {
                let length = usize::from_str_radix(&self.line().await?, 16).unwrap();
                if length == 0 {
                    // Whatever stands here before the empty line are trailers.
                    while let Some(trailer) = self.line().await.filter(|line| !line.is_empty()) {
                        seen.headers.push(("trailer!".into(), trailer));
                    }
                    break;
                }
                let chunk = self.take(length).await?;
                seen.body.extend(chunk);
                self.line().await?;
            }
        }
        Some(seen)
    }

    fn healthy(&self, seen: &Seen) -> Reply {
        let uid = self.state.uid.lock().unwrap().clone();
        let ready = json!({"conditions": [{"type": "Ready", "status": "True"}],
            "capacity": {"cpu": "4", "memory": "16Gi", "pods": "110"}});
        match (seen.method.as_str(), seen.path()) {
            ("GET", "/healthz") => Reply::text(200, "text/plain", "ok"),
            ("GET", "/version") => Reply::json(200, &json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3"})),
            ("GET", "/api") => Reply::json(200, &json!({"kind": "APIVersions", "versions": ["v1"]})),
            ("GET", "/api/v1/namespaces/kube-system") => {
                let metadata = json!({"name": "kube-system", "uid": uid});
                Reply::json(
                    200,
                    &json!({"kind": "Namespace", "apiVersion": "v1", "metadata": metadata}),
                )
            }
            ("GET", "/api/v1/nodes") => {
                let node = json!({"metadata": {"name": "n"}, "status": ready});
                let list = json!({"kind": "NodeList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"},
                    "items": [node, node]});
                Reply::json(200, &list)
            }
            ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews") => Reply::json(
                201,
                &json!({"status": {"userInfo": {"username": "system:serviceaccount:a:atoll"}}}),
            ),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
                Reply::json(201, &json!({"status": {"allowed": true}}))
            }
            _ => Reply::text(404, "text/plain; charset=utf-8", "404 page not found\n"),
        }
    }
}
