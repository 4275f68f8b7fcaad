//! Probes and metrics.

use axum::body::Body;
use http::Request;
use tower::ServiceExt;

use super::harness::{Answer, Hub};

#[tokio::test]
async fn probes_need_no_credential_and_say_when_the_hub_is_about_to_end() {
    let hub = Hub::start().await;
    for path in ["/livez", "/readyz", "/healthz"] {
        let answer = hub.get(path).send().await;
        assert_eq!((answer.code.as_u16(), answer.text.as_str()), (200, "ok"), "{path}");
    }
    hub.state.tunnels.cancel();
    assert_eq!(hub.get("/readyz").send().await.code, 503);
    assert_eq!(hub.get("/livez").send().await.code, 200);
}

#[tokio::test]
async fn metrics_count_answers_and_name_nobody() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    hub.get("/api/v1/clusters/secret-name")
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");
    let app = atoll_server::metrics::router(hub.state.clone());
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    let text = Answer::read(app.oneshot(request).await.unwrap()).await.text;
    for line in [
        "atoll_http_requests_total{surface=\"api\",code=\"404\"} 1",
        "atoll_sign_ins_total{outcome=\"ok\"} 1",
        "atoll_clusters{state=\"Ready\"} 0",
        "atoll_forwarded_in_flight 0",
        "atoll_controllers_queue_length 0",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(text.contains("atoll_resident_memory_bytes "));
    assert!(!text.contains("secret-name") && !text.contains("admin"));
}
