//! What people look at before and after a change: the plan of a dry run, the
//! objects that a pipeline renders, the events on the hub.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use atoll_testing::binary;
use serde_json::Value;
use tokio::{io::AsyncWriteExt, process::Command};

use crate::{waiting::eventually, world::World};

const NAMESPACE: &str = "pipeline";
const MANIFEST: &str = include_str!("manifests/pipeline.yaml");

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    a_dry_run_shows_what_would_be_created(world).await?;
    world.kubectl.apply(MANIFEST).await?;
    world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    what_kubectl_gets_can_be_rendered(world).await?;
    a_dry_run_shows_what_would_go_and_what_would_change(world).await?;
    events_say_what_was_done(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn deployment() -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/web")
}

/// The plan that kubectl prints of the FederatedDeployment after a dry run.
async fn dry_run(world: &World, manifest: &str) -> Result<Value> {
    let text = world
        .kubectl
        .feed(["apply", "-f", "-", "--dry-run=server", "-o", "json"], manifest)
        .await?;
    let shown: Value = serde_json::from_str(&text)?;
    let mut items = shown["items"].as_array().into_iter().flatten();
    let found = items.find(|item| item["kind"] == "FederatedDeployment");
    let found = found.with_context(|| format!("no FederatedDeployment in {shown}"))?;
    let plan = &found["status"]["plan"];
    ensure!(plan.is_object(), "there is no plan in {found}");
    Ok(plan.clone())
}

/// What a plan says of one cluster, which is to be this.
fn planned<'a>(plan: &'a Value, cluster: &str, action: &str) -> Result<&'a Value> {
    let mut entries = plan["clusters"].as_array().into_iter().flatten();
    let entry = entries.find(|entry| entry["name"] == cluster);
    let entry = entry.with_context(|| format!("nothing of {cluster} in {plan}"))?;
    ensure!(
        entry["action"] == action,
        "{cluster} is not planned to {action}: {plan}"
    );
    Ok(entry)
}

async fn a_dry_run_shows_what_would_be_created(world: &World) -> Result<()> {
    let plan = dry_run(world, MANIFEST).await?;
    for (cluster, replicas) in [("eu-1", 1), ("us-1", 2)] {
        let entry = planned(&plan, cluster, "create")?;
        ensure!(entry["replicas"] == replicas, "{plan}");
        ensure!(entry["object"]["spec"]["replicas"] == replicas, "{plan}");
    }
    let left_out = planned(&plan, "ap-1", "none")?;
    ensure!(left_out["message"].is_string(), "it is not said why: {plan}");
    let there = world
        .kubectl
        .run(["get", "federateddeployment", "web", "-n", NAMESPACE])
        .await?;
    ensure!(!there.status.success(), "it was stored");
    world.eu.lacks(&deployment()).await
}

/// `kubectl get … -o yaml | atoll render -`.
async fn what_kubectl_gets_can_be_rendered(world: &World) -> Result<()> {
    let kinds = "kubefedclusters,federatednamespaces,federateddeployments,federatedconfigmaps";
    let list = world.kubectl.text(["get", kinds, "-A", "-o", "yaml"]).await?;
    ensure!(list.contains("\nkind: List\n"), "{list}");
    let rendered: Value = serde_json::from_str(&render(&["-o", "json"], &list).await?)?;
    let mut objects = rendered["objects"].as_array().into_iter().flatten();
    let found = objects.find(|object| object["kind"] == "FederatedDeployment" && object["namespace"] == NAMESPACE);
    let clusters = &found.context("no FederatedDeployment")?["clusters"];
    for (cluster, replicas) in [("eu-1", 1), ("us-1", 2)] {
        let object = &clusters[cluster]["object"];
        ensure!(object["spec"]["replicas"] == replicas, "{clusters}");
        ensure!(
            object["metadata"]["labels"]["kubefed.io/managed"] == "true",
            "{clusters}"
        );
    }
    ensure!(clusters["ap-1"].is_null(), "{clusters}");
    let stream = render(&[], &list).await?;
    ensure!(stream.contains("\nkind: Deployment\n"), "{stream}");
    Ok(())
}

async fn render(arguments: &[&str], input: &str) -> Result<String> {
    let mut child = Command::new(binary()?)
        .arg("render")
        .args(arguments)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut pipe = child.stdin.take().context("no input")?;
    pipe.write_all(input.as_bytes()).await?;
    drop(pipe);
    let output = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "atoll render ended with {}: {said}",
        output.status
    );
    Ok(String::from_utf8(output.stdout)?)
}

async fn a_dry_run_shows_what_would_go_and_what_would_change(world: &World) -> Result<()> {
    let manifest = MANIFEST
        .replace("    - name: us-1\n  template", "  template")
        .replace("web:1", "web:2");
    let plan = dry_run(world, &manifest).await?;
    planned(&plan, "us-1", "delete")?;
    let changes = &planned(&plan, "eu-1", "update")?["changes"];
    let mut changed = changes.as_array().into_iter().flatten();
    ensure!(
        changed.any(|change| change.to_string().contains("registry.example/web:2")),
        "{plan}"
    );
    let stored = world.propagated(NAMESPACE, "federateddeployments", "web").await?;
    ensure!(stored.clusters() == ["eu-1", "us-1"], "{}", stored.status());
    let there = world.us.get(&deployment()).await?;
    ensure!(there["metadata"]["deletionTimestamp"].is_null(), "{there}");
    Ok(())
}

async fn events_say_what_was_done(world: &World) -> Result<()> {
    eventually("an event of the creation", async || {
        let reasons =
            r"jsonpath={range .items[*]}{.involvedObject.kind}/{.involvedObject.name} {.type} {.reason}{'\n'}{end}";
        let events = world
            .kubectl
            .text(["get", "events", "-n", NAMESPACE, "-o", reasons])
            .await?;
        ensure!(
            events
                .lines()
                .any(|line| line == "FederatedDeployment/web Normal CreateInCluster"),
            "kubectl shows\n{events}"
        );
        Ok(())
    })
    .await?;
    let described = world
        .kubectl
        .text(["describe", "federateddeployment", "web", "-n", NAMESPACE])
        .await?;
    let (_, events) = described
        .split_once("\nEvents:")
        .context("kubectl describes no events")?;
    ensure!(
        events.contains("CreateInCluster") && events.contains("federateddeployment-controller"),
        "kubectl describes\n{events}"
    );
    Ok(())
}
