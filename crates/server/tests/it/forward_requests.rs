//! What reaches a member, and what comes back: paths, headers, identity, errors.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::json;

use super::forward_fixture::{FakeMember, Reply, Served, json_response, response};
use super::hub_fixture::{Answer, CLUSTERS, Hub, SECRETS, eventually};
use super::hub_kubectl::Kubectl;

async fn get(hub: &Hub, path: &str) -> Answer {
    Answer::read(hub.send(Request::get(path), Body::empty()).await).await
}

#[tokio::test]
async fn a_request_is_made_as_the_person_with_the_stored_credential() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    member.always(json_response(200, r#"{"kind":"PodList"}"#));
    let answer = get(
        &hub,
        "/k8s/clusters/eu-1/api/v1/namespaces/shop/pods?limit=500&labelSelector=a%3Db",
    )
    .await;
    assert_eq!(answer.ok()["kind"], "PodList");
    let got = member.last();
    assert_eq!(
        got.line(),
        "GET /api/v1/namespaces/shop/pods?limit=500&labelSelector=a%3Db HTTP/1.1"
    );
    assert_eq!(got.values("authorization"), ["Bearer stored-credential"]);
    assert_eq!(got.values("impersonate-user"), ["atoll:ada"]);
    assert_eq!(got.values("impersonate-group"), ["atoll:admins"]);
    assert_eq!(got.values("host"), [member.address.to_string()]);
    // AU-25: the caller's token goes nowhere.
    assert!(!got.head.contains(&hub.token));
    // The hub's own questions are its own.
    assert!(
        member
            .probes()
            .iter()
            .all(|probe| probe.values("impersonate-user").is_empty())
    );
}

/// PX-10, PX-11, PX-12
#[tokio::test]
async fn nothing_a_caller_sends_stands_for_or_removes_what_the_hub_says() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let request = format!(
        "GET /k8s/clusters/eu-1/api/v1/pods HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Connection: Impersonate-User, Authorization, Impersonate-Group, close\r\n\
         X-Remote-User: root\r\nX-Remote-Group: system:masters\r\n\
         X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: evil\r\nForwarded: for=192.0.2.1\r\nVia: 1.1 evil\r\n\
         Cookie: a=b\r\nProxy-Authorization: Basic YTpi\r\nX-Atoll-Key: secret\r\nTE: trailers\r\nOrigin: https://evil\r\n\
         Kubectl-Command: kubectl get\r\nAccept: application/json\r\nUser-Agent: kubectl\r\n\r\n",
        hub.token
    );
    let mut wire = served.connect(request.as_bytes()).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200"));
    let got = member.last();
    assert_eq!(got.values("impersonate-user"), ["atoll:ada"]);
    assert_eq!(got.values("impersonate-group"), ["atoll:admins"]);
    assert_eq!(got.values("authorization"), ["Bearer stored-credential"]);
    let mut names = got.names();
    names.sort_unstable();
    let allowed = [
        "accept",
        "authorization",
        "host",
        "impersonate-group",
        "impersonate-user",
        "kubectl-command",
        "user-agent",
    ];
    assert_eq!(names, allowed);
}

/// PX-10
#[tokio::test]
async fn a_request_in_somebody_elses_name_is_refused_and_reaches_nobody() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    for (name, value) in [
        ("impersonate-user", "system:admin"),
        ("Impersonate-Group", "system:masters"),
        ("IMPERSONATE-UID", "0"),
        ("Impersonate-Extra-Scopes", "all"),
        ("impersonate-user", ""),
    ] {
        for path in ["/k8s/clusters/eu-1/api/v1/pods", "/k8s/hub/api/v1/namespaces"] {
            let request = Request::get(path).header(name, value);
            let refused = Answer::read(hub.send(request, Body::empty()).await)
                .await
                .failed(403, "Forbidden");
            let message = refused["message"].as_str().unwrap();
            assert!(
                message.contains("--as") && message.contains(if value.is_empty() { name } else { value }),
                "{message}"
            );
        }
    }
    assert!(member.got().is_empty());
    // Documents are the same for everybody, and asked for as the person who signed in.
    member.always(json_response(200, r#"{"kind":"APIGroupList"}"#));
    let request = Request::get("/k8s/clusters/eu-1/apis").header("impersonate-user", "bob");
    Answer::read(hub.send(request, Body::empty()).await).await.ok();
    assert_eq!(member.last().values("impersonate-user"), ["atoll:ada"]);
}

/// PX-01, PX-02, PX-03, PX-04, PX-06, PX-07
#[tokio::test]
async fn what_could_be_understood_in_two_ways_reaches_nobody() {
    let (hub, one, two) = (Hub::live().await, FakeMember::start().await, FakeMember::start().await);
    one.join(&hub, "a").await;
    two.join(&hub, "b").await;
    let served = Served::start(&hub).await;
    let bad = [
        "/k8s/clusters/a/../b/api",
        "/k8s/clusters/a/%2e%2e/b",
        "/k8s/clusters/a/.%2e/b/api",
        "/k8s/clusters/../x",
        "/k8s/clusters/%2e%2e/x",
        "/k8s/clusters/a/api/v1/namespaces/team-a%2Fsecrets",
        "/k8s/clusters/a/api/v1/x%00y",
        "/k8s/clusters/a/api%0d%0av1",
        "/k8s/clusters/a/api/v1/%c0%ae%c0%ae",
        "/k8s/clusters/a/api%5Cv1",
        "/k8s/clusters/a\\api",
        "/k8s/clusters/a//evil.example/api",
        "/k8s/clusters/a%2Fb/api",
        "http://evil.example/k8s/clusters/a/api",
        "/k8s/clusters/a/api/v1/pods?watch=0&watch=1",
        "/k8s/clusters/a/api/v1/pods?watch=0&%77atch=1",
        "/k8s/clusters/a/api/v1/pods?dryRun=All&dryRun=",
    ];
    for target in bad {
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            hub.token
        );
        let mut wire = served.connect(request.as_bytes()).await;
        let head = wire.head().await;
        assert!(head.starts_with("HTTP/1.1 400"), "{target}: {head}");
    }
    for target in [
        "/k8s/clusters/A/api",
        "/k8s/clusters/a./api",
        "/k8s/clusters/a_b/api",
        "/k8s/clusters/%EF%BD%81/api",
        "/k8s/clusters/c/api",
    ] {
        let missing = get(&hub, target).await.failed(404, "NotFound");
        assert_eq!(missing["details"]["kind"], "clusters", "{target}");
    }
    let long = format!("/k8s/clusters/{}/api", "a".repeat(64));
    get(&hub, &long).await.failed(404, "NotFound");
    assert!(one.got().is_empty() && two.got().is_empty());
    // What is odd but means one thing arrives as it was meant.
    get(&hub, "/k8s/clusters/a/api/v1/namespaces/x%252e").await.ok();
    assert_eq!(one.last().line(), "GET /api/v1/namespaces/x%252e HTTP/1.1");
}

#[tokio::test]
async fn an_unknown_cluster_and_one_that_may_not_be_known_are_the_same() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let unknown = get(&hub, "/k8s/clusters/nowhere/api/v1/pods")
        .await
        .failed(404, "NotFound");
    assert_eq!(
        (&unknown["details"]["cluster"], &unknown["details"]["kind"]),
        (&json!("nowhere"), &json!("clusters"))
    );
    // AZ-15
    let bearer = format!("Bearer {}", hub.person("bob", false).await);
    let as_bob = async |path: &str| {
        let request = Request::get(path).header("authorization", &bearer);
        Answer::read(hub.send(request, Body::empty()).await).await
    };
    let hidden = as_bob("/k8s/clusters/eu-1/api/v1/pods").await.failed(404, "NotFound");
    let missing = as_bob("/k8s/clusters/nowhere/api/v1/pods")
        .await
        .failed(404, "NotFound");
    assert_eq!(hidden.to_string().replace("eu-1", "nowhere"), missing.to_string());
    assert!(member.got().is_empty());
}

#[tokio::test]
async fn nothing_is_forwarded_for_nobody() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    for authorization in ["", "Bearer ", "Bearer wrong", "Basic YTpi"] {
        let request = Request::get("/k8s/clusters/eu-1/api").header("authorization", authorization);
        let answer = Answer::read(hub.send(request, Body::empty()).await).await;
        assert!(matches!(answer.code.as_u16(), 400 | 401), "{authorization:?}");
    }
    assert!(member.got().is_empty());
}

#[tokio::test]
async fn a_member_that_is_gone_is_503_with_stage_and_way_out() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    member.stop();
    // Before the probes have noticed, the connection says so; afterwards the condition does.
    let state = hub.state.clone();
    eventually("the member is no longer ready", || async {
        !state.clusters.member("eu-1").unwrap().is_ready()
    })
    .await;
    let answer = get(&hub, "/k8s/clusters/eu-1/api/v1/pods").await;
    assert!(answer.headers.contains_key("retry-after"));
    let body = answer.failed(503, "ServiceUnavailable");
    let details = &body["details"];
    assert_eq!(
        (&details["cluster"], &details["stage"]),
        (&json!("eu-1"), &json!("tcp"))
    );
    assert_eq!(details["causes"][0]["reason"], "ClusterNotReachable");
    assert!(!details["hint"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_cluster_without_its_secret_says_what_is_missing() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    hub.delete(&format!("{SECRETS}/eu-1")).await.ok();
    let state = hub.state.clone();
    eventually("the member is malformed", || async {
        let health = state.clusters.member("eu-1").map(|member| member.health());
        health.is_some_and(|health| health.conditions.iter().any(|one| one.kind == "ConfigMalformed"))
    })
    .await;
    let body = get(&hub, "/k8s/clusters/eu-1/api")
        .await
        .failed(503, "ServiceUnavailable");
    assert_eq!(body["details"]["stage"], "kubeconfig");
    assert!(member.got().is_empty());
}

#[tokio::test]
async fn a_cluster_that_waits_for_its_secret_says_so_and_is_used_once_it_comes() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    hub.post(CLUSTERS, &member.cluster("eu-1")).await.ok();
    let state = hub.state.clone();
    eventually("the member is malformed", || async {
        let health = state.clusters.member("eu-1").map(|member| member.health());
        health.is_some_and(|health| health.conditions.iter().any(|one| one.kind == "ConfigMalformed"))
    })
    .await;
    let body = get(&hub, "/k8s/clusters/eu-1/api")
        .await
        .failed(503, "ServiceUnavailable");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains("the Secret eu-1 is missing"), "{message}");
    assert!(member.probes().is_empty());

    hub.post(SECRETS, &FakeMember::secret("eu-1")).await.ok();
    eventually("the member is ready", || async {
        state.clusters.member("eu-1").is_some_and(|member| member.is_ready())
    })
    .await;
    get(&hub, "/k8s/clusters/eu-1/api").await.ok();
    // The registry is seen through Kubernetes as well.
    eventually("the object says so", || async {
        let object = hub.get(&format!("{CLUSTERS}/eu-1")).await.ok();
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions
            .iter()
            .any(|one| one["type"] == "Ready" && one["status"] == "True")
    })
    .await;
}

#[tokio::test]
async fn kubectl_reaches_a_member_through_the_hub() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let kubectl = Kubectl::new(&hub, &served);
    member.always(json_response(
        200,
        r#"{"major":"1","minor":"36","gitVersion":"v1.36.3"}"#,
    ));
    let server = format!("https://{}/k8s/clusters/eu-1", served.address);
    let answer = kubectl.ok(&["--server", &server, "get", "--raw", "/version"], "").await;
    assert!(answer.contains("v1.36.3"));
    let got = member.last();
    assert_eq!(
        (got.line(), got.values("impersonate-user")),
        ("GET /version HTTP/1.1", vec!["atoll:ada"])
    );
    member.always(json_response(403, r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"nodes is forbidden here","reason":"Forbidden","code":403}"#));
    let said = kubectl
        .fails(&["--server", &server, "get", "--raw", "/api/v1/nodes"], "")
        .await;
    assert!(said.contains("nodes is forbidden here"), "{said}");
}

#[tokio::test]
async fn errors_of_the_member_are_its_own_and_a_401_is_the_hubs_trouble() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let forbidden = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"pods is forbidden: User \"atoll:ada\" cannot list","reason":"Forbidden","code":403}"#;
    member.always(response(
        403,
        "content-type: application/json\r\naudit-id: 7\r\nretry-after: 3\r\n",
        forbidden,
    ));
    let response_of = |path: &str| Request::get(path.to_owned());
    let answer = hub
        .send(response_of("/k8s/clusters/eu-1/api/v1/pods"), Body::empty())
        .await;
    assert_eq!(
        (
            answer.headers()["audit-id"].as_bytes(),
            answer.headers()["retry-after"].as_bytes()
        ),
        (&b"7"[..], &b"3"[..])
    );
    assert_eq!(
        Answer::read(answer).await.body.to_string(),
        serde_json::from_str::<serde_json::Value>(forbidden)
            .unwrap()
            .to_string()
    );

    member.always(json_response(401, r#"{"kind":"Status","code":401}"#));
    let body = get(&hub, "/k8s/clusters/eu-1/api/v1/pods")
        .await
        .failed(502, "ServiceUnavailable");
    assert_eq!(
        (&body["details"]["cluster"], &body["details"]["stage"]),
        (&json!("eu-1"), &json!("signIn"))
    );

    member.always(response(
        503,
        "content-type: text/html\r\n",
        "<script>alert(1)</script>",
    ));
    let body = get(&hub, "/k8s/clusters/eu-1/api/v1/pods")
        .await
        .failed(502, "ServiceUnavailable");
    assert!(!body.to_string().contains("script"));
    assert_eq!(body["details"]["stage"], "version");

    // What a program behind the member says is none of our business, and runs nothing in our origin.
    let answer = hub
        .send(
            response_of("/k8s/clusters/eu-1/api/v1/namespaces/shop/services/web/proxy/"),
            Body::empty(),
        )
        .await;
    assert_eq!(answer.status(), 503);
    assert_eq!(
        answer.headers()["content-security-policy"],
        "default-src 'none'; sandbox"
    );

    // Half an answer is no answer.
    member.always(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"kind\":".to_vec(),
    );
    member.answer(|_| {
        Reply::drive(|mut stream, _| async move {
            use tokio::io::AsyncWriteExt;
            let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"kind\":";
            stream.write_all(half).await.unwrap();
            stream.shutdown().await.unwrap();
        })
    });
    let answer = hub
        .send(response_of("/k8s/clusters/eu-1/api/v1/pods"), Body::empty())
        .await;
    assert!(
        http_body_util::BodyExt::collect(answer.into_body()).await.is_err(),
        "the client sees that it broke off"
    );

    member.answer(|_| Reply::drive(|stream, _| async move { drop(stream) }));
    let body = get(&hub, "/k8s/clusters/eu-1/api/v1/pods").await;
    assert!(
        body.code == StatusCode::BAD_GATEWAY || body.code == StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        body.code
    );
    assert_eq!(body.body["details"]["cluster"], "eu-1");
}

/// PX-16, PX-22
#[tokio::test]
async fn a_member_gives_no_orders_to_the_browser_and_sends_nobody_elsewhere() {
    let (hub, member, evil) = (Hub::live().await, FakeMember::start().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let orders = "set-cookie: __Host-atoll=x\r\nstrict-transport-security: max-age=1\r\ncontent-security-policy: none\r\n\
                  access-control-allow-origin: *\r\nclear-site-data: \"*\"\r\nrefresh: 0\r\nalt-svc: h3\r\nwarning: 299 - \"x\"\r\ncontent-type: text/plain\r\n";
    member.always(response(200, orders, "ok"));
    let answer = hub
        .send(Request::get("/k8s/clusters/eu-1/version"), Body::empty())
        .await;
    for name in [
        "set-cookie",
        "strict-transport-security",
        "access-control-allow-origin",
        "clear-site-data",
        "refresh",
        "alt-svc",
    ] {
        assert!(!answer.headers().contains_key(name), "{name}");
    }
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    assert_eq!(answer.headers()["warning"], "299 - \"x\"");

    for code in [301, 302, 307, 308] {
        for method in [Method::GET, Method::POST] {
            member.always(response(
                code,
                &format!("location: https://{}/api\r\n", evil.address),
                "",
            ));
            let request = Request::builder().method(method).uri("/k8s/clusters/eu-1/api/v1/pods");
            let answer = hub.send(request, Body::empty()).await;
            assert_eq!(answer.status(), code);
            assert!(!answer.headers().contains_key("location"));
        }
    }
    assert!(evil.got().is_empty() && evil.probes().is_empty());
}

/// PX-08
#[tokio::test]
async fn a_name_that_is_given_to_another_cluster_leads_to_that_one() {
    let (hub, old, new) = (Hub::live().await, FakeMember::start().await, FakeMember::start().await);
    old.join(&hub, "eu-1").await;
    get(&hub, "/k8s/clusters/eu-1/api").await.ok();
    hub.delete(&format!("{CLUSTERS}/eu-1")).await.ok();
    hub.delete(&format!("{SECRETS}/eu-1")).await.ok();
    let state = hub.state.clone();
    eventually("the member is gone", || async {
        state.clusters.member("eu-1").is_none()
    })
    .await;
    get(&hub, "/k8s/clusters/eu-1/api").await.failed(404, "NotFound");
    new.join(&hub, "eu-1").await;
    for _ in 0..5 {
        get(&hub, "/k8s/clusters/eu-1/api").await.ok();
    }
    assert_eq!((old.got().len(), new.got().len()), (1, 5));
}
