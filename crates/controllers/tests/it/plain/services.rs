//! Where a balanced Service leads.

use std::time::Duration;

use atoll_store::Revision;

use super::*;

/// The clusters that the Service's annotation names, and how many addresses of each.
fn ingresses(service: &Value) -> Vec<(String, usize)> {
    let text = service["metadata"]["annotations"]["federation.kubernetes.io/service-ingresses"].as_str();
    let said: Value = serde_json::from_str(text.unwrap_or("null")).unwrap();
    let entries = said["items"].as_array().into_iter().flatten();
    let entry = |entry: &Value| Some((entry["cluster"].as_str()?.to_owned(), entry["items"].as_array()?.len()));
    entries.filter_map(entry).collect()
}

fn leads(eu: usize, us: usize) -> impl Fn(&Value) -> bool {
    move |service| ingresses(service) == [("eu-1".to_owned(), eu), ("us-1".to_owned(), us)]
}

async fn revision(world: &World) -> Result<Revision> {
    let stored = world.store.object(&key("services", "shop", "web")).await?;
    Ok(stored.context("no Service")?.revision)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_leads_into_a_cluster_while_anything_behind_it_is_ready_there() -> Result<()> {
    let mut world = World::new(&["eu-1", "us-1"]).await?;
    world.label("shop").await?;
    let spec = json!({"spec": {"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80}]}});
    world.post("services", "web", json!({}), spec).await?;
    let service = world.until_plain("services", "web", leads(0, 0)).await?;
    let addresses = service["status"]["loadBalancer"]["ingress"].as_array();
    assert_eq!(
        addresses.map(Vec::len),
        Some(2),
        "the load balancers are there: {service}"
    );

    let only_eu = json!({"annotations": {SELECTOR: r#"[{"key": "region", "operator": "in", "values": ["eu"]}]"#}});
    world.post("deployments.apps", "web", only_eu, workload(2)).await?;
    world.until_plain("services", "web", leads(1, 0)).await?;
    world.until_quiet().await?;
    let settled = revision(&world).await?;
    // A second later every time would be another.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.restart().await?;
    world.until_quiet().await?;
    assert_eq!(revision(&world).await?, settled, "what is in step is not written again");

    let web = key("deployments.apps", "shop", "web");
    world.change(&web, |body| body["spec"]["replicas"] = 0.into()).await?;
    world.until_plain("services", "web", leads(0, 0)).await?;
    Ok(())
}
