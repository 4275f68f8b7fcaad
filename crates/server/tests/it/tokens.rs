//! API tokens.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::harness::Hub;

#[tokio::test]
async fn a_token_is_shown_once_works_and_is_revoked_at_once() {
    let hub = Hub::start().await;
    let session = hub.sign_in().await;
    let made = hub
        .post("/api/v1/tokens", &json!({"name": "pipeline", "expiresInDays": 30}))
        .bearer(&session);
    let made = made.send().await.ok(201);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("atoll_"));
    assert!(made["expiresAt"].is_string());

    let listed = hub.get("/api/v1/tokens").bearer(token).send().await;
    let list = listed.ok(200);
    assert_eq!(
        (list["totalItems"].as_i64(), &list["items"][0]["name"]),
        (Some(1), &json!("pipeline"))
    );
    assert!(!listed.text.contains(token), "a token is never shown again");

    let id = made["id"].as_str().unwrap();
    hub.delete(&format!("/api/v1/tokens/{id}"))
        .bearer(&session)
        .send()
        .await
        .ok(204);
    hub.get("/api/v1/tokens")
        .bearer(token)
        .send()
        .await
        .refused(401, "Unauthorized");
    hub.delete(&format!("/api/v1/tokens/{id}"))
        .bearer(&session)
        .send()
        .await
        .refused(404, "NotFound");
    hub.delete("/api/v1/tokens/no-uuid")
        .bearer(&session)
        .send()
        .await
        .refused(404, "NotFound");
}

#[tokio::test]
async fn the_last_use_of_a_token_is_noted() {
    let hub = Hub::start().await;
    let session = hub.sign_in().await;
    let made = hub
        .post("/api/v1/tokens", &json!({"name": "ci"}))
        .bearer(&session)
        .send()
        .await
        .ok(201);
    assert!(made["expiresAt"].is_null());
    hub.get("/api/v1/me")
        .bearer(made["token"].as_str().unwrap())
        .send()
        .await
        .ok(200);
    super::harness::eventually("the use is noted", || async {
        let list = hub.get("/api/v1/tokens").bearer(&session).send().await.ok(200);
        list["items"][0]["lastUsedAt"].as_str().map(drop)
    })
    .await;
}

#[tokio::test]
async fn tokens_of_others_are_neither_listed_nor_revoked() {
    let hub = Hub::start().await;
    hub.person("bob", true).await;
    let (ada, bob) = (hub.sign_in().await, hub.sign_in_as("bob").await);
    let made = hub
        .post("/api/v1/tokens", &json!({"name": "mine"}))
        .bearer(&ada)
        .send()
        .await
        .ok(201);
    assert_eq!(
        hub.get("/api/v1/tokens").bearer(&bob).send().await.ok(200)["totalItems"],
        0
    );
    let path = format!("/api/v1/tokens/{}", made["id"].as_str().unwrap());
    hub.delete(&path).bearer(&bob).send().await.refused(404, "NotFound");
    hub.get("/api/v1/me")
        .bearer(made["token"].as_str().unwrap())
        .send()
        .await
        .ok(200);
}

#[tokio::test]
async fn a_token_past_its_end_is_no_credential() {
    let hub = Hub::start().await;
    let past = Timestamp::now().checked_sub(SignedDuration::from_secs(1)).unwrap();
    let issued = atoll_server::app::issue_token::issue_token(&hub.state.store, "admin", "old", Some(past), past);
    let (_, token) = issued.await.unwrap();
    let token = secrecy::ExposeSecret::expose_secret(&token);
    hub.get("/api/v1/me")
        .bearer(token)
        .send()
        .await
        .refused(401, "Unauthorized");
}

#[tokio::test]
async fn bad_names_and_lives_are_named() {
    let hub = Hub::start().await;
    let session = hub.sign_in().await;
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(64)}), "name"),
        (json!({"name": "a", "expiresInDays": 0}), "expiresInDays"),
        (json!({"name": "a", "expiresInDays": 100_000}), "expiresInDays"),
    ] {
        let status = hub
            .post("/api/v1/tokens", &body)
            .bearer(&session)
            .send()
            .await
            .refused(422, "Invalid");
        assert_eq!(status["details"]["causes"][0]["field"], field);
    }
}

#[tokio::test]
async fn lists_are_paged_sorted_and_filtered() {
    let hub = Hub::start().await;
    let session = hub.sign_in().await;
    for name in ["beta", "alpha", "gamma"] {
        hub.post("/api/v1/tokens", &json!({"name": name}))
            .bearer(&session)
            .send()
            .await
            .ok(201);
    }
    let names = async |query: &str| {
        let list = hub
            .get(&format!("/api/v1/tokens?{query}"))
            .bearer(&session)
            .send()
            .await
            .ok(200);
        let items = list["items"].as_array().unwrap().iter();
        (
            list["totalItems"].as_i64().unwrap(),
            items
                .map(|item| item["name"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        names("").await,
        (3, vec!["beta".into(), "alpha".into(), "gamma".into()])
    );
    assert_eq!(
        names("sortBy=name&limit=2").await,
        (3, vec!["alpha".into(), "beta".into()])
    );
    assert_eq!(names("sortBy=name&limit=2&page=2").await, (3, vec!["gamma".into()]));
    assert_eq!(
        names("sortBy=name&ascending=false&limit=1").await,
        (3, vec!["gamma".into()])
    );
    assert_eq!(names("name=AMM").await, (1, vec!["gamma".into()]));
}
