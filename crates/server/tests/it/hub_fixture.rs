//! A hub of its own for each test: a database in a folder, an administrator with a token, and a client for both
//! Kubernetes surfaces. Members are wherever a test says.

use std::time::Duration;

use atoll_clusters::{AddressPolicy, Clusters, Network, Options};
use atoll_controllers::Controllers;
use atoll_server::auth::directory::Directory;
use atoll_server::auth::session::Sessions;
use atoll_server::auth::{digest, new_token};
use atoll_server::state::{Hub as Identity, Parts};
use atoll_server::{AppState, hub, router};
use atoll_store::{DatabaseUrl, Keys, Store, Token, User};
use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

pub(crate) const JSON: &str = "application/json";
pub(crate) const MERGE: &str = "application/merge-patch+json";
pub(crate) const APPLY: &str = "application/apply-patch+yaml";
pub(crate) const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/// Namespaced paths of the hub's API.
pub(crate) const CLUSTERS: &str = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters";
pub(crate) const SECRETS: &str = "/api/v1/namespaces/kube-federation-system/secrets";

pub(crate) struct Hub {
    pub(crate) state: AppState,
    pub(crate) token: String,
    pub(crate) token_id: Uuid,
    app: Router,
    shutdown: CancellationToken,
    folder: tempfile::TempDir,
}

impl Hub {
    /// A hub whose controllers look after another, empty store: what a test writes stays as it wrote it.
    pub(crate) async fn start() -> Self {
        Self::start_with(false).await
    }

    /// A hub whose controllers work, so that clusters become members.
    pub(crate) async fn live() -> Self {
        Self::start_with(true).await
    }

    async fn start_with(controllers_work: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::read_or_create(&folder.path().join("keys")).unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("atoll.db"));
        let store = Store::open(&url, keys).await.unwrap();
        let now = Timestamp::now();
        hub::seed(&store, now).await.unwrap();
        let (token, token_id) = add_user(&store, "ada", true).await;
        let mut network = Network::new(AddressPolicy {
            allow_loopback: true,
            ..AddressPolicy::default()
        });
        network.deadlines.queue = Duration::from_millis(300);
        let clusters = Clusters::new(Options {
            period: Duration::from_millis(200),
            ..Options::new(network)
        });
        let uid = Uuid::new_v4();
        let looked_after = if controllers_work {
            store.clone()
        } else {
            let keys = Keys::read_or_create(&folder.path().join("idle-keys")).unwrap();
            Store::open(&DatabaseUrl::Sqlite(folder.path().join("idle.db")), keys)
                .await
                .unwrap()
        };
        let options = atoll_controllers::Options::new(uid.to_string(), "test");
        let controllers = Controllers::start(looked_after, clusters.clone(), options);
        let state = AppState::new(Parts {
            directory: Directory::new(store.clone()),
            store,
            clusters,
            controllers,
            hub: Identity {
                uid,
                public_url: "https://127.0.0.1".into(),
                host_names: ["127.0.0.1".to_owned(), "localhost".to_owned()].into(),
                any_address: false,
                authority_certificate: None,
                session_hours: 1,
                demo: false,
            },
            sessions: Sessions::new(&[7; 32]),
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
            token,
            token_id,
            shutdown,
            folder,
        }
    }

    /// The whole application.
    pub(crate) fn router(&self) -> Router {
        self.app.clone()
    }

    /// A file of this hub's own.
    pub(crate) fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Another person's token.
    pub(crate) async fn person(&self, name: &str, admin: bool) -> String {
        add_user(&self.state.store, name, admin).await.0
    }

    /// Sends a request as somebody and returns the answer as it comes.
    pub(crate) async fn send(&self, request: http::request::Builder, body: Body) -> Response<Body> {
        let bearer = format!("Bearer {}", self.token);
        let mut request = request.header("host", "localhost").body(body).unwrap();
        if !request.headers().contains_key("authorization") {
            request.headers_mut().insert("authorization", bearer.parse().unwrap());
        }
        self.router().oneshot(request).await.unwrap()
    }

    /// One request to the hub's API; `path` is relative to it.
    pub(crate) async fn ask(&self, method: Method, path: &str, kind: &str, body: Option<&Value>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/k8s/hub{path}"))
            .header("content-type", kind)
            .header("user-agent", "kubectl/v1.36.3 (linux/amd64)");
        let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
        Answer::read(self.send(request, body).await).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, JSON, None).await
    }

    pub(crate) async fn table(&self, path: &str) -> Value {
        let request = Request::get(format!("/k8s/hub{path}")).header("accept", TABLE);
        Answer::read(self.send(request, Body::empty()).await).await.ok()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::POST, path, JSON, Some(body)).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.ask(Method::PUT, path, JSON, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, body: &Value) -> Answer {
        self.ask(Method::PATCH, path, kind, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, JSON, None).await
    }

    /// Makes a namespace.
    pub(crate) async fn namespace(&self, name: &str) {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.post("/api/v1/namespaces", &body).await.ok();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.state.tunnels.cancel();
    }
}

async fn add_user(store: &Store, name: &str, admin: bool) -> (String, Uuid) {
    let now = Timestamp::now();
    let user = User {
        name: name.into(),
        display_name: name.into(),
        password_hash: "none".into(),
        admin,
        disabled: false,
        created_at: now,
    };
    store.create_user(&user).await.unwrap();
    let text = new_token().expose_secret().to_owned();
    let token = Token {
        id: Uuid::new_v4(),
        name: "test".into(),
        user_name: name.into(),
        hash: digest(text.as_bytes()).to_vec(),
        created_at: now,
        expires_at: None,
        last_used_at: None,
    };
    store.create_token(&token).await.unwrap();
    (text, token.id)
}

/// An answer that was read to its end.
pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let read = tokio::time::timeout(Duration::from_secs(20), body.collect()).await;
        let bytes = read.expect("an answer with an end").unwrap().to_bytes();
        let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
        Self {
            code: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_else(|_| text()),
        }
    }

    /// The body of a success.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert!(self.code.is_success(), "{} {}", self.code, self.body);
        self.body
    }

    /// The body of a failure: a Status with this code and reason.
    #[track_caller]
    pub(crate) fn failed(self, code: u16, reason: &str) -> Value {
        let found = (self.code.as_u16(), self.body["reason"].as_str());
        assert_eq!(found, (code, Some(reason)), "{}", self.body);
        assert_eq!(
            (&self.body["kind"], &self.body["code"]),
            (&json!("Status"), &json!(code))
        );
        self.body
    }

    /// The fields that a failure names.
    #[track_caller]
    pub(crate) fn fields(self) -> Vec<String> {
        let body = self.failed(422, "Invalid");
        let causes = body["details"]["causes"].as_array().cloned().unwrap_or_default();
        causes
            .iter()
            .map(|cause| cause["field"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        let values = self.headers.get_all("warning").iter();
        values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    }
}

/// Lines of a watch, as they come.
pub(crate) struct Lines {
    body: Body,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) async fn open(hub: &Hub, path: &str) -> Self {
        let response = hub.send(Request::get(format!("/k8s/hub{path}")), Body::empty()).await;
        assert_eq!(response.status(), 200);
        Self {
            body: response.into_body(),
            buffer: Vec::new(),
        }
    }

    /// The next event; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let frame = tokio::time::timeout(Duration::from_secs(20), self.body.frame())
                .await
                .expect("an event in time");
            self.buffer
                .extend_from_slice(&frame?.unwrap().into_data().unwrap_or_default());
        }
    }

    /// The next event, as type and name.
    pub(crate) async fn named(&mut self) -> (String, String) {
        let event = self.next().await.unwrap();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["type"]), text(&event["object"]["metadata"]["name"]))
    }
}

/// Waits until `condition` holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, condition: impl Fn() -> F) {
    for _ in 0..600 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

/// A federated Deployment.
pub(crate) fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": "FederatedDeployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "template": {"spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "web", "image": "nginx:1", "ports": [{"containerPort": 80}]}]},
                },
            }},
            "placement": {"clusterSelector": {}},
        },
    })
}

pub(crate) const DEPLOYMENTS: &str = "/apis/types.kubefed.io/v1beta1/namespaces/shop/federateddeployments";
pub(crate) const CONFIG_MAPS: &str = "/apis/types.kubefed.io/v1beta1/namespaces/shop/federatedconfigmaps";

/// What a case of a test does to an object that is right.
pub(crate) type Change = fn(&mut Value);
