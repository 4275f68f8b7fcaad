//! What the controllers say, as callers get it.

use atoll_controllers::Error as Controllers;
use atoll_kubeapi::Cause;

use super::Error;

impl From<Controllers> for Error {
    fn from(error: Controllers) -> Self {
        match error {
            Controllers::Store { source, .. } => source.into(),
            error @ Controllers::NotLeading => Self::unavailable(
                "another replica runs the controllers; ask again, and the request may reach that one",
                1,
            )
            .because(error),
            Controllers::UnknownCluster(name) => Self::no_cluster(&name),
            Controllers::UnknownType(name) => Self::not_found(format!("{name:?} is no federated type of this hub")),
            Controllers::Object(errors) => {
                let causes = errors
                    .into_iter()
                    .map(|error| Cause::new(error.reason.as_str(), error.field, error.message))
                    .collect();
                Self::invalid("object", "", causes)
            }
        }
    }
}
