//! A server over memory, and a client for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_kubeapi::{Catalog, Column, MemoryBackend, Options, Path, RequestContext, Resource, Schema, router};
use axum::body::Body;
use axum::{Extension, Router};
use futures::StreamExt;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

pub(crate) const PREFIX: &str = "/k8s/hub";

pub(crate) struct Server {
    pub(crate) backend: Arc<MemoryBackend>,
    router: Router,
}

pub(crate) struct Answer {
    pub(crate) code: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert!(self.code.is_success(), "{} {}", self.code, self.body);
        self.body
    }

    /// The body of a failure, which must be a Status with this code and reason.
    pub(crate) fn failed(self, code: u16, reason: &str) -> Value {
        assert_eq!(
            (self.code.as_u16(), self.body["reason"].as_str()),
            (code, Some(reason)),
            "{}",
            self.body
        );
        assert_eq!(
            (&self.body["kind"], &self.body["status"], &self.body["code"]),
            (&json!("Status"), &json!("Failure"), &json!(code))
        );
        self.body
    }
}

pub(crate) fn widgets() -> Resource {
    Resource {
        short_names: vec!["wd".into()],
        categories: vec!["all".into()],
        status: true,
        description: "A widget.".into(),
        columns: vec![
            Column::path("Size", "integer", ".spec.size"),
            Column::path("Color", "string", ".spec.color").wide(),
        ],
        selectable: BTreeMap::from([("spec.color".to_owned(), Path::parse(".spec.color").unwrap())]),
        schema: Schema::new(json!({"type": "object", "properties": {
            "spec": {"type": "object", "description": "What is wanted.", "properties": {
                "size": {"type": "integer", "minimum": 0},
                "color": {"type": "string"},
                "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            }},
            "status": {"type": "object", "properties": {"ready": {"type": "boolean"}}},
        }})),
        ..Resource::new("example.io", "v1", "Widget", "widgets")
    }
}

pub(crate) fn catalog() -> Catalog {
    let built_in = |group, kind, plural| Resource::built_in(group, "v1", kind, plural).unwrap();
    Catalog::new([
        Resource {
            namespaced: false,
            short_names: vec!["ns".into()],
            ..built_in("", "Namespace", "namespaces")
        },
        built_in("", "ConfigMap", "configmaps"),
        built_in("", "Secret", "secrets"),
        built_in("", "Service", "services"),
        built_in("apps", "Deployment", "deployments"),
        widgets(),
    ])
}

impl Server {
    pub(crate) fn new() -> Self {
        let backend = Arc::new(MemoryBackend::new(catalog()));
        let context = RequestContext {
            user: "ann".into(),
            groups: vec!["staff".into()],
            ..RequestContext::default()
        };
        let api = router(backend.clone(), Options::default());
        Self {
            backend,
            router: Router::new().nest(PREFIX, api).layer(Extension(context)),
        }
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(format!("{PREFIX}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.router
            .clone()
            .oneshot(request.body(body.into()).unwrap())
            .await
            .unwrap()
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Answer {
        let (parts, body) = self.raw(method, path, headers, body).await.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
        Answer {
            code: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "application/json")], Body::empty())
            .await
    }

    pub(crate) async fn post(&self, path: &str, object: Value) -> Answer {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json"), ("user-agent", "tester/1")],
            object.to_string(),
        )
        .await
    }

    pub(crate) async fn put(&self, path: &str, object: Value) -> Answer {
        self.send(
            "PUT",
            path,
            &[("content-type", "application/json"), ("user-agent", "tester/1")],
            object.to_string(),
        )
        .await
    }

    pub(crate) async fn delete(&self, path: &str, options: Value) -> Answer {
        self.send(
            "DELETE",
            path,
            &[("content-type", "application/json")],
            options.to_string(),
        )
        .await
    }

    pub(crate) async fn patch(&self, path: &str, kind: &str, patch: Value) -> Answer {
        let kind = match kind {
            "apply" => "application/apply-patch+yaml".to_owned(),
            kind => format!("application/{kind}-patch+json"),
        };
        self.send(
            "PATCH",
            path,
            &[("content-type", &kind), ("user-agent", "tester/1")],
            patch.to_string(),
        )
        .await
    }

    pub(crate) async fn apply(&self, path: &str, manager: &str, config: Value) -> Answer {
        let sign = if path.contains('?') { '&' } else { '?' };
        self.patch(&format!("{path}{sign}fieldManager={manager}"), "apply", config)
            .await
    }

    pub(crate) async fn watch(&self, path: &str) -> Watch {
        self.watch_as(path, "application/json").await
    }

    pub(crate) async fn watch_as(&self, path: &str, accept: &str) -> Watch {
        let response = self.raw("GET", path, &[("accept", accept)], Body::empty()).await;
        assert_eq!(response.status(), StatusCode::OK);
        Watch {
            body: response.into_body(),
            buffer: String::new(),
        }
    }
}

/// A watch, read line by line.
pub(crate) struct Watch {
    body: Body,
    buffer: String,
}

impl Watch {
    /// The next line as it stands; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some((line, rest)) = self.buffer.split_once('\n') {
                let line = line.to_owned();
                self.buffer = rest.to_owned();
                return Some(line);
            }
            let mut frames = std::mem::replace(&mut self.body, Body::empty()).into_data_stream();
            let piece = frames.next().await?.unwrap();
            self.buffer.push_str(std::str::from_utf8(&piece).unwrap());
            self.body = Body::from_stream(frames);
        }
    }

    pub(crate) async fn event(&mut self) -> Value {
        serde_json::from_str(&self.line().await.expect("the watch goes on")).unwrap()
    }

    /// Type and name of the next event.
    pub(crate) async fn next(&mut self) -> (String, String) {
        let event = self.event().await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&event["type"]), text(&event["object"]["metadata"]["name"]))
    }
}

pub(crate) fn widget(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "example.io/v1", "kind": "Widget", "metadata": {"name": name}, "spec": spec})
}

pub(crate) const WIDGETS: &str = "/apis/example.io/v1/namespaces/shop/widgets";
pub(crate) const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/shop/deployments";
pub(crate) const CONFIGMAPS: &str = "/api/v1/namespaces/shop/configmaps";

pub(crate) fn deployment(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}}, "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
            {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]}},
    }})
}
