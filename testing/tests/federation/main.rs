//! Federation as people who come from KubeFed know it, on real API servers: three
//! members, one of them the oldest Kubernetes that is supported, and the hub as it
//! is built. kubectl and REST from outside only.
//!
//! All chapters share one world and live in namespaces of their own, so that one
//! that fails does not keep the next from being told. `CHAPTERS=services,holds`
//! tells only these, for whoever works on one of them.

mod additions;
mod custom;
mod deletion;
mod federated;
mod holds;
mod kubefed;
mod kubefedctl;
mod leaving;
mod member;
mod outage;
mod pipeline;
mod plain;
mod preferences;
mod quota;
mod registration;
mod scaling;
mod services;
mod takeover;
mod types;
mod waiting;
mod world;

use anyhow::Result;
use world::World;

#[tokio::test]
async fn federation_on_real_clusters() -> Result<()> {
    let mut world = World::start().await?;
    world
        .open("clusters join as they joined KubeFed", registration::told)
        .await?;

    world
        .tell("types", "every built-in type reaches every member", types::told)
        .await;
    world
        .tell("custom", "any other kind is federated while the hub runs", custom::told)
        .await;
    world
        .tell("scaling", "an autoscaler in a member owns its replicas", scaling::told)
        .await;
    world
        .tell("services", "what a member allots to a Service stays", services::told)
        .await;
    world
        .tell("takeover", "what KubeFed wrote is taken over", takeover::told)
        .await;
    world
        .tell(
            "additions",
            "what a member adds stays, what it changes does not",
            additions::told,
        )
        .await;
    world
        .tell("quota", "a refusal is shown where it happened", quota::told)
        .await;
    world
        .tell(
            "deletion",
            "what goes, and what stays because somebody said so",
            deletion::told,
        )
        .await;
    world
        .tell("holds", "what would delete too much waits", holds::told)
        .await;
    world
        .tell("kubefed", "KubeFed's documented YAML works unchanged", kubefed::told)
        .await;
    world
        .tell("plain", "Federation v1's plain objects are planned", plain::told)
        .await;
    world
        .tell("pipeline", "pipelines, previews and events", pipeline::told)
        .await;
    world
        .tell("outage", "a cluster goes away and comes back", outage::told)
        .await;
    world
        .tell(
            "leaving",
            "clusters leave, with or without what was written there",
            leaving::told,
        )
        .await;
    world
        .tell("kubefedctl", "KubeFed's command line works as it did", kubefedctl::told)
        .await;
    world.close()
}
