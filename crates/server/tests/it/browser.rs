//! What a page gets, and what a page of another site does not.

use serde_json::json;

use super::harness::{Answer, Hub, PASSWORD};

struct Page {
    cookie: String,
    key: String,
}

async fn sign_in(hub: &Hub) -> (Page, Answer) {
    let body = json!({"username": "admin", "password": PASSWORD, "cookie": true});
    let answer = hub.post("/api/v1/sessions", &body).send().await;
    let session = answer.ok(201);
    assert!(session.get("token").is_none(), "the token is in the cookie alone");
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let key = session["key"].as_str().unwrap().to_owned();
    (Page { cookie, key }, answer)
}

#[tokio::test]
async fn the_cookie_is_locked_to_this_host_and_needs_its_key() {
    let hub = Hub::start().await;
    let (page, answer) = sign_in(&hub).await;
    let attributes = answer.header("set-cookie");
    assert!(attributes.starts_with("__Host-atoll="));
    for attribute in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    assert!(!attributes.contains("Domain"));

    let me = || hub.get("/api/v1/me").header("cookie", &page.cookie);
    me().header("x-atoll-key", &page.key).send().await.ok(200);
    me().send().await.refused(401, "Unauthorized");
    me().header("x-atoll-key", "wrong")
        .send()
        .await
        .refused(401, "Unauthorized");
}

#[tokio::test]
async fn a_page_of_another_site_is_refused() {
    let hub = Hub::start().await;
    let (page, _) = sign_in(&hub).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://localhost:9999"),
    ] {
        let call = hub
            .get("/api/v1/me")
            .header("cookie", &page.cookie)
            .header("x-atoll-key", &page.key);
        call.header(name, value).send().await.refused(403, "Forbidden");
        let body = json!({"username": "admin", "password": PASSWORD, "cookie": true});
        let sign_in = hub.post("/api/v1/sessions", &body).header(name, value);
        sign_in.send().await.refused(403, "Forbidden");
    }
    let own = hub
        .get("/api/v1/me")
        .header("cookie", &page.cookie)
        .header("x-atoll-key", &page.key);
    own.header("origin", "https://localhost")
        .header("sec-fetch-site", "same-origin")
        .send()
        .await
        .ok(200);
}

#[tokio::test]
async fn over_http2_the_name_is_in_the_authority() {
    let hub = Hub::start().await;
    let body = json!({"username": "admin", "password": PASSWORD, "cookie": true});
    let sign_in = |origin: &str| {
        let ask = hub.post("https://localhost:8080/api/v1/sessions", &body).host(None);
        ask.header("origin", origin)
            .header("sec-fetch-site", "same-origin")
            .send()
    };
    sign_in("https://localhost:8080").await.ok(201);
    sign_in("https://localhost:9090").await.refused(403, "Forbidden");
    let evil = hub.get("https://evil.example/api/v1/me").host(None).send().await;
    assert_eq!(evil.code, 421);
}

#[tokio::test]
async fn a_cookie_is_no_credential_for_the_hub_s_kubernetes_api() {
    let hub = Hub::start().await;
    let (page, _) = sign_in(&hub).await;
    let call = hub
        .get("/k8s/hub/api/v1/namespaces")
        .header("cookie", &page.cookie)
        .header("x-atoll-key", &page.key);
    call.send().await.refused(401, "Unauthorized");
}

#[tokio::test]
async fn on_loopback_without_tls_the_cookie_has_a_name_of_its_own() {
    let hub = Hub::start().await;
    let body = json!({"username": "admin", "password": PASSWORD, "cookie": true});
    let answer = hub
        .post("/api/v1/sessions", &body)
        .peer("127.0.0.1:5000", false)
        .send()
        .await;
    let key = answer.ok(201)["key"].as_str().unwrap().to_owned();
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with("atoll-session=") && !answer.header("set-cookie").contains("Secure"));
    let call = |tls| {
        let call = hub
            .get("/api/v1/me")
            .header("cookie", &cookie)
            .header("x-atoll-key", &key);
        call.peer("127.0.0.1:5000", tls).send()
    };
    call(false).await.ok(200);
    call(true).await.refused(401, "Unauthorized");
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away() {
    let hub = Hub::start().await;
    let (page, _) = sign_in(&hub).await;
    let call = hub
        .delete("/api/v1/sessions/current")
        .header("cookie", &page.cookie)
        .header("x-atoll-key", &page.key);
    let answer = call.send().await;
    answer.ok(204);
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    let again = hub
        .get("/api/v1/me")
        .header("cookie", &page.cookie)
        .header("x-atoll-key", &page.key);
    again.send().await.refused(401, "Unauthorized");
}

#[tokio::test]
async fn every_answer_keeps_browsers_from_being_clever() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    for path in [
        "/",
        "/clusters",
        "/api/v1/me",
        "/api/v1/no-such",
        "/k8s/hub/api",
        "/k8s/x",
        "/assets/no-such.js",
        "/livez",
    ] {
        let answer = hub.get(path).bearer(&token).send().await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe-"), "{path}: {policy}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
    }
    let answer = hub.get("/api/v1/me").bearer(&token).send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let named = hub
        .get("/api/v1/me")
        .bearer(&token)
        .host(Some("hub.example"))
        .send()
        .await;
    assert!(named.header("strict-transport-security").starts_with("max-age="));
    assert!(
        answer.header("strict-transport-security").is_empty(),
        "localhost is everybody's"
    );
}

#[tokio::test]
async fn unknown_paths_get_the_page_but_unknown_assets_and_apis_do_not() {
    let hub = Hub::start().await;
    let page = hub.get("/federated/deployments.apps").send().await;
    assert_eq!(page.code, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    hub.get("/assets/no-such.js").send().await.refused(404, "NotFound");
    for path in ["/api/v1/no-such", "/api", "/api/", "/k8s", "/k8s/"] {
        hub.get(path).send().await.refused(404, "NotFound");
    }
    hub.get("/api").send().await.refused(404, "NotFound");
    hub.get("/k8s").send().await.refused(404, "NotFound");
    hub.post("/", &json!({})).send().await.refused(405, "MethodNotAllowed");
    hub.delete("/api/v1/me").send().await.refused(405, "MethodNotAllowed");
    let html = hub
        .get("/api/v1/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        .header("accept", "text/html")
        .send()
        .await;
    assert_eq!(html.header("content-type"), "application/json");
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_misdirected() {
    let hub = Hub::start().await;
    for host in [
        "evil.example",
        "localhost.evil.example",
        "192.0.2.1",
        "hub.example.",
        "localhost@evil.example",
    ] {
        let answer = hub.get("/api/v1/me").host(Some(host)).send().await;
        assert!(matches!(answer.code.as_u16(), 400 | 421), "{host}: {}", answer.code);
        assert_eq!(answer.json()["kind"], "Status");
    }
    hub.get("/api/v1/me").host(None).send().await.refused(400, "BadRequest");
    let known = hub.get("/api/v1/me").host(Some("HUB.example:8443")).send().await;
    known.refused(401, "Unauthorized");
    let probe = hub.get("/livez").host(Some("10.1.2.3:8080")).send().await;
    assert_eq!(probe.code, 200, "load balancers ask by address");
}
