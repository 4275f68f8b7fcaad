//! A member with kinds of its own: a small API server in memory, behind TLS, that serves what a test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use atoll_kubeapi::{Catalog, MemoryBackend, Options, RequestContext, Resource, Schema};
use atoll_server::listen::{Authority, Listener, ServerCertificate};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::hub_fixture::{CLUSTERS, Hub, SECRETS, eventually};

pub(crate) struct CustomMember {
    backend: Arc<MemoryBackend>,
    address: SocketAddr,
    authority: String,
    paths: Arc<Mutex<Vec<String>>>,
    shutdown: CancellationToken,
}

impl CustomMember {
    /// A member that serves these kinds beside the core ones that the hub looks at.
    pub(crate) async fn start(kinds: Vec<Resource>) -> Self {
        let backend = Arc::new(MemoryBackend::new(catalog(kinds)));
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "kube-system", "uid": uuid::Uuid::new_v4().to_string(), "creationTimestamp": "2026-01-01T00:00:00Z"}});
        let namespaces = Resource::built_in("", "v1", "Namespace", "namespaces").unwrap();
        let commit = atoll_kubeapi::Commit {
            resource: &namespaces,
            namespace: "",
            name: "kube-system",
            change: atoll_kubeapi::Change::Create(namespace),
        };
        backend.memory().commit(commit).unwrap();
        let paths = Arc::new(Mutex::new(Vec::new()));
        let seen = paths.clone();
        let app = Router::new()
            .route("/healthz", get(|| async { "ok" }))
            .route("/livez", get(|| async { "ok" }))
            .route("/readyz", get(|| async { "ok" }))
            .fallback_service(
                atoll_kubeapi::router(backend.clone(), Options::default()).layer(from_fn(
                    move |mut request: Request, next: Next| {
                        seen.lock().unwrap().push(request.uri().path().to_owned());
                        request.extensions_mut().insert(RequestContext::default());
                        next.run(request)
                    },
                )),
            );
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
        let (ending, tunnels) = (shutdown.clone(), shutdown.child_token());
        TaskTracker::new().spawn(async move { listener.serve(app, ending, tunnels).await });
        Self {
            backend,
            address,
            authority: authority_pem,
            paths,
            shutdown,
        }
    }

    /// Serves other kinds from now on.
    pub(crate) fn serve(&self, kinds: Vec<Resource>) {
        self.backend.set_catalog(catalog(kinds));
    }

    /// How often a path was asked for.
    pub(crate) fn asked_for(&self, path: &str) -> usize {
        let paths = self.paths.lock().unwrap();
        paths.iter().filter(|one| *one == path).count()
    }

    /// An object that it holds.
    pub(crate) fn object(&self, kind: &Resource, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.backend.memory().get(kind, namespace, name)
    }

    /// Registers it with a hub as kubectl would, and waits until it is ready.
    pub(crate) async fn join(&self, hub: &Hub, name: &str) {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"token": "t"}});
        hub.post(SECRETS, &secret).await.ok();
        let cluster = json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster", "metadata": {"name": name},
            "spec": {"apiEndpoint": format!("https://{}", self.address), "secretRef": {"name": name},
                "caBundle": STANDARD.encode(&self.authority)}});
        hub.post(CLUSTERS, &cluster).await.ok();
        let (state, name) = (hub.state.clone(), name.to_owned());
        eventually("the member is ready", || async {
            state.clusters.member(&name).is_some_and(|member| member.is_ready())
        })
        .await;
    }
}

impl Drop for CustomMember {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn catalog(kinds: Vec<Resource>) -> Catalog {
    let core = [("Namespace", "namespaces"), ("Node", "nodes")].map(|(kind, plural)| Resource {
        namespaced: false,
        ..Resource::built_in("", "v1", kind, plural).unwrap()
    });
    Catalog::new(core.into_iter().chain(kinds))
}

/// A custom kind with replicas and a list whose items are told apart by name.
pub(crate) fn widgets(version: &str) -> Resource {
    let part = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string", "description": "Name of the part."}, "count": {"type": "integer"},
    }});
    Resource {
        status: true,
        short_names: vec!["wid".into()],
        schema: Schema::new(json!({"type": "object", "required": ["spec"], "properties": {
            "spec": {"type": "object", "description": "What the widget is made of.", "required": ["size"], "properties": {
                "size": {"type": "integer", "description": "How large it is."},
                "replicas": {"type": "integer", "format": "int32"},
                "parts": {"type": "array", "items": part, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
            }},
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        }})),
        description: "A widget.".into(),
        ..Resource::new("example.com", version, "Widget", "widgets")
    }
}
