//! Kinds that nobody knew when the hub was built: a CRD is federated, and then its
//! custom resources, by a `FederatedTypeConfig` and without a restart.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    federated::Federated,
    member::Member,
    waiting::{eventually, throughout, within},
    world::{SYSTEM, World},
};

const NAMESPACE: &str = "custom";
const WIDGETS: &str = "types.kubefed.io/v1beta1";
/// A federated group of its own.
const GADGETS: &str = "fed.example.com/v1";

/// Types start and stop at once: it is one write that makes them. Well below the
/// minute after which the hub looks at types that nobody told it about.
const AT_ONCE: Duration = Duration::from_secs(45);
const A_WHILE: Duration = Duration::from_secs(3);

pub(crate) async fn told(world: &World) -> Result<()> {
    let process = world.hub.process_id()?;
    world.federate_namespace(NAMESPACE).await?;
    definitions_are_federated_to_two_members(world).await?;
    a_type_config_starts_a_type_at_once(world).await?;
    a_kind_that_a_member_lacks_is_missing_there_only(world).await?;
    kubectl_explains_the_new_kind_into_its_template(world).await?;
    a_type_may_have_a_group_of_its_own(world).await?;
    the_member_that_gets_the_kind_catches_up(world).await?;
    a_disabled_type_changes_nothing_until_it_is_enabled(world).await?;
    a_deleted_type_config_stops_it_and_leaves_members_as_they_are(world).await?;
    ensure!(world.hub.process_id()? == process, "the hub was restarted");
    world.leave_namespace(NAMESPACE).await
}

fn widget(name: &str) -> String {
    format!("/apis/example.com/v1/namespaces/{NAMESPACE}/widgets/{name}")
}

fn gadget(name: &str) -> String {
    format!("/apis/example.com/v1/namespaces/{NAMESPACE}/gadgets/{name}")
}

async fn definitions_are_federated_to_two_members(world: &World) -> Result<()> {
    world.kubectl.apply(include_str!("manifests/definitions.yaml")).await?;
    for plural in ["widgets", "gadgets"] {
        let name = format!("{plural}.example.com");
        world
            .propagated("", "federatedcustomresourcedefinitions", &name)
            .await?;
        for member in [&world.eu, &world.us] {
            let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
            eventually(&format!("{name} to be served in {}", member.name()), async || {
                let object = member.get(&path).await?;
                let mut conditions = object["status"]["conditions"].as_array().into_iter().flatten();
                let served = conditions.any(|one| one["type"] == "Established" && one["status"] == "True");
                ensure!(served, "{}", object["status"]);
                Ok(())
            })
            .await?;
        }
    }
    Ok(())
}

async fn type_config(world: &World, plural: &str) -> Result<Value> {
    let path =
        format!("/k8s/hub/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM}/federatedtypeconfigs/{plural}.example.com");
    world.hub_object(&path).await
}

async fn a_type_config_starts_a_type_at_once(world: &World) -> Result<()> {
    let manifests = include_str!("manifests/widgets.yaml");
    let (config, object) = manifests.split_once("---\n").context("two documents")?;
    let said = world.kubectl.apply(config).await?;
    ensure!(
        said == "federatedtypeconfig.core.kubefed.io/widgets.example.com created\n",
        "kubectl said {said}"
    );
    within(AT_ONCE, "FederatedWidgets to be accepted", async || {
        world.kubectl.apply(object).await?;
        Ok(())
    })
    .await?;
    within(AT_ONCE, "the controller to run", async || {
        let config = type_config(world, "widgets").await?;
        let status = &config["status"];
        ensure!(status["propagationController"] == "Running", "{status}");
        ensure!(
            status["observedGeneration"] == config["metadata"]["generation"],
            "{status}"
        );
        Ok(())
    })
    .await?;
    for (member, size) in [(&world.eu, 3), (&world.us, 5)] {
        has_size(member, "small", size).await?;
    }
    Ok(())
}

async fn has_size(member: &Member, name: &str, size: i64) -> Result<()> {
    eventually(
        &format!("Widget {name} of size {size} in {}", member.name()),
        async || {
            let object = member.get(&widget(name)).await?;
            ensure!(object["spec"]["size"] == size, "{object}");
            Ok(())
        },
    )
    .await
}

async fn federated_widget(world: &World, name: &str) -> Result<Federated> {
    world.federated_in(WIDGETS, NAMESPACE, "federatedwidgets", name).await
}

async fn a_kind_that_a_member_lacks_is_missing_there_only(world: &World) -> Result<()> {
    eventually("ApiMissing in ap-1 only", async || {
        let object = federated_widget(world, "small").await?;
        object.is_only("ap-1", "ApiMissing")?;
        ensure!(
            object.message("ap-1").contains("Widget of example.com/v1"),
            "{}",
            object.status()
        );
        Ok(())
    })
    .await
}

async fn kubectl_explains_the_new_kind_into_its_template(world: &World) -> Result<()> {
    let mut explained = String::new();
    eventually("kubectl to explain the template", async || {
        let field = "federatedwidget.spec.template.spec.size";
        explained = world.kubectl.text(["explain", field]).await?;
        ensure!(explained.contains("FIELD: size <integer>"), "{explained}");
        Ok(())
    })
    .await?;
    let placement = world
        .kubectl
        .text(["explain", "federatedwidget.spec.placement"])
        .await?;
    ensure!(placement.contains("clusterSelector"), "{placement}");
    let list = world
        .kubectl
        .text(["get", "federatedwidgets", "-n", NAMESPACE, "-o", "name"])
        .await?;
    ensure!(list == "federatedwidget.types.kubefed.io/small\n", "{list}");
    Ok(())
}

async fn a_type_may_have_a_group_of_its_own(world: &World) -> Result<()> {
    let manifests = include_str!("manifests/gadgets.yaml");
    let (config, object) = manifests.split_once("---\n").context("two documents")?;
    world.kubectl.apply(config).await?;
    within(AT_ONCE, "FederatedGadgets to be accepted", async || {
        world.kubectl.apply(object).await?;
        Ok(())
    })
    .await?;
    for member in [&world.eu, &world.us] {
        let what = format!("the Gadget in {}", member.name());
        eventually(&what, async || member.get(&gadget("one")).await.map(drop)).await?;
    }
    eventually("a status of the FederatedGadget", async || {
        let object = world
            .federated_in(GADGETS, NAMESPACE, "federatedgadgets", "one")
            .await?;
        object.is_propagated()
    })
    .await
}

/// Nobody has to touch the custom resource for it.
async fn the_member_that_gets_the_kind_catches_up(world: &World) -> Result<()> {
    let everywhere = include_str!("manifests/definitions.yaml")
        .replace("    - name: us-1\n", "    - name: us-1\n    - name: ap-1\n");
    world.kubectl.apply(&everywhere).await?;
    has_size(&world.ap, "small", 3).await?;
    eventually("the end of ApiMissing", async || {
        federated_widget(world, "small").await?.is_propagated()
    })
    .await
}

async fn set_size(world: &World, size: i64) -> Result<()> {
    let patch = json!({ "spec": { "template": { "spec": { "size": size } } } }).to_string();
    let arguments = [
        "patch",
        "federatedwidget",
        "small",
        "-n",
        NAMESPACE,
        "--type=merge",
        "-p",
        &patch,
    ];
    world.kubectl.text(arguments).await?;
    Ok(())
}

/// The size that eu-1 has, which nobody overrides.
async fn stays(world: &World, size: i64) -> Result<()> {
    throughout(A_WHILE, &format!("size {size}"), async || {
        let object = world.eu.get(&widget("small")).await?;
        ensure!(object["spec"]["size"] == size, "{object}");
        Ok(())
    })
    .await
}

async fn propagation(world: &World, word: &str) -> Result<()> {
    let patch = format!(r#"{{"spec": {{"propagation": "{word}"}}}}"#);
    let arguments = [
        "patch",
        "ftc",
        "widgets.example.com",
        "-n",
        SYSTEM,
        "--type=merge",
        "-p",
        &patch,
    ];
    world.kubectl.text(arguments).await?;
    let expected = if word == "Enabled" { "Running" } else { "NotRunning" };
    within(AT_ONCE, &format!("a controller that is {expected}"), async || {
        let config = type_config(world, "widgets").await?;
        ensure!(
            config["status"]["propagationController"] == expected,
            "{}",
            config["status"]
        );
        Ok(())
    })
    .await
}

async fn a_disabled_type_changes_nothing_until_it_is_enabled(world: &World) -> Result<()> {
    propagation(world, "Disabled").await?;
    set_size(world, 7).await?;
    stays(world, 3).await?;
    propagation(world, "Enabled").await?;
    has_size(&world.eu, "small", 7).await
}

async fn a_deleted_type_config_stops_it_and_leaves_members_as_they_are(world: &World) -> Result<()> {
    let arguments = ["delete", "ftc", "widgets.example.com", "-n", SYSTEM, "--wait=false"];
    world.kubectl.text(arguments).await?;
    // The kind is served until nobody has an object of it, so that they can be looked at and deleted.
    within(AT_ONCE, "the type to be on its way out", async || {
        let config = type_config(world, "widgets").await?;
        ensure!(config["metadata"]["deletionTimestamp"].is_string(), "{config}");
        ensure!(
            config["status"]["propagationController"] == "NotRunning",
            "{}",
            config["status"]
        );
        Ok(())
    })
    .await?;
    set_size(world, 9).await?;
    stays(world, 7).await?;
    let arguments = ["delete", "federatedwidget", "small", "-n", NAMESPACE, "--timeout=60s"];
    world.kubectl.text(arguments).await?;
    for member in world.members() {
        let object = member.get(&widget("small")).await?;
        ensure!(object["metadata"]["deletionTimestamp"].is_null(), "{object}");
    }
    within(AT_ONCE, "the end of the type", async || {
        let answer = world
            .admin
            .get(&format!(
                "/k8s/hub/apis/{WIDGETS}/namespaces/{NAMESPACE}/federatedwidgets"
            ))
            .await?;
        ensure!(answer.status == http::StatusCode::NOT_FOUND, "{}", answer.text);
        ensure!(
            type_config(world, "widgets").await.is_err(),
            "the config is still there"
        );
        Ok(())
    })
    .await
}
