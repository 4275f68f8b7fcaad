//! Signing in and out.

use serde_json::json;

use super::harness::{Hub, PASSWORD, eventually};

#[tokio::test]
async fn signing_in_gives_a_token_that_says_who_one_is_and_signing_out_ends_it() {
    let hub = Hub::start().await;
    let answer = hub
        .post("/api/v1/sessions", &json!({"username": "admin", "password": PASSWORD}))
        .send()
        .await
        .ok(201);
    assert_eq!(answer["user"]["name"], "admin");
    assert!(answer.get("key").is_none(), "a key belongs to a cookie");
    let token = answer["token"].as_str().unwrap();

    let me = hub.get("/api/v1/me").bearer(token).send().await.ok(200);
    assert_eq!(
        me["user"],
        json!({"name": "admin", "displayName": "Administrator", "admin": true})
    );
    assert_eq!(me["groups"], json!(["atoll:admins"]));
    assert_eq!(me["hub"]["publicUrl"], "https://hub.example");
    assert_eq!(me["sessionExpiresAt"], answer["expiresAt"]);

    hub.delete("/api/v1/sessions/current")
        .bearer(token)
        .send()
        .await
        .ok(204);
    hub.get("/api/v1/me")
        .bearer(token)
        .send()
        .await
        .refused(401, "Unauthorized");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
    let hub = Hub::start().await;
    let mut answers = Vec::new();
    for username in ["admin", "nobody"] {
        let body = json!({"username": username, "password": "not the password"});
        let answer = hub.post("/api/v1/sessions", &body).send().await;
        answer.refused(401, "Unauthorized");
        answers.push(answer.text);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn the_sixth_try_is_locked_out_even_with_the_right_password_but_only_there() {
    let hub = Hub::start().await;
    let wrong = json!({"username": "admin", "password": "not the password"});
    for _ in 0..5 {
        hub.post("/api/v1/sessions", &wrong)
            .send()
            .await
            .refused(401, "Unauthorized");
    }
    let right = json!({"username": "admin", "password": PASSWORD});
    let locked = hub
        .post("/api/v1/sessions", &right)
        .header("x-forwarded-for", "192.0.2.77")
        .send()
        .await;
    let status = locked.refused(429, "TooManyRequests");
    assert!(status["details"]["retryAfterSeconds"].as_i64().unwrap() > 800);
    assert!(!locked.header("retry-after").is_empty());
    let elsewhere = hub.post("/api/v1/sessions", &right).peer("192.0.2.9:5000", true);
    elsewhere.send().await.ok(201);
}

#[tokio::test]
async fn what_cannot_be_a_sign_in_is_refused_before_any_password_is_looked_at() {
    let hub = Hub::start().await;
    let long = "x".repeat(1025);
    let answer = hub
        .post("/api/v1/sessions", &json!({"username": "admin", "password": long}))
        .send()
        .await;
    answer.refused(400, "BadRequest");
    let unknown = json!({"username": "admin", "password": PASSWORD, "remember": true});
    let status = hub
        .post("/api/v1/sessions", &unknown)
        .send()
        .await
        .refused(400, "BadRequest");
    assert!(status["message"].as_str().unwrap().contains("remember"));
    let form = hub.post("/api/v1/sessions", &json!({}));
    let form = form.text("application/x-www-form-urlencoded", "username=admin&password=x");
    assert!(form.send().await.code.is_client_error());
}

#[tokio::test]
async fn a_session_of_a_user_that_is_disabled_ends_within_seconds_without_a_restart() {
    let hub = Hub::start().await;
    hub.person("bob", true).await;
    let token = hub.sign_in_as("bob").await;
    hub.get("/api/v1/clusters").bearer(&token).send().await.ok(200);
    hub.state.store.set_user_disabled("bob", true).await.unwrap();
    eventually("bob is out", || async {
        let answer = hub.get("/api/v1/clusters").bearer(&token).send().await;
        (answer.code == 401).then_some(())
    })
    .await;
    let body = json!({"username": "bob", "password": PASSWORD});
    let refused = hub.post("/api/v1/sessions", &body).send().await;
    assert_eq!(
        refused.refused(401, "Unauthorized")["message"],
        "the user name or the password is wrong"
    );
}

#[tokio::test]
async fn a_session_that_has_ended_in_the_database_is_no_credential_however_well_signed() {
    let hub = Hub::start().await;
    let now = jiff::Timestamp::now();
    let until = now.checked_add(jiff::SignedDuration::from_hours(1)).unwrap();
    let forged = hub.state.sessions.issue(uuid::Uuid::new_v4(), "admin", now, until);
    hub.get("/api/v1/me")
        .bearer(&forged)
        .send()
        .await
        .refused(401, "Unauthorized");
    let session = atoll_store::Session {
        id: uuid::Uuid::new_v4(),
        user_name: "admin".into(),
        key_hash: vec![0; 32],
        created_at: now,
        expires_at: now.checked_add(jiff::SignedDuration::from_secs(3)).unwrap(),
    };
    hub.state.store.create_session(&session).await.unwrap();
    let token = hub.state.sessions.issue(session.id, "admin", now, until);
    hub.get("/api/v1/me").bearer(&token).send().await.ok(200);
    let refused = eventually("the session is over", || async {
        let answer = hub.get("/api/v1/me").bearer(&token).send().await;
        (answer.code != 200).then_some(answer)
    })
    .await;
    refused.refused(401, "Unauthorized");
}

#[tokio::test]
async fn a_new_password_ends_every_sign_in() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let hash = atoll_server::app::initialise::hash("another long password".to_owned().into())
        .await
        .unwrap();
    hub.state.store.set_password("admin", &hash).await.unwrap();
    hub.get("/api/v1/me")
        .bearer(&token)
        .send()
        .await
        .refused(401, "Unauthorized");
}

#[tokio::test]
async fn two_credentials_are_refused_rather_than_ranked() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    let twice = hub.get("/api/v1/me").bearer(&token).bearer(&token);
    twice.send().await.refused(400, "BadRequest");
    let both = hub.get("/api/v1/me").bearer(&token).header("cookie", "__Host-atoll=x");
    both.send().await.refused(400, "BadRequest");
}
