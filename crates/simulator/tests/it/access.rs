use serde_json::{Value, json};

use crate::fixture::World;

const ANN: [(&str, &str); 2] = [("impersonate-user", "atoll:ann"), ("impersonate-group", "atoll:admins")];
const JSON: (&str, &str) = ("content-type", "application/json");

async fn message(world: &World, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
    let response = world.send("GET", path, headers, "").await;
    let status: Value = serde_json::from_str(response.body()).unwrap();
    (response.status().as_u16(), status["message"].clone())
}

#[tokio::test]
async fn an_impersonated_user_may_do_what_bindings_allow_and_nothing_else() {
    let world = World::shop().await;
    let refused = message(&world, "/api/v1/namespaces/shop/pods", &ANN).await;
    assert_eq!(
        refused,
        (
            403,
            json!(
                "pods is forbidden: User \"atoll:ann\" cannot list resource \"pods\" in API group \"\" in the namespace \"shop\""
            )
        )
    );
    let refused = message(&world, "/api/v1/nodes/east-node-1", &ANN).await;
    assert_eq!(
        refused,
        (
            403,
            json!(
                "nodes \"east-node-1\" is forbidden: User \"atoll:ann\" cannot get resource \"nodes\" in API group \"\" at the cluster scope"
            )
        )
    );
    let binding = json!({"metadata": {"name": "atoll:admins"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": "atoll:admins"}]});
    let made = world
        .send(
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            &[JSON],
            &binding.to_string(),
        )
        .await;
    assert_eq!(made.status(), 201, "{}", made.body());
    for path in [
        "/api/v1/nodes",
        "/api/v1/namespaces/shop/secrets",
        "/apis/apps/v1/deployments",
    ] {
        assert_eq!(world.send("GET", path, &ANN, "").await.status(), 200, "{path}");
    }
    let without_group = [("impersonate-user", "atoll:bob")];
    assert_eq!(
        world.send("GET", "/api/v1/nodes", &without_group, "").await.status(),
        403
    );
}

#[tokio::test]
async fn a_role_in_a_namespace_ends_at_its_border() {
    let world = World::shop().await;
    let binding = json!({"metadata": {"name": "g"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "Group", "name": "atoll:grant:1"}]});
    let made = world
        .send(
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/namespaces/shop/rolebindings",
            &[JSON],
            &binding.to_string(),
        )
        .await;
    assert_eq!(made.status(), 201, "{}", made.body());
    let who = [
        ("impersonate-user", "atoll:bob"),
        ("impersonate-group", "atoll:grant:1"),
    ];
    let code = async |method: &str, path: &str| world.send(method, path, &who, "").await.status().as_u16();
    assert_eq!(code("GET", "/api/v1/namespaces/shop/pods").await, 200);
    assert_eq!(code("GET", "/api/v1/namespaces/shop/secrets").await, 403);
    assert_eq!(code("GET", "/api/v1/namespaces/default/pods").await, 403);
    assert_eq!(code("GET", "/api/v1/pods").await, 403);
    assert_eq!(code("DELETE", "/api/v1/namespaces/shop/pods/a").await, 403);
}

#[tokio::test]
async fn reviews_say_who_asks_and_what_they_may() {
    let world = World::shop().await;
    let review = async |kind: &str, group: &str, spec: Value| -> Value {
        let path = format!("/apis/{group}/v1/{}s", kind.to_lowercase());
        let body = json!({"apiVersion": format!("{group}/v1"), "kind": kind, "spec": spec}).to_string();
        let response = world.send("POST", &path, &[JSON, ANN[0], ANN[1]], &body).await;
        serde_json::from_str(response.body()).unwrap()
    };
    let who = review("SelfSubjectReview", "authentication.k8s.io", json!({})).await;
    assert_eq!(
        who["status"]["userInfo"],
        json!({"username": "atoll:ann", "groups": ["atoll:admins", "system:authenticated"]})
    );
    let asked = json!({"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "shop"}});
    let may = review("SelfSubjectAccessReview", "authorization.k8s.io", asked).await;
    assert_eq!(may["status"]["allowed"], false);
}

#[tokio::test]
async fn a_wrong_credential_is_401_and_health_needs_none() {
    let world = World::new().await;
    let other = World::new().await;
    let token = |kubeconfig: String| -> String {
        let value: Value = serde_saphyr::from_str(&kubeconfig).unwrap();
        value["users"][0]["user"]["token"].as_str().unwrap().to_owned()
    };
    let (own, foreign) = (token(world.member.kubeconfig()), token(other.member.kubeconfig()));
    assert_ne!(own, foreign);
    // With the token of another member.
    let kubeconfig = world.member.kubeconfig().replace(&own, &foreign);
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&kubeconfig).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    let client = kube::Client::try_from(config.clone()).unwrap();
    let error = client.apiserver_version().await.unwrap_err();
    assert!(
        matches!(&error, kube::Error::Api(status) if status.code == 401 && status.reason == "Unauthorized"),
        "{error:?}"
    );
    config.auth_info = Default::default();
    let nobody = kube::Client::try_from(config).unwrap();
    assert_eq!(nobody.apiserver_version().await.unwrap().git_version, "v1.36.3");
    let health = http::Request::get("/healthz").body(Vec::new()).unwrap();
    assert_eq!(nobody.request_text(health).await.unwrap(), "ok");
    let pods = http::Request::get("/api/v1/pods").body(Vec::new()).unwrap();
    assert!(matches!(nobody.request_text(pods).await.unwrap_err(), kube::Error::Api(status) if status.code == 401));
}
