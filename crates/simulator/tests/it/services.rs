use k8s_openapi::api::core::v1::{Endpoints, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::fixture::{World, create, deployment, eventually, refusal};

fn service(spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec})
}

fn given(service: &Service) -> (Option<String>, Option<i32>) {
    let spec = service.spec.as_ref().unwrap();
    (spec.cluster_ip.clone(), spec.ports.as_ref().unwrap()[0].node_port)
}

#[tokio::test]
async fn a_service_keeps_its_address_and_ports_whoever_writes_it() {
    let world = World::shop().await;
    let services: Api<Service> = Api::namespaced(world.client.clone(), "shop");
    let spec = json!({"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]});
    let made = create(&services, service(spec.clone())).await;
    let (address, port) = given(&made);
    assert!(address.as_ref().unwrap().starts_with("10."), "{address:?}");
    assert!(port.is_some_and(|port| (30_000..32_768).contains(&port)), "{port:?}");
    // Replaced by somebody who knows neither.
    let mut bare: Service = serde_json::from_value(service(spec.clone())).unwrap();
    bare.metadata.labels = Some([("a".to_owned(), "b".to_owned())].into());
    let replaced = services.replace("web", &PostParams::default(), &bare).await.unwrap();
    assert_eq!(given(&replaced), (address.clone(), port));
    let applied = services
        .patch(
            "web",
            &PatchParams::apply("atoll").force(),
            &Patch::Apply(service(spec)),
        )
        .await
        .unwrap();
    assert_eq!(given(&applied), (address.clone(), port));
    let other = Patch::Merge(json!({"spec": {"clusterIP": "10.96.200.200"}}));
    let refused = refusal(services.patch("web", &PatchParams::default(), &other).await);
    assert!(
        refused.0 == 422 && refused.1.contains("may not change once set"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_address_is_given_once() {
    let world = World::shop().await;
    let services: Api<Service> = Api::namespaced(world.client.clone(), "shop");
    let first = create(&services, service(json!({"ports": [{"port": 80}]}))).await;
    let address = given(&first).0.unwrap();
    let mut second = service(json!({"clusterIP": address, "ports": [{"port": 80}]}));
    second["metadata"]["name"] = "other".into();
    let second: Service = serde_json::from_value(second).unwrap();
    let refused = refusal(services.create(&PostParams::default(), &second).await);
    assert!(
        refused.0 == 422 && refused.1.contains("provided IP is already allocated"),
        "{refused:?}"
    );
    services.delete("web", &DeleteParams::default()).await.unwrap();
    services.create(&PostParams::default(), &second).await.unwrap();
}

#[tokio::test]
async fn endpoints_are_the_ready_pods_and_a_load_balancer_gets_an_address() {
    let world = World::shop().await;
    let services: Api<Service> = Api::namespaced(world.client.clone(), "shop");
    let endpoints: Api<Endpoints> = Api::namespaced(world.client.clone(), "shop");
    create(
        &services,
        service(
            json!({"type": "LoadBalancer", "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}),
        ),
    )
    .await;
    world.ready(deployment("web", 2)).await;
    eventually("both pods are endpoints", async || {
        let Some(found) = endpoints.get_opt("web").await.unwrap() else {
            return false;
        };
        let subsets = found.subsets.unwrap_or_default();
        subsets.len() == 1
            && subsets[0].addresses.as_ref().is_some_and(|all| all.len() == 2)
            && subsets[0].ports.as_ref().unwrap()[0].port == 8080
    })
    .await;
    let slices: Api<EndpointSlice> = Api::namespaced(world.client.clone(), "shop");
    let of_web = ListParams::default().labels("kubernetes.io/service-name=web");
    eventually("and those of its slice", async || {
        let found = slices.list(&of_web).await.unwrap().items;
        let ready = |slice: &EndpointSlice| {
            let ready = slice
                .endpoints
                .iter()
                .filter(|one| one.conditions.as_ref().unwrap().ready == Some(true));
            ready.count()
        };
        found.len() == 1 && ready(&found[0]) == 2 && found[0].ports.as_ref().unwrap()[0].port == Some(8080)
    })
    .await;
    eventually("the load balancer has an address", async || {
        let status = services.get("web").await.unwrap().status.unwrap();
        status
            .load_balancer
            .is_some_and(|balancer| balancer.ingress.is_some_and(|all| all.len() == 1))
    })
    .await;
    services.delete("web", &DeleteParams::default()).await.unwrap();
    eventually("the endpoints go with the Service", async || {
        endpoints.get_opt("web").await.unwrap().is_none() && slices.list(&of_web).await.unwrap().items.is_empty()
    })
    .await;
}
