//! A member, and a client for it.

use std::fmt::Debug;
use std::time::Duration;

use atoll_simulator::{MemberOptions, Pace, SimulatedMember};
use http::{Request, Response};
use http_body_util::BodyExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, ListParams, PostParams};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) member: SimulatedMember,
    pub(crate) client: Client,
}

pub(crate) fn options() -> MemberOptions {
    MemberOptions {
        name: "east".into(),
        pace: Pace::instant(),
        ..MemberOptions::default()
    }
}

pub(crate) async fn client(member: &SimulatedMember) -> Client {
    let kubeconfig = Kubeconfig::from_yaml(&member.kubeconfig()).unwrap();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    // A fault is to be seen as it is.
    config.default_retry = false;
    Client::try_from(config).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: MemberOptions) -> Self {
        let member = SimulatedMember::start(options).await.unwrap();
        let client = client(&member).await;
        Self { member, client }
    }

    /// With a namespace `shop`.
    pub(crate) async fn shop() -> Self {
        let world = Self::new().await;
        create(&world.namespaces(), json!({"metadata": {"name": "shop"}})).await;
        world
    }

    pub(crate) fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.client.clone())
    }

    pub(crate) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), "shop")
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), "shop")
    }

    pub(crate) async fn pod_names(&self) -> Vec<String> {
        let pods = self.pods().list(&ListParams::default()).await.unwrap();
        pods.items.into_iter().filter_map(|pod| pod.metadata.name).collect()
    }

    /// A deployment that is ready.
    pub(crate) async fn ready(&self, object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        create(&self.deployments(), object).await;
        eventually("the Deployment is ready", async || {
            let status = self.deployments().get(&name).await.unwrap().status.unwrap();
            status.available_replicas.is_some() && status.available_replicas == status.replicas
        })
        .await;
    }

    /// A request of its own, with what it answers.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response<String> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.as_bytes().to_vec())).unwrap();
        let (parts, body) = self.client.send(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, String::from_utf8(bytes.to_vec()).unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.send("GET", path, &[], "").await;
        assert!(
            response.status().is_success(),
            "{} {}",
            response.status(),
            response.body()
        );
        serde_json::from_str(response.body()).unwrap()
    }
}

pub(crate) async fn create<K>(api: &Api<K>, object: Value) -> K
where
    K: Clone + DeserializeOwned + Serialize + Debug,
{
    let object: K = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap()
}

/// Waits until something is so.
pub(crate) async fn eventually(what: &str, check: impl AsyncFn() -> bool) {
    let waiting = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, waiting).await.is_ok(),
        "it never comes to pass that {what}"
    );
}

pub(crate) fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image, "ports": [{"containerPort": 8080, "name": "http"}]}]}})
}

pub(crate) fn deployment(name: &str, replicas: i64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": template("web:1"),
    }})
}

/// The code and message of a refusal.
pub(crate) fn refusal<T: Debug>(outcome: kube::Result<T>) -> (u16, String) {
    match outcome {
        Err(kube::Error::Api(status)) => (status.code, status.message.clone()),
        other => panic!("no refusal: {other:?}"),
    }
}
