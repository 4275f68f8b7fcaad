//! Members that are dead, that hang, that answer nonsense: nobody else's delay, and no reason to delete anything.

use std::time::Duration;

use anyhow::Result;
use atoll_simulator::{Fault, Requests};
use serde_json::json;
use tokio::time::Instant;

use crate::world::{Probes, World, config, options, until};

async fn two_in_step(probes: Probes) -> Result<World> {
    in_step(World::with(&["eu-1", "us-1"], probes).await?).await
}

async fn in_step(world: World) -> Result<World> {
    world.federate("shop").await?;
    world.create("configmaps", "shop", "web", config("blue")).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_quiet().await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_member_delays_nobody_and_catches_up() -> Result<()> {
    let world = two_in_step(Probes::Often).await?;
    let dead = world.members["us-1"].faults();
    dead.set(Fault::Refuse);
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "red".into()
        })
        .await?;
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    world.until_ready("us-1", false).await?;
    world
        .until_word("configmaps", "shop", "web", "us-1", "ClusterNotReady")
        .await?;
    world.until_word("configmaps", "shop", "web", "eu-1", "").await?;
    world.create("configmaps", "shop", "late", config("green")).await?;
    world.until("eu-1", "configmaps", "shop", "late", |_| true).await?;

    dead.clear();
    world.until_ready("us-1", true).await?;
    world
        .until("us-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    world.until("us-1", "configmaps", "shop", "late", |_| true).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_ok("configmaps", "shop", "late").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_hangs_and_still_counts_as_ready_delays_nobody() -> Result<()> {
    // So long that whoever waits for it is late for certain, and short enough to end while the test waits.
    let mut patient = options("one");
    patient.observe_deadline = Duration::from_secs(12);
    let world = in_step(World::open(&["eu-1", "us-1"], Probes::Once, patient).await?).await?;
    let hanging = world.members["us-1"].faults();
    hanging.set(Fault::Hang);
    assert!(world.clusters.member("us-1").unwrap().is_ready());

    let begun = Instant::now();
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "red".into()
        })
        .await?;
    world.create("configmaps", "shop", "new", config("green")).await?;
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "red"
        })
        .await?;
    world.until("eu-1", "configmaps", "shop", "new", |_| true).await?;
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "the others waited for {:?}",
        begun.elapsed()
    );
    // Also a second change does not wait for the answer to the first.
    world
        .edit("configmaps", "shop", "web", |body| {
            body["spec"]["template"]["data"]["color"] = "grey".into()
        })
        .await?;
    let begun = Instant::now();
    world
        .until("eu-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "grey"
        })
        .await?;
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "the second change waited for {:?}",
        begun.elapsed()
    );
    assert!(world.clusters.member("us-1").unwrap().is_ready());
    until("the status tells who does not answer", async || {
        let word = world.word("configmaps", "shop", "new", "us-1").await?;
        Ok(word.filter(|word| !word.is_empty()))
    })
    .await?;
    world.until_word("configmaps", "shop", "new", "eu-1", "").await?;

    hanging.clear();
    world
        .until("us-1", "configmaps", "shop", "web", |object| {
            object["data"]["color"] == "grey"
        })
        .await?;
    world.until("us-1", "configmaps", "shop", "new", |_| true).await?;
    world.until_ok("configmaps", "shop", "web").await?;
    world.until_ok("configmaps", "shop", "new").await?;
    Ok(())
}

/// A few requests at a time find out whether it answers again; the rest is not asked for over and over meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn what_missed_a_member_that_hangs_reaches_it_when_it_answers() -> Result<()> {
    let world = two_in_step(Probes::Once).await?;
    let hanging = world.members["us-1"].faults();
    hanging.set(Fault::Hang);
    // With these it is known that the member does not answer.
    for number in 0..4 {
        let name = format!("early-{number}");
        world.create("configmaps", "shop", &name, config("green")).await?;
    }
    for number in 0..4 {
        let name = format!("early-{number}");
        until("the first are late", async || {
            let word = world.word("configmaps", "shop", &name, "us-1").await?;
            Ok(word.filter(|word| !word.is_empty()))
        })
        .await?;
    }
    let names: Vec<String> = (0..30).map(|number| format!("late-{number}")).collect();
    for name in &names {
        world.create("configmaps", "shop", name, config("green")).await?;
    }
    for name in &names {
        world.until("eu-1", "configmaps", "shop", name, |_| true).await?;
        until("the status tells who does not answer", async || {
            let word = world.word("configmaps", "shop", name, "us-1").await?;
            Ok(word.filter(|word| !word.is_empty()))
        })
        .await?;
    }
    // First what was asked comes to nothing, so that nobody hears late that the member answers.
    hanging.set(Fault::Status(http::StatusCode::INTERNAL_SERVER_ERROR));
    for number in 0..4 {
        let name = format!("early-{number}");
        until("a refusal", async || {
            let status = world.status("configmaps", "shop", &name).await?;
            let message = status.clusters.iter().find(|cluster| cluster.name.as_str() == "us-1");
            Ok(message.filter(|cluster| cluster.message.contains("500")).map(drop))
        })
        .await?;
    }
    hanging.clear();
    for name in &names {
        world.until("us-1", "configmaps", "shop", name, |_| true).await?;
        world.until_ok("configmaps", "shop", name).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_found_again() -> Result<()> {
    let world = two_in_step(Probes::Once).await?;
    let faults = world.members["us-1"].faults();
    // The member takes the write, and its answer breaks off.
    let patches = Requests {
        method: Some("PATCH".parse()?),
        path: "/configmaps/".into(),
    };
    faults.add(patches, Fault::Truncate);
    world.create("configmaps", "shop", "new", config("green")).await?;
    let made = world.until("us-1", "configmaps", "shop", "new", |_| true).await?;
    world.until_word("configmaps", "shop", "new", "eu-1", "").await?;
    faults.clear();
    world.until_ok("configmaps", "shop", "new").await?;
    let after = world.until("us-1", "configmaps", "shop", "new", |_| true).await?;
    assert_eq!(after["metadata"]["uid"], made["metadata"]["uid"]);
    Ok(())
}

/// Nothing is on record but that a write began; that is enough to clean up.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_whose_answer_was_lost_is_deleted_with_its_object() -> Result<()> {
    let world = two_in_step(Probes::Once).await?;
    let patches = Requests {
        method: Some("PATCH".parse()?),
        path: "/configmaps/".into(),
    };
    world.members["us-1"].faults().add(patches, Fault::Truncate);
    world.create("configmaps", "shop", "new", config("green")).await?;
    world.until("us-1", "configmaps", "shop", "new", |_| true).await?;
    world.until_word("configmaps", "shop", "new", "eu-1", "").await?;
    world.delete_federated("configmaps", "shop", "new").await?;
    world.until_deleted("configmaps", "shop", "new").await?;
    for cluster in ["eu-1", "us-1"] {
        assert!(
            world.get(cluster, "configmaps", "shop", "new").await?.is_none(),
            "it is left in {cluster}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_not_gone() -> Result<()> {
    let world = two_in_step(Probes::Once).await?;
    let before = world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
    let faults = world.members["us-1"].faults();
    for fault in [
        Fault::Html,
        Fault::Truncate,
        Fault::Unauthorized,
        Fault::Status(http_status(403)),
        Fault::Status(http_status(404)),
        Fault::Status(http_status(500)),
    ] {
        faults.set(fault.clone());
        faults.cut_watches();
        // Intent changes under the hub while nothing can be read. A delete whose answer is cut short has happened all the
        // same, and would be right: the object is not placed there then.
        let displaced = !matches!(fault, Fault::Truncate);
        world
            .edit("configmaps", "shop", "web", |body| {
                if displaced {
                    body["spec"]["placement"] = json!({"clusters": [{"name": "eu-1"}]});
                } else {
                    body["metadata"]["labels"]["looked"] = "again".into();
                }
            })
            .await?;
        tokio::time::sleep(Duration::from_millis(400)).await;
        world
            .edit("configmaps", "shop", "web", |body| {
                body["spec"]["placement"] = json!({"clusterSelector": {}});
            })
            .await?;
        faults.clear();
        let object = world.until("us-1", "configmaps", "shop", "web", |_| true).await?;
        assert_eq!(object["metadata"]["uid"], before["metadata"]["uid"], "{fault:?}");
        let records = world.records("configmaps", "shop", "web").await?;
        assert_eq!(records.len(), 2, "{fault:?}: {records:?}");
    }
    world.until_ok("configmaps", "shop", "web").await?;
    Ok(())
}

fn http_status(code: u16) -> http::StatusCode {
    http::StatusCode::from_u16(code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_a_member_lacks_is_told_and_the_others_go_on() -> Result<()> {
    let world = two_in_step(Probes::Once).await?;
    let faults = world.members["us-1"].faults();
    faults.add(Requests::to("/deployments"), Fault::Status(http_status(404)));
    let spec = crate::world::deployment(1, "nginx:1", json!({"clusterSelector": {}}));
    world.create("deployments.apps", "shop", "web", spec).await?;
    world.until("eu-1", "deployments.apps", "shop", "web", |_| true).await?;
    world
        .until_word("deployments.apps", "shop", "web", "us-1", "ApiMissing")
        .await?;
    faults.clear();
    world.until("us-1", "deployments.apps", "shop", "web", |_| true).await?;
    world.until_ok("deployments.apps", "shop", "web").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_fail_are_tried_again() -> Result<()> {
    let world = two_in_step(Probes::Once).await?;
    let faults = world.members["us-1"].faults();
    let patches = Requests {
        method: Some("PATCH".parse()?),
        path: "/configmaps/".into(),
    };
    faults.add(patches, Fault::Status(http_status(500)));
    world.create("configmaps", "shop", "new", config("green")).await?;
    world
        .until_word("configmaps", "shop", "new", "us-1", "CreationFailed")
        .await?;
    world.until_word("configmaps", "shop", "new", "eu-1", "").await?;
    faults.clear();
    world.until_ok("configmaps", "shop", "new").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_member_refuses_is_told_in_its_words_and_not_tried_again_and_again() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.federate("shop").await?;
    let mut spec = crate::world::deployment(1, "nginx:1", json!({"clusterSelector": {}}));
    spec["template"]["spec"]["template"]["metadata"]["labels"] = json!({"app": "another"});
    world.create("deployments.apps", "shop", "web", spec).await?;
    world
        .until_word("deployments.apps", "shop", "web", "eu-1", "Invalid")
        .await?;
    let status = world.status("deployments.apps", "shop", "web").await?;
    assert!(
        status.clusters[0].message.contains("selector"),
        "{}",
        status.clusters[0].message
    );
    world.until_quiet().await?;
    Ok(())
}
