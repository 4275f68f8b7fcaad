//! A whole hub of its own for each test: store, members, controllers and the complete router, without a socket.

use std::net::SocketAddr;
use std::time::Duration;

use atoll_clusters::{AddressPolicy, Clusters, Network, Options};
use atoll_controllers::Controllers;
use atoll_server::app::initialise::{hash, initialise};
use atoll_server::auth::directory::Directory;
use atoll_server::auth::session::Sessions;
use atoll_server::listen::Peer;
use atoll_server::state::{Hub as Identity, Parts};
use atoll_server::{AppState, hub, router};
use atoll_simulator::{MemberOptions, SimulatedMember};
use atoll_store::{DatabaseUrl, Keys, Store, User};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A hub with the user `admin`.
pub(crate) struct Hub {
    pub(crate) state: AppState,
    pub(crate) app: Router,
    shutdown: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Hub {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::read_or_create(&folder.path().join("keys")).unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("atoll.db"));
        let store = Store::open(&url, keys).await.unwrap();
        let now = Timestamp::now();
        let started = initialise(&store, Some(SecretString::from(PASSWORD)), now)
            .await
            .unwrap();
        hub::seed(&store, now).await.unwrap();
        let clusters = Clusters::new(Options {
            period: Duration::from_millis(300),
            ..Options::new(Network::new(AddressPolicy {
                allow_loopback: true,
                ..AddressPolicy::default()
            }))
        });
        let uid = started.installation.hub_uid;
        let options = atoll_controllers::Options::new(uid.to_string(), "test");
        let state = AppState::new(Parts {
            controllers: Controllers::start(store.clone(), clusters.clone(), options),
            directory: Directory::new(store.clone()),
            store,
            clusters,
            hub: Identity {
                uid,
                public_url: "https://hub.example".into(),
                host_names: ["127.0.0.1".to_owned(), "localhost".to_owned(), "hub.example".to_owned()].into(),
                any_address: false,
                authority_certificate: Some(started.authority.certificate_pem().to_owned()),
                session_hours: 12,
                demo: false,
            },
            sessions: Sessions::new(started.installation.signing_key.expose_secret()),
            limiter: Default::default(),
            verifier: Default::default(),
            tickets: Default::default(),
            feeds: Default::default(),
            catalogs: Default::default(),
            metrics: Default::default(),
            tasks: Default::default(),
            tunnels: CancellationToken::new(),
            clock: Timestamp::now,
        });
        let shutdown = CancellationToken::new();
        let (following, end) = (state.clone(), shutdown.clone());
        state.tasks.spawn(async move { following.directory.follow(end).await });
        Self {
            app: router::router(state.clone()),
            state,
            shutdown,
            _folder: folder,
        }
    }

    /// A request to be filled in.
    pub(crate) fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask {
            app: &self.app,
            builder: Request::builder().method(method).uri(path),
            host: Some("localhost".into()),
            body: Body::empty(),
            peer: Peer {
                address: SocketAddr::from(([127, 0, 0, 1], 40_000)),
                tls: true,
            },
        }
    }

    pub(crate) fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        self.ask(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Ask<'_> {
        self.ask(Method::PUT, path).json(body)
    }

    pub(crate) fn delete(&self, path: &str) -> Ask<'_> {
        self.ask(Method::DELETE, path)
    }

    /// A bearer token of `admin`.
    pub(crate) async fn sign_in(&self) -> String {
        let answer = self
            .post("/api/v1/sessions", &json!({"username": "admin", "password": PASSWORD}))
            .send()
            .await;
        answer.ok(201)["token"].as_str().unwrap().to_owned()
    }

    /// Somebody else, with the same password.
    pub(crate) async fn person(&self, name: &str, admin: bool) {
        let user = User {
            name: name.into(),
            display_name: name.into(),
            password_hash: hash(SecretString::from(PASSWORD)).await.unwrap(),
            admin,
            disabled: false,
            created_at: Timestamp::now(),
        };
        self.state.store.create_user(&user).await.unwrap();
    }

    /// The bearer token of somebody else.
    pub(crate) async fn sign_in_as(&self, name: &str) -> String {
        let answer = self
            .post("/api/v1/sessions", &json!({"username": name, "password": PASSWORD}))
            .send()
            .await;
        answer.ok(201)["token"].as_str().unwrap().to_owned()
    }

    /// Registers a simulated cluster.
    pub(crate) async fn register(&self, token: &str, member: &SimulatedMember, name: &str, more: Value) -> Value {
        let mut body = json!({"name": name, "kubeconfig": member.kubeconfig()});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap_or_default());
        self.post("/api/v1/clusters", &body).bearer(token).send().await.ok(201)
    }

    /// Waits until a cluster is in this state.
    pub(crate) async fn wait_for_state(&self, token: &str, name: &str, state: &str) -> Value {
        let path = format!("/api/v1/clusters/{name}");
        for _ in 0..300 {
            let cluster = self.get(&path).bearer(token).send().await.ok(200);
            if cluster["state"] == state {
                return cluster;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{name} is never {state}");
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.state.tunnels.cancel();
    }
}

/// A hub with two ready clusters, `eu-1` and `us-1`. Tests that need more of it say so in modules of their own.
pub(crate) struct World {
    pub(crate) hub: Hub,
    /// Of `admin`.
    pub(crate) token: String,
    pub(crate) members: [SimulatedMember; 2],
}

impl World {
    pub(crate) async fn start() -> Self {
        let hub = Hub::start().await;
        let token = hub.sign_in().await;
        let members = [member("eu-1").await, member("us-1").await];
        for (one, name) in members.iter().zip(["eu-1", "us-1"]) {
            hub.register(&token, one, name, json!({})).await;
            hub.wait_for_state(&token, name, "Ready").await;
        }
        Self { hub, token, members }
    }

    pub(crate) async fn stop(self) {
        for member in self.members {
            member.stop().await;
        }
    }
}

/// A small quick member cluster.
pub(crate) async fn member(name: &str) -> SimulatedMember {
    let options = MemberOptions {
        name: name.into(),
        ..MemberOptions::default()
    };
    SimulatedMember::start(options).await.unwrap()
}

/// A request that is being put together.
pub(crate) struct Ask<'a> {
    app: &'a Router,
    builder: http::request::Builder,
    host: Option<String>,
    body: Body,
    peer: Peer,
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = Body::from(body.to_string());
        self.header("content-type", "application/json")
    }

    pub(crate) fn text(mut self, kind: &str, body: &str) -> Self {
        self.body = Body::from(body.to_owned());
        self.header("content-type", kind)
    }

    pub(crate) fn host(mut self, host: Option<&str>) -> Self {
        self.host = host.map(str::to_owned);
        self
    }

    /// Over plain HTTP, from this address.
    pub(crate) fn peer(mut self, address: &str, tls: bool) -> Self {
        self.peer = Peer {
            address: address.parse().unwrap(),
            tls,
        };
        self
    }

    pub(crate) async fn response(self) -> Response<Body> {
        let mut request = self.builder.body(self.body).unwrap();
        if let Some(host) = &self.host {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        request.extensions_mut().insert(self.peer);
        self.app.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(self) -> Answer {
        Answer::read(self.response().await).await
    }
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            code: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The body of an answer with this code.
    #[track_caller]
    pub(crate) fn ok(&self, code: u16) -> Value {
        assert_eq!(self.code.as_u16(), code, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The `Status` of a refusal with this code and reason.
    #[track_caller]
    pub(crate) fn refused(&self, code: u16, reason: &str) -> Value {
        assert_eq!(self.code.as_u16(), code, "{}", self.text);
        let status = self.json();
        assert_eq!(
            (&status["kind"], &status["reason"], &status["code"]),
            (&json!("Status"), &json!(reason), &json!(code)),
            "{status}"
        );
        status
    }

    /// The lines of a newline-delimited answer.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// Waits until `condition` gives something.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, condition: impl Fn() -> F) -> T {
    for _ in 0..400 {
        if let Some(found) = condition().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}
