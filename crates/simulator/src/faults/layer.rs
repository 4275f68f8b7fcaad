//! Faults as one layer before everything else that answers.

use std::time::Duration;

use atoll_kubeapi::Status;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State as Injected};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::watch;

use super::{Fault, Faults, State, body};

const PAGE: &str = "<!DOCTYPE html>
<html><head><title>Sign in</title></head>
<body><h1>Sign in to continue</h1><form method=\"post\" action=\"/login\"><input name=\"user\"></form></body></html>
";

/// What becomes of a request.
pub(crate) async fn layer(Injected(faults): Injected<Faults>, request: Request, next: Next) -> Response {
    let mut state = faults.subscribe();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let fault = settle(&mut state, &method, &path).await;
    let response = match fault {
        None => next.run(request).await,
        Some(Fault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Some(Fault::Status(code)) => return status(code).into_response(),
        Some(Fault::Html) => return page(),
        Some(Fault::Unauthorized) => return Status::unauthorized("Unauthorized").into_response(),
        Some(Fault::Truncate) => return truncated(next.run(request).await).await,
        // Connections are about to end anyway.
        Some(Fault::Refuse | Fault::Hang) => return std::future::pending().await,
    };
    body::guard(response, state, method, path)
}

/// The fault that befalls a request, once it does not hang any more.
async fn settle(state: &mut watch::Receiver<State>, method: &Method, path: &str) -> Option<Fault> {
    loop {
        let fault = state.borrow_and_update().of(method, path).cloned();
        if fault != Some(Fault::Hang) {
            return fault;
        }
        if state.changed().await.is_err() {
            return fault;
        }
    }
}

fn status(code: StatusCode) -> Status {
    let reason = match code.as_u16() {
        400 => "BadRequest",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        405 => "MethodNotAllowed",
        409 => "Conflict",
        410 => "Expired",
        413 => "RequestEntityTooLarge",
        415 => "UnsupportedMediaType",
        422 => "Invalid",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    };
    let message = format!("simulated fault: {code}");
    let status = Status::failure(code, reason, message);
    if matches!(code.as_u16(), 429 | 503) {
        status.with(|details| details.retry_after_seconds = Some(1))
    } else {
        status
    }
}

fn page() -> Response {
    let mut response = PAGE.into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

/// The first half of an answer, as if that were all. Of a watch, the first half of its first piece.
async fn truncated(response: Response) -> Response {
    /// A watch may have nothing to say for long.
    const PATIENCE: Duration = Duration::from_secs(5);
    let (mut parts, mut body) = response.into_parts();
    let bytes = if HttpBody::size_hint(&body).exact().is_some() {
        body.collect().await.map(|all| all.to_bytes()).unwrap_or_default()
    } else {
        match tokio::time::timeout(PATIENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
            _ => Bytes::from_static(b"{\"type\":\"ADDED\",\"object\":{\"kind\":"),
        }
    };
    let half = bytes.slice(..bytes.len() / 2);
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(half))
}
