//! A hold is answered: its deletes are confirmed, given up, or their cause is taken back.
//!
//! Annotations and placements are written by the hub's own Kubernetes API, as kubectl would. Labels of a cluster are
//! restored by [`update_cluster`](super::update_cluster), as the console edits them.

pub mod undo;

use atoll_controllers::{HeldChange, Released};
use atoll_federation::object::CONFIRM_DELETES_ANNOTATION;
use atoll_kubeapi::{RequestContext, Status};
use atoll_store::{ObjectKey, Store};
use http::Method;
use serde_json::json;

use crate::error::{Error, Reason, Result};
use crate::hub;
use crate::state::AppState;

/// What became of an answer.
#[derive(Debug, Default)]
pub struct Done {
    /// What was changed, for people.
    pub changed: Vec<String>,
    /// What could not be done, and why.
    pub left: Vec<String>,
}

/// The hold of this id, as it is now.
///
/// # Errors
/// 404 when nothing of that id waits: it was answered, or what would go has changed.
pub async fn find_hold(state: &AppState, id: &str) -> Result<HeldChange> {
    let holds = state.controllers.holds().await?;
    let mut holds = holds.into_iter();
    holds.find(|held| held.id == id).ok_or_else(|| {
        Error::not_found(format!(
            "no hold {id:?} waits: it was answered, or what would be deleted has changed since"
        ))
    })
}

/// An answer is for exactly what was shown.
///
/// # Errors
/// 409 when it was something else.
pub fn require_token(held: &HeldChange, token: &str) -> Result<()> {
    if held.token == token {
        return Ok(());
    }
    Err(Error::new(
        Reason::Conflict,
        "what would be deleted has changed since it was shown; look at the hold again",
    ))
}

/// It is meant: the cause gets the token, and everything that was shown goes.
///
/// # Errors
/// What the hub's API says.
pub async fn confirm(state: &AppState, context: &RequestContext, held: &HeldChange) -> Result<Done> {
    annotate(state, context, &held.annotate, &held.token).await?;
    Ok(Done {
        changed: vec![format!("{} was confirmed at {}", held.token, title(&held.annotate))],
        left: Vec::new(),
    })
}

/// Clusters keep what they have: the hub's marks come off there, and nothing is deleted.
///
/// # Errors
/// When the store fails.
pub async fn orphan(state: &AppState, context: &RequestContext, held: &HeldChange) -> Result<Done> {
    let released = state.controllers.release(&held.deletes).await?;
    // Whoever waits looks again when the cause changes. This is no token, so it confirms nothing.
    let annotated = annotate(state, context, &held.annotate, &format!("kept-{}", held.token)).await;
    Ok(kept(&held.annotate, released, annotated))
}

/// What was let go of stays let go of, whatever became of the annotation.
fn kept(cause: &ObjectKey, released: Released, annotated: Result<()>) -> Done {
    let left = released.left.into_iter();
    let left = left.map(|left| format!("{} {}/{}: {}", left.resource, left.namespace, left.name, left.message));
    let unannotated = annotated
        .err()
        .map(|error| format!("{} was not annotated: {error}", title(cause)));
    Done {
        changed: vec![match released.objects {
            1 => "1 object stays in its cluster and is no longer managed".to_owned(),
            objects => format!("{objects} objects stay in their clusters and are no longer managed"),
        }],
        left: left.chain(unannotated).collect(),
    }
}

async fn annotate(state: &AppState, context: &RequestContext, key: &ObjectKey, text: &str) -> Result<()> {
    let path = path_of(state, key)?;
    let patch = json!({"metadata": {"annotations": {CONFIRM_DELETES_ANNOTATION: text}}});
    hub::call(state, context.clone(), Method::PATCH, &path, Some(&patch)).await?;
    Ok(())
}

/// Path of an object in the hub's API.
fn path_of(state: &AppState, key: &ObjectKey) -> Result<String> {
    if *key == Store::cluster_key(&key.name) {
        return Ok(format!(
            "/apis/{}/v1beta1/namespaces/{}/{}/{}",
            key.group, key.namespace, key.resource, key.name
        ));
    }
    let types = &state.configuration().types;
    let served = types.of_resource(&key.group, &key.resource);
    let served = served.ok_or_else(|| Status::not_found(&key.group, &key.resource, &key.name))?;
    Ok(hub::object_path(served.row, &key.namespace, &key.name))
}

/// An object, for people.
fn title(key: &ObjectKey) -> String {
    if *key == Store::cluster_key(&key.name) {
        format!("cluster {}", key.name)
    } else {
        format!("{} {}/{}", key.resource, key.namespace, key.name)
    }
}

#[cfg(test)]
mod tests {
    use atoll_controllers::Left;

    use super::*;

    #[test]
    fn what_was_kept_is_what_was_released_and_the_rest_is_told_with_its_reason() {
        let cause = ObjectKey::new("types.kubefed.io", "federatedconfigmaps", "shop", "web");
        let released = |objects, left| Released { objects, left };
        let all = kept(&cause, released(3, Vec::new()), Ok(()));
        assert_eq!(
            all.changed,
            ["3 objects stay in their clusters and are no longer managed"]
        );
        assert_eq!(all.left, Vec::<String>::new());

        let away = Left {
            resource: "federatedconfigmaps.types.kubefed.io".into(),
            namespace: "shop".into(),
            name: "web".into(),
            message: "us-1: the cluster does not answer".into(),
        };
        let refused = Err(Error::forbidden("you may not"));
        let some = kept(&cause, released(1, vec![away]), refused);
        assert_eq!(some.changed, ["1 object stays in its cluster and is no longer managed"]);
        assert_eq!(
            some.left,
            [
                "federatedconfigmaps.types.kubefed.io shop/web: us-1: the cluster does not answer",
                "federatedconfigmaps shop/web was not annotated: you may not",
            ]
        );
    }
}
