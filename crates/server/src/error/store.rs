//! What the store says, as callers get it.

use atoll_kubeapi::{Cause, Status};

use super::{Error, Reason};

impl From<atoll_store::Error> for Error {
    fn from(error: atoll_store::Error) -> Self {
        use atoll_store::Error as Store;
        match error {
            Store::AlreadyExists(key) => Status::already_exists(&key.group, &key.resource, &key.name).into(),
            Store::NotFound(key) => Status::not_found(&key.group, &key.resource, &key.name).into(),
            Store::Conflict { key, .. } => Status::conflict(
                &key.group,
                &key.resource,
                &key.name,
                "the object has been modified; please apply your changes to the latest version and try again",
            )
            .into(),
            Store::OtherUid(key) => Status::conflict(
                &key.group,
                &key.resource,
                &key.name,
                "the object was deleted, and there is another one with the same name",
            )
            .into(),
            Store::ClusterRegistered(name) => Self::new(
                Reason::AlreadyExists,
                format!("this cluster is already registered, as {name:?}"),
            )
            .at_stage("identity")
            .in_cluster(&name)
            .with_hint("Use the cluster under that name, or remove it first."),
            Store::HostTaken(name) => {
                let message = format!("{name:?} is the host cluster already, and there is one at most");
                Self::new(Reason::Conflict, message.clone()).with_cause(Cause::new(
                    "FieldValueDuplicate",
                    "role",
                    message,
                ))
            }
            Store::Expired { oldest } => Status::expired(u64::try_from(oldest.0).unwrap_or_default()).into(),
            error @ (Store::Database { .. } | Store::Closed) => {
                Self::unavailable("the database does not answer; try again in a moment", 2).because(error)
            }
            error @ Store::Fenced(_) => {
                Self::unavailable("another replica has taken over; try again in a moment", 2).because(error)
            }
            error @ (Store::Sealed(_) | Store::Corrupt { .. } | Store::NewerSchema { .. } | Store::Url(_)) => {
                Self::internal(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoll_store::ObjectKey;

    #[test]
    fn a_cluster_that_is_registered_is_named() {
        let error = Error::from(atoll_store::Error::ClusterRegistered("eu-1".into()));
        assert_eq!(error.reason(), "AlreadyExists");
        assert!(error.to_string().contains("eu-1"));
        assert_eq!(error.status().details.as_ref().unwrap().stage, "identity");
    }

    #[test]
    fn what_the_database_says_stays_in_the_log() {
        let error = Error::from(atoll_store::Error::Corrupt {
            what: "secrets shop/db".into(),
            why: "key material".into(),
        });
        assert_eq!(error.reason(), "InternalError");
        assert!(!error.to_string().contains("key material"));
        assert!(super::super::chain(&error).contains("key material"));
    }

    #[test]
    fn a_name_that_is_taken_is_a_conflict_of_that_object() {
        let key = ObjectKey::new("", "users", "", "ada");
        let error = Error::from(atoll_store::Error::AlreadyExists(key));
        assert_eq!((error.code().as_u16(), error.reason()), (409, "AlreadyExists"));
    }
}
