//! What people do on a member behind the hub's back.

use std::time::Duration;

use anyhow::Result;
use atoll_testing::until_despite_errors;

use crate::{
    members::{self, Running},
    propagation::runs,
    world::{PATIENCE, World},
};

/// The promise for an object that somebody deletes on a member.
const BACK_WITHIN: Duration = Duration::from_secs(10);

const EU: (i32, &str) = (4, "registry.example/shop/web:2.0");
const US: (i32, &str) = (1, "registry.example/shop/web:1.1");

pub(crate) async fn what_is_deleted_by_hand_comes_back(world: &World) -> Result<()> {
    let before = members::deployment(&world.eu, "web").await?;
    let uid = before.and_then(|deployment| deployment.metadata.uid);
    members::delete_deployment(&world.eu, "web").await?;
    until_despite_errors("the deleted Deployment", BACK_WITHIN, async || {
        let now = members::deployment(&world.eu, "web").await?;
        Ok(now.is_some_and(|now| now.metadata.uid != uid && now.metadata.deletion_timestamp.is_none()))
    })
    .await?;
    runs(world, EU, US).await
}

pub(crate) async fn what_is_scaled_by_hand_is_reverted(world: &World) -> Result<()> {
    members::scale_deployment(&world.us, "web", 5).await?;
    until_despite_errors("the number that the hub asks for", PATIENCE, async || {
        Ok(members::running(&world.us, "web").await? == Some(Running::all(US.0, US.1)))
    })
    .await
}
