//! A confirmation is good for once: for what was shown, and only until that is done or taken back.

use std::time::Duration;

use anyhow::{Context, Result};
use atoll_controllers::HeldChange;
use atoll_simulator::{Fault, Requests};
use atoll_store::ObjectKey;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::world::{World, config, until};

const CONFIRM: &str = "atoll.dev/confirm-deletes";
/// Far longer than a delete takes that nobody holds.
const A_WHILE: Duration = Duration::from_secs(2);

async fn until_held(world: &World) -> Result<HeldChange> {
    until("something is held", async || Ok(world.controllers.holds().await?.pop())).await
}

async fn annotations(world: &World, key: &ObjectKey) -> Result<Value> {
    let object = world.store.object(key).await?.context("it is there")?;
    Ok(object.body["metadata"]["annotations"].clone())
}

async fn until_kept(world: &World, is_kept: bool) -> Result<()> {
    let approvals = ObjectKey::new("atoll.dev", "approvals", "", "deletes");
    until(&format!("confirmed deletes are kept: {is_kept}"), async || {
        let found = world.store.object(&approvals).await?;
        Ok((found.is_some() == is_kept).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_confirmed_and_taken_back_has_to_be_confirmed_again() -> Result<()> {
    let mut world = World::new(&["eu-1", "us-1"]).await?;
    let names = world.many_by_region().await?;
    let faults = world.members["eu-1"].faults().clone();
    for name in &names {
        let requests = Requests {
            method: Some("DELETE".parse()?),
            ..Requests::to(format!("/configmaps/{name}"))
        };
        faults.add(requests, Fault::Status("500".parse()?));
    }
    world.relabel("ue").await?;
    let hold = until_held(&world).await?;
    world
        .change(&hold.annotate, |body| {
            body["metadata"]["annotations"] = json!({CONFIRM: hold.token, "mine": "stays"});
        })
        .await?;
    until_kept(&world, true).await?;
    assert_eq!(annotations(&world, &hold.annotate).await?, json!({"mine": "stays"}));
    // Nothing has gone yet, and the change is taken back.
    world.relabel("eu").await?;
    until_kept(&world, false).await?;
    for name in &names {
        world.until_word("configmaps", "shop", name, "eu-1", "").await?;
    }
    faults.clear();
    world.restart().await?;
    world.until_ready("eu-1", true).await?;
    world.relabel("ue").await?;
    assert_eq!(until_held(&world).await?, hold);
    for name in &names {
        world.until_word("configmaps", "shop", name, "eu-1", "Held").await?;
    }
    sleep(A_WHILE).await;
    for name in &names {
        assert!(world.get("eu-1", "configmaps", "shop", name).await?.is_some(), "{name}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_that_nothing_waits_for_is_taken_off() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world
        .edit("configmaps", "shop", "web", |body| {
            body["metadata"]["annotations"] = json!({CONFIRM: "of-some-time"});
        })
        .await?;
    let row = atoll_federation::types::find("configmaps").context("a built-in type")?;
    let key = crate::world::stored_key(row, "shop", "web");
    until("the annotation is gone", async || {
        Ok(annotations(&world, &key).await?.is_null().then_some(()))
    })
    .await?;
    world.until_ok("configmaps", "shop", "web").await?;
    Ok(())
}
