//! The hub's own calls: what goes out, and what is made of whatever comes back.

use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::{ConnectStage, Limits, Member, Options, OwnError, OwnRequest};
use http::Method;
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::setup::{TOKEN, connect_to, eventually, hurried, one, options, registration};

async fn asked(member: &Arc<Member>, path: &str) -> Result<Value, OwnError> {
    member.request(OwnRequest::get(path)).await
}

#[tokio::test]
async fn calls_go_out_as_the_stored_credential_and_nobody_else() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        seen.path()
            .starts_with("/o")
            .then(|| Reply::json(200, &json!({"kind": "X"})))
    });
    let (_clusters, member) = one(&fake, options());
    let object = json!({"kind": "X", "metadata": {"name": "a"}});
    for request in [
        OwnRequest::get("/o?limit=1"),
        OwnRequest::delete("/o/a", Some(json!({"preconditions": {"uid": "u"}}))),
        OwnRequest::apply_patch("/o/a", "atoll", true, object.clone()),
        OwnRequest::apply_patch("/o/a?dryRun=All", "atoll", false, object.clone()),
        OwnRequest::merge_patch("/o/a", json!({"metadata": {"labels": null}})),
        OwnRequest::json(Method::POST, "/o", object.clone()),
    ] {
        assert_eq!(member.request(request).await.unwrap(), json!({"kind": "X"}));
    }
    let seen = fake.seen("/o");
    let lines: Vec<_> = seen
        .iter()
        .map(|seen| format!("{} {} {}", seen.method, seen.target, seen.all("content-type").join(",")))
        .collect();
    assert_eq!(
        lines,
        [
            "GET /o?limit=1 ",
            "DELETE /o/a application/json",
            "PATCH /o/a?fieldManager=atoll&force=true application/apply-patch+yaml",
            "PATCH /o/a?dryRun=All&fieldManager=atoll&force=false application/apply-patch+yaml",
            "PATCH /o/a application/merge-patch+json",
            "POST /o application/json",
        ]
    );
    for seen in &seen {
        assert_eq!(seen.all("authorization"), [format!("Bearer {TOKEN}")]);
        assert_eq!(seen.all("accept"), ["application/json"]);
        assert!(!seen.headers.iter().any(|(name, _)| name.starts_with("impersonate-")));
    }
    assert_eq!(seen[2].json(), object);
}

#[tokio::test]
async fn refusals_are_told_apart_by_what_can_be_done_about_them() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        let named = json!({"name": "a", "kind": "things"});
        Some(match seen.path() {
            "/gone" => Reply::status(404, "NotFound", "things \"a\" not found", &named),
            "/namespace" => Reply::status(
                404,
                "NotFound",
                "namespaces \"n\" not found",
                &json!({"name": "n", "kind": "namespaces"}),
            ),
            "/group" => Reply::status(
                404,
                "NotFound",
                "the server could not find the requested resource",
                &json!({}),
            ),
            "/conflict" => Reply::status(409, "Conflict", "changed", &named),
            "/exists" => Reply::status(409, "AlreadyExists", "exists", &named),
            "/invalid" => Reply::status(422, "Invalid", "spec.x: no", &json!({"causes": [{"field": "spec.x"}]})),
            "/forbidden" => Reply::status(403, "Forbidden", "no", &json!({})),
            "/unauthorized" => Reply::status(401, "Unauthorized", "Unauthorized", &Value::Null),
            "/expired" => Reply::status(410, "Expired", "too old", &json!({})),
            "/busy" => Reply::Raw(
                b"HTTP/1.1 429 X\r\nretry-after: 7\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\nslow"
                    .to_vec(),
            ),
            "/timeout" => Reply::status(504, "Timeout", "slow", &json!({"retryAfterSeconds": 3})),
            _ => return None,
        })
    });
    let (_clusters, member) = one(&fake, options());
    let flags = |error: &OwnError| {
        [
            ("object", error.is_not_found_object()),
            ("namespace", error.is_namespace_missing()),
            ("api", error.is_api_missing()),
            ("conflict", error.is_conflict()),
            ("exists", error.is_already_exists()),
            ("invalid", error.is_invalid()),
            ("forbidden", error.is_forbidden()),
            ("unauthorized", error.is_unauthorized()),
            ("expired", error.is_expired()),
            ("transient", error.is_transient()),
        ]
        .into_iter()
        .filter_map(|(name, is)| is.then_some(name))
        .collect::<Vec<_>>()
    };
    for (path, expected, retry_after) in [
        ("/gone", vec!["object"], None),
        ("/namespace", vec!["object", "namespace"], None),
        ("/group", vec!["api"], None),
        // In plain text, as an API server answers for a group that it does not serve.
        ("/apis/nothing.example/v1/things", vec!["api"], None),
        ("/conflict", vec!["conflict"], None),
        ("/exists", vec!["exists"], None),
        ("/invalid", vec!["invalid"], None),
        ("/forbidden", vec!["forbidden"], None),
        ("/unauthorized", vec!["unauthorized"], None),
        ("/expired", vec!["expired"], None),
        ("/busy", vec!["transient"], Some(7)),
        ("/timeout", vec!["transient"], Some(3)),
    ] {
        let error = asked(&member, path).await.unwrap_err();
        assert_eq!(flags(&error), expected, "{path}: {error:?}");
        assert_eq!(error.retry_after(), retry_after.map(Duration::from_secs), "{path}");
    }
    let invalid = asked(&member, "/invalid").await.unwrap_err();
    assert_eq!(invalid.refusal().unwrap().details["causes"][0]["field"], "spec.x");
}

/// F19: whatever is not a whole answer of Kubernetes is unknown, never gone.
#[tokio::test]
async fn an_answer_that_is_not_kubernetes_is_none() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        Some(match seen.path() {
            "/html" => Reply::text(200, "text/html; charset=utf-8", "<html><title>Sign in</title>"),
            "/html404" => Reply::text(404, "text/html", "<html>404 page not found</html>"),
            "/html502" => Reply::text(502, "text/html", "<html>bad gateway"),
            "/half" => Reply::text(200, "application/json", r#"{"kind":"List","items":[{"meta"#),
            "/number" => Reply::text(200, "application/json", "1"),
            "/empty" => Reply::text(200, "application/json", ""),
            "/failure" => Reply::status(200, "NotFound", "x", &json!({"name": "a"})),
            "/unauthorized" => Reply::text(401, "text/plain", "who are you"),
            "/redirect" => Reply::Raw(b"HTTP/1.1 302 X\r\nlocation: https://a/\r\ncontent-length: 0\r\n\r\n".to_vec()),
            "/gzip" => Reply::Raw(b"HTTP/1.1 200 X\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}".to_vec()),
            "/deep" => Reply::text(200, "application/json", &format!("{{\"a\":{}", "[".repeat(10_000))),
            _ => return None,
        })
    });
    let (_clusters, member) = one(&fake, options());
    for (path, expected) in [
        (
            "/html",
            "200 with text/html, where JSON was expected: <html><title>Sign in</title>",
        ),
        (
            "/html404",
            "404 with text/html, without a Status: <html>404 page not found</html>",
        ),
        ("/html502", "502 with text/html, without a Status: <html>bad gateway"),
        (
            "/half",
            r#"200 with application/json, which breaks off: {"kind":"List","items":[{"meta"#,
        ),
        ("/number", "200 with application/json, where an object was expected: 1"),
        ("/empty", "200 with application/json, which breaks off"),
        ("/failure", "200 with application/json, and yet a failure"),
        ("/unauthorized", "401 with text/plain, without a Status: who are you"),
        ("/redirect", "302 with no content type, without a Status"),
        ("/gzip", "200 with no content type, compressed without being asked to"),
        ("/deep", "200 with application/json, where JSON was expected"),
    ] {
        let error = asked(&member, path).await.unwrap_err();
        let OwnError::NotKubernetes(text) = &error else {
            panic!("{path}: {error:?}")
        };
        assert!(text.starts_with(expected), "{path}: {text}");
        assert!(text.len() < 400, "{path}: {text}");
        assert!(!error.is_not_found_object() && !error.is_api_missing());
    }
}

#[tokio::test]
async fn an_exchange_that_breaks_off_is_broken() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        Some(match seen.path() {
            "/truncated" => Reply::Last(b"HTTP/1.1 200 X\r\ncontent-length: 100\r\n\r\n{\"a\":".to_vec()),
            "/closed" => Reply::Last(Vec::new()),
            "/noise" => Reply::Last(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            "/large" => {
                let mut large = format!("HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n", 17 << 20).into_bytes();
                large.extend(vec![b' '; 17 << 20]);
                Reply::Last(large)
            }
            _ => return None,
        })
    });
    let (_clusters, member) = one(&fake, options());
    for path in ["/truncated", "/closed", "/noise", "/large"] {
        let error = asked(&member, path).await.unwrap_err();
        assert!(
            matches!(error, OwnError::Broken(_) | OwnError::TooLarge(_)),
            "{path}: {error:?}"
        );
        assert!(error.is_transient());
    }
}

#[tokio::test]
async fn one_deadline_covers_the_whole_call() {
    let fake = Fake::start().await;
    let (chunks, stream) = Reply::stream(true);
    let stream = std::sync::Mutex::new(Some(stream));
    fake.script(move |seen| match seen.path() {
        "/hang" => Some(Reply::Hang),
        "/slow" => Some(stream.lock().unwrap().take().unwrap()),
        _ => None,
    });
    let options = hurried();
    let limit = options.network.deadlines.own_request;
    let (_clusters, member) = one(&fake, options);
    for path in ["/hang", "/slow"] {
        let begun = std::time::Instant::now();
        let error = asked(&member, path).await.unwrap_err();
        assert!(
            matches!(error, OwnError::TimedOut(after) if after == limit),
            "{path}: {error:?}"
        );
        assert!(begun.elapsed() < limit * 3);
    }
    drop(chunks);
}

#[tokio::test]
async fn calls_have_places_of_their_own() {
    let fake = Fake::start().await;
    fake.script(|seen| (seen.path() == "/hang").then_some(Reply::Hang));
    let limits = Limits {
        own: 2,
        ..Limits::default()
    };
    let (_clusters, member) = one(&fake, Options { limits, ..hurried() });
    let results = futures::join!(
        asked(&member, "/hang"),
        asked(&member, "/hang"),
        asked(&member, "/hang")
    );
    let busy = [results.0, results.1, results.2]
        .into_iter()
        .filter(|result| matches!(result, Err(OwnError::Busy)));
    assert_eq!(busy.count(), 1);
    // What was given up gave its place back.
    assert!(asked(&member, "/version").await.is_ok());
}

/// SE-07
#[tokio::test]
async fn a_member_that_echoes_the_credential_does_not_publish_it() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        let echo = seen.all("authorization").join("");
        Some(match seen.path() {
            "/status" => {
                let details = json!({"causes": [{"message": echo}], "name": echo});
                Reply::status(403, &echo, &format!("header was {echo}"), &details)
            }
            "/html" => Reply::text(500, &echo, &format!("<html>{}{echo}", "x".repeat(180))),
            "/healthz" => Reply::text(500, "text/plain", &echo),
            _ => return None,
        })
    });
    let (clusters, member) = one(&fake, options());
    for path in ["/status", "/html"] {
        let error = asked(&member, path).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary") && text.contains("[credential]"), "{text}");
    }
    eventually("a probe", || !member.health().conditions.is_empty()).await;
    let health = serde_json::to_string(&*member.health()).unwrap();
    assert!(
        !health.contains("canary") && health.contains("[credential]"),
        "{health}"
    );
    let debug = format!("{clusters:?} {member:?} {:?}", registration("a", connect_to(&fake, "")));
    assert!(!debug.contains("canary"), "{debug}");
}

#[tokio::test]
async fn nobody_listening_and_nothing_registered_are_told_apart() {
    let fake = Fake::start().await;
    let connection = connect_to(&fake, "");
    drop(fake);
    let clusters = atoll_clusters::Clusters::new(options());
    let mut malformed = registration("m", connection.clone());
    malformed.connection = Err("no token".into());
    clusters.apply(vec![registration("a", connection), malformed]);
    let error = asked(&clusters.member("a").unwrap(), "/api").await.unwrap_err();
    assert!(
        matches!(&error, OwnError::Connect(error) if error.stage == ConnectStage::Tcp),
        "{error:?}"
    );
    let error = asked(&clusters.member("m").unwrap(), "/api").await.unwrap_err();
    assert!(
        matches!(&error, OwnError::Malformed(why) if why == "no token"),
        "{error:?}"
    );
    assert!(!error.is_transient());
}

/// However long it is, and whatever code it comes with.
#[tokio::test]
async fn a_long_failure_is_no_success() {
    let fake = Fake::start().await;
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "x".repeat(1 << 20)});
    fake.script(move |seen| seen.path().starts_with("/o").then(|| Reply::json(200, &status)));
    let (_clusters, member) = one(&fake, options());
    let refused = member.request(OwnRequest::delete("/o/a", None)).await;
    assert!(
        matches!(&refused, Err(OwnError::NotKubernetes(why)) if why.contains("and yet a failure")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_one_object_less_is_read_than_of_a_list() {
    let fake = Fake::start().await;
    let Reply::Raw(large) = Reply::json(200, &json!({"kind": "X", "text": "x".repeat(11 << 20)})) else {
        panic!("an answer is written as it is")
    };
    fake.script(move |seen| seen.path().starts_with("/o").then(|| Reply::Raw(large.clone())));
    let (_clusters, member) = one(&fake, options());
    assert!(member.request(OwnRequest::get("/o?limit=500")).await.is_ok());
    for request in [
        OwnRequest::get_object("/o/a"),
        OwnRequest::apply_patch("/o/a", "atoll", true, json!({})),
        OwnRequest::merge_patch("/o/a", json!({})),
        OwnRequest::delete("/o/a", None),
    ] {
        let refused = member.request(request).await;
        assert!(
            matches!(&refused, Err(OwnError::TooLarge(most)) if *most == 10 << 20),
            "{refused:?}"
        );
    }
}
