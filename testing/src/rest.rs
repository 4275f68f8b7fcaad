//! A client of JSON over plain HTTP on loopback, which keeps what was answered
//! as it was: tests look at statuses and bodies, not at somebody's types.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context, Result, bail};
use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

/// Longer than any deadline of the hub's own.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one server, signed in or not.
#[derive(Clone, Debug)]
pub struct Rest {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as text.
    pub text: String,
}

impl Rest {
    /// A client of the server at `http://HOST:PORT`, without credentials.
    pub fn new(base: impl Into<String>) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: base.into(),
            token: None,
        }
    }

    /// The same client with a bearer token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same client at another address of this machine, which is another
    /// machine to a server that looks at where requests come from.
    #[must_use]
    pub fn from(&self, source: Ipv4Addr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(source.into()));
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            ..self.clone()
        }
    }

    /// The token that [`Rest::with_token`] was given.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None, &[]).await
    }

    /// POST of a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body), &[]).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// Any request, with headers that win over the usual ones.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&'static str, &str)],
    ) -> Result<Answer> {
        let what = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(value) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(serde_json::to_vec(&value)?)
            }
            None => Bytes::new(),
        };
        let mut request = request.body(Full::new(body)).with_context(|| what.clone())?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse()?);
        }
        timeout(PATIENCE, self.exchange(request))
            .await
            .with_context(|| format!("{what} is not answered"))?
            .with_context(|| what)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let response = self.client.request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}

impl Answer {
    /// The body of an answer with this status; any other fails with its text.
    pub fn body(&self, expected: StatusCode) -> Result<Value> {
        if self.status != expected {
            bail!("{} instead of {expected}: {}", self.status, self.text);
        }
        self.json()
    }

    /// The body as JSON; null when it is empty.
    pub fn json(&self) -> Result<Value> {
        if self.text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&self.text).with_context(|| format!("not JSON: {}", self.text))
    }

    /// The values of a body of one JSON document per line.
    pub fn lines(&self) -> Result<Vec<Value>> {
        self.text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).with_context(|| format!("not JSON: {line}")))
            .collect()
    }
}
