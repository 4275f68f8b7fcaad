//! Passwords, tokens and sessions.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use atoll_testing::{ADMIN, Rest};
use http::StatusCode;
use serde_json::json;

use super::{status, text};
use crate::world::World;

/// Another machine, as far as the hub can tell.
const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// How many tries one name has from one place.
const TRIES: usize = 5;

pub(crate) async fn wrong_passwords_are_refused_and_then_locked_out(world: &World) -> Result<()> {
    let stranger = world.hub.rest().from(STRANGER);
    let mut said = Vec::new();
    for _ in 0..TRIES {
        let answer = sign_in(&stranger, ADMIN, "wrong").await?;
        said.push(status(&answer, StatusCode::UNAUTHORIZED, "Unauthorized")?);
    }
    // Somebody who does not exist is refused in the same words.
    let other_stranger = world.hub.rest().from(Ipv4Addr::new(127, 0, 0, 3));
    let unknown = sign_in(&other_stranger, "nobody", "wrong").await?;
    said.push(status(&unknown, StatusCode::UNAUTHORIZED, "Unauthorized")?);
    assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{said:?}");

    let locked = sign_in(&stranger, ADMIN, world.hub.password()).await?;
    let told = status(&locked, StatusCode::TOO_MANY_REQUESTS, "TooManyRequests")?;
    let seconds: u64 = locked
        .headers
        .get("retry-after")
        .context("no Retry-After")?
        .to_str()?
        .parse()?;
    assert!(seconds > 0);
    assert_eq!(told["details"]["retryAfterSeconds"], seconds);

    // Whoever sits elsewhere is not locked out with the stranger.
    world.hub.sign_in().await?;
    Ok(())
}

pub(crate) async fn tokens_that_are_none_are_refused(world: &World) -> Result<()> {
    let session = world.admin.token().context("no session")?;
    let (signed, signature) = session.rsplit_once('.').context("not a signed token")?;
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{first}{}", &signature[1..]);
    let unsigned = format!("{signed}.");
    for token in ["", "x", "a.b.c", forged.as_str(), unsigned.as_str()] {
        for path in ["/api/v1/me", "/k8s/hub/api/v1/namespaces", "/k8s/clusters/eu-1/version"] {
            let answer = world.hub.rest().with_token(token).get(path).await?;
            assert!(
                answer.status.is_client_error(),
                "{path} with {token:?}: {}",
                answer.status
            );
            let told = answer.json()?;
            assert_eq!(told["kind"], "Status", "{path} with {token:?}: {told}");
            assert!(!text(&told["message"]).contains("signature"), "{told}");
        }
    }
    Ok(())
}

pub(crate) async fn a_session_ends_when_it_is_signed_out(world: &World) -> Result<()> {
    let session = world.hub.sign_in().await?;
    session.get("/api/v1/me").await?.body(StatusCode::OK)?;
    session
        .delete("/api/v1/sessions/current")
        .await?
        .body(StatusCode::NO_CONTENT)?;
    status(
        &session.get("/api/v1/me").await?,
        StatusCode::UNAUTHORIZED,
        "Unauthorized",
    )?;
    Ok(())
}

/// The hub is started again at a later time of day.
pub(crate) async fn a_session_ends_by_itself(world: &mut World) -> Result<()> {
    let session = world.hub.sign_in().await?;
    let me = session.get("/api/v1/me").await?.body(StatusCode::OK)?;
    assert!(me["sessionExpiresAt"].is_string(), "{me}");

    world.hub.kill()?;
    world.hub.start_again_later(13).await?;
    status(
        &session.get("/api/v1/me").await?,
        StatusCode::UNAUTHORIZED,
        "Unauthorized",
    )?;
    let new = world.hub.sign_in().await?;
    new.get("/api/v1/me").await?.body(StatusCode::OK)?;
    Ok(())
}

async fn sign_in(rest: &Rest, username: &str, password: &str) -> Result<atoll_testing::Answer> {
    let credentials = json!({ "username": username, "password": password });
    rest.post("/api/v1/sessions", credentials).await
}
