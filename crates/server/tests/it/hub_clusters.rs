//! Two doors, one registry: a `KubeFedCluster` and its Secret, written by kubectl in any order.

use atoll_clusters::Credential;
use http::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::hub_fixture::{APPLY, CLUSTERS, Change, Hub, JSON, MERGE, SECRETS};

fn cluster(name: &str) -> Value {
    json!({"apiVersion": "core.kubefed.io/v1beta1", "kind": "KubeFedCluster",
        "metadata": {"name": name, "namespace": "kube-federation-system", "labels": {"region": "eu"}},
        "spec": {"apiEndpoint": "https://api.example:6443", "secretRef": {"name": format!("{name}-secret")}}})
}

fn secret(name: &str, token: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("{name}-secret")}, "stringData": {"token": token}})
}

/// The token in the registry; `None` when it holds no credential.
async fn token(hub: &Hub, name: &str) -> Option<String> {
    let row = hub.state.store.cluster(name).await.unwrap()?;
    let bytes = hub.state.store.open_sealed(&row.credential).unwrap();
    match Credential::from_stored(bytes.expose_secret()) {
        Ok(Credential::Token(token)) => Some(token.expose_secret().to_owned()),
        Ok(Credential::ClientCertificate { .. }) | Err(_) => None,
    }
}

async fn credential_revision(hub: &Hub, name: &str) -> i64 {
    hub.state
        .store
        .cluster(name)
        .await
        .unwrap()
        .unwrap()
        .credential_revision
}

#[tokio::test]
async fn a_cluster_joins_whichever_of_its_objects_comes_first() {
    let hub = Hub::start().await;
    hub.post(SECRETS, &secret("one", "token-one")).await.ok();
    hub.post(CLUSTERS, &cluster("one")).await.ok();
    assert_eq!(token(&hub, "one").await.as_deref(), Some("token-one"));

    let made = hub.post(CLUSTERS, &cluster("two")).await.ok();
    assert_eq!(token(&hub, "two").await, None);
    let before = credential_revision(&hub, "two").await;
    hub.post(SECRETS, &secret("two", "token-two")).await.ok();
    assert_eq!(token(&hub, "two").await.as_deref(), Some("token-two"));
    assert!(credential_revision(&hub, "two").await > before);
    // Who read the object before must read it again: its row has moved.
    let after = hub.get(&format!("{CLUSTERS}/two")).await.ok();
    assert_ne!(
        after["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );

    let row = hub.state.store.cluster("one").await.unwrap().unwrap();
    assert_eq!(
        (row.endpoint.as_str(), row.created_by.as_str(), row.admit_admins),
        ("https://api.example:6443", "ada", false)
    );
}

#[tokio::test]
async fn objects_that_arrive_together_make_a_whole_cluster() {
    let hub = Hub::start().await;
    for round in 0..20 {
        let name = format!("c{round}");
        let (object, secret) = (cluster(&name), secret(&name, "token"));
        let (one, two) = tokio::join!(hub.post(CLUSTERS, &object), hub.post(SECRETS, &secret));
        one.ok();
        two.ok();
        assert_eq!(token(&hub, &name).await.as_deref(), Some("token"), "{name}");
    }
}

#[tokio::test]
async fn a_changed_secret_is_sealed_again_and_an_unchanged_one_is_not() {
    let hub = Hub::start().await;
    hub.post(SECRETS, &secret("eu-1", "old")).await.ok();
    hub.post(CLUSTERS, &cluster("eu-1")).await.ok();
    let before = credential_revision(&hub, "eu-1").await;
    let path = format!("{SECRETS}/eu-1-secret");

    hub.patch(&path, MERGE, &json!({"metadata": {"labels": {"a": "b"}}}))
        .await
        .ok();
    hub.patch(&path, MERGE, &json!({"stringData": {"token": "old"}}))
        .await
        .ok();
    assert_eq!(credential_revision(&hub, "eu-1").await, before);

    hub.patch(&path, MERGE, &json!({"stringData": {"token": "new"}}))
        .await
        .ok();
    assert_eq!(
        (
            token(&hub, "eu-1").await.as_deref(),
            credential_revision(&hub, "eu-1").await
        ),
        (Some("new"), before + 1)
    );

    hub.delete(&path).await.ok();
    assert_eq!(token(&hub, "eu-1").await, None);
    hub.post(SECRETS, &secret("eu-1", "third")).await.ok();
    assert_eq!(token(&hub, "eu-1").await.as_deref(), Some("third"));
}

/// SF-07
#[tokio::test]
async fn a_new_address_does_not_get_the_old_credential() {
    let hub = Hub::start().await;
    hub.post(SECRETS, &secret("eu-1", "secret")).await.ok();
    hub.post(CLUSTERS, &cluster("eu-1")).await.ok();
    let path = format!("{CLUSTERS}/eu-1");
    let moved = json!({"spec": {"apiEndpoint": "https://evil.example"}});
    let answer = hub.patch(&path, MERGE, &moved).await;
    assert!(
        answer.warnings()[0].contains("write the Secret eu-1-secret again"),
        "{:?}",
        answer.warnings()
    );
    answer.ok();
    let row = hub.state.store.cluster("eu-1").await.unwrap().unwrap();
    assert_eq!(
        (row.endpoint.as_str(), token(&hub, "eu-1").await),
        ("https://evil.example", None)
    );

    // Touching the Secret without its value is not enough, and neither is moving back.
    let secret_path = format!("{SECRETS}/eu-1-secret");
    hub.patch(&secret_path, MERGE, &json!({"metadata": {"labels": {"a": "b"}}}))
        .await
        .ok();
    let masked = hub.get(&secret_path).await.ok();
    hub.put(&secret_path, &masked).await.ok();
    assert_eq!(token(&hub, "eu-1").await, None);
    hub.patch(
        &path,
        MERGE,
        &json!({"spec": {"apiEndpoint": "https://api.example:6443"}}),
    )
    .await
    .ok();
    assert_eq!(token(&hub, "eu-1").await, None);

    // Whoever knows the token may send it there, even the same one again.
    hub.patch(&secret_path, MERGE, &json!({"stringData": {"token": "secret"}}))
        .await
        .ok();
    assert_eq!(token(&hub, "eu-1").await.as_deref(), Some("secret"));
    // A new address together with another Secret is fine as well.
    hub.post(SECRETS, &secret("other", "another")).await.ok();
    let moved = json!({"spec": {"apiEndpoint": "https://new.example", "secretRef": {"name": "other-secret"}}});
    hub.patch(&path, MERGE, &moved).await.ok();
    assert_eq!(token(&hub, "eu-1").await.as_deref(), Some("another"));
}

#[tokio::test]
async fn labels_of_a_cluster_change_without_touching_its_credential() {
    let hub = Hub::start().await;
    hub.post(SECRETS, &secret("eu-1", "secret")).await.ok();
    hub.post(CLUSTERS, &cluster("eu-1")).await.ok();
    let before = credential_revision(&hub, "eu-1").await;
    let labelled = json!({"metadata": {"labels": {"zone": "a"}}, "spec": {"apiEndpoint": "api.example:6443"}});
    hub.patch(&format!("{CLUSTERS}/eu-1"), MERGE, &labelled).await.ok();
    assert_eq!(
        (
            credential_revision(&hub, "eu-1").await,
            token(&hub, "eu-1").await.as_deref()
        ),
        (before, Some("secret"))
    );
}

#[tokio::test]
async fn a_deleted_cluster_is_unregistered() {
    let hub = Hub::start().await;
    hub.post(SECRETS, &secret("eu-1", "secret")).await.ok();
    hub.post(CLUSTERS, &cluster("eu-1")).await.ok();
    hub.delete(&format!("{CLUSTERS}/eu-1")).await.ok();
    assert!(hub.state.store.cluster("eu-1").await.unwrap().is_none());
    // The Secret is its owner's, and stays unreadable.
    assert_ne!(
        hub.get(&format!("{SECRETS}/eu-1-secret")).await.ok()["data"]["token"],
        "c2VjcmV0"
    );
}

#[tokio::test]
async fn what_cannot_be_a_cluster_is_refused_with_its_fields() {
    let hub = Hub::start().await;
    let with = |change: fn(&mut Value)| {
        let mut object = cluster("eu-1");
        change(&mut object);
        object
    };
    let cases: [(Change, &str); 7] = [
        (
            |object| object["spec"]["apiEndpoint"] = json!("http://api.example"),
            "spec.apiEndpoint",
        ),
        (
            |object| object["spec"]["apiEndpoint"] = json!("169.254.169.254"),
            "spec.apiEndpoint",
        ),
        (|object| object["spec"]["caBundle"] = json!("eA=="), "spec.caBundle"),
        (
            |object| object["spec"]["disabledTLSValidations"] = json!(["*"]),
            "spec.disabledTLSValidations",
        ),
        (
            |object| object["spec"]["disabledTLSValidations"] = json!(false),
            "spec.disabledTLSValidations",
        ),
        (
            |object| object["spec"]["proxyURL"] = json!("http://proxy:3128"),
            "spec.proxyURL",
        ),
        (|object| object["metadata"]["name"] = json!("eu.1"), "metadata.name"),
    ];
    for (change, field) in cases {
        assert_eq!(hub.post(CLUSTERS, &with(change)).await.fields(), [field]);
    }
    let mut elsewhere = cluster("eu-1");
    elsewhere["metadata"]["namespace"] = json!("shop");
    hub.namespace("shop").await;
    let path = CLUSTERS.replace("kube-federation-system", "shop");
    assert_eq!(hub.post(&path, &elsewhere).await.fields(), ["metadata.namespace"]);
    assert!(hub.state.store.clusters().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cluster_without_a_namespace_is_put_where_clusters_live() {
    let hub = Hub::start().await;
    let mut object = cluster("eu-1");
    object["metadata"]["namespace"] = json!("default");
    let path = CLUSTERS.replace("kube-federation-system", "default");
    let made = hub.post(&path, &object).await;
    assert!(
        made.warnings()
            .iter()
            .any(|warning| warning.contains("kube-federation-system"))
    );
    assert_eq!(made.ok()["metadata"]["namespace"], "kube-federation-system");
    assert_eq!(hub.get(&format!("{path}/eu-1")).await.ok()["metadata"]["name"], "eu-1");
    let apply = format!("{path}/eu-1?fieldManager=k&force=true");
    hub.patch(&apply, APPLY, &object).await.ok();
    hub.ask(Method::DELETE, &format!("{path}/eu-1"), JSON, None).await.ok();
    assert!(hub.state.store.cluster("eu-1").await.unwrap().is_none());
}

#[tokio::test]
async fn a_start_finishes_what_a_crash_left_between_two_commits() {
    let hub = Hub::start().await;
    hub.post(CLUSTERS, &cluster("eu-1")).await.ok();
    // The Secret as a process would leave it that died right after writing it.
    let body = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "eu-1-secret", "namespace": "kube-federation-system",
        "uid": "1", "creationTimestamp": "2026-01-01T00:00:00Z"}, "data": {"token": "c2VjcmV0"}});
    let write = atoll_store::Write::Create {
        key: atoll_store::ObjectKey::new("", "secrets", "kube-federation-system", "eu-1-secret"),
        body: body.into(),
    };
    let transaction = atoll_store::Transaction {
        writes: vec![write],
        lease: None,
    };
    hub.state.store.write(transaction).await.unwrap();
    assert_eq!(token(&hub, "eu-1").await, None);
    atoll_server::hub::seed(&hub.state.store, jiff::Timestamp::now())
        .await
        .unwrap();
    assert_eq!(token(&hub, "eu-1").await.as_deref(), Some("secret"));
}

#[tokio::test]
async fn tables_show_clusters_as_kubefed_does() {
    let hub = Hub::start().await;
    hub.post(CLUSTERS, &cluster("eu-1")).await.ok();
    let status =
        json!({"status": {"kubernetesVersion": "v1.36.3", "conditions": [{"type": "Ready", "status": "True"}]}});
    hub.patch(&format!("{CLUSTERS}/eu-1/status"), MERGE, &status).await.ok();
    let table = hub.table(CLUSTERS).await;
    let columns = table["columnDefinitions"].as_array().unwrap();
    let shown: Vec<&str> = columns
        .iter()
        .filter(|one| one["priority"] == 0)
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(shown, ["Name", "Age", "Ready", "Kubernetes-Version"]);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(cells[2..4], [json!("True"), json!("v1.36.3")]);
}
