//! Signing in.

use anyhow::Result;
use atoll_testing::ADMIN;
use http::StatusCode;

use crate::world::World;

pub(crate) async fn the_administrator_signs_in(world: &mut World) -> Result<()> {
    let anonymous = world.hub.rest();
    let refused = anonymous.get("/api/v1/me").await?;
    assert_eq!(refused.body(StatusCode::UNAUTHORIZED)?["reason"], "Unauthorized");

    world.admin = world.hub.sign_in().await?;
    let me = world.admin.get("/api/v1/me").await?.body(StatusCode::OK)?;
    assert_eq!(me["user"]["name"], ADMIN);
    assert_eq!(me["user"]["admin"], true);
    Ok(())
}
