//! Changes that would delete too much: they wait, and are taken back, let go of, or confirmed by an answer.

use http::Method;
use serde_json::{Value, json};

use super::harness::{Answer, Hub, World, eventually};

const RESOURCE: &str = "/api/v1/federated/clusterroles.rbac.authorization.k8s.io";
const OBJECT: &str = "/api/v1/federated/clusterroles.rbac.authorization.k8s.io/-/viewer";

fn role(clusters: &[&str]) -> Value {
    let clusters: Vec<Value> = clusters.iter().map(|name| json!({"name": name})).collect();
    json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": "FederatedClusterRole",
        "metadata": {"name": "viewer"},
        "spec": {
            "template": {"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]},
            "placement": {"clusters": clusters},
        },
    })
}

/// A hub with one object in two clusters, which is all that it manages there.
async fn start() -> World {
    let world = World::start().await;
    let body = json!({"object": role(&["eu-1", "us-1"])});
    world
        .hub
        .post(RESOURCE, &body)
        .bearer(&world.token)
        .send()
        .await
        .ok(201);
    eventually("both clusters have it", || async {
        let detail = world.read(OBJECT).await;
        (detail["summary"]["state"] == "Ready" && world.held_by_members().await == [true, true]).then_some(())
    })
    .await;
    world
}

impl World {
    async fn read(&self, path: &str) -> Value {
        self.hub.get(path).bearer(&self.token).send().await.ok(200)
    }

    /// What a cluster has, if it has it.
    async fn in_member(&self, cluster: &str) -> Option<Value> {
        let path = format!("/k8s/clusters/{cluster}/apis/rbac.authorization.k8s.io/v1/clusterroles/viewer");
        let answer = self.hub.get(&path).bearer(&self.token).send().await;
        (answer.code == 200).then(|| answer.json())
    }

    async fn held_by_members(&self) -> [bool; 2] {
        [
            self.in_member("eu-1").await.is_some(),
            self.in_member("us-1").await.is_some(),
        ]
    }

    /// Takes the object out of both clusters, and waits until that is held.
    async fn empty_both(&self) -> Value {
        eventually("a write meets no newer one", || async {
            let mut object = self.read(OBJECT).await["object"].clone();
            object["spec"]["placement"]["clusters"] = json!([]);
            let answer = self
                .hub
                .put(OBJECT, &json!({"object": object}))
                .bearer(&self.token)
                .send()
                .await;
            (answer.code == 200).then_some(())
        })
        .await;
        eventually("the object tells that it is held", || async {
            let detail = self.read(OBJECT).await;
            let clusters = detail["summary"]["clusters"].as_array()?.clone();
            (clusters.len() == 2 && clusters.iter().all(|one| one["status"] == "Held")).then_some(())
        })
        .await;
        let list = self.read("/api/v1/holds").await;
        assert_eq!(list["totalItems"], 1, "{list}");
        list["items"][0].clone()
    }

    async fn answer(&self, hold: &Value, answer: &str, token: &Value) -> Answer {
        let path = format!("/api/v1/holds/{}", hold["id"].as_str().unwrap());
        let body = json!({"answer": answer, "token": token});
        self.hub.post(&path, &body).bearer(&self.token).send().await
    }

    async fn wait_until_answered(&self) {
        eventually("nothing waits any more", || async {
            let nothing = self.read("/api/v1/holds").await["totalItems"] == 0;
            let summary = self.read(OBJECT).await["summary"].clone();
            let clusters = summary["clusters"].as_array()?.clone();
            let is_held = clusters.iter().any(|one| one["status"] == "Held");
            (nothing && !is_held).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_hold_names_its_cause_and_what_would_go_and_is_confirmed_by_its_token_alone() {
    let world = start().await;
    let hold = world.empty_both().await;
    assert_eq!(
        hold["cause"],
        json!({"type": "object", "resource": "clusterroles.rbac.authorization.k8s.io", "namespace": "",
            "name": "viewer", "cluster": null})
    );
    assert_eq!(
        (&hold["deletes"], &hold["clusters"]),
        (
            &json!(2),
            &json!([{"name": "eu-1", "deletes": 1}, {"name": "us-1", "deletes": 1}])
        )
    );
    let detail = world
        .read(&format!("/api/v1/holds/{}", hold["id"].as_str().unwrap()))
        .await;
    assert_eq!(detail["objects"].as_array().unwrap().len(), 2, "{detail}");
    assert_eq!(detail["undo"]["possible"], true, "{detail}");

    world
        .answer(&hold, "delete", &json!("other"))
        .await
        .refused(409, "Conflict");
    world
        .answer(&json!({"id": "none"}), "delete", &hold["token"])
        .await
        .refused(404, "NotFound");
    world
        .answer(&hold, "burn", &hold["token"])
        .await
        .refused(400, "BadRequest");
    assert_eq!(world.held_by_members().await, [true, true]);

    world.answer(&hold, "delete", &hold["token"]).await.ok(200);
    eventually("both are gone", || async {
        (world.held_by_members().await == [false, false]).then_some(())
    })
    .await;
    world.wait_until_answered().await;
    world.stop().await;
}

#[tokio::test]
async fn undoing_restores_the_placement_and_nothing_is_touched() {
    let world = start().await;
    let before = world.in_member("eu-1").await.unwrap();
    let hold = world.empty_both().await;
    let done = world.answer(&hold, "undo", &hold["token"]).await.ok(200);
    assert_eq!(done["changed"].as_array().unwrap().len(), 1, "{done}");
    world.wait_until_answered().await;
    let object = world.read(OBJECT).await["object"].clone();
    assert_eq!(
        object["spec"]["placement"]["clusters"],
        json!([{"name": "eu-1"}, {"name": "us-1"}])
    );
    let after = world.in_member("eu-1").await.unwrap();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(
        after["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );
    world.stop().await;
}

#[tokio::test]
async fn what_is_let_go_stays_in_its_clusters_and_is_nobodys() {
    let world = start().await;
    assert_eq!(
        world.in_member("us-1").await.unwrap()["metadata"]["labels"]["kubefed.io/managed"],
        "true"
    );
    let hold = world.empty_both().await;
    let done = world.answer(&hold, "orphan", &hold["token"]).await.ok(200);
    assert_eq!(
        (&done["changed"], &done["left"]),
        (
            &json!(["2 objects stay in their clusters and are no longer managed"]),
            &json!([])
        )
    );
    world.wait_until_answered().await;
    for cluster in ["eu-1", "us-1"] {
        let kept = world.in_member(cluster).await.unwrap();
        assert!(kept["metadata"]["labels"]["kubefed.io/managed"].is_null(), "{kept}");
        assert!(kept["metadata"]["annotations"]["atoll.dev/owner"].is_null(), "{kept}");
    }
    // Deleting the object now is nothing to them.
    world.hub.delete(OBJECT).bearer(&world.token).send().await.ok(204);
    eventually("it is gone", || async {
        (world.hub.get(OBJECT).bearer(&world.token).send().await.code == 404).then_some(())
    })
    .await;
    assert_eq!(world.held_by_members().await, [true, true]);
    world.stop().await;
}

#[tokio::test]
async fn without_a_hold_there_is_nothing_to_answer() {
    let hub = Hub::start().await;
    let token = hub.sign_in().await;
    assert_eq!(
        hub.get("/api/v1/holds").bearer(&token).send().await.ok(200),
        json!({"items": [], "totalItems": 0})
    );
    hub.ask(Method::GET, "/api/v1/holds/x")
        .bearer(&token)
        .send()
        .await
        .refused(404, "NotFound");
}
