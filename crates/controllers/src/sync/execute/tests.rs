//! Steps against a member, each of them twice: whoever stopped between a write and its record does it again.

use std::time::Instant;

use anyhow::Result;
use atoll_clusters::{AddressPolicy, Clusters, Network, Options, Registration, kubeconfig};
use atoll_federation::object::DeleteOptions;
use atoll_federation::{Cause, types};
use atoll_simulator::{MemberOptions, SimulatedMember};
use serde_json::json;

use super::*;
use crate::key::Kind;

const DEADLINE: Duration = Duration::from_secs(10);

struct World {
    clusters: Clusters,
    _simulated: SimulatedMember,
}

impl World {
    async fn new() -> Result<Self> {
        let simulated = SimulatedMember::start(MemberOptions::default()).await?;
        let policy = AddressPolicy {
            allow_loopback: true,
            ..AddressPolicy::default()
        };
        let parsed = kubeconfig::parse(&simulated.kubeconfig(), None, &policy)?;
        let clusters = Clusters::new(Options::new(Network::new(policy)));
        clusters.apply(vec![Registration {
            name: "eu-1".into(),
            uid: None,
            generation: 1,
            connection: Ok(parsed.connection),
            last: None,
        }]);
        let world = Self {
            clusters,
            _simulated: simulated,
        };
        let namespace = key("namespaces", "shop");
        world
            .applied(
                &namespace,
                apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})),
            )
            .await;
        Ok(world)
    }

    async fn run(&self, key: &Key, step: Step) -> Outcome {
        let member = self.clusters.member("eu-1").expect("the member was registered");
        let begun = Instant::now();
        let done = carry_out(&member, key, &step, DEADLINE).await;
        assert!(begun.elapsed() < DEADLINE);
        done.outcome
    }

    async fn applied(&self, key: &Key, apply: Apply) -> Present {
        match self.run(key, Step::Apply(Box::new(apply))).await {
            Outcome::Applied(present) => *present,
            other => panic!("{key} was not applied: {other:?}"),
        }
    }

    async fn kind_of_failure(&self, key: &Key, step: Step) -> FailureKind {
        match self.run(key, step).await {
            Outcome::Failed(failure) => failure.kind,
            other => panic!("{key} did not fail: {other:?}"),
        }
    }
}

fn key(kind: &str, name: &str) -> Key {
    Key {
        kind: Kind::of(types::find(kind).expect("a known type")),
        namespace: "shop".into(),
        name: name.into(),
    }
}

fn apply(object: Value) -> Apply {
    Apply {
        object,
        hash: "h".into(),
        uid: None,
        force: false,
        cause: Cause::Create,
        hand_over: None,
        replicas: None,
    }
}

fn config(color: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"kubefed.io/managed": "true"}, "annotations": {"atoll.dev/owner": "hub-1"}},
        "data": {"color": color},
    })
}

fn of_uid(color: &str, uid: &str) -> Apply {
    let mut object = config(color);
    object["metadata"]["uid"] = uid.into();
    Apply {
        uid: Some(uid.into()),
        force: true,
        cause: Cause::Change,
        ..apply(object)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_done_already_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let key = key("configmaps", "web");
    let made = world.applied(&key, apply(config("blue"))).await;
    assert_eq!(world.applied(&key, apply(config("blue"))).await, made);
    let changed = world.applied(&key, of_uid("red", &made.uid)).await;
    assert_ne!(changed.resource_version, made.resource_version);
    assert_eq!(world.applied(&key, of_uid("red", &made.uid)).await, changed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_another_uid_is_neither_written_nor_deleted() -> Result<()> {
    let world = World::new().await?;
    let key = key("configmaps", "web");
    let made = world.applied(&key, apply(config("blue"))).await;
    let another = "00000000-0000-0000-0000-000000000000";
    let step = Step::Apply(Box::new(of_uid("red", another)));
    assert_eq!(world.kind_of_failure(&key, step).await, FailureKind::Conflict);
    let delete = Step::Delete {
        uid: another.into(),
        options: DeleteOptions::default().for_uid(another),
    };
    assert_eq!(world.kind_of_failure(&key, delete).await, FailureKind::Conflict);
    assert_eq!(world.applied(&key, apply(config("blue"))).await, made);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delete_that_is_done_already_is_done() -> Result<()> {
    let world = World::new().await?;
    let key = key("configmaps", "web");
    let made = world.applied(&key, apply(config("blue"))).await;
    let delete = Step::Delete {
        uid: made.uid.clone(),
        options: DeleteOptions::default().for_uid(&made.uid),
    };
    assert_eq!(world.run(&key, delete.clone()).await, Outcome::Deleted { gone: true });
    assert_eq!(world.run(&key, delete).await, Outcome::Deleted { gone: true });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_being_emptied_is_not_gone() -> Result<()> {
    let world = World::new().await?;
    let namespace = key("namespaces", "shop");
    let made = world
        .applied(
            &namespace,
            apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})),
        )
        .await;
    let delete = Step::Delete {
        uid: made.uid.clone(),
        options: DeleteOptions::default().for_uid(&made.uid),
    };
    assert_eq!(world.run(&namespace, delete).await, Outcome::Deleted { gone: false });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_takes_the_marks_off_once() -> Result<()> {
    let world = World::new().await?;
    let key = key("configmaps", "web");
    let made = world.applied(&key, apply(config("blue"))).await;
    let release = Step::Release {
        uid: made.uid.clone(),
        patch: json!({"metadata": {
            "uid": made.uid,
            "resourceVersion": made.resource_version,
            "labels": {"kubefed.io/managed": null},
            "annotations": {"atoll.dev/owner": null},
        }}),
    };
    assert_eq!(world.run(&key, release.clone()).await, Outcome::Released);
    // What was decided about an older version is decided anew.
    assert_eq!(world.kind_of_failure(&key, release).await, FailureKind::Conflict);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_set_once_and_then_left_alone() -> Result<()> {
    let world = World::new().await?;
    let key = key("deployments.apps", "web");
    let deployment = |spec: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
    let spec = json!({
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
        },
    });
    let create = || Apply {
        replicas: Some(RetainedReplicas {
            object: deployment(json!({"replicas": 4})),
            before: false,
            force: false,
        }),
        ..apply(deployment(spec.clone()))
    };
    let made = world.applied(&key, create()).await;
    assert_eq!(made.spec_replicas, Some(4));
    assert!(made.replicas_handed_over && !made.states_replicas);
    // The member scales by itself; doing the step again is no failure and changes nothing.
    let member = world.clusters.member("eu-1").expect("the member was registered");
    let path = "/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=autoscaler";
    member
        .request(OwnRequest::merge_patch(path, json!({"spec": {"replicas": 7}})))
        .await?;
    assert_eq!(world.applied(&key, create()).await.spec_replicas, Some(7));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hand_over_that_is_done_already_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let key = key("configmaps", "web");
    let member = world.clusters.member("eu-1").expect("the member was registered");
    let mut old = config("old");
    old["metadata"]["annotations"] = json!({});
    old["data"]["dropped"] = "long ago".into();
    let by_kubefed = "/api/v1/namespaces/shop/configmaps?fieldManager=controller-manager";
    let made = member
        .request(OwnRequest::json("POST".parse()?, by_kubefed, old))
        .await?;
    let uid = made["metadata"]["uid"].as_str().unwrap_or_default();
    let take_over = || Apply {
        cause: Cause::Adopt,
        hand_over: Some(HandOver::OfKubefed),
        ..of_uid("blue", uid)
    };
    let taken = world.applied(&key, take_over()).await;
    assert_eq!(world.applied(&key, take_over()).await, taken);
    let path = "/api/v1/namespaces/shop/configmaps/web";
    let after = member.request(OwnRequest::get(path)).await?;
    assert_eq!(after["data"], json!({"color": "blue"}));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_namespace_that_is_not_there_is_tried_again() -> Result<()> {
    let world = World::new().await?;
    let elsewhere = Key {
        namespace: "nowhere".into(),
        ..key("configmaps", "web")
    };
    let mut object = config("blue");
    object["metadata"]["namespace"] = "nowhere".into();
    let step = Step::Apply(Box::new(apply(object)));
    let kind = world.kind_of_failure(&elsewhere, step).await;
    assert!(kind.is_transient(), "{kind:?}");
    Ok(())
}
