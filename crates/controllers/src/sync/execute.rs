//! One step of a plan, carried out in one member. The plan leaves nothing to choose here.

#[cfg(test)]
mod tests;

use std::time::Duration;

use atoll_clusters::{Collection, Member, OwnError, OwnRequest};
use atoll_federation::plan::RetainedReplicas;
use atoll_federation::{
    Apply, FIELD_MANAGER, Failure, FailureKind, HandOver, Outcome, Present, REPLICAS_FIELD_MANAGER, Step,
    TypeDescriptor, hand_over,
};
use serde_json::Value;

use super::failure::{failure, retry_after};
use super::observe::ask;
use crate::cache::collection;
use crate::key::Key;

/// What became of a step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Done {
    pub(crate) outcome: Outcome,
    /// When the member wants to be asked again, if it said so.
    pub(crate) retry_after: Duration,
}

impl Done {
    pub(crate) fn failed(kind: FailureKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            outcome: Outcome::Failed(Failure { kind, message }),
            retry_after: Duration::ZERO,
        }
    }
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            retry_after: Duration::ZERO,
        }
    }
}

impl From<OwnError> for Done {
    fn from(error: OwnError) -> Self {
        Self {
            retry_after: retry_after(&error),
            outcome: Outcome::Failed(failure(&error)),
        }
    }
}

/// Carries out a step that writes.
pub(crate) async fn carry_out(member: &Member, key: &Key, step: &Step, deadline: Duration) -> Done {
    let target = Target { member, key, deadline };
    let done = match step {
        Step::Apply(one) => target.apply(one).await,
        Step::Delete { options, .. } => target.delete(options.body()).await,
        Step::Release { patch, .. } => target.release(patch.clone()).await,
        // Nothing to do there.
        Step::UpToDate | Step::Keep(..) | Step::Wait(..) | Step::Fail(..) => {
            return Done::failed(FailureKind::Other, "this step writes nothing");
        }
    };
    done.unwrap_or_else(Done::from)
}

/// The object that is written to.
struct Target<'a> {
    member: &'a Member,
    key: &'a Key,
    deadline: Duration,
}

impl Target<'_> {
    fn row(&self) -> &'static TypeDescriptor {
        self.key.kind.row()
    }

    fn path(&self) -> String {
        collection(self.row()).object_path(self.key.target_namespace(), &self.key.name)
    }

    /// A template may ask for another version of its kind.
    fn path_of(&self, object: &Value) -> String {
        let stated = object["apiVersion"].as_str().unwrap_or_default();
        let version = stated.rsplit_once('/').map_or(stated, |(_, version)| version);
        let collection = Collection {
            version: version.to_owned(),
            ..collection(self.row())
        };
        collection.object_path(self.key.target_namespace(), &self.key.name)
    }

    async fn ask(&self, request: OwnRequest) -> Result<Value, OwnError> {
        ask(self.member, request, self.deadline).await
    }

    async fn apply(&self, apply: &Apply) -> Result<Done, OwnError> {
        if let Some(replicas) = apply.replicas.as_ref().filter(|replicas| replicas.before) {
            // Letting go of the replicas before somebody else holds them would lose them.
            self.set_replicas(replicas, replicas.object.clone()).await?;
        }
        if let Some(whose) = apply.hand_over {
            let live = self.ask(OwnRequest::get_object(self.path())).await?;
            self.hand_over(whose, &live, &apply.object).await?;
        }
        let mut answer = self.main_apply(apply).await?;
        if let Some(whose) = apply.hand_over
            && self.hand_over(whose, &answer, &apply.object).await?
        {
            // What is older than managed fields shows only after the first apply.
            answer = self.main_apply(apply).await?;
        }
        if let Some(replicas) = apply.replicas.as_ref().filter(|replicas| !replicas.before) {
            let mut object = replicas.object.clone();
            object["metadata"]["uid"] = answer["metadata"]["uid"].clone();
            match self.set_replicas(replicas, object).await {
                Ok(after) => answer = after,
                // The member scales by itself already.
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.applied(&answer))
    }

    async fn main_apply(&self, apply: &Apply) -> Result<Value, OwnError> {
        let path = self.path_of(&apply.object);
        self.ask(OwnRequest::apply_patch(
            path,
            FIELD_MANAGER,
            apply.force,
            apply.object.clone(),
        ))
        .await
    }

    async fn set_replicas(&self, replicas: &RetainedReplicas, object: Value) -> Result<Value, OwnError> {
        let path = self.path_of(&object);
        self.ask(OwnRequest::apply_patch(
            path,
            REPLICAS_FIELD_MANAGER,
            replicas.force,
            object,
        ))
        .await
    }

    /// Whether there was anything to hand over.
    async fn hand_over(&self, whose: HandOver, live: &Value, stated: &Value) -> Result<bool, OwnError> {
        match hand_over(self.row(), whose, live, stated) {
            Some(patch) => self
                .ask(OwnRequest::merge_patch(self.path(), patch))
                .await
                .map(|_| true),
            None => Ok(false),
        }
    }

    fn applied(&self, answer: &Value) -> Done {
        let is_it = answer["metadata"]["name"] == self.key.name.as_str();
        match Present::of(self.row(), answer).filter(|_| is_it) {
            Some(present) => Outcome::Applied(Box::new(present)).into(),
            None => Done::failed(
                FailureKind::Other,
                "the cluster answered with something else than the object",
            ),
        }
    }

    async fn delete(&self, options: Value) -> Result<Done, OwnError> {
        let gone = match self.ask(OwnRequest::delete(self.path(), Some(options))).await {
            // The object itself comes back while something still holds it.
            Ok(answer) => !answer["metadata"]["deletionTimestamp"].is_string(),
            Err(error) if error.is_not_found_object() => true,
            Err(error) => return Err(error),
        };
        Ok(Outcome::Deleted { gone }.into())
    }

    async fn release(&self, patch: Value) -> Result<Done, OwnError> {
        match self.ask(OwnRequest::merge_patch(self.path(), patch)).await {
            Ok(_) => Ok(Outcome::Released.into()),
            Err(error) if error.is_not_found_object() => Ok(Outcome::Released.into()),
            Err(error) => Err(error),
        }
    }
}
