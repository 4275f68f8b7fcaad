//! The stream of live rows, over a real socket.

use std::net::SocketAddr;

use atoll_server::listen::Listener;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::harness::{Hub, member};
use super::websocket::{Message, WebSocket};

/// Serves the hub on a port of its own until the value is dropped.
struct Served {
    address: SocketAddr,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Served {
    async fn start(hub: &Hub) -> Self {
        let listener = Listener::bind_plain("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_address().unwrap();
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(listener.serve(hub.app.clone(), shutdown.clone(), hub.state.tunnels.clone()));
        Self {
            address,
            shutdown,
            tasks,
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown.cancel();
        self.tasks.close();
    }
}

async fn ticket(hub: &Hub, token: &str) -> String {
    let answer = hub
        .post("/api/v1/stream-tickets", &json!({}))
        .bearer(token)
        .send()
        .await
        .ok(201);
    format!("atoll.v1, ticket.{}", answer["ticket"].as_str().unwrap())
}

async fn open(hub: &Hub, served: &Served, token: &str) -> WebSocket {
    WebSocket::open(served.address, &ticket(hub, token).await, &[])
        .await
        .unwrap()
}

fn names(frame: &Value) -> Vec<&str> {
    frame["upserts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect()
}

/// Reads frames until one holds what is looked for.
async fn until(socket: &mut WebSocket, found: impl Fn(&Value) -> bool) -> Value {
    loop {
        let frame = socket.text().await;
        if found(&frame) {
            return frame;
        }
    }
}

#[tokio::test]
async fn a_ticket_opens_it_once() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let protocols = ticket(&hub, &token).await;
    let socket = WebSocket::open(served.address, &protocols, &[]).await.unwrap();
    assert_eq!(socket.protocol, "atoll.v1", "the ticket is not said back");
    assert_eq!(WebSocket::open(served.address, &protocols, &[]).await.err(), Some(401));
    assert_eq!(WebSocket::open(served.address, "atoll.v1", &[]).await.err(), Some(401));
    assert_eq!(
        WebSocket::open(served.address, "atoll.v1, ticket.x", &[]).await.err(),
        Some(401)
    );
    let bearer = format!("Bearer {token}");
    assert!(
        WebSocket::open(served.address, "atoll.v1", &[("Authorization", &bearer)])
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn pages_of_other_sites_and_cookies_alone_do_not_open_it() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1:1",
        "https://hub.example.evil",
    ] {
        let protocols = ticket(&hub, &token).await;
        let refused = WebSocket::open(served.address, &protocols, &[("Origin", origin)]).await;
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
    let own = format!("http://{}", served.address);
    assert!(
        WebSocket::open(served.address, &ticket(&hub, &token).await, &[("Origin", &own)])
            .await
            .is_ok()
    );
    let cookie = format!("atoll-session={token}");
    assert_eq!(
        WebSocket::open(served.address, "atoll.v1", &[("Cookie", &cookie)])
            .await
            .err(),
        Some(401)
    );
}

#[tokio::test]
async fn the_list_comes_first_and_changes_follow() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let (eu, us) = (member("eu-1").await, member("us-1").await);
    hub.register(&token, &eu, "eu-1", json!({})).await;
    let mut socket = open(&hub, &served, &token).await;
    socket
        .send(&json!({"op": "subscribe", "sub": 1, "resource": "clusters"}))
        .await;
    let first = socket.text().await;
    assert_eq!(
        (&first["sub"], &first["initial"], names(&first)),
        (&json!(1), &json!(true), vec!["eu-1"])
    );

    hub.register(&token, &us, "us-1", json!({})).await;
    let frame = until(&mut socket, |frame| {
        frame["upserts"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "us-1" && row["state"] == "Ready")
    })
    .await;
    assert!(frame.get("initial").is_none());
    hub.delete("/api/v1/clusters/us-1").bearer(&token).send().await.ok(200);
    until(&mut socket, |frame| frame["deletes"] == json!(["us-1"])).await;

    socket.send(&json!({"op": "unsubscribe", "sub": 1})).await;
    socket
        .send(&json!({"op": "subscribe", "sub": 2, "resource": "clusters"}))
        .await;
    let again = until(&mut socket, |frame| frame["sub"] == 2).await;
    assert_eq!((&again["initial"], names(&again)), (&json!(true), vec!["eu-1"]));
    eu.stop().await;
    us.stop().await;
}

#[tokio::test]
async fn one_federated_object_is_followed_to_its_end() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let mut socket = open(&hub, &served, &token).await;
    let topic =
        json!({"op": "subscribe", "sub": 7, "resource": "federated/configmaps", "namespace": "shop", "name": "limits"});
    socket.send(&topic).await;
    let empty = socket.text().await;
    assert_eq!((&empty["initial"], &empty["upserts"]), (&json!(true), &json!([])));
    for name in ["other", "limits"] {
        let object = json!({
            "apiVersion": "types.kubefed.io/v1beta1", "kind": "FederatedConfigMap",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"template": {"data": {"a": "1"}}, "placement": {"clusters": []}},
        });
        let body = json!({"object": object, "createNamespace": true});
        hub.post("/api/v1/federated/configmaps", &body)
            .bearer(&token)
            .send()
            .await
            .ok(201);
    }
    let frame = until(&mut socket, |frame| !frame["upserts"].as_array().unwrap().is_empty()).await;
    assert_eq!(names(&frame), ["limits"]);
    hub.delete("/api/v1/federated/configmaps/shop/limits")
        .bearer(&token)
        .send()
        .await
        .ok(204);
    until(&mut socket, |frame| frame["deletes"] == json!(["shop/limits"])).await;
}

#[tokio::test]
async fn unknown_topics_are_an_error_of_that_subscription_alone() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let mut socket = open(&hub, &served, &token).await;
    socket
        .send(&json!({"op": "subscribe", "sub": 1, "resource": "federated/pods"}))
        .await;
    let error = socket.text().await;
    assert_eq!(
        (&error["sub"], &error["error"]["reason"]),
        (&json!(1), &json!("NotFound"))
    );
    for sub in 2..=34 {
        socket
            .send(&json!({"op": "subscribe", "sub": sub, "resource": "clusters"}))
            .await;
    }
    let refused = until(&mut socket, |frame| frame.get("error").is_some()).await;
    assert_eq!(
        (&refused["sub"], &refused["error"]["reason"]),
        (&json!(34), &json!("TooManyRequests"))
    );
}

#[tokio::test]
async fn it_ends_with_the_sign_in() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let mut socket = open(&hub, &served, &token).await;
    hub.delete("/api/v1/sessions/current")
        .bearer(&token)
        .send()
        .await
        .ok(204);
    assert_eq!(socket.next().await, Message::Close(1008));
}

#[tokio::test]
async fn nonsense_floods_and_long_messages_end_it() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let mut odd = open(&hub, &served, &token).await;
    odd.send_text("hello").await;
    assert_eq!(odd.next().await, Message::Close(1007));
    let mut flood = open(&hub, &served, &token).await;
    for sub in 0..300 {
        flood.send(&json!({"op": "unsubscribe", "sub": sub})).await;
    }
    assert_eq!(flood.next().await, Message::Close(1008));
    let mut long = open(&hub, &served, &token).await;
    long.send_text(&"x".repeat(20_000)).await;
    assert!(matches!(long.next().await, Message::End | Message::Close(_)));
}

#[tokio::test]
async fn it_ends_when_the_hub_does() {
    let hub = Hub::start().await;
    let served = Served::start(&hub).await;
    let token = hub.sign_in().await;
    let mut socket = open(&hub, &served, &token).await;
    hub.state.tunnels.cancel();
    assert_eq!(socket.next().await, Message::Close(1001));
}
