//! What is shared out over clusters beside replicas: bounds of autoscalers, the pods of a Job; and what cannot be.

use anyhow::{Context, Result};
use atoll_clusters::OwnRequest;
use atoll_federation::plain::{DEPLOYMENT_PREFERENCES, HPA_TARGETS, JOB_PREFERENCES};
use serde_json::{Value, json};

use super::{is_managed, is_well, key, workload};
use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_is_shared_out_and_its_workload_left_to_the_members() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    world.post("deployments.apps", "web", json!({}), workload(4)).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 2
        })
        .await?;
    let reference = json!({"apiVersion": "extensions/v1beta1", "kind": "Deployment", "name": "web"});
    let spec = json!({"spec": {"minReplicas": 2, "maxReplicas": 10, "scaleTargetRef": reference}});
    let scaler = "horizontalpodautoscalers.autoscaling";
    world.post(scaler, "scaler", json!({}), spec).await?;
    for cluster in ["eu-1", "us-1"] {
        let copy = world
            .until(cluster, scaler, "shop", "scaler", |object| {
                object["spec"]["maxReplicas"] == 5
            })
            .await?;
        assert_eq!(copy["spec"]["minReplicas"], 1);
        assert_eq!(copy["spec"]["scaleTargetRef"]["apiVersion"], "apps/v1");
    }
    let told = |names: &'static str| move |object: &Value| object["metadata"]["annotations"][HPA_TARGETS] == names;
    world
        .until_plain("deployments.apps", "web", told(r#"{"Names":["eu-1","us-1"]}"#))
        .await?;
    // The members' number counts now, whatever the hub's object says.
    let web = key("deployments.apps", "shop", "web");
    world.change(&web, |body| body["spec"]["replicas"] = 8.into()).await?;
    world
        .change(&web, |body| {
            body["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:2".into()
        })
        .await?;
    let copy = world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:2"
        })
        .await?;
    assert_eq!(copy["spec"]["replicas"], 2);

    world.delete_with_copies(&key(scaler, "shop", "scaler")).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 4
        })
        .await?;
    let web = world.plain("deployments.apps", "web").await?;
    assert_eq!(web["metadata"]["annotations"].get(HPA_TARGETS), None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_an_autoscaler_names_no_more_has_its_own_replicas_again() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    for name in ["web", "api"] {
        world.post("deployments.apps", name, json!({}), workload(4)).await?;
    }
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let spec = json!({"spec": {"minReplicas": 2, "maxReplicas": 10, "scaleTargetRef": reference}});
    let scaler = "horizontalpodautoscalers.autoscaling";
    world.post(scaler, "scaler", json!({}), spec).await?;
    let is_told = |object: &Value| object["metadata"]["annotations"][HPA_TARGETS].is_string();
    world.until_plain("deployments.apps", "web", is_told).await?;
    world
        .change(&key(scaler, "shop", "scaler"), |body| {
            body["spec"]["scaleTargetRef"]["name"] = "api".into()
        })
        .await?;
    world.until_plain("deployments.apps", "api", is_told).await?;
    world
        .until_plain("deployments.apps", "web", |object| !is_told(object))
        .await?;
    let web = key("deployments.apps", "shop", "web");
    world.change(&web, |body| body["spec"]["replicas"] = 8.into()).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 4
        })
        .await?;
    world.until_quiet().await?;
    assert!(is_told(&world.plain("deployments.apps", "api").await?));
    Ok(())
}

/// The hub stops right after the change, and finds the old workload by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_was_left_while_the_hub_was_down_is_given_back_too() -> Result<()> {
    let mut world = World::new(&["eu-1"]).await?;
    world.label("shop").await?;
    world.post("deployments.apps", "web", json!({}), workload(4)).await?;
    world.until_plain("deployments.apps", "web", is_well).await?;
    world.stop().await;
    let web = key("deployments.apps", "shop", "web");
    world
        .change(&web, |body| {
            body["metadata"]["annotations"] = json!({HPA_TARGETS: r#"{"Names":["eu-1"]}"#})
        })
        .await?;
    world.start().await?;
    let is_told = |object: &Value| object["metadata"]["annotations"][HPA_TARGETS].is_string();
    world
        .until_plain("deployments.apps", "web", |object| !is_told(object))
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_shared_out_over_clusters() -> Result<()> {
    let world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "sum", "image": "busybox"}]}});
    let spec = json!({"spec": {"parallelism": 2, "completions": 6, "template": template}});
    world.post("jobs.batch", "sum", json!({}), spec).await?;
    for cluster in ["eu-1", "us-1"] {
        let copy = world.until(cluster, "jobs.batch", "shop", "sum", is_managed).await?;
        assert_eq!(
            (&copy["spec"]["parallelism"], &copy["spec"]["completions"]),
            (&json!(1), &json!(3))
        );
        assert_eq!(copy["spec"]["manualSelector"], true);
        assert_eq!(
            copy["spec"]["selector"]["matchLabels"]["controller-uid"],
            world.plain("jobs.batch", "sum").await?["metadata"]["uid"]
        );
    }
    world.until_plain("jobs.batch", "sum", is_well).await?;
    Ok(())
}

/// What each cluster was given of the Job: pods at a time, and in all.
async fn parts(world: &World) -> Result<Vec<(&'static str, Value, Value)>> {
    let mut parts = Vec::new();
    for cluster in ["ap-1", "eu-1", "us-1", "zz-1"] {
        if world.members.contains_key(cluster)
            && let Some(copy) = world.get(cluster, "jobs.batch", "shop", "sum").await?
        {
            let spec = &copy["spec"];
            parts.push((cluster, spec["parallelism"].clone(), spec["completions"].clone()));
        }
    }
    Ok(parts)
}

/// Two pods at a time are one in eu-1 and one in us-1 or ap-1, and would be two in eu-1 over those that got any.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_stays_as_it_was_shared_out_and_its_pods_go_with_it() -> Result<()> {
    let mut world = World::new(&["ap-1", "eu-1", "us-1"]).await?;
    world.label("shop").await?;
    let weights =
        json!({"annotations": {JOB_PREFERENCES: r#"{"clusters": {"eu-1": {"weight": 2}, "*": {"weight": 1}}}"#}});
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "sum", "image": "busybox"}]}});
    let spec = json!({"spec": {"parallelism": 2, "completions": 6, "template": template}});
    world.post("jobs.batch", "sum", weights, spec).await?;
    world.until_plain("jobs.batch", "sum", is_well).await?;
    let given = parts(&world).await?;
    assert_eq!(given.len(), 2, "{given:?}");
    assert!(given.contains(&("eu-1", json!(1), json!(4))), "{given:?}");
    world.until_quiet().await?;
    assert_eq!(parts(&world).await?, given);
    world.join("zz-1").await?;
    world.until_ready("zz-1", true).await?;
    world.restart().await?;
    world.until_quiet().await?;
    assert_eq!(parts(&world).await?, given);

    let job = key("jobs.batch", "shop", "sum");
    world.delete_with_copies(&job).await?;
    world.until_plain_gone(&job).await?;
    until("no pod is left", async || {
        let pods = world
            .ask("eu-1", OwnRequest::get("/api/v1/namespaces/shop/pods"))
            .await?;
        Ok(pods["items"].as_array().is_some_and(Vec::is_empty).then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn preferences_that_cannot_be_meant_move_nothing() -> Result<()> {
    let world = World::new(&["eu-1"]).await?;
    world.label("shop").await?;
    world.post("deployments.apps", "web", json!({}), workload(2)).await?;
    world
        .until("eu-1", "deployments.apps", "shop", "web", |object| {
            object["spec"]["replicas"] == 2
        })
        .await?;
    world.until_plain("deployments.apps", "web", is_well).await?;
    let web = key("deployments.apps", "shop", "web");
    world
        .change(&web, |body| {
            body["metadata"]["annotations"] = json!({DEPLOYMENT_PREFERENCES: "{no"});
            body["spec"]["replicas"] = 0.into();
        })
        .await?;
    let told = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
        conditions
            .into_iter()
            .any(|condition| condition["reason"] == "InvalidPreference")
    };
    world.until_plain("deployments.apps", "web", told).await?;
    let copy = world
        .get("eu-1", "deployments.apps", "shop", "web")
        .await?
        .context("it stays")?;
    assert_eq!(copy["spec"]["replicas"], 2);
    Ok(())
}

/// Shares are a change like any other: what they take from many clusters at once waits.
#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_that_would_leave_very_many_clusters_is_held_until_it_is_confirmed() -> Result<()> {
    let names: Vec<String> = (10..22).map(|number| format!("eu-{number}")).collect();
    let world = World::new(&names.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    world.label("shop").await?;
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let spec = json!({"spec": {"minReplicas": 12, "maxReplicas": 24, "scaleTargetRef": target}});
    let kind = "horizontalpodautoscalers.autoscaling";
    world.post(kind, "web", json!({}), spec).await?;
    for name in &names {
        world.until(name, kind, "shop", "web", is_managed).await?;
    }
    world.until_plain(kind, "web", is_well).await?;
    let web = key(kind, "shop", "web");
    world
        .change(&web, |body| {
            body["spec"] = json!({"minReplicas": 1, "maxReplicas": 1, "scaleTargetRef": target})
        })
        .await?;
    let hold = until("it is held", async || Ok(world.controllers.holds().await?.pop())).await?;
    assert!(hold.message.contains(" of 24 managed objects"), "{}", hold.message);
    world.confirm(&hold).await?;
    until("the others are gone", async || {
        let mut left = 0;
        for name in &names {
            left += usize::from(world.get(name, kind, "shop", "web").await?.is_some());
        }
        Ok((left <= 1).then_some(()))
    })
    .await
}
