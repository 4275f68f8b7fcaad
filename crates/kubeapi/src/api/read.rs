//! Get and list.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Api, Call, answer};
use crate::backend::{Backend, Listing};
use crate::object::revision_of;
use crate::selector::{FieldSelector, LabelSelector};
use crate::status::Status;
use crate::table::{Form, partial, table};

/// What a list, a watch or a deletion of many selects.
pub(crate) struct Selection {
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    pub(crate) fn of(call: &Call) -> Result<Self, Status> {
        let mut fields = FieldSelector::parse(&call.query.field_selector, &call.resource.selectable)?;
        if !call.path.name.is_empty() {
            // A watch of one object is a watch of the collection that selects its name.
            fields = fields.and_name(&call.path.name);
        }
        Ok(Self {
            labels: LabelSelector::parse(&call.query.label_selector)?,
            fields,
        })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        self.fields.matches(object) && self.labels.matches(&object["metadata"]["labels"])
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }
}

pub(crate) fn namespace_of(call: &Call) -> Option<&str> {
    (!call.path.namespace.is_empty()).then_some(call.path.namespace.as_str())
}

impl<B: Backend> Api<B> {
    pub(super) async fn get(&self, call: &Call) -> Result<Response, Status> {
        let object = self.current(call, &call.path.namespace, &call.path.name).await?;
        Ok(self.respond(call, StatusCode::OK, &object, &[]))
    }

    pub(super) async fn list(&self, call: &Call) -> Result<Response, Status> {
        let selection = Selection::of(call)?;
        let resume = Resume::read(&call.query.continue_token)?;
        let listing = self.listing(call, &selection).await?;
        let mut items: Vec<Arc<Value>> = listing.items;
        // Every page states the revision of the first: a watch from there repeats what changed between the pages.
        let revision = resume.as_ref().map_or(listing.revision, |resume| resume.revision);
        if call.query.exact && call.query.resource_version.is_some_and(|asked| asked != revision) {
            return Err(Status::expired(revision));
        }
        if let Some(resume) = &resume {
            items.retain(|object| position(object) > (resume.namespace.as_str(), resume.name.as_str()));
        }
        items.retain(|object| selection.matches(object));
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if call.query.limit > 0 && items.len() > call.query.limit {
            let remaining = items.len() - call.query.limit;
            items.truncate(call.query.limit);
            if let Some(last) = items.last() {
                let (namespace, name) = position(last);
                metadata["continue"] = Resume {
                    revision,
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                }
                .write()
                .into();
                if selection.is_everything() {
                    metadata["remainingItemCount"] = remaining.into();
                }
            }
        }
        let body = match call.form {
            Form::Table => table(
                &call.asked,
                &items,
                metadata,
                call.query.include_object,
                true,
                (self.options.now)(),
            ),
            Form::Metadata => list_of(
                "PartialObjectMetadata",
                "meta.k8s.io/v1",
                metadata,
                items.iter().map(|one| partial(one)),
            ),
            Form::Object => {
                let api_version = call.asked.api_version();
                list_of(
                    &call.asked.kind,
                    &api_version,
                    metadata,
                    items
                        .iter()
                        .map(|one| crate::view::shown(&call.asked, one).into_owned()),
                )
            }
        };
        Ok(answer(StatusCode::OK, &body, &[]))
    }

    async fn listing(&self, call: &Call, selection: &Selection) -> Result<Listing, Status> {
        let mut listing = self
            .backend
            .list(&call.context, &call.resource, namespace_of(call))
            .await?;
        if selection.is_everything() && call.query.limit == 0 && call.query.continue_token.is_empty() {
            return Ok(listing);
        }
        listing.items.sort_by(|one, two| position(one).cmp(&position(two)));
        Ok(listing)
    }

    /// The object as it is now, or 404.
    pub(crate) async fn current(&self, call: &Call, namespace: &str, name: &str) -> Result<Arc<Value>, Status> {
        let found = self.backend.get(&call.context, &call.resource, namespace, name).await?;
        let object = found.ok_or_else(|| call.resource.not_found(name))?;
        debug_assert!(revision_of(&object) > 0, "a backend's objects carry their revision");
        Ok(object)
    }
}

fn list_of(kind: &str, api_version: &str, metadata: Value, items: impl Iterator<Item = Value>) -> Value {
    json!({"kind": format!("{kind}List"), "apiVersion": api_version, "metadata": metadata, "items": items.collect::<Vec<_>>()})
}

/// Where an object stands in a list.
fn position(object: &Value) -> (&str, &str) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    (text("namespace"), text("name"))
}

/// Where the next page begins: what a continue token says.
#[derive(Serialize, Deserialize)]
struct Resume {
    revision: u64,
    namespace: String,
    name: String,
}

impl Resume {
    fn read(token: &str) -> Result<Option<Self>, Status> {
        if token.is_empty() {
            return Ok(None);
        }
        URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .map(Some)
            .ok_or_else(|| Status::bad_request("continue is no token of this server"))
    }

    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }
}
