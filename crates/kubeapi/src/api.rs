//! The API itself: one request in, one response out.

mod deletion;
mod documents;
mod read;
mod review;
mod server_side_apply;
mod write;

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Value, json};

pub(crate) use read::{Selection, namespace_of};

use crate::backend::{Attributes, Backend, RequestContext};
use crate::request::{Query, ResourcePath, Target, accept};
use crate::resource::Resource;
use crate::schema::Schema;
use crate::status::Status;
use crate::table::Form;

/// What differs between the programs that serve this API.
#[derive(Debug, Clone)]
pub struct Options {
    /// `gitVersion`, such as `v1.36.3`: what `kubectl version` prints, and what clients judge abilities by.
    pub git_version: String,
    /// Title of the OpenAPI documents.
    pub title: String,
    /// Largest body, in bytes.
    pub body_limit: usize,
    /// How long a watch lives when the client does not say, in seconds, at random; the end is also the longest life.
    pub watch_seconds: RangeInclusive<u64>,
    /// The clock.
    pub now: fn() -> jiff::Timestamp,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            git_version: "v1.36.3".into(),
            title: "Kubernetes".into(),
            body_limit: 3 << 20,
            watch_seconds: 1800..=3600,
            now: jiff::Timestamp::now,
        }
    }
}

/// The API of one backend.
pub(crate) struct Api<B> {
    pub(crate) backend: Arc<B>,
    pub(crate) options: Options,
}

/// One request to a collection or an object, read and authorized.
pub(crate) struct Call {
    pub(crate) context: RequestContext,
    /// The resource that was asked for: what comes in and goes out is in its form.
    pub(crate) asked: Arc<Resource>,
    /// The resource that has the rows: everything is decided in its form. The same one, unless a view was asked for.
    pub(crate) resource: Arc<Resource>,
    pub(crate) path: ResourcePath,
    pub(crate) query: Query,
    pub(crate) form: Form,
}

impl Call {
    /// The structure of what the client was shown. Where that of a view is not known, it is much as what it shows.
    pub(crate) fn shown_schema(&self) -> &Schema {
        match self.asked.schema.definition() {
            Some(_) => &self.asked.schema,
            None => &self.resource.schema,
        }
    }
}

impl<B: Backend> Api<B> {
    /// Answers a request whose path is relative to the mount point.
    pub(crate) async fn handle(&self, request: Request) -> Response {
        let answer = match request.extensions().get::<RequestContext>().cloned() {
            Some(context) => self.dispatch(context, request).await,
            None => Err(Status::unauthorized("Unauthorized")),
        };
        answer.unwrap_or_else(IntoResponse::into_response)
    }

    async fn dispatch(&self, mut context: RequestContext, request: Request) -> Result<Response, Status> {
        if context.user_agent.is_empty() {
            context.user_agent = crate::request::header_text(request.headers(), &header::USER_AGENT).to_owned();
        }
        let target = Target::parse(request.uri().path()).ok_or_else(Status::no_such_path)?;
        if let Target::Resource(path) = target {
            return self.resource(context, path, request).await;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Status::method_not_allowed(request.method()));
        }
        self.document(&target, &request).ok_or_else(Status::no_such_path)
    }

    async fn resource(
        &self,
        context: RequestContext,
        path: ResourcePath,
        request: Request,
    ) -> Result<Response, Status> {
        let catalog = self.backend.catalog();
        let Some(resource) = catalog.find(&path.group, &path.version, &path.resource).cloned() else {
            if review::is_review(&path) {
                return self.review(&context, &path, request).await;
            }
            return Err(Status::no_such_path());
        };
        if !resource.namespaced && !path.namespace.is_empty() {
            return Err(Status::no_such_path());
        }
        let asked = resource;
        let resource = catalog.stored(&asked).ok_or_else(Status::no_such_path)?.clone();
        let warning = asked.view.as_ref().map(|view| view.warning.clone());
        let answer = self.resource_as(context, path, request, asked, resource).await;
        let mut response = answer.unwrap_or_else(IntoResponse::into_response);
        warn(response.headers_mut(), warning.as_slice());
        Ok(response)
    }

    async fn resource_as(
        &self,
        context: RequestContext,
        path: ResourcePath,
        request: Request,
        asked: Arc<Resource>,
        resource: Arc<Resource>,
    ) -> Result<Response, Status> {
        let query = Query::parse(request.uri().query().unwrap_or_default())?;
        let attributes = attributes(request.method(), &path, &query)?.of(&resource);
        self.backend.authorize(&context, &attributes).await?;
        let own = match path.subresource.as_str() {
            "" => true,
            "status" => resource.status,
            "finalize" => resource.is_namespace(),
            _ => false,
        };
        if !own {
            let answer = self
                .backend
                .subresource(&context, &resource, &attributes, request)
                .await;
            return answer.ok_or_else(Status::no_such_path);
        }
        if path.subresource.is_empty() && !resource.verbs.contains(&attributes.verb.as_str()) {
            return Err(Status::method_not_allowed(request.method()));
        }
        let form = Form::accepted(&accept(&request))?;
        let method = request.method().clone();
        let call = Call {
            context,
            asked,
            resource,
            path,
            query,
            form,
        };
        let whole = call.path.subresource.is_empty();
        match (&method, call.path.name.is_empty()) {
            (&Method::GET, _) if call.query.watch && whole => self.watch(call).await,
            (&Method::GET | &Method::HEAD, true) => self.list(&call).await,
            (&Method::GET | &Method::HEAD, false) => self.get(&call).await,
            (&Method::POST, true) => self.create(&call, request).await,
            (&Method::PUT, false) => self.update(&call, request).await,
            (&Method::PATCH, false) => self.patch(&call, request).await,
            (&Method::DELETE, false) if whole => self.delete(&call, request).await,
            (&Method::DELETE, true) => self.delete_collection(&call, request).await,
            _ => Err(Status::method_not_allowed(&method)),
        }
    }

    pub(crate) fn now_text(&self) -> String {
        // Kubernetes keeps times to the second.
        let now = (self.options.now)();
        jiff::Timestamp::from_second(now.as_second()).unwrap_or(now).to_string()
    }

    pub(crate) fn respond(&self, call: &Call, code: StatusCode, object: &Arc<Value>, warnings: &[String]) -> Response {
        let body = match call.form {
            Form::Object => crate::view::shown(&call.asked, object).into_owned(),
            Form::Metadata => crate::table::partial(object),
            Form::Table => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let objects = std::slice::from_ref(object);
                crate::table::table(
                    &call.asked,
                    objects,
                    metadata,
                    call.query.include_object,
                    true,
                    (self.options.now)(),
                )
            }
        };
        answer(code, &body, warnings)
    }
}

/// A response with what every answer about objects carries.
pub(crate) fn answer(code: StatusCode, body: &impl serde::Serialize, warnings: &[String]) -> Response {
    let mut response = (code, axum::Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    warn(headers, warnings);
    response
}

/// Adds what to warn of; clients print it.
fn warn(headers: &mut HeaderMap, warnings: &[String]) {
    for warning in warnings.iter().filter(|text| !text.is_empty()).take(20) {
        let text: String = warning
            .chars()
            .filter(|character| !character.is_control())
            .take(250)
            .collect();
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_str(&format!("299 - \"{text}\"")) {
            headers.append(header::WARNING, value);
        }
    }
}

fn attributes(method: &Method, path: &ResourcePath, query: &Query) -> Result<Attributes, Status> {
    let verb = match (method.as_str(), path.name.is_empty()) {
        ("GET", _) if query.watch && path.subresource.is_empty() => "watch",
        ("GET" | "HEAD", true) => "list",
        ("GET" | "HEAD", false) => "get",
        ("POST", _) => "create",
        ("PUT", _) if !path.name.is_empty() => "update",
        ("PATCH", false) => "patch",
        ("DELETE", true) => "deletecollection",
        ("DELETE", false) => "delete",
        _ => return Err(Status::method_not_allowed(method)),
    };
    let is_namespace = path.group.is_empty() && path.resource == "namespaces";
    Ok(Attributes {
        verb: verb.into(),
        group: path.group.clone(),
        version: path.version.clone(),
        resource: path.resource.clone(),
        subresource: path.subresource.clone(),
        namespace: if is_namespace {
            path.name.clone()
        } else {
            path.namespace.clone()
        },
        name: path.name.clone(),
    })
}
