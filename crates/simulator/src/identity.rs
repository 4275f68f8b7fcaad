//! Who asks: the bearer token of the member's administrator, and whom they act as.
//!
//! A member has one credential. Everybody else reaches it as the hub lets them: by `Impersonate-*` headers, which this
//! administrator may use without limit.

use std::collections::BTreeMap;
use std::sync::Arc;

use atoll_kubeapi::{RequestContext, Status};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HeaderMap};
use http::{HeaderName, StatusCode};

use crate::access::MASTERS;

/// What a member's administrator is called.
const ADMINISTRATOR: &str = "kubernetes-admin";
const AUTHENTICATED: &str = "system:authenticated";
/// What everybody may see, signed in or not, as `system:public-info-viewer` allows on real clusters.
const PUBLIC: [&str; 4] = ["/healthz", "/livez", "/readyz", "/version"];

/// The credential of a member.
pub(crate) struct Credential {
    token: String,
}

impl Credential {
    /// One that nobody else has.
    pub(crate) fn random() -> Self {
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        Self { token }
    }

    /// The bearer token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Who asks, by the headers of a request.
    fn identify(&self, path: &str, headers: &HeaderMap) -> Result<RequestContext, Status> {
        let unauthorized = || Status::unauthorized("Unauthorized");
        let Some(given) = headers.get(AUTHORIZATION) else {
            let is_public = PUBLIC
                .iter()
                .any(|one| path == *one || path.strip_prefix(one).is_some_and(|rest| rest.starts_with('/')));
            return if is_public {
                Ok(anonymous())
            } else {
                Err(unauthorized())
            };
        };
        let token = given
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "))
            .ok_or_else(unauthorized)?;
        aws_lc_rs::constant_time::verify_slices_are_equal(token.trim().as_bytes(), self.token.as_bytes())
            .map_err(|_| unauthorized())?;
        let administrator = RequestContext {
            user: ADMINISTRATOR.into(),
            groups: vec![MASTERS.into(), AUTHENTICATED.into()],
            ..RequestContext::default()
        };
        Ok(impersonated(headers)?.unwrap_or(administrator))
    }
}

fn anonymous() -> RequestContext {
    RequestContext {
        user: "system:anonymous".into(),
        groups: vec!["system:unauthenticated".into()],
        ..RequestContext::default()
    }
}

/// The user that the headers say to act as, if they do.
fn impersonated(headers: &HeaderMap) -> Result<Option<RequestContext>, Status> {
    let all = |name: &str| -> Vec<String> {
        headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect()
    };
    let user = all("impersonate-user").into_iter().next().unwrap_or_default();
    let mut groups = all("impersonate-group");
    let uid = all("impersonate-uid").into_iter().next().unwrap_or_default();
    let extra = extra(headers);
    if user.is_empty() {
        if groups.is_empty() && uid.is_empty() && extra.is_empty() {
            return Ok(None);
        }
        // An API server says so with this code.
        let message = "Internal error occurred: requested groups, uid or extra without impersonating a user";
        return Err(Status::failure(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalError",
            message,
        ));
    }
    let every = if user == "system:anonymous" {
        "system:unauthenticated"
    } else {
        AUTHENTICATED
    };
    if !groups.iter().any(|group| group == every) {
        groups.push(every.into());
    }
    Ok(Some(RequestContext {
        user,
        uid,
        groups,
        extra,
        ..RequestContext::default()
    }))
}

fn extra(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let mut extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in headers {
        if let Some(key) = HeaderName::as_str(name).strip_prefix("impersonate-extra-") {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            extra.entry(decode(key).to_ascii_lowercase()).or_default().push(value);
        }
    }
    extra
}

/// `%2F` and the like in the keys of extra headers, which cannot hold every character.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Puts who asks into each request, or answers 401.
pub(crate) async fn layer(State(credential): State<Arc<Credential>>, mut request: Request, next: Next) -> Response {
    match credential.identify(request.uri().path(), request.headers()) {
        Ok(context) => {
            request.extensions_mut().insert(context);
            next.run(request).await
        }
        Err(status) => status.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_the_token_signs_in_and_only_health_is_public() {
        let credential = Credential::random();
        let bearer = format!("Bearer {}", credential.token());
        let code = |path: &str, pairs: &[(&str, &str)]| {
            credential
                .identify(path, &headers(pairs))
                .map_or_else(|status| status.code, |_| 200)
        };
        assert_eq!(code("/api/v1/pods", &[("authorization", &bearer)]), 200);
        assert_eq!(code("/api/v1/pods", &[]), 401);
        assert_eq!(code("/healthz", &[]), 200);
        assert_eq!(code("/healthzz", &[]), 401);
        assert_eq!(
            code("/healthz", &[("authorization", "Bearer wrong")]),
            401,
            "a wrong credential is not the same as none"
        );
        assert_eq!(code("/api/v1/pods", &[("authorization", "Basic YTpi")]), 401);
    }

    #[test]
    fn an_impersonated_user_has_the_stated_groups_and_no_others() {
        let context = impersonated(&headers(&[
            ("impersonate-user", "atoll:ann"),
            ("impersonate-group", "staff"),
            ("impersonate-extra-example.com%2fteam", "Blue"),
        ]))
        .unwrap()
        .unwrap();
        assert_eq!(context.user, "atoll:ann");
        assert_eq!(context.groups, ["staff", "system:authenticated"]);
        assert_eq!(context.extra["example.com/team"], ["Blue"]);
        assert_eq!(
            impersonated(&headers(&[("impersonate-group", "staff")]))
                .unwrap_err()
                .code,
            500
        );
        assert!(impersonated(&HeaderMap::new()).unwrap().is_none());
    }
}
