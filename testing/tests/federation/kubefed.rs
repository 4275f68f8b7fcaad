//! The shapes of KubeFed's own documents, and YAML as people still have it, applied
//! as they are. How clusters join that way is the first chapter.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    member::Member,
    waiting::eventually,
    world::{SYSTEM, World},
};

const NAMESPACE: &str = "test-namespace";

pub(crate) async fn told(world: &World) -> Result<()> {
    documented_shapes_are_applied_unchanged(world).await?;
    overrides_do_what_is_documented(world).await?;
    the_namespace_bounds_what_is_in_it(world).await?;
    a_preference_takes_over_the_replicas(world).await?;
    without_it_the_template_counts_again(world).await?;
    old_groups_and_spellings_are_accepted_with_a_warning(world).await?;
    an_old_type_config_without_a_namespace_starts_its_type(world).await?;
    what_cannot_be_meant_is_refused_with_its_field(world).await?;
    world.leave_namespace(NAMESPACE).await
}

fn deployment(name: &str) -> String {
    format!("/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{name}")
}

fn config_map() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/configmaps/test-configmap")
}

async fn documented_shapes_are_applied_unchanged(world: &World) -> Result<()> {
    let said = world.kubectl.apply(include_str!("manifests/documented.yaml")).await?;
    let expected = [
        "namespace/test-namespace created",
        "federatednamespace.types.kubefed.io/test-namespace created",
        "federateddeployment.types.kubefed.io/test-deployment created",
        "federatedconfigmap.types.kubefed.io/test-configmap created",
    ];
    ensure!(said.lines().eq(expected), "kubectl said\n{said}");
    Ok(())
}

async fn runs(member: &Member, name: &str, replicas: i64) -> Result<()> {
    eventually(
        &format!("{replicas} replicas of {name} in {}", member.name()),
        async || {
            let object = member.get(&deployment(name)).await?;
            ensure!(object["spec"]["replicas"] == replicas, "{}", object["spec"]);
            ensure!(object["status"]["readyReplicas"] == replicas, "{}", object["status"]);
            Ok(())
        },
    )
    .await
}

async fn overrides_do_what_is_documented(world: &World) -> Result<()> {
    runs(&world.eu, "test-deployment", 3).await?;
    runs(&world.us, "test-deployment", 5).await?;
    let container = |object: &Value| object["spec"]["template"]["spec"]["containers"][0].clone();
    let eu = world.eu.get(&deployment("test-deployment")).await?;
    ensure!(container(&eu)["image"] == "registry.example/web:1", "{eu}");
    ensure!(eu["metadata"]["labels"]["app"] == "web", "{}", eu["metadata"]);
    let us = world.us.get(&deployment("test-deployment")).await?;
    ensure!(container(&us)["image"] == "registry.example/web:2", "{us}");
    ensure!(container(&us)["args"] == json!(["-v", "2"]), "{us}");
    ensure!(us["metadata"]["annotations"]["foo"] == "bar", "{}", us["metadata"]);
    ensure!(us["metadata"]["labels"]["app"].is_null(), "{}", us["metadata"]);
    for (member, data) in [
        (&world.eu, json!({"A": "ala ma kota"})),
        (&world.us, json!({"foo": "bar"})),
    ] {
        eventually(&format!("the ConfigMap in {}", member.name()), async || {
            let map = member.get(&config_map()).await?;
            ensure!(map["data"] == data, "{}", map["data"]);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// The Deployment asks for a cluster that its namespace is not placed in.
async fn the_namespace_bounds_what_is_in_it(world: &World) -> Result<()> {
    let object = world
        .propagated(NAMESPACE, "federateddeployments", "test-deployment")
        .await?;
    ensure!(object.clusters() == ["eu-1", "us-1"], "{}", object.status());
    world.ap.lacks(&format!("/api/v1/namespaces/{NAMESPACE}")).await
}

async fn a_preference_takes_over_the_replicas(world: &World) -> Result<()> {
    let said = world.kubectl.apply(include_str!("manifests/preference.yaml")).await?;
    ensure!(
        said == "replicaschedulingpreference.scheduling.kubefed.io/test-deployment created\n",
        "kubectl said {said}"
    );
    // 4 and 2 are given to begin with; of the other 3, what is there counts before weights do.
    runs(&world.eu, "test-deployment", 4).await?;
    runs(&world.us, "test-deployment", 5).await?;
    let text = world
        .kubectl
        .text([
            "get",
            "federateddeployment",
            "test-deployment",
            "-n",
            NAMESPACE,
            "-o",
            "json",
        ])
        .await?;
    let object: Value = serde_json::from_str(&text)?;
    ensure!(
        object["spec"]["overrides"][0]["clusterOverrides"][0]["value"] == 5
            && object["spec"]["placement"]["clusters"].as_array().map(Vec::len) == Some(3),
        "the preference was written into the object: {}",
        object["spec"]
    );
    Ok(())
}

async fn without_it_the_template_counts_again(world: &World) -> Result<()> {
    world
        .kubectl
        .text(["delete", "rsp", "test-deployment", "-n", NAMESPACE, "--timeout=60s"])
        .await?;
    runs(&world.eu, "test-deployment", 3).await?;
    runs(&world.us, "test-deployment", 5).await
}

async fn old_groups_and_spellings_are_accepted_with_a_warning(world: &World) -> Result<()> {
    let (said, warned) = apply_loudly(world, include_str!("manifests/old.yaml")).await?;
    ensure!(said.contains("old-deployment created"), "kubectl said {said}");
    for hint in ["types.kubefed.io/v1beta1", "/spec/replicas", "clusterNames"] {
        let told = warned
            .lines()
            .any(|line| line.starts_with("Warning: ") && line.contains(hint));
        ensure!(told, "no warning names {hint}:\n{warned}");
    }
    runs(&world.eu, "old-deployment", 1).await?;
    runs(&world.us, "old-deployment", 2).await?;
    let object = world
        .propagated(NAMESPACE, "federateddeployments", "old-deployment")
        .await?;
    ensure!(object.clusters() == ["eu-1", "us-1"], "{}", object.status());
    ensure!(
        object.0["spec"]["placement"] == json!({"clusters": [{"name": "us-1"}, {"name": "eu-1"}]})
            && object.0["spec"]["overrides"][0]["clusterOverrides"][0]["path"] == "/spec/replicas",
        "it was not normalised: {}",
        object.0["spec"]
    );

    let (_, warned) = apply_loudly(world, include_str!("manifests/old-preference.yaml")).await?;
    ensure!(
        warned.contains("scheduling.kubefed.io/v1alpha1"),
        "kubectl warned\n{warned}"
    );
    runs(&world.eu, "old-deployment", 2).await?;
    runs(&world.us, "old-deployment", 2).await
}

/// What kubectl says and what it warns of.
async fn apply_loudly(world: &World, manifest: &str) -> Result<(String, String)> {
    let file = world.hub.folder().join("manifest.yaml");
    std::fs::write(&file, manifest)?;
    let file = file.to_str().context("an odd folder")?;
    let output = world.kubectl.run(["apply", "-f", file]).await?;
    let warned = String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "kubectl: {warned}");
    Ok((String::from_utf8(output.stdout)?, warned))
}

/// Also a kind of Kubernetes' own that is not built in, and outside of namespaces.
async fn an_old_type_config_without_a_namespace_starts_its_type(world: &World) -> Result<()> {
    let manifests = include_str!("manifests/old-type.yaml");
    let (config, object) = manifests.split_once("---\n").context("two documents")?;
    let (said, warned) = apply_loudly(world, config).await?;
    ensure!(
        said.contains("priorityclasses.scheduling.k8s.io created"),
        "kubectl said {said}"
    );
    ensure!(warned.contains(SYSTEM), "no warning names its namespace:\n{warned}");
    let path = "/apis/scheduling.k8s.io/v1/priorityclasses/urgent";
    eventually("a FederatedPriorityClass to be accepted", async || {
        apply_loudly(world, object).await.map(drop)
    })
    .await?;
    for member in world.members() {
        eventually(&format!("the PriorityClass in {}", member.name()), async || {
            let class = member.get(path).await?;
            ensure!(class["value"] == 1000, "{class}");
            Ok(())
        })
        .await?;
    }
    for arguments in [
        ["delete", "federatedpriorityclass", "urgent", "--timeout=60s"].as_slice(),
        &[
            "delete",
            "ftc",
            "priorityclasses.scheduling.k8s.io",
            "-n",
            SYSTEM,
            "--timeout=60s",
        ],
    ] {
        world.kubectl.text(arguments).await?;
    }
    for member in world.members() {
        let what = format!("the end of the PriorityClass in {}", member.name());
        eventually(&what, async || member.lacks(path).await).await?;
    }
    Ok(())
}

async fn what_cannot_be_meant_is_refused_with_its_field(world: &World) -> Result<()> {
    let documented = include_str!("manifests/documented.yaml").replace("name: test-deployment", "name: refused");
    let preference = include_str!("manifests/preference.yaml");
    for (manifest, named) in [
        (
            documented.replace("\"/spec/replicas\"", "\"/metadata/name\""),
            "spec.overrides[0].clusterOverrides[0].path",
        ),
        (
            documented.replace("operator: In", "operator: Among"),
            "spec.placement.clusterSelector.matchExpressions[0].operator",
        ),
        (
            preference.replace("maxReplicas: 6", "maxReplicas: 3"),
            "spec.clusters[eu-1]",
        ),
        (
            preference.replace("targetKind: FederatedDeployment", "targetKind: FederatedWheel"),
            "spec.targetKind",
        ),
    ] {
        let refused = world.kubectl.apply(&manifest).await;
        let message = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(message.contains(named), "{named} is not refused, but: {message:?}");
    }
    Ok(())
}
