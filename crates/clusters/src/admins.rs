//! Letting the hub's admins in: a ClusterRoleBinding on the member, owned like everything the hub writes there.
//!
//! Requests reach a member as the person who asks, so an admin of the hub is nobody there until the member knows the
//! group. The binding is the first thing the hub writes to a cluster, which is why it can be written before the cluster
//! is registered.

use serde_json::{Value, json};

use crate::connect::Network;
use crate::connection::Connection;
use crate::member::Member;
use crate::request::{OwnError, OwnRequest, Refusal};
use crate::tasks::Tasks;
use crate::transport::Transport;

/// Group of the hub's admins on members, and name of the binding that lets it in.
pub const ADMINS: &str = "atoll:admins";

/// What the group may do: everything, as admins of the hub do.
const ROLE: &str = "cluster-admin";
const MANAGER: &str = "atoll";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
const MANAGED_LABEL: &str = "kubefed.io/managed";
const OWNER_ANNOTATION: &str = "atoll.dev/owner";

/// Where to write: a member, or a cluster that is about to be one.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    /// A member.
    Member(&'a Member),
    /// A connection that is not registered yet.
    Connection(&'a Connection, &'a Network),
}

impl<'a> From<&'a Member> for Target<'a> {
    fn from(member: &'a Member) -> Self {
        Self::Member(member)
    }
}

impl<'a> From<(&'a Connection, &'a Network)> for Target<'a> {
    fn from((connection, network): (&'a Connection, &'a Network)) -> Self {
        Self::Connection(connection, network)
    }
}

impl Target<'_> {
    async fn request(self, request: OwnRequest) -> Result<Value, OwnError> {
        match self {
            Self::Member(member) => member.request(request).await,
            Self::Connection(connection, network) => {
                let (tasks, _guard) = Tasks::scoped();
                let transport = Transport::new(connection, network, tasks)
                    .map_err(|error| OwnError::Malformed(error.to_string()))?;
                let answer = transport.ask(request, network.deadlines.own_request).await?;
                answer.json(&transport.origin.scrub)
            }
        }
    }

    async fn binding(self) -> Result<Option<Value>, OwnError> {
        match self.request(OwnRequest::get_object(path())).await {
            Ok(binding) => Ok(Some(binding)),
            Err(error) if error.is_not_found_object() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Binds the group [`ADMINS`] to the cluster role `cluster-admin`. A binding of somebody else's that does so already is
/// left alone.
///
/// # Errors
/// When the member does not take it, or a binding of somebody else's has its name and does something else.
pub async fn admit_admins(target: impl Into<Target<'_>>, hub_uid: &str) -> Result<(), OwnError> {
    let target = target.into();
    if let Some(found) = target.binding().await?
        && !is_owned(&found, hub_uid)
    {
        return if admits(&found) { Ok(()) } else { Err(taken()) };
    }
    target
        .request(OwnRequest::apply_patch(path(), MANAGER, true, binding(hub_uid)))
        .await
        .map(drop)
}

/// Takes the binding away, when this hub wrote it. One that is not there, or is somebody else's, is left alone.
///
/// # Errors
/// When the member does not let it.
pub async fn dismiss_admins(target: impl Into<Target<'_>>, hub_uid: &str) -> Result<(), OwnError> {
    let target = target.into();
    let Some(found) = target.binding().await?.filter(|found| is_owned(found, hub_uid)) else {
        return Ok(());
    };
    let uid = found.pointer("/metadata/uid").cloned().unwrap_or_default();
    let options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}});
    match target.request(OwnRequest::delete(path(), Some(options))).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found_object() => Ok(()),
        Err(error) => Err(error),
    }
}

fn path() -> String {
    format!("{BINDINGS}/{ADMINS}")
}

fn binding(hub_uid: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {
            "name": ADMINS,
            "labels": {MANAGED_LABEL: "true"},
            "annotations": {OWNER_ANNOTATION: hub_uid},
        },
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": ADMINS}],
    })
}

/// Label and annotation both: either alone may have been copied.
fn is_owned(binding: &Value, hub_uid: &str) -> bool {
    let metadata = &binding["metadata"];
    metadata["labels"][MANAGED_LABEL] == "true" && metadata["annotations"][OWNER_ANNOTATION] == hub_uid
}

fn admits(found: &Value) -> bool {
    let role = &found["roleRef"];
    let is_group = |subject: &Value| subject["kind"] == "Group" && subject["name"] == ADMINS;
    role["kind"] == "ClusterRole"
        && role["name"] == ROLE
        && found["subjects"]
            .as_array()
            .is_some_and(|subjects| subjects.iter().any(is_group))
}

fn taken() -> OwnError {
    OwnError::Refused(Box::new(Refusal {
        code: 409,
        reason: "Conflict".to_owned(),
        message: format!(
            "the cluster has a ClusterRoleBinding {ADMINS} that somebody else made and that lets in others"
        ),
        details: json!({"kind": "clusterrolebindings", "group": "rbac.authorization.k8s.io", "name": ADMINS}),
        retry_after: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_this_hubs_only_with_label_and_owner() {
        assert!(is_owned(&binding("hub-1"), "hub-1"));
        assert!(!is_owned(&binding("hub-1"), "hub-2"));
        let mut copied = binding("hub-1");
        copied["metadata"]["labels"] = json!({});
        assert!(!is_owned(&copied, "hub-1"));
    }

    #[test]
    fn a_binding_of_somebody_else_counts_when_it_lets_the_same_group_do_the_same() {
        assert!(admits(&binding("hub-2")));
        let mut weaker = binding("hub-2");
        weaker["roleRef"]["name"] = json!("view");
        assert!(!admits(&weaker));
        let mut others = binding("hub-2");
        others["subjects"] = json!([{"kind": "User", "name": ADMINS}]);
        assert!(!admits(&others));
    }
}
