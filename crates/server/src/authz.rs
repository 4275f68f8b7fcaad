//! Who may do what: one pure function, default deny.
//!
//! It is asked before anything is read, written or dialled. Today administrators may do everything and others only
//! look after themselves; what a person may do *on* a member is decided there, because forwarded requests carry the
//! person. A denial says whether it must look as if there were nothing: who may not know of a cluster gets 404.

use atoll_kubeapi::Attributes;

/// Group of the hub's administrators, on the hub and on members.
pub const ADMINS: &str = "atoll:admins";
/// Prefix of people's names, on the hub and on members.
pub const USER_PREFIX: &str = "atoll:";

/// Who wants to do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Name on the hub, without prefix.
    pub user: String,
    /// Whether everything is allowed.
    pub admin: bool,
    /// Groups, as members see them.
    pub groups: Vec<String>,
}

impl Subject {
    /// A person of this hub.
    pub fn person(name: impl Into<String>, admin: bool) -> Self {
        Self {
            user: name.into(),
            admin,
            groups: if admin { vec![ADMINS.to_owned()] } else { Vec::new() },
        }
    }

    /// The name as members and the hub's Kubernetes API see it.
    pub fn qualified_name(&self) -> String {
        format!("{USER_PREFIX}{}", self.user)
    }
}

/// A resource of the console API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The caller's own sign-in, profile and API tokens.
    Own,
    /// Registered clusters.
    Clusters,
    /// Checks of a kubeconfig that is not registered.
    ConnectionChecks,
    /// Kubeconfigs with a token made for them.
    Kubeconfigs,
    /// Federated objects.
    Federated,
    /// Changes that wait for an answer.
    Holds,
    /// The stream of live rows.
    Stream,
}

/// What is done to a resource of the console API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// One is read.
    Get,
    /// Many are read.
    List,
    /// One is made.
    Create,
    /// One is changed.
    Update,
    /// One is removed.
    Delete,
}

/// What somebody wants to do.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a> {
    /// A call of the console API.
    Console {
        /// To what.
        resource: Resource,
        /// What.
        verb: Verb,
        /// Which one, when the call names one.
        name: Option<&'a str>,
    },
    /// A request to the hub's own Kubernetes API.
    Hub(&'a Attributes),
    /// A request that is forwarded to a member, which has the last word.
    Member {
        /// The member.
        cluster: &'a str,
        /// The Kubernetes verb, or the lower-case method for what is no resource.
        verb: &'a str,
        /// API group; empty for the core group.
        group: &'a str,
        /// Plural resource; empty for what is no resource.
        resource: &'a str,
        /// Subresource; empty for none.
        subresource: &'a str,
        /// Namespace; empty for none.
        namespace: &'a str,
    },
}

impl<'a> Action<'a> {
    /// A call of the console API that names no object.
    pub fn console(resource: Resource, verb: Verb) -> Self {
        Self::Console {
            resource,
            verb,
            name: None,
        }
    }

    /// A call of the console API about one object.
    pub fn named(resource: Resource, verb: Verb, name: &'a str) -> Self {
        Self::Console {
            resource,
            verb,
            name: Some(name),
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They may.
    Allow,
    /// They may not.
    Deny {
        /// Why, for people.
        reason: &'static str,
        /// Whether the answer must be the same as if the object did not exist.
        hidden: bool,
    },
}

/// Decides.
pub fn decide(subject: &Subject, action: &Action<'_>) -> Decision {
    if subject.user.is_empty() {
        return Decision::Deny {
            reason: "nobody is signed in",
            hidden: false,
        };
    }
    if subject.admin {
        return Decision::Allow;
    }
    match action {
        Action::Console {
            resource: Resource::Own,
            ..
        } => Decision::Allow,
        Action::Console { name, .. } => Decision::Deny {
            reason: "only administrators of the hub may do this",
            hidden: name.is_some(),
        },
        Action::Hub(_) => Decision::Deny {
            reason: "only administrators of the hub reach its objects",
            hidden: false,
        },
        Action::Member { .. } => Decision::Deny {
            reason: "only administrators of the hub reach its clusters",
            hidden: true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actions(attributes: &Attributes) -> Vec<Action<'_>> {
        let resources = [
            Resource::Clusters,
            Resource::ConnectionChecks,
            Resource::Kubeconfigs,
            Resource::Federated,
            Resource::Holds,
            Resource::Stream,
        ];
        let verbs = [Verb::Get, Verb::List, Verb::Create, Verb::Update, Verb::Delete];
        let mut all = vec![
            Action::Hub(attributes),
            Action::Member {
                cluster: "eu-1",
                verb: "get",
                group: "",
                resource: "pods",
                subresource: "",
                namespace: "shop",
            },
        ];
        for resource in resources {
            for verb in verbs {
                all.push(Action::console(resource, verb));
                all.push(Action::named(resource, verb, "eu-1"));
            }
        }
        all
    }

    #[test]
    fn administrators_may_everything_and_others_nothing_but_their_own() {
        let attributes = Attributes::default();
        let (admin, other) = (Subject::person("ada", true), Subject::person("bob", false));
        for action in actions(&attributes) {
            assert_eq!(decide(&admin, &action), Decision::Allow, "{action:?}");
            assert!(matches!(decide(&other, &action), Decision::Deny { .. }), "{action:?}");
        }
        let own = Action::console(Resource::Own, Verb::List);
        assert_eq!(decide(&other, &own), Decision::Allow);
    }

    #[test]
    fn nobody_may_nothing_even_as_administrator() {
        let nobody = Subject::person("", true);
        let attributes = Attributes::default();
        for action in actions(&attributes)
            .into_iter()
            .chain([Action::console(Resource::Own, Verb::Get)])
        {
            assert!(matches!(decide(&nobody, &action), Decision::Deny { .. }), "{action:?}");
        }
    }

    #[test]
    fn a_denied_object_looks_absent() {
        let other = Subject::person("bob", false);
        let hidden = |action| matches!(decide(&other, &action), Decision::Deny { hidden: true, .. });
        assert!(hidden(Action::named(Resource::Clusters, Verb::Get, "eu-1")));
        assert!(!hidden(Action::console(Resource::Clusters, Verb::List)));
    }
}
