//! Reviews: who am I, may I. They are answered, never kept.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::response::Response;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Api, answer};
use crate::backend::{Attributes, Backend, RequestContext};
use crate::body;
use crate::discovery::REVIEWS;
use crate::request::{ResourcePath, Target};
use crate::status::Status;

pub(super) fn is_review(path: &ResourcePath) -> bool {
    path.name.is_empty()
        && path.namespace.is_empty()
        && REVIEWS
            .iter()
            .any(|one| path.group == one.group && path.version == one.version && path.resource == one.plural)
}

impl<B: Backend> Api<B> {
    pub(super) async fn review(
        &self,
        context: &RequestContext,
        path: &ResourcePath,
        request: Request,
    ) -> Result<Response, Status> {
        if request.method() != Method::POST {
            return Err(Status::method_not_allowed(request.method()));
        }
        let mut review = body::read_object(request, self.options.body_limit).await?.value;
        if !review.is_object() {
            return Err(Status::bad_request("the body is no review"));
        }
        review["status"] = match path.resource.as_str() {
            "selfsubjectreviews" => json!({"userInfo": user_info(context)}),
            "selfsubjectaccessreviews" => self.access(context, &review["spec"]).await,
            _ => {
                self.rules(context, review["spec"]["namespace"].as_str().unwrap_or_default())
                    .await
            }
        };
        Ok(answer(StatusCode::CREATED, &review, &[]))
    }

    async fn access(&self, context: &RequestContext, spec: &Value) -> Value {
        let given = &spec["resourceAttributes"];
        let text = |field: &str| given[field].as_str().unwrap_or_default().to_owned();
        if given.is_null() {
            let asked = &spec["nonResourceAttributes"];
            let path = asked["path"].as_str().unwrap_or_default();
            // Documents are served to everybody who is signed in; there is nothing else that is no resource.
            let is_document = Target::parse(path).is_some_and(|target| !matches!(target, Target::Resource(_)));
            return json!({"allowed": is_document && asked["verb"] == "get"});
        }
        let attributes = Attributes {
            verb: text("verb"),
            group: text("group"),
            version: text("version"),
            resource: text("resource"),
            subresource: text("subresource"),
            namespace: text("namespace"),
            name: text("name"),
        };
        let attributes = self.guarded(attributes);
        match self.backend.authorize(context, &attributes).await {
            Ok(()) => json!({"allowed": true}),
            Err(status) => json!({"allowed": false, "reason": status.message}),
        }
    }

    /// What is asked of a view is asked of the resource that it shows.
    fn guarded(&self, attributes: Attributes) -> Attributes {
        let catalog = self.backend.catalog();
        let stored = catalog
            .iter()
            .find(|one| {
                one.group == attributes.group
                    && one.plural == attributes.resource
                    && (attributes.version.is_empty() || one.version == attributes.version)
            })
            .filter(|one| one.view.is_some())
            .and_then(|one| catalog.stored(one).cloned());
        match stored {
            Some(stored) => attributes.of(&stored),
            None => attributes,
        }
    }

    /// What the caller may do in a namespace, found by asking for each verb of each resource.
    async fn rules(&self, context: &RequestContext, namespace: &str) -> Value {
        let catalog = self.backend.catalog();
        let mut rules: BTreeMap<(String, Vec<&str>), Vec<String>> = BTreeMap::new();
        for resource in catalog.iter() {
            let mut verbs = Vec::new();
            for verb in resource.verbs {
                let attributes = Attributes {
                    verb: (*verb).to_owned(),
                    group: resource.group.clone(),
                    version: resource.version.clone(),
                    resource: resource.plural.clone(),
                    namespace: if resource.namespaced {
                        namespace.to_owned()
                    } else {
                        String::new()
                    },
                    ..Attributes::default()
                };
                let attributes = self.guarded(attributes);
                if self.backend.authorize(context, &attributes).await.is_ok() {
                    verbs.push(*verb);
                }
            }
            if !verbs.is_empty() {
                rules
                    .entry((resource.group.clone(), verbs))
                    .or_default()
                    .push(resource.plural.clone());
            }
        }
        let rules: Vec<Value> = rules
            .into_iter()
            .map(|((group, verbs), resources)| json!({"apiGroups": [group], "resources": resources, "verbs": verbs}))
            .collect();
        json!({
            "incomplete": false,
            "resourceRules": rules,
            "nonResourceRules": [{"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/openapi/*", "/version"], "verbs": ["get"]}],
        })
    }
}

fn user_info(context: &RequestContext) -> Value {
    let mut info = json!({"username": context.user, "groups": context.groups});
    if !context.uid.is_empty() {
        info["uid"] = json!(context.uid);
    }
    if !context.extra.is_empty() {
        info["extra"] = json!(context.extra);
    }
    info
}
