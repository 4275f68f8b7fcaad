//! Requests as a member gets them: its address, its path in front, and the stored credential, set last.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt as _, Empty, Full};
use secrecy::ExposeSecret as _;

use crate::connection::{Connection, ConnectionError, Credential};
use crate::forward::{BoxError, RequestBody};
use crate::identity::{Identity, IdentityError};
use crate::request::{OwnError, OwnRequest};
use crate::scrub::Scrub;

/// What the hub calls itself.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("atoll/", env!("CARGO_PKG_VERSION")));

/// What each request to one member has in common.
#[derive(Clone)]
pub(crate) struct Origin {
    authority: Authority,
    host: HeaderValue,
    base: String,
    authorization: Option<HeaderValue>,
    pub(crate) scrub: Scrub,
}

/// The path is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path cannot be sent")]
pub(crate) struct InvalidPath;

impl Origin {
    pub(crate) fn new(connection: &Connection) -> Result<Self, ConnectionError> {
        let authority = connection.endpoint.authority();
        let authorization = match &connection.credential {
            Credential::Token(token) => {
                let text = format!("Bearer {}", token.expose_secret());
                let mut value = HeaderValue::try_from(text).map_err(|_| ConnectionError::Token)?;
                value.set_sensitive(true);
                Some(value)
            }
            Credential::ClientCertificate { .. } => None,
        };
        Ok(Self {
            host: HeaderValue::try_from(authority.as_str()).map_err(|_| ConnectionError::TlsServerName)?,
            authority: Authority::try_from(authority).map_err(|_| ConnectionError::TlsServerName)?,
            base: connection.endpoint.base_path().to_owned(),
            authorization,
            scrub: Scrub::new(&connection.credential),
        })
    }

    /// The same, quoting nothing of what is not Kubernetes'.
    pub(crate) fn without_quotes(self) -> Self {
        Self {
            scrub: self.scrub.without_quotes(),
            ..self
        }
    }

    /// A request as somebody.
    pub(crate) fn request_as(
        &self,
        identity: &Identity,
        method: Method,
        path: &str,
        query: Option<&str>,
        mut headers: HeaderMap,
        body: RequestBody,
    ) -> Result<Request<RequestBody>, RequestError> {
        self.sign(&mut headers);
        identity.write(&mut headers)?;
        Ok(assemble(method, self.uri(path, query)?, headers, body))
    }

    /// A request as the stored credential.
    pub(crate) fn own_request(&self, request: OwnRequest) -> Result<Request<RequestBody>, OwnError> {
        let (path, query) = match request.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (request.path.as_str(), None),
        };
        let uri = self
            .uri(path, query)
            .map_err(|error| OwnError::Broken(error.to_string()))?;
        let mut headers = HeaderMap::with_capacity(6);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(header::USER_AGENT, USER_AGENT);
        let body = match request.body {
            Some(value) => {
                let kind = request.content_type.unwrap_or("application/json");
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
                full(value.to_string().into())
            }
            None => empty(),
        };
        self.sign(&mut headers);
        Ok(assemble(request.method, uri, headers, body))
    }

    fn sign(&self, headers: &mut HeaderMap) {
        headers.insert(header::HOST, self.host.clone());
        headers.remove(header::AUTHORIZATION);
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
    }

    fn uri(&self, path: &str, query: Option<&str>) -> Result<Uri, InvalidPath> {
        if !path.starts_with('/') || path.contains(['?', '#']) || query.is_some_and(|query| query.contains('#')) {
            return Err(InvalidPath);
        }
        let mut text = format!("{}{path}", self.base);
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(text).map_err(|_| InvalidPath)?);
        Uri::from_parts(parts).map_err(|_| InvalidPath)
    }
}

/// Why a request cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    /// The path is none.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The person cannot be carried.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

fn assemble(method: Method, uri: Uri, headers: HeaderMap, body: RequestBody) -> Request<RequestBody> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

/// No body.
pub(crate) fn empty() -> RequestBody {
    Empty::new()
        .map_err(|never| -> BoxError { match never {} })
        .boxed_unsync()
}

fn full(bytes: Bytes) -> RequestBody {
    Full::new(bytes)
        .map_err(|never| -> BoxError { match never {} })
        .boxed_unsync()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::Endpoint;

    fn origin(url: &str) -> Origin {
        let credential = Credential::Token("canary-token-1".to_owned().into());
        let connection = Connection::new(Endpoint::parse(url).unwrap(), None, None, credential).unwrap();
        Origin::new(&connection).unwrap()
    }

    #[test]
    fn the_path_of_the_endpoint_stands_in_front() {
        let request = origin("https://gw.example.com/k8s/c-1/").own_request(OwnRequest::get("/api/v1/pods?limit=1"));
        let request = request.unwrap();
        assert_eq!(
            request.uri().to_string(),
            "https://gw.example.com/k8s/c-1/api/v1/pods?limit=1"
        );
        assert_eq!(request.headers()[header::HOST], "gw.example.com");
        assert_eq!(request.headers()[header::AUTHORIZATION], "Bearer canary-token-1");
    }

    #[test]
    fn a_path_that_could_lead_elsewhere_is_not_sent() {
        for path in ["", "api", "@evil.example/api", "/a#b", "/a b", "/a\r\nx: y"] {
            let refused = origin("https://10.0.0.1:6443").own_request(OwnRequest::get(path));
            assert!(matches!(refused, Err(OwnError::Broken(_))), "{path:?}");
        }
        let uri = origin("https://10.0.0.1:6443").uri("//evil.example/api", None).unwrap();
        assert_eq!(uri.host(), Some("10.0.0.1"));
    }

    #[test]
    fn the_credential_does_not_print() {
        let request = origin("https://10.0.0.1:6443")
            .own_request(OwnRequest::get("/api"))
            .unwrap();
        assert!(!format!("{request:?}").contains("canary"), "{request:?}");
    }
}
