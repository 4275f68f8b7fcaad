//! Bodies stream both ways, and end when somebody at either end, or the caller's access, does.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

use super::forward_fixture::{FakeMember, MemberStream, Reply, Served, json_response};
use super::hub_fixture::Hub;

const MEGABYTE: usize = 1 << 20;

fn request(hub: &Hub, method: &str, path: &str, more: &str) -> Vec<u8> {
    let head = format!(
        "{method} /k8s/clusters/eu-1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{more}\r\n",
        hub.token
    );
    head.into_bytes()
}

/// A stream of chunks whose pieces a test sends; tells when the other end has gone.
fn chunks(
    mut pieces: mpsc::Receiver<&'static str>,
    gone: oneshot::Sender<()>,
) -> impl FnOnce(MemberStream, Vec<u8>) -> futures::future::BoxFuture<'static, ()> + Send {
    |mut stream, _| {
        Box::pin(async move {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
                .await
                .unwrap();
            let mut buffer = [0; 64];
            loop {
                tokio::select! {
                    piece = pieces.recv() => match piece {
                        Some(piece) => {
                            let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
                            if stream.write_all(chunk.as_bytes()).await.is_err() || stream.flush().await.is_err() {
                                break;
                            }
                        }
                        None => {
                            let _ = stream.write_all(b"0\r\n\r\n").await;
                            break;
                        }
                    },
                    read = stream.read(&mut buffer) => if !read.is_ok_and(|count| count > 0) { break },
                }
            }
            let _ = gone.send(());
        })
    }
}

/// Lets the member answer its next request by a stream.
fn streaming(member: &FakeMember) -> (mpsc::Sender<&'static str>, oneshot::Receiver<()>) {
    let (send, pieces) = mpsc::channel(16);
    let (gone, is_gone) = oneshot::channel();
    let once = std::sync::Mutex::new(Some(chunks(pieces, gone)));
    member.answer(move |_| match once.lock().unwrap().take() {
        Some(drive) => Reply::Drive(Box::new(drive)),
        None => Reply::Bytes(json_response(200, "{}")),
    });
    (send, is_gone)
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .unwrap_or_else(|_| panic!("not soon: {what}"))
}

#[tokio::test]
async fn the_first_event_of_a_watch_arrives_before_there_is_a_second() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let (events, _) = streaming(&member);
    let mut wire = served.connect(&request(&hub, "GET", "/api/v1/pods?watch=1", "")).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200"));
    for event in ["{\"type\":\"ADDED\"}\n", "{\"type\":\"MODIFIED\"}\n"] {
        events.send(event).await.unwrap();
        soon("the event", wire.until(event)).await;
    }
    drop(events);
    soon("the end", wire.until("0\r\n\r\n")).await;
}

#[tokio::test]
async fn a_client_that_goes_away_ends_the_request_to_the_member() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let (events, gone) = streaming(&member);
    let mut wire = served
        .connect(&request(
            &hub,
            "GET",
            "/api/v1/namespaces/shop/pods/web/log?follow=true",
            "",
        ))
        .await;
    wire.head().await;
    events.send("line\n").await.unwrap();
    wire.until("line").await;
    drop(wire);
    soon("the member sees the end", gone).await.unwrap();

    // The same while the member has not answered at all.
    let (asked, was_asked) = oneshot::channel();
    let (over, is_over) = oneshot::channel();
    let once = std::sync::Mutex::new(Some((asked, over)));
    member.answer(move |_| {
        let (asked, over) = once.lock().unwrap().take().unwrap();
        Reply::drive(move |mut stream, _| async move {
            asked.send(()).unwrap();
            let _ = stream.read(&mut [0; 8]).await;
            over.send(()).unwrap();
        })
    });
    let wire = served.connect(&request(&hub, "GET", "/api/v1/pods", "")).await;
    was_asked.await.unwrap();
    drop(wire);
    soon("the member sees the end", is_over).await.unwrap();
}

#[tokio::test]
async fn a_large_upload_is_passed_on_as_it_comes() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let (first, got_first) = oneshot::channel();
    let once = std::sync::Mutex::new(Some(first));
    member.answer(move |_| {
        let first = once.lock().unwrap().take().unwrap();
        Reply::drive(move |mut stream, mut read| async move {
            let mut buffer = vec![0; 64 << 10];
            let mut count = read.len();
            read.clear();
            let mut first = Some(first);
            while count < 40 * MEGABYTE {
                if let Some(first) = first.take().filter(|_| count > 0) {
                    first.send(()).unwrap();
                }
                let more = stream.read(&mut buffer).await.unwrap();
                assert_ne!(more, 0);
                count += more;
            }
            stream
                .write_all(&json_response(201, &format!("{{\"bytes\":{count}}}")))
                .await
                .unwrap();
        })
    });
    let head = request(
        &hub,
        "POST",
        "/api/v1/namespaces/shop/services/web/proxy/upload",
        &format!(
            "Content-Length: {}\r\nContent-Type: application/octet-stream\r\n",
            40 * MEGABYTE
        ),
    );
    let mut wire = served.connect(&head).await;
    wire.send(&vec![1; MEGABYTE]).await;
    soon("the first bytes, while the rest is still to come", got_first)
        .await
        .unwrap();
    for _ in 1..40 {
        wire.send(&vec![1; MEGABYTE]).await;
    }
    let head = wire.head().await;
    assert!(head.starts_with("HTTP/1.1 201"), "{head}");
    wire.until(&format!("{}", 40 * MEGABYTE)).await;
    assert_eq!(member.last().values("content-length"), [(40 * MEGABYTE).to_string()]);
}

#[tokio::test]
async fn a_large_download_is_passed_on_as_it_comes_and_as_it_is() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    member.answer(|_| {
        Reply::drive(|mut stream, _| async move {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", 40 * MEGABYTE);
            stream.write_all(head.as_bytes()).await.unwrap();
            for piece in 0..40_u8 {
                if stream.write_all(&vec![piece; MEGABYTE]).await.is_err() {
                    return;
                }
            }
            stream.flush().await.unwrap();
        })
    });
    let response = hub
        .send(
            Request::get("/k8s/clusters/eu-1/api/v1/pods").header("accept-encoding", "gzip"),
            Body::empty(),
        )
        .await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["content-length"], (40 * MEGABYTE).to_string());
    let (mut body, mut count) = (response.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        let expected = |at: usize| u8::try_from((count + at) / MEGABYTE).unwrap();
        assert!(data.iter().enumerate().all(|(at, byte)| *byte == expected(at)));
        count += data.len();
    }
    assert_eq!(count, 40 * MEGABYTE);
    assert_eq!(member.last().values("accept-encoding"), ["gzip"]);
}

/// AU-11
#[tokio::test]
async fn a_watch_ends_when_its_caller_loses_access() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let (events, gone) = streaming(&member);
    let mut wire = served
        .connect(&request(
            &hub,
            "GET",
            "/api/v1/pods?watch=true",
            "Connection: close\r\n",
        ))
        .await;
    wire.head().await;
    events.send("one").await.unwrap();
    wire.until("one").await;
    hub.state.store.delete_token("ada", hub.token_id).await.unwrap();
    soon("the client's stream ends", wire.rest()).await;
    soon("and the member's", gone).await.unwrap();
}

#[tokio::test]
async fn a_watch_ends_when_its_cluster_is_removed() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let (events, gone) = streaming(&member);
    let mut wire = served
        .connect(&request(
            &hub,
            "GET",
            "/api/v1/pods?watch=true",
            "Connection: close\r\n",
        ))
        .await;
    wire.head().await;
    events.send("one").await.unwrap();
    wire.until("one").await;
    hub.delete(&format!("{}/eu-1", super::hub_fixture::CLUSTERS)).await.ok();
    soon("the client's stream ends", wire.rest()).await;
    soon("and the member's", gone).await.unwrap();
}

/// PX-13
#[tokio::test]
async fn trailers_of_a_request_stay_behind() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    let mut bytes = request(
        &hub,
        "POST",
        "/api/v1/namespaces",
        "Transfer-Encoding: chunked\r\nTrailer: Impersonate-User\r\nConnection: close\r\n",
    );
    bytes.extend_from_slice(b"2\r\n{}\r\n0\r\nImpersonate-User: system:admin\r\n\r\n");
    let mut wire = served.connect(&bytes).await;
    assert!(wire.head().await.starts_with("HTTP/1.1 200"));
    let got = member.last();
    let body = String::from_utf8_lossy(&got.body).to_lowercase();
    assert!(body.contains("{}") && !body.contains("impersonate"), "{body}");
    assert!(got.values("trailer").is_empty());
}

/// PX-14
#[tokio::test]
async fn a_request_whose_length_can_be_read_in_two_ways_reaches_nobody() {
    let (hub, member) = (Hub::live().await, FakeMember::start().await);
    member.join(&hub, "eu-1").await;
    let served = Served::start(&hub).await;
    for more in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Content-Length : 5\r\n",
        "X: a\r\n b: c\r\n",
    ] {
        let mut bytes = request(&hub, "POST", "/api/v1/namespaces", more);
        bytes.extend_from_slice(b"GET /k8s/clusters/eu-1/smuggled HTTP/1.1\r\n\r\n");
        let mut wire = served.connect(&bytes).await;
        let answer = String::from_utf8_lossy(&wire.rest().await).into_owned();
        assert!(answer.starts_with("HTTP/1.1 400"), "{more:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{more:?}: {answer}");
    }
    assert!(member.got().is_empty());
}
