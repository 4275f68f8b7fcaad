//! A Service keeps what its member has allotted to it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{member::Member, waiting::eventually, world::World};

const NAMESPACE: &str = "services";
const MANIFEST: &str = include_str!("manifests/service.yaml");
const UPDATES: u16 = 10;

pub(crate) async fn told(world: &World) -> Result<()> {
    world.federate_namespace(NAMESPACE).await?;
    world.kubectl.apply(MANIFEST).await?;
    world.propagated(NAMESPACE, "federatedservices", "web").await?;
    what_was_allotted_outlives_ten_updates(world).await?;
    world.leave_namespace(NAMESPACE).await
}

async fn service(member: &Member) -> Result<Value> {
    member
        .get(&format!("/api/v1/namespaces/{NAMESPACE}/services/web"))
        .await
}

/// What the API server chose: addresses, and the node port of each port.
fn allotted(service: &Value) -> Result<(Value, BTreeMap<String, i64>)> {
    let spec = &service["spec"];
    ensure!(spec["clusterIP"].is_string(), "no address: {spec}");
    let ports = spec["ports"].as_array().context("no ports")?.iter().map(|port| {
        let number = port["nodePort"]
            .as_i64()
            .with_context(|| format!("no node port: {spec}"))?;
        Ok((port["name"].to_string(), number))
    });
    Ok((
        json!([spec["clusterIP"], spec["clusterIPs"], spec["ipFamilies"]]),
        ports.collect::<Result<_>>()?,
    ))
}

async fn what_was_allotted_outlives_ten_updates(world: &World) -> Result<()> {
    let mut before = BTreeMap::new();
    for member in world.members() {
        let service = service(member).await?;
        let uid = service["metadata"]["uid"].clone();
        before.insert(member.name(), (uid, allotted(&service)?));
    }
    for update in 1..=UPDATES {
        let (target, round) = (8000 + update, update.to_string());
        let manifest = MANIFEST
            .replace("targetPort: 8000", &format!("targetPort: {target}"))
            .replace("round: \"0\"", &format!("round: \"{update}\""));
        world.kubectl.apply(&manifest).await?;
        for member in world.members() {
            let what = format!("update {update} in {}", member.name());
            eventually(&what, async || {
                let service = service(member).await?;
                let spec = &service["spec"];
                ensure!(
                    spec["ports"][0]["targetPort"] == target && spec["selector"]["round"] == round.as_str(),
                    "{spec}"
                );
                Ok(())
            })
            .await?;
            let service = service(member).await?;
            let now = (service["metadata"]["uid"].clone(), allotted(&service)?);
            ensure!(
                before.get(member.name()) == Some(&now),
                "update {update} in {}: {now:?} instead of {:?}",
                member.name(),
                before.get(member.name())
            );
        }
    }
    Ok(())
}
