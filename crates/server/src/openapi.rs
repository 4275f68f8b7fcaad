//! The console API's OpenAPI document, made from the handlers.
//!
//! `openapi/console.json` is what clients are generated from; a test fails when it no longer says what the handlers do.
//! What is the same everywhere (errors are a `metav1.Status`, how callers prove who they are) is added once, here.

use utoipa::OpenApi as _;
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, ResponseBuilder};

use crate::auth::bearer::{KEY_HEADER, SECURE_COOKIE};
use crate::router;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Atoll console API",
        description = "What the web console calls. Every error is a Kubernetes Status.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(StatusDocument)),
    tags(
        (name = "sessions", description = "Signing in and out"),
        (name = "clusters", description = "Registered clusters"),
        (name = "federated", description = "Federated objects"),
        (name = "holds", description = "Changes that would delete too much, and wait for an answer"),
        (name = "tokens", description = "API tokens and kubeconfigs"),
        (name = "stream", description = "Live rows"),
    ),
)]
struct Base;

/// One thing that is wrong.
#[derive(ToSchema)]
#[schema(as = StatusCause)]
#[expect(
    dead_code,
    reason = "describes `atoll_kubeapi::Cause`, which knows nothing of this document"
)]
struct CauseDocument {
    /// Such as `FieldValueInvalid`.
    reason: Option<String>,
    /// For people.
    message: Option<String>,
    /// Path of the field.
    field: Option<String>,
}

/// More for programs.
#[derive(ToSchema)]
#[schema(as = StatusDetails, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes `atoll_kubeapi::Details`, which knows nothing of this document"
)]
struct DetailsDocument {
    /// Name of the object.
    name: Option<String>,
    /// API group of the object.
    group: Option<String>,
    /// Kind of the object.
    kind: Option<String>,
    /// UID of the object.
    uid: Option<String>,
    /// Field by field, what is wrong.
    causes: Option<Vec<CauseDocument>>,
    /// When to try again.
    retry_after_seconds: Option<i64>,
    /// The member cluster involved.
    cluster: Option<String>,
    /// The stage of a connection that failed.
    stage: Option<String>,
    /// The way out.
    hint: Option<String>,
}

/// `metav1.Status`: what every error is.
#[derive(ToSchema)]
#[schema(as = Status, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes `atoll_kubeapi::Status`, which knows nothing of this document"
)]
struct StatusDocument {
    /// Always `v1`.
    api_version: String,
    /// Always `Status`.
    kind: String,
    /// `Failure`.
    status: String,
    /// For people.
    message: Option<String>,
    /// Kubernetes' word, such as `NotFound`.
    reason: Option<String>,
    /// More for programs.
    details: Option<DetailsDocument>,
    /// The HTTP status.
    code: i32,
}

/// The document.
pub fn console() -> OpenApi {
    let (_, routes) = router::console_api().split_for_parts();
    let mut document = Base::openapi();
    document.merge(routes);
    add_security(&mut document);
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            add_errors(operation);
        }
    }
    document
}

/// The document as it is kept, with a line break at its end.
///
/// # Panics
/// Never: a document always serialises.
pub fn console_json() -> String {
    let mut text = console().to_pretty_json().expect("a document always serialises");
    text.push('\n');
    text
}

fn add_security(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of a session, or an API token (`atoll_…`)"));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let cookie = ApiKeyValue::with_description(SECURE_COOKIE, "The session of a page; needs the key beside it");
    components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    let key = ApiKeyValue::with_description(KEY_HEADER, "The key that came with the cookie");
    components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(key)));
    let none: [&str; 0] = [];
    document.security = Some(vec![
        SecurityRequirement::new("bearer", none),
        SecurityRequirement::new("cookie", none).add("key", none),
    ]);
}

/// The operations of a path.
pub fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.patch,
    ];
    all.into_iter().flatten()
}

fn add_errors(operation: &mut Operation) {
    let schema: RefOr<_> = Ref::from_schema_name("Status").into();
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new()
        .description("What went wrong")
        .content("application/json", content)
        .build();
    operation
        .responses
        .responses
        .insert("default".to_owned(), response.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_kept_document_says_what_the_handlers_do() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/console.json");
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == console_json(),
            "openapi/console.json is not what the handlers say: run `make openapi` and commit the result"
        );
    }

    #[test]
    fn every_operation_can_answer_a_status() {
        let mut document = console();
        let mut count = 0;
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                count += 1;
                assert!(operation.responses.responses.contains_key("default"));
                assert!(operation.summary.is_some(), "{:?}", operation.operation_id);
            }
        }
        assert!(count >= 20, "{count}");
    }
}
