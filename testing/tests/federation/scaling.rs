//! With `retainReplicas`, a number of replicas is the member's: its autoscaler's,
//! or that of whoever scales by hand there.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    member::Member,
    waiting::{eventually, throughout},
    world::World,
};

const NAMESPACE: &str = "scaling";
const MANIFEST: &str = include_str!("manifests/scaling.yaml");

/// Far longer than the hub takes to put something right.
const A_WHILE: Duration = Duration::from_secs(4);

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    world.kubectl.apply(MANIFEST).await?;
    every_autoscaler_gets_what_it_asks_for(world).await?;
    nobody_fights_an_autoscaler(world).await?;
    an_edit_of_the_template_leaves_the_numbers_alone(world).await?;
    whoever_scales_by_hand_is_left_alone_too(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn path() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

/// What the autoscaler of a member asks for at least: the template's number is 2.
fn least(member: &Member) -> i64 {
    if member.name() == "ap-1" { 4 } else { 3 }
}

fn replicas(object: &Value) -> [&Value; 2] {
    [&object["spec"]["replicas"], &object["status"]["readyReplicas"]]
}

async fn every_autoscaler_gets_what_it_asks_for(world: &World) -> Result<()> {
    for member in world.members() {
        eventually(&format!("the autoscaler of {}", member.name()), async || {
            let object = member.get(&path()).await?;
            let expected = json!(least(member));
            ensure!(replicas(&object) == [&expected, &expected], "{object}");
            Ok(())
        })
        .await?;
    }
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    Ok(())
}

async fn nobody_fights_an_autoscaler(world: &World) -> Result<()> {
    let mut before = Vec::new();
    for member in world.members() {
        before.push(member.get(&path()).await?["metadata"]["generation"].clone());
    }
    throughout(A_WHILE, "peace", async || {
        for (member, before) in world.members().into_iter().zip(&before) {
            let object = member.get(&path()).await?;
            // Whoever changes the number and changes it back moves the generation twice.
            ensure!(object["metadata"]["generation"] == *before, "{object}");
        }
        Ok(())
    })
    .await
}

async fn an_edit_of_the_template_leaves_the_numbers_alone(world: &World) -> Result<()> {
    let newer = MANIFEST.replace("web:1", "web:2");
    world.kubectl.apply(&newer).await?;
    for member in world.members() {
        eventually(&format!("the new image in {}", member.name()), async || {
            let object = member.get(&path()).await?;
            let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
            ensure!(image == "registry.example/web:2", "{object}");
            ensure!(object["spec"]["replicas"] == least(member), "{object}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn whoever_scales_by_hand_is_left_alone_too(world: &World) -> Result<()> {
    let arguments = ["scale", "deployment", "web", "-n", NAMESPACE, "--replicas=5"];
    world.eu.cluster.admin_kubectl().text(arguments).await?;
    let is_five = async || {
        let object = world.eu.get(&path()).await?;
        ensure!(object["spec"]["replicas"] == 5, "{object}");
        Ok(())
    };
    throughout(A_WHILE, "five replicas", is_five).await?;
    let newest = MANIFEST.replace("web:1", "web:3");
    world.kubectl.apply(&newest).await?;
    eventually("the newest image in eu-1", async || {
        let object = world.eu.get(&path()).await?;
        let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
        ensure!(image == "registry.example/web:3", "{object}");
        Ok(())
    })
    .await?;
    is_five().await
}
