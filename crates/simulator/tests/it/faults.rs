use std::time::{Duration, Instant};

use atoll_simulator::{Fault, Requests};
use futures::{AsyncBufReadExt, AsyncReadExt};
use http::{Method, Request, StatusCode};
use kube::api::ListParams;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fixture::{World, create, refusal};

const SOON: Duration = Duration::from_millis(300);
const LONG: Duration = Duration::from_secs(10);

async fn works(world: &World) {
    world.faults_clear();
    crate::fixture::eventually("it works again", async || {
        world.client.apiserver_version().await.is_ok()
    })
    .await;
}

impl World {
    fn faults_clear(&self) {
        self.member.faults().clear();
    }

    fn fail(&self, fault: Fault) {
        self.member.faults().set(fault);
    }
}

#[tokio::test]
async fn refused_connections_end_the_open_ones_and_the_port_stays_the_member_s() {
    let world = World::new().await;
    works(&world).await;
    world.fail(Fault::Refuse);
    let address = world.member.endpoint().trim_start_matches("https://").to_owned();
    crate::fixture::eventually("connections are refused", async || {
        tokio::net::TcpStream::connect(&address)
            .await
            .is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused)
    })
    .await;
    let error = timeout(LONG, world.client.apiserver_version())
        .await
        .expect("it fails at once");
    assert!(error.is_err());
    assert!(
        std::net::TcpListener::bind(&address).is_err(),
        "nobody else gets the port"
    );
    works(&world).await;
}

#[tokio::test]
async fn a_member_that_hangs_takes_requests_and_answers_when_it_no_longer_does() {
    let world = World::shop().await;
    works(&world).await;
    world.fail(Fault::Hang);
    let mut version = Box::pin(world.client.apiserver_version());
    assert!(timeout(SOON, &mut version).await.is_err());
    world.faults_clear();
    assert!(timeout(LONG, version).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_slow_member_answers_later() {
    let world = World::new().await;
    works(&world).await;
    world.fail(Fault::Slow(Duration::from_millis(250)));
    let start = Instant::now();
    world.client.apiserver_version().await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(250));
}

#[tokio::test]
async fn a_status_a_page_and_a_wrong_credential_are_what_they_are() {
    let world = World::new().await;
    world.fail(Fault::Status(StatusCode::SERVICE_UNAVAILABLE));
    let response = world.send("GET", "/healthz", &[], "").await;
    assert_eq!(
        (
            response.status().as_u16(),
            response.headers()["retry-after"].to_str().unwrap()
        ),
        (503, "1")
    );
    let status: Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(
        (&status["kind"], &status["reason"]),
        (&json!("Status"), &json!("ServiceUnavailable"))
    );
    world.fail(Fault::Unauthorized);
    assert_eq!(
        refusal(world.client.apiserver_version().await),
        (401, "Unauthorized".into())
    );
    world.fail(Fault::Html);
    let response = world.send("GET", "/version", &[], "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
    assert!(response.body().starts_with("<!DOCTYPE html>"));
    works(&world).await;
}

#[tokio::test]
async fn a_truncated_answer_is_half_a_json() {
    let world = World::new().await;
    let whole = world.send("GET", "/version", &[], "").await;
    world.fail(Fault::Truncate);
    let half = world.send("GET", "/version", &[], "").await;
    assert_eq!(half.status(), 200);
    assert_eq!(half.body().len(), whole.body().len() / 2);
    assert!(whole.body().starts_with(half.body()));
    assert!(serde_json::from_str::<Value>(half.body()).is_err());
}

#[tokio::test]
async fn a_fault_may_befall_some_requests_alone() {
    let world = World::shop().await;
    world.member.faults().add(
        Requests {
            method: Some(Method::GET),
            path: "/namespaces/shop/deployments".into(),
        },
        Fault::Status(StatusCode::INTERNAL_SERVER_ERROR),
    );
    assert_eq!(refusal(world.deployments().list(&ListParams::default()).await).0, 500);
    create(&world.deployments(), crate::fixture::deployment("web", 1)).await;
    assert!(world.pods().list(&ListParams::default()).await.is_ok());
}

async fn watch(world: &World, from: &str) -> impl futures::AsyncBufRead + Unpin + use<> {
    let path = format!("/api/v1/namespaces/shop/configmaps?watch=true&resourceVersion={from}");
    let request = Request::get(path).body(Vec::new()).unwrap();
    Box::pin(world.client.request_stream(request).await.unwrap())
}

async fn put(world: &World, name: &str) -> String {
    let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::namespaced(world.client.clone(), "shop");
    create(&maps, json!({"metadata": {"name": name}}))
        .await
        .metadata
        .resource_version
        .unwrap()
}

#[tokio::test]
async fn a_watch_is_cut_in_the_middle_of_a_line() {
    let world = World::shop().await;
    let from = put(&world, "one").await;
    let mut stream = watch(&world, &from).await;
    put(&world, "two").await;
    let mut line = String::new();
    // The controllers may furnish the namespace meanwhile.
    while !line.contains("\"two\"") {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        serde_json::from_str::<Value>(&line).unwrap();
    }
    world.member.faults().cut_watches();
    let mut rest = Vec::new();
    let error = timeout(LONG, stream.read_to_end(&mut rest)).await.unwrap();
    assert!(error.is_err(), "the connection does not end as it should");
    let last = String::from_utf8(rest).unwrap();
    let last = last.lines().last().unwrap_or_default().to_owned();
    assert!(
        !last.is_empty() && serde_json::from_str::<Value>(&last).is_err(),
        "{last}"
    );
}

#[tokio::test]
async fn an_open_watch_falls_silent_while_the_member_hangs() {
    let world = World::shop().await;
    let from = put(&world, "one").await;
    let mut stream = watch(&world, &from).await;
    world.member.faults().add(Requests::to("/configmaps"), Fault::Hang);
    let memory = world.member.memory().revision();
    let maps = atoll_kubeapi::Resource::built_in("", "v1", "ConfigMap", "configmaps").unwrap();
    let change = atoll_kubeapi::Change::Create(json!({"metadata": {"name": "behind", "namespace": "shop"}}));
    world
        .member
        .memory()
        .commit(atoll_kubeapi::Commit {
            resource: &maps,
            namespace: "shop",
            name: "behind",
            change,
        })
        .unwrap();
    assert!(world.member.memory().revision() > memory);
    let mut line = String::new();
    assert!(
        timeout(SOON, async {
            while !line.contains("behind") {
                line.clear();
                stream.read_line(&mut line).await.unwrap();
            }
        })
        .await
        .is_err()
    );
    world.faults_clear();
    timeout(LONG, async {
        while !line.contains("behind") {
            line.clear();
            stream.read_line(&mut line).await.unwrap();
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_watch_from_before_a_dropped_history_is_expired() {
    let world = World::shop().await;
    let from = put(&world, "one").await;
    put(&world, "two").await;
    world.member.faults().drop_history();
    let path = format!("/api/v1/namespaces/shop/configmaps?watch=true&resourceVersion={from}");
    // As API servers do, it says so in the stream.
    let response = world.send("GET", &path, &[], "").await;
    let event: Value = serde_json::from_str(response.body()).unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["code"], &event["object"]["reason"]),
        (&json!("ERROR"), &json!(410), &json!("Expired"))
    );
}
