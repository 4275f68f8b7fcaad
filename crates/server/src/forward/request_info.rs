//! What a forwarded request asks for, read from its raw path and query.
//!
//! Parse once, send what was parsed: each segment is decoded a single time, judged, and sent re-encoded, so that the
//! member cannot understand a path differently from the hub. Only what follows `/proxy/` of a subresource is passed
//! on as it came, because it is another program's path; it goes through the same checks.
//! The meaning of the segments follows `RequestInfoFactory` of the Kubernetes API server.

use std::borrow::Cow;

use atoll_clusters::ForwardClass;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is in a path segment: unreserved characters and those that Kubernetes itself uses in names.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'$')
    .remove(b'!')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=');

/// Longest path and query that are looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// Query keys that change what a request does: given twice, the hub and the member might read different ones.
const CONTROL_KEYS: [&str; 8] = [
    "watch",
    "follow",
    "dryRun",
    "timeoutSeconds",
    "fieldSelector",
    "resourceVersion",
    "sendInitialEvents",
    "force",
];

/// Why a path or query is not forwarded.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// The first segment is no name that a cluster can have.
    #[error("the path names no cluster")]
    NoCluster,
    /// A segment that could be understood in two ways.
    #[error(
        "the path has a segment that is empty, a dot segment, or holds a slash, a backslash or a control character"
    )]
    Segment,
    /// Not percent-encoded UTF-8.
    #[error("the path is not percent-encoded UTF-8")]
    Encoding,
    /// Path and query are longer than 16 KiB.
    #[error("path and query are longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// A control key given twice.
    #[error("the query parameter {0} is given more than once")]
    Repeated(&'static str),
}

/// A judged request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// Name of the member.
    pub cluster: String,
    /// Path on the member, re-encoded, with a leading slash.
    pub path: String,
    /// Query as it came, without the question mark.
    pub query: Option<String>,
    /// The Kubernetes verb: get, list, watch, create, update, patch, delete, deletecollection; or the lower-case
    /// method for what is no resource.
    pub verb: String,
    /// Whether the path names a resource (`/api/v1/…` or `/apis/{group}/{version}/…`).
    pub is_resource: bool,
    /// API group; empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Namespace; empty for none.
    pub namespace: String,
    /// Plural resource; empty for none.
    pub resource: String,
    /// Subresource, such as `log`; empty for none.
    pub subresource: String,
    /// Object name; empty for a collection.
    pub name: String,
    /// Whether it ends by itself soon.
    pub class: ForwardClass,
}

impl RequestInfo {
    /// Judges `raw_path`, which follows `/k8s/clusters/`, and `raw_query`.
    ///
    /// # Errors
    /// [`Refused`] when hub and member could understand the path differently.
    pub fn parse(method: &Method, raw_path: &str, raw_query: Option<&str>, upgrade: bool) -> Result<Self, Refused> {
        if raw_path.len() + raw_query.map_or(0, str::len) > MAX_LENGTH {
            return Err(Refused::TooLong);
        }
        let (cluster, rest) = raw_path.split_once('/').unwrap_or((raw_path, ""));
        if atoll_federation::ClusterName::parse(cluster).is_err() {
            return Err(Refused::NoCluster);
        }
        let segments = decode_segments(rest)?;
        let query = Query::read(raw_query.unwrap_or_default())?;
        let mut info = Self {
            cluster: cluster.to_owned(),
            path: String::new(),
            query: raw_query.map(str::to_owned),
            verb: method.as_str().to_ascii_lowercase(),
            is_resource: false,
            group: String::new(),
            version: String::new(),
            namespace: String::new(),
            resource: String::new(),
            subresource: String::new(),
            name: String::new(),
            class: ForwardClass::Short,
        };
        let own = info.read_segments(method, &segments, &query);
        info.path = encode(rest, &segments, own);
        info.class = if upgrade {
            ForwardClass::Upgrade
        } else if query.watch
            || query.follow
            || matches!(info.verb.as_str(), "watch" | "proxy")
            || info.subresource == "proxy"
        {
            ForwardClass::Long
        } else {
            ForwardClass::Short
        };
        Ok(info)
    }

    /// Fills in what the segments say. Answers how many of them are this API's: all, but for what follows `/proxy/`.
    fn read_segments(&mut self, method: &Method, segments: &[Cow<'_, str>], query: &Query) -> usize {
        let mut own = segments.len();
        let segments: Vec<&str> = segments
            .iter()
            .map(AsRef::as_ref)
            .filter(|segment| !segment.is_empty())
            .collect();
        let count = segments.len();
        let rest = match segments.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => {
                (*version).clone_into(&mut self.version);
                rest
            }
            ["apis", group, version, rest @ ..] if !rest.is_empty() => {
                (*group).clone_into(&mut self.group);
                (*version).clone_into(&mut self.version);
                rest
            }
            _ => return own,
        };
        self.is_resource = true;
        // Prefixes from the first releases, which say what is done whatever the method.
        let (prefix, rest) = match rest {
            [prefix @ ("watch" | "proxy"), rest @ ..] if !rest.is_empty() => (Some(*prefix), rest),
            rest => (None, rest),
        };
        let rest = match rest {
            ["namespaces", namespace, resource, ..] if !matches!(*resource, "status" | "finalize") => {
                (*namespace).clone_into(&mut self.namespace);
                &rest[2..]
            }
            ["namespaces", namespace, ..] => {
                (*namespace).clone_into(&mut self.namespace);
                rest
            }
            rest => rest,
        };
        if let [resource, rest @ ..] = rest {
            (*resource).clone_into(&mut self.resource);
            if let [name, rest @ ..] = rest {
                (*name).clone_into(&mut self.name);
                if let ([subresource, ..], None | Some("watch")) = (rest, prefix) {
                    (*subresource).clone_into(&mut self.subresource);
                    if *subresource == "proxy" {
                        own = count - rest.len() + 1;
                    }
                }
            }
        }
        let single = !self.name.is_empty();
        self.verb = match (prefix, method) {
            (Some(verb), _) => verb,
            (None, &Method::POST) => "create",
            (None, &Method::PUT) => "update",
            (None, &Method::PATCH) => "patch",
            (None, &Method::DELETE) if single => "delete",
            (None, &Method::DELETE) => "deletecollection",
            (None, _) if query.watch && !single => "watch",
            // A shell is more than a read, whatever the method of the handshake.
            (None, _) if matches!(self.subresource.as_str(), "exec" | "attach" | "portforward") => "create",
            (None, _) if single => "get",
            (None, _) => "list",
        }
        .to_owned();
        // A list of one is about that one.
        let listed = prefix.is_none() && !single && matches!(self.verb.as_str(), "list" | "watch");
        if listed && let Some(name) = &query.field_name {
            self.name.clone_from(name);
        }
        own
    }
}

/// The path that is sent: judged segments re-encoded, and the tail of a `/proxy/` as it came.
fn encode(raw: &str, segments: &[Cow<'_, str>], own: usize) -> String {
    let mut path = String::with_capacity(raw.len() + 1);
    for segment in &segments[..own] {
        path.push('/');
        path.extend(utf8_percent_encode(segment, SEGMENT));
    }
    if own < segments.len() {
        let tail = raw.splitn(own + 1, '/').nth(own).unwrap_or_default();
        path.push('/');
        path.push_str(tail);
    }
    if path.is_empty() { "/".into() } else { path }
}

/// The name that stands where the cluster's does, if it can be told what it says. `None` for a segment that could be
/// understood in two ways, which is refused rather than looked up.
pub fn cluster_segment(raw_path: &str) -> Option<String> {
    let segment = raw_path.split('/').next().unwrap_or_default();
    let decoded = percent_decode_str(segment).decode_utf8().ok()?;
    (!decoded.is_empty() && !is_odd(&decoded)).then(|| decoded.into_owned())
}

/// Whether a decoded segment is more, or something else, than a name.
fn is_odd(segment: &str) -> bool {
    matches!(segment, "." | "..")
        || segment
            .chars()
            .any(|character| matches!(character, '/' | '\\') || character.is_control())
}

/// Decodes each segment once. One empty segment at the end, a trailing slash, is allowed.
fn decode_segments(raw: &str) -> Result<Vec<Cow<'_, str>>, Refused> {
    if raw.is_empty() {
        return Ok(Vec::new());
    }
    let count = raw.split('/').count();
    raw.split('/')
        .enumerate()
        .map(|(index, segment)| {
            let decoded = percent_decode_str(segment)
                .decode_utf8()
                .map_err(|_| Refused::Encoding)?;
            let hollow = decoded.is_empty() && index + 1 < count;
            if hollow || is_odd(&decoded) {
                return Err(Refused::Segment);
            }
            Ok(decoded)
        })
        .collect()
}

/// The query keys that change what a request is.
#[derive(Default)]
struct Query {
    watch: bool,
    follow: bool,
    field_name: Option<String>,
}

impl Query {
    fn read(raw: &str) -> Result<Self, Refused> {
        let mut query = Self::default();
        let mut seen = [false; CONTROL_KEYS.len()];
        for (key, value) in url::form_urlencoded::parse(raw.as_bytes()) {
            if let Some(index) = CONTROL_KEYS.iter().position(|control| *control == key) {
                if seen[index] {
                    return Err(Refused::Repeated(CONTROL_KEYS[index]));
                }
                seen[index] = true;
            }
            match key.as_ref() {
                "watch" => query.watch = is_true(&value),
                "follow" => query.follow = is_true(&value),
                "fieldSelector" => query.field_name = value.strip_prefix("metadata.name=").map(str::to_owned),
                _ => {}
            }
        }
        Ok(query)
    }
}

/// Booleans in queries, as the Kubernetes API server reads them: anything but `false` and `0` means true.
fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "false" | "0")
}

#[cfg(test)]
#[path = "request_info_tests.rs"]
mod tests;
