//! The binding that lets the hub's admins in.

use std::sync::Arc;
use std::sync::Mutex;

use atoll_clusters::{ADMINS, OwnError, admit_admins, dismiss_admins};
use serde_json::{Value, json};

use crate::fake::{Fake, Reply};
use crate::setup::{connect_to, network, one, options};

const PATH: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/atoll:admins";
const SENT: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/atoll%3Aadmins";

/// A member that keeps one binding.
async fn keeping(found: Option<Value>) -> (Fake, Arc<Mutex<Option<Value>>>) {
    let fake = Fake::start().await;
    let kept = Arc::new(Mutex::new(found));
    let store = kept.clone();
    fake.script(move |seen| {
        if seen.path() != PATH && seen.path() != SENT {
            return None;
        }
        let mut store = store.lock().unwrap();
        let missing = || {
            Reply::status(
                404,
                "NotFound",
                "not found",
                &json!({"name": ADMINS, "kind": "clusterrolebindings"}),
            )
        };
        Some(match seen.method.as_str() {
            "GET" => store.as_ref().map_or_else(missing, |binding| Reply::json(200, binding)),
            "PATCH" => {
                let mut binding = seen.json();
                binding["metadata"]["uid"] = json!("binding-1");
                *store = Some(binding.clone());
                Reply::json(200, &binding)
            }
            "DELETE" => match store.take() {
                Some(binding) => {
                    assert_eq!(seen.json()["preconditions"]["uid"], binding["metadata"]["uid"]);
                    Reply::json(200, &json!({"kind": "Status", "apiVersion": "v1", "status": "Success"}))
                }
                None => missing(),
            },
            other => panic!("{other}"),
        })
    });
    (fake, kept)
}

#[tokio::test]
async fn admins_are_let_in_before_and_after_registration_and_out_again() {
    let (fake, kept) = keeping(None).await;
    let connection = connect_to(&fake, "");
    let network = network();
    admit_admins((&connection, &network), "hub-1").await.unwrap();
    let binding = kept.lock().unwrap().clone().unwrap();
    assert_eq!(
        binding,
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
            "metadata": {"name": "atoll:admins", "uid": "binding-1", "labels": {"kubefed.io/managed": "true"},
                "annotations": {"atoll.dev/owner": "hub-1"}},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "atoll:admins"}],
        })
    );
    let patch = fake
        .seen("/apis/rbac")
        .into_iter()
        .find(|seen| seen.method == "PATCH")
        .unwrap();
    assert!(
        patch.target.ends_with("?fieldManager=atoll&force=true"),
        "{}",
        patch.target
    );
    assert_eq!(patch.all("content-type"), ["application/apply-patch+yaml"]);

    let (_clusters, member) = one(&fake, options());
    admit_admins(&*member, "hub-1").await.unwrap();
    dismiss_admins(&*member, "hub-1").await.unwrap();
    assert!(kept.lock().unwrap().is_none());
    dismiss_admins((&connection, &network), "hub-1").await.unwrap();
}

#[tokio::test]
async fn a_binding_of_another_hub_is_used_and_never_taken_over_or_away() {
    let theirs = json!({"metadata": {"name": ADMINS, "uid": "binding-0", "labels": {"kubefed.io/managed": "true"},
        "annotations": {"atoll.dev/owner": "hub-2"}}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": ADMINS}]});
    let (fake, kept) = keeping(Some(theirs.clone())).await;
    let (_clusters, member) = one(&fake, options());
    admit_admins(&*member, "hub-1").await.unwrap();
    dismiss_admins(&*member, "hub-1").await.unwrap();
    assert_eq!(*kept.lock().unwrap(), Some(theirs.clone()));

    let mut useless = theirs;
    useless["roleRef"]["name"] = json!("view");
    *kept.lock().unwrap() = Some(useless.clone());
    let refused = admit_admins(&*member, "hub-1").await.unwrap_err();
    assert!(refused.is_conflict(), "{refused:?}");
    assert_eq!(*kept.lock().unwrap(), Some(useless));
}

#[tokio::test]
async fn who_may_not_bind_is_told_so() {
    let fake = Fake::start().await;
    fake.script(|seen| {
        let path = seen.path().starts_with("/apis/rbac");
        path.then(|| Reply::status(403, "Forbidden", "clusterrolebindings is forbidden", &json!({})))
    });
    let refused = admit_admins((&connect_to(&fake, ""), &network()), "hub-1")
        .await
        .unwrap_err();
    assert!(refused.is_forbidden());
    drop(fake);
    let fake = Fake::start().await;
    let gone = connect_to(&fake, "");
    drop(fake);
    let refused = admit_admins((&gone, &network()), "hub-1").await.unwrap_err();
    assert!(matches!(refused, OwnError::Connect(_)), "{refused:?}");
}
