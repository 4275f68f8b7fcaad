//! What goes when a federated object goes, or a cluster is taken out of its
//! placement, and what stays because somebody said so.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{member::Member, waiting::eventually, world::World};

const NAMESPACE: &str = "deletion";
const MANIFEST: &str = include_str!("manifests/deletion.yaml");

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    world.kubectl.apply(MANIFEST).await?;
    world.propagated(NAMESPACE, "federatedconfigmaps", "settings").await?;
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    a_cluster_out_of_the_placement_loses_the_object(world).await?;
    an_object_that_says_false_is_not_touched(world).await?;
    an_orphaned_object_stays_without_its_marks(world).await?;
    options_of_the_deletion_are_the_members(world).await?;
    nothing_is_left_that_nobody_manages(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn map() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/settings")
}

fn deployment() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

async fn a_cluster_out_of_the_placement_loses_the_object(world: &World) -> Result<()> {
    let placement = r#"{"spec": {"placement": {"clusters": [{"name": "eu-1"}, {"name": "us-1"}]}}}"#;
    let arguments = [
        "patch",
        "federatedconfigmap",
        "settings",
        "-n",
        NAMESPACE,
        "--type=merge",
        "-p",
        placement,
    ];
    world.kubectl.text(arguments).await?;
    eventually("the end of it in ap-1", async || world.ap.lacks(&map()).await).await?;
    for member in [&world.eu, &world.us] {
        member.get(&map()).await?;
    }
    Ok(())
}

/// The label `kubefed.io/managed=false` on a member's object.
async fn an_object_that_says_false_is_not_touched(world: &World) -> Result<()> {
    let hands_off = json!({
        "metadata": { "labels": { "kubefed.io/managed": "false" } },
        "data": { "greeting": "ours" },
    });
    world.us.patch(&map(), &hands_off).await?;
    eventually("ManagedLabelFalse in us-1 only", async || {
        let object = world.federated(NAMESPACE, "federatedconfigmaps", "settings").await?;
        object.is_only("us-1", "ManagedLabelFalse")
    })
    .await?;
    let object = world.us.get(&map()).await?;
    ensure!(object["data"]["greeting"] == "ours", "{object}");
    Ok(())
}

fn is_marked(object: &Value) -> bool {
    let metadata = &object["metadata"];
    let marks = [
        &metadata["labels"]["kubefed.io/managed"],
        &metadata["annotations"]["atoll.dev/owner"],
    ];
    marks.into_iter().any(|mark| !mark.is_null())
}

async fn an_orphaned_object_stays_without_its_marks(world: &World) -> Result<()> {
    let object = world.eu.get(&map()).await?;
    ensure!(is_marked(&object), "{object}");
    for arguments in [
        [
            "annotate",
            "federatedconfigmap",
            "settings",
            "-n",
            NAMESPACE,
            "kubefed.io/orphan=true",
        ],
        [
            "delete",
            "federatedconfigmap",
            "settings",
            "-n",
            NAMESPACE,
            "--timeout=60s",
        ],
    ] {
        world.kubectl.text(arguments).await?;
    }
    eventually("the end of the marks in eu-1", async || {
        let object = world.eu.get(&map()).await?;
        ensure!(!is_marked(&object), "{}", object["metadata"]);
        ensure!(object["data"]["greeting"] == "hello", "{object}");
        Ok(())
    })
    .await?;
    let object = world.us.get(&map()).await?;
    ensure!(
        object["metadata"]["labels"]["kubefed.io/managed"] == "false",
        "{}",
        object["metadata"]
    );
    Ok(())
}

async fn replica_sets(member: &Member) -> Result<Vec<Value>> {
    let list = member
        .get(&format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"))
        .await?;
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

/// `kubefed.io/deleteoption` asks each member to leave what the Deployment owns.
async fn options_of_the_deletion_are_the_members(world: &World) -> Result<()> {
    for member in world.members() {
        eventually(&format!("a ReplicaSet in {}", member.name()), async || {
            ensure!(replica_sets(member).await?.len() == 1, "there is none");
            Ok(())
        })
        .await?;
    }
    world
        .kubectl
        .text(["delete", "federateddeployment", "web", "-n", NAMESPACE, "--timeout=60s"])
        .await?;
    for member in world.members() {
        let what = format!("the end of the Deployment in {}", member.name());
        eventually(&what, async || member.lacks(&deployment()).await).await?;
        let left = replica_sets(member).await?;
        let owned = left.iter().any(|set| !set["metadata"]["ownerReferences"].is_null());
        ensure!(left.len() == 1 && !owned, "{}: {left:?}", member.name());
    }
    Ok(())
}

/// Otherwise deleting the namespace would have to be confirmed.
async fn nothing_is_left_that_nobody_manages(world: &World) -> Result<()> {
    for member in world.members() {
        for collection in [
            format!("/api/v1/namespaces/{NAMESPACE}/configmaps?fieldSelector=metadata.name=settings"),
            format!("/apis/apps/v1/namespaces/{NAMESPACE}/replicasets"),
        ] {
            member.delete(&collection).await?;
        }
        eventually(&format!("the end of the pods in {}", member.name()), async || {
            let pods = member.get(&format!("/api/v1/namespaces/{NAMESPACE}/pods")).await?;
            ensure!(pods["items"].as_array().is_none_or(Vec::is_empty), "{pods}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}
