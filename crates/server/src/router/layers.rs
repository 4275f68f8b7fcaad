//! What happens to every request before it is answered, and to every answer before it leaves.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::header::{self, HeaderName, HeaderValue};
use http::uri::Authority;
use uuid::Uuid;

use crate::auth;
use crate::console_files::{SECURITY_HEADERS, data_policy};
use crate::error::{Answered, Error, Reason, chain};
use crate::metrics::Surface;
use crate::state::{AppState, Hub};

/// How long a call of the console API may take until its answer begins. Streams begin at once.
const DEADLINE: Duration = Duration::from_secs(60);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, made by the hub: what a client sends under that name is not believed.
#[derive(Debug, Clone)]
pub struct RequestId(String);

impl RequestId {
    /// A new one.
    pub fn new() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

/// Gives the request its id, counts the answer, and logs what went wrong on our side: once, with the whole chain.
pub(super) async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = RequestId::new();
    let surface = Surface::of(request.uri().path());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    let code = response.status();
    state.metrics.answered(surface, code.as_u16());
    if let Some(Answered(error)) = response.extensions_mut().remove::<Answered>() {
        let cause = std::error::Error::source(&error).map(chain).unwrap_or_default();
        if code.is_server_error() && !error.is_transient() {
            tracing::error!(request.id = id.as_str(), %method, path, code = code.as_u16(), %error, cause, "a request failed");
        } else if !cause.is_empty() {
            tracing::warn!(request.id = id.as_str(), %method, path, code = code.as_u16(), %error, cause, "a request failed");
        } else {
            tracing::debug!(request.id = id.as_str(), %method, path, code = code.as_u16(), %error, "a request was refused");
        }
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Adds what every answer carries. A page brings a policy of its own; everything else is data and runs nothing.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let strict = auth::tls(request.extensions()) && !is_local(&request);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(value);
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert_with(data_policy);
    if strict {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
    response
}

/// A host name that other programs on this machine use as well, with plain HTTP.
fn is_local(request: &Request) -> bool {
    let host = host(request);
    host.is_none_or(|host| host == "localhost" || host.parse::<IpAddr>().is_ok())
}

/// Refuses requests for names that are not ours, so that no other site's name can be made to lead here (DNS
/// rebinding). Probes are exempt: load balancers ask by address. Whatever comes after finds the name in `Host`, also when
/// HTTP/2 brought it as `:authority`.
pub(super) async fn known_host(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    if Surface::of(request.uri().path()) != Surface::Probe {
        match host(&request) {
            None => return Error::bad_request("the request names no host, or more than one").into_response(),
            Some(host) if !is_known(&state.hub, &host) => {
                let message =
                    format!("{host:?} is no name of this hub; start it with --tls-name or --public-url to add one");
                return Error::new(Reason::Misdirected, message).into_response();
            }
            Some(_) => {}
        }
    }
    let authority = request
        .uri()
        .authority()
        .and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(authority) = authority {
        request.headers_mut().insert(header::HOST, authority);
    }
    next.run(request).await
}

fn is_known(hub: &Hub, host: &str) -> bool {
    // Only names can be rebound. Where the hub listens on all addresses, any of them may lead to it.
    hub.host_names.contains(host) || (hub.any_address && host.parse::<IpAddr>().is_ok())
}

/// The host that a request is for: without port and brackets, in lower case. `None` when there are none or two.
fn host(request: &Request) -> Option<String> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let authority = match (request.uri().authority(), named.next(), named.next()) {
        (Some(authority), None, _) => authority.clone(),
        (None, Some(value), None) => value.to_str().ok()?.parse::<Authority>().ok()?,
        (Some(authority), Some(value), None) if value.as_bytes() == authority.as_str().as_bytes() => authority.clone(),
        _ => return None,
    };
    if authority.as_str().contains('@') {
        return None;
    }
    let host = authority.host();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    Some(host.to_ascii_lowercase())
}

/// Turns a panic into an answer, so that one request is lost and nothing else.
pub(super) async fn catch_panics(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match unless_panicked(next.run(request)).await {
        Ok(response) => response,
        Err(error) => {
            state.metrics.panics.inc();
            error.into_response()
        }
    }
}

async fn unless_panicked<T>(run: impl Future<Output = T>) -> Result<T, Error> {
    AssertUnwindSafe(run).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Error::internal(format!(
            "a panic: {}",
            text.unwrap_or_else(|| "of an unknown kind".to_owned())
        ))
    })
}

/// Nothing that the console API answers may be kept by anybody on the way.
pub(super) async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Gives up on a call that does not begin to answer.
pub(super) async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(DEADLINE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("the call took longer than {} s", DEADLINE.as_secs());
            Error::new(Reason::Timeout, message).into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(host: &[&'static str], uri: &str) -> Request {
        let mut builder = http::Request::builder().uri(uri);
        for host in host {
            builder = builder.header(header::HOST, *host);
        }
        builder.body(Body::empty()).unwrap()
    }

    #[test]
    fn a_host_is_read_without_port_brackets_and_case() {
        for (given, host_name) in [
            ("Hub.Example:8443", "hub.example"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]:8080", "::1"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(host(&request(&[given], "/")).as_deref(), Some(host_name), "{given}");
        }
    }

    #[tokio::test]
    async fn a_panic_is_our_own_fault_and_tells_the_caller_nothing() {
        async fn panics(number: u32) -> u32 {
            assert_eq!(number, 0, "the password is hunter{number}");
            number
        }
        assert_eq!(unless_panicked(panics(0)).await.unwrap(), 0);
        let error = unless_panicked(panics(2)).await.unwrap_err();
        assert_eq!(error.reason(), "InternalError");
        assert!(!error.to_string().contains("hunter2") && chain(&error).contains("hunter2"));
    }

    #[test]
    fn no_host_and_two_hosts_are_no_host() {
        assert_eq!(host(&request(&[], "/")), None);
        assert_eq!(host(&request(&["a", "b"], "/")), None);
        assert_eq!(host(&request(&["a"], "https://b/")), None);
        assert_eq!(host(&request(&["user@a"], "/")), None);
        assert_eq!(host(&request(&["a"], "https://a/")).as_deref(), Some("a"));
    }
}
