//! A placement edit that would delete a great deal waits until it is confirmed.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::{
    federated::Federated,
    member::Member,
    waiting::{eventually, throughout},
    world::World,
};

const NAMESPACE: &str = "holds";
const CONFIRM: &str = "atoll.dev/confirm-deletes";

/// More than are deleted without asking.
const MAPS: usize = 12;

/// Far longer than a delete takes that nobody holds.
const A_WHILE: Duration = Duration::from_secs(3);

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    many_objects_are_everywhere(world).await?;
    an_edit_that_would_delete_them_is_held(world).await?;
    an_edit_that_is_taken_back_deletes_nothing(world).await?;
    another_token_confirms_nothing(world).await?;
    the_token_confirms_it(world).await?;
    deleting_a_namespace_with_strangers_in_it_is_held_too(world).await
}

fn map(number: usize) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/settings-{number}")
}

async fn many_objects_are_everywhere(world: &World) -> Result<()> {
    let manifests: Vec<String> = (1..=MAPS)
        .map(|number| {
            format!(
                "
apiVersion: types.kubefed.io/v1beta1
kind: FederatedConfigMap
metadata: {{name: settings-{number}, namespace: {NAMESPACE}}}
spec:
  placement: {{clusterSelector: {{}}}}
  template: {{data: {{number: \"{number}\"}}}}
"
            )
        })
        .collect();
    world.kubectl.apply(&manifests.join("---")).await?;
    for number in 1..=MAPS {
        world
            .propagated(NAMESPACE, "federatedconfigmaps", &format!("settings-{number}"))
            .await?;
    }
    Ok(())
}

async fn namespace(world: &World) -> Result<Federated> {
    world.federated(NAMESPACE, "federatednamespaces", NAMESPACE).await
}

/// Edits where the namespace goes, and with it all that is in it.
async fn place(world: &World, placement: &str) -> Result<()> {
    let patch = format!(r#"{{"spec": {{"placement": {placement}}}}}"#);
    let arguments = [
        "patch",
        "federatednamespace",
        NAMESPACE,
        "-n",
        NAMESPACE,
        "--type=merge",
        "-p",
    ];
    let arguments = arguments.into_iter().chain([patch.as_str()]);
    world.kubectl.text(arguments).await?;
    Ok(())
}

const EVERYWHERE: &str = r#"{"clusters": null, "clusterSelector": {}}"#;
const EU_ONLY: &str = r#"{"clusters": [{"name": "eu-1"}]}"#;

/// What is displaced by placing all in eu-1 only.
const DISPLACED: [&str; 2] = ["ap-1", "us-1"];

async fn all_are_there(member: &Member) -> Result<()> {
    for number in 1..=MAPS {
        let object = member.get(&map(number)).await?;
        let metadata = &object["metadata"];
        ensure!(metadata["deletionTimestamp"].is_null(), "{}: {metadata}", member.name());
    }
    Ok(())
}

/// The token that the status names, once just these clusters wait for it.
async fn held(world: &World, clusters: &[&str]) -> Result<String> {
    let mut token = String::new();
    eventually("a hold on what would be deleted", async || {
        let object = namespace(world).await?;
        object.is_seen()?;
        for cluster in object.clusters() {
            let word = if clusters.contains(&cluster) { "Held" } else { "" };
            ensure!(object.word(cluster)? == word, "{}", object.status());
        }
        let first = clusters.first().context("nothing is held")?;
        let message = object.message(first);
        let (_, named) = message
            .split_once(&format!("{CONFIRM}="))
            .with_context(|| format!("no token in {message:?}"))?;
        token = named
            .chars()
            .take_while(|character| character.is_ascii_alphanumeric())
            .collect();
        Ok(())
    })
    .await?;
    Ok(token)
}

async fn an_edit_that_would_delete_them_is_held(world: &World) -> Result<()> {
    place(world, EU_ONLY).await?;
    held(world, &DISPLACED).await?;
    throughout(A_WHILE, "everything to be there while it is held", async || {
        for member in world.members() {
            all_are_there(member).await?;
        }
        Ok(())
    })
    .await?;
    eventually("the same word on what lies in the namespace", async || {
        let object = world.federated(NAMESPACE, "federatedconfigmaps", "settings-1").await?;
        ensure!(object.word("us-1")? == "Held", "{}", object.status());
        Ok(())
    })
    .await
}

async fn an_edit_that_is_taken_back_deletes_nothing(world: &World) -> Result<()> {
    place(world, EVERYWHERE).await?;
    world.propagated(NAMESPACE, "federatednamespaces", NAMESPACE).await?;
    world.propagated(NAMESPACE, "federatedconfigmaps", "settings-1").await?;
    for member in world.members() {
        all_are_there(member).await?;
    }
    Ok(())
}

async fn annotate(world: &World, token: &str) -> Result<()> {
    let note = format!("{CONFIRM}={token}");
    let arguments = [
        "annotate",
        "federatednamespace",
        NAMESPACE,
        "-n",
        NAMESPACE,
        "--overwrite",
    ];
    world.kubectl.text(arguments.into_iter().chain([note.as_str()])).await?;
    Ok(())
}

async fn another_token_confirms_nothing(world: &World) -> Result<()> {
    place(world, EU_ONLY).await?;
    let token = held(world, &DISPLACED).await?;
    let other: String = token.chars().rev().collect();
    annotate(world, &other).await?;
    throughout(A_WHILE, "everything to be there with another token", async || {
        for member in world.members() {
            all_are_there(member).await?;
        }
        Ok(())
    })
    .await
}

async fn the_token_confirms_it(world: &World) -> Result<()> {
    let token = held(world, &DISPLACED).await?;
    annotate(world, &token).await?;
    for member in [&world.us, &world.ap] {
        for path in (1..=MAPS).map(map).chain([format!("/api/v1/namespaces/{NAMESPACE}")]) {
            let what = format!("the end of {path} in {}", member.name());
            eventually(&what, async || member.lacks(&path).await).await?;
        }
    }
    all_are_there(&world.eu).await?;
    eventually("a status without what has gone", async || {
        let object = namespace(world).await?;
        object.is_propagated()?;
        ensure!(json!(object.clusters()) == json!(["eu-1"]), "{}", object.status());
        Ok(())
    })
    .await
}

/// What lies in a namespace goes with it, whoever put it there.
async fn deleting_a_namespace_with_strangers_in_it_is_held_too(world: &World) -> Result<()> {
    let theirs = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "theirs" } });
    let maps = format!("/api/v1/namespaces/{NAMESPACE}/configmaps");
    world.eu.post(&maps, &theirs).await?;
    world.leave_namespace(NAMESPACE).await?;
    let token = held(world, &["eu-1"]).await?;
    let namespace = format!("/api/v1/namespaces/{NAMESPACE}");
    throughout(A_WHILE, "the namespace while its deletion is held", async || {
        let object = world.eu.get(&namespace).await?;
        ensure!(object["metadata"]["deletionTimestamp"].is_null(), "{object}");
        world.eu.get(&format!("{maps}/theirs")).await.map(drop)
    })
    .await?;
    annotate(world, &token).await?;
    eventually("the end of the namespace", async || world.eu.lacks(&namespace).await).await?;
    eventually("the end of it on the hub", async || {
        let answer = world.admin.get(&format!("/k8s/hub{namespace}")).await?;
        ensure!(answer.status == http::StatusCode::NOT_FOUND, "{}", answer.text);
        Ok(())
    })
    .await
}
