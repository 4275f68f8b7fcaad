//! Members that are steered from outside.

use std::time::Duration;

use atoll_simulator::Control;
use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::fixture::{World, create};

async fn ask(control: &Control, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let response = control.clone().router().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn control(world: &World) -> Control {
    let mut control = Control::default();
    control.add(&world.member);
    control
}

#[tokio::test]
async fn a_wait_ends_when_the_object_comes_and_names_who_lacks_it_when_the_time_is_over() {
    let world = World::new().await;
    let control = control(&world);
    let wait = |seconds: u64| json!({"resource": "namespaces", "name": "shop", "seconds": seconds});
    let (status, missing) = ask(&control, "POST", "/wait", wait(0)).await;
    assert_eq!((status, missing), (StatusCode::GATEWAY_TIMEOUT, json!(["east"])));
    let come = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        create(
            &world.namespaces(),
            json!({"metadata": {"name": "shop", "labels": {"kubefed.io/managed": "true"}}}),
        )
        .await;
    };
    let ((status, _), ()) = tokio::join!(ask(&control, "POST", "/wait", wait(10)), come);
    assert_eq!(status, StatusCode::NO_CONTENT);
    let managed = json!({"resource": "namespaces", "managed": 1, "seconds": 0, "members": ["east"]});
    assert_eq!(ask(&control, "POST", "/wait", managed).await.0, StatusCode::NO_CONTENT);
    let managed = json!({"resource": "namespaces", "managed": 2, "seconds": 0});
    assert_eq!(
        ask(&control, "POST", "/wait", managed).await.0,
        StatusCode::GATEWAY_TIMEOUT
    );
}

#[tokio::test]
async fn requests_are_counted_by_what_they_are_for() {
    let world = World::shop().await;
    let control = control(&world);
    let writes = || world.member.counts().writes;
    let before = writes();
    let _ = world.namespaces().get("shop").await.unwrap();
    assert_eq!(writes(), before);
    create(&world.namespaces(), json!({"metadata": {"name": "other"}})).await;
    assert_eq!(writes(), before + 1);
    let (status, told) = ask(&control, "GET", "/members", Value::Null).await;
    assert_eq!((status, told[0]["name"].as_str()), (StatusCode::OK, Some("east")));
    assert_eq!(told[0]["writes"], writes());
}

#[tokio::test]
async fn a_fault_is_set_and_taken_back() {
    let world = World::shop().await;
    let control = control(&world);
    let set = |fault: Value| ask(&control, "PUT", "/members/east/fault", fault);
    assert_eq!(set(json!({"fault": "refuse"})).await.0, StatusCode::NO_CONTENT);
    assert!(world.namespaces().get("shop").await.is_err());
    assert_eq!(
        set(json!({"fault": "slow", "milliseconds": 1})).await.0,
        StatusCode::NO_CONTENT
    );
    assert!(world.namespaces().get("shop").await.is_ok());
    assert_eq!(set(json!({"fault": "none"})).await.0, StatusCode::NO_CONTENT);
    let nobody = ask(&control, "PUT", "/members/west/fault", json!({"fault": "none"})).await;
    assert_eq!(nobody.0, StatusCode::NOT_FOUND);
}
