//! What a request to the API asks for: its path and its query.

use axum::extract::Request;
use http::header::{self, HeaderMap};
use percent_encoding::percent_decode_str;

use crate::status::Status;

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `/version`.
    Version,
    /// `/api` or `/apis`.
    Groups {
        /// `/api`.
        core: bool,
    },
    /// `/apis/{group}`.
    Group(String),
    /// `/api/v1` or `/apis/{group}/{version}`.
    GroupVersion(String, String),
    /// `/openapi/v2`.
    OpenApiV2,
    /// `/openapi/v3`.
    OpenApiV3,
    /// `/openapi/v3/api/v1` or `/openapi/v3/apis/{group}/{version}`.
    OpenApiV3Of(String, String),
    /// A collection or an object.
    Resource(ResourcePath),
}

/// The path of a collection or an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourcePath {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Namespace; empty for none.
    pub namespace: String,
    /// Plural.
    pub resource: String,
    /// Name; empty for a collection.
    pub name: String,
    /// Subresource; empty for none.
    pub subresource: String,
}

impl Target {
    /// Reads a raw path. `None` for what is no path of an API.
    pub fn parse(raw: &str) -> Option<Self> {
        let segments = raw
            .strip_prefix('/')?
            .trim_end_matches('/')
            .split('/')
            .map(|segment| {
                percent_decode_str(segment)
                    .decode_utf8()
                    .ok()
                    .map(|text| text.into_owned())
            })
            .collect::<Option<Vec<String>>>()?;
        if segments
            .iter()
            .any(|segment| matches!(segment.as_str(), "" | "." | "..") || segment.contains(['/', '\0']))
        {
            return None;
        }
        let borrowed: Vec<&str> = segments.iter().map(String::as_str).collect();
        match borrowed.as_slice() {
            ["version"] => Some(Self::Version),
            ["api"] => Some(Self::Groups { core: true }),
            ["apis"] => Some(Self::Groups { core: false }),
            ["api", version] => Some(Self::GroupVersion(String::new(), (*version).into())),
            ["apis", group] => Some(Self::Group((*group).into())),
            ["apis", group, version] => Some(Self::GroupVersion((*group).into(), (*version).into())),
            ["openapi", "v2"] => Some(Self::OpenApiV2),
            ["openapi", "v3"] => Some(Self::OpenApiV3),
            ["openapi", "v3", "api", version] => Some(Self::OpenApiV3Of(String::new(), (*version).into())),
            ["openapi", "v3", "apis", group, version] => Some(Self::OpenApiV3Of((*group).into(), (*version).into())),
            ["api", version, rest @ ..] => ResourcePath::parse("", version, rest).map(Self::Resource),
            ["apis", group, version, rest @ ..] => ResourcePath::parse(group, version, rest).map(Self::Resource),
            _ => None,
        }
    }
}

impl ResourcePath {
    fn parse(group: &str, version: &str, rest: &[&str]) -> Option<Self> {
        let (namespace, rest) = match rest {
            // The namespaces themselves, and their subresources.
            ["namespaces"] | ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, rest @ ..] => (*namespace, rest),
            rest => ("", rest),
        };
        let mut path = Self {
            group: group.into(),
            version: version.into(),
            namespace: namespace.into(),
            ..Self::default()
        };
        match rest {
            [resource] => path.resource = (*resource).into(),
            [resource, name] => (path.resource, path.name) = ((*resource).into(), (*name).into()),
            [resource, name, subresource, ..] => {
                (path.resource, path.name, path.subresource) =
                    ((*resource).into(), (*name).into(), (*subresource).into());
            }
            [] => return None,
        }
        Some(path)
    }
}

/// The query of a request to a collection or an object.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// `watch`.
    pub watch: bool,
    /// `labelSelector`.
    pub label_selector: String,
    /// `fieldSelector`.
    pub field_selector: String,
    /// `resourceVersion`, if it is given and not empty.
    pub resource_version: Option<u64>,
    /// `limit`; 0 for none.
    pub limit: usize,
    /// `continue`.
    pub continue_token: String,
    /// `timeoutSeconds`.
    pub timeout_seconds: Option<u64>,
    /// `allowWatchBookmarks`.
    pub bookmarks: bool,
    /// `sendInitialEvents`, if it is given.
    pub send_initial_events: Option<bool>,
    /// `resourceVersionMatch=Exact`.
    pub exact: bool,
    /// `dryRun=All`.
    pub dry_run: bool,
    /// `fieldManager`.
    pub field_manager: Option<String>,
    /// `fieldValidation`.
    pub field_validation: FieldValidation,
    /// `force`.
    pub force: bool,
    /// `includeObject`.
    pub include_object: IncludeObject,
}

/// What happens to fields that a kind does not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// The request is refused.
    Strict,
    /// The caller is warned.
    #[default]
    Warn,
    /// Nothing.
    Ignore,
}

/// What a row of a table carries of its object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl Query {
    /// Reads a raw query.
    ///
    /// # Errors
    /// 400 for a value that a parameter cannot have.
    pub fn parse(raw: &str) -> Result<Self, Status> {
        let mut query = Self::default();
        for (key, value) in form_pairs(raw) {
            let bad = || Status::bad_request(format!("invalid value {value:?} of the query parameter {key}"));
            match key.as_str() {
                "watch" => query.watch = is_true(&value),
                "labelSelector" => query.label_selector = value,
                "fieldSelector" => query.field_selector = value,
                "resourceVersion" if !value.is_empty() => {
                    query.resource_version = Some(value.parse().map_err(|_| bad())?)
                }
                "limit" if !value.is_empty() => query.limit = value.parse().map_err(|_| bad())?,
                "continue" => query.continue_token = value,
                "timeoutSeconds" if !value.is_empty() => {
                    query.timeout_seconds = Some(value.parse().map_err(|_| bad())?)
                }
                "allowWatchBookmarks" => query.bookmarks = is_true(&value),
                "sendInitialEvents" => query.send_initial_events = Some(is_true(&value)),
                "resourceVersionMatch" => match value.as_str() {
                    "Exact" => query.exact = true,
                    "NotOlderThan" | "" => {}
                    _ => return Err(bad()),
                },
                "dryRun" => match value.as_str() {
                    "All" => query.dry_run = true,
                    "" => {}
                    _ => return Err(bad()),
                },
                "fieldManager" if value.len() <= 128 => query.field_manager = Some(value),
                "fieldManager" => return Err(bad()),
                "fieldValidation" => {
                    query.field_validation = match value.as_str() {
                        "Strict" => FieldValidation::Strict,
                        "Warn" | "" => FieldValidation::Warn,
                        "Ignore" => FieldValidation::Ignore,
                        _ => return Err(bad()),
                    }
                }
                "force" => query.force = is_true(&value),
                "includeObject" => {
                    query.include_object = match value.as_str() {
                        "None" => IncludeObject::None,
                        "Metadata" | "" => IncludeObject::Metadata,
                        "Object" => IncludeObject::Object,
                        _ => return Err(bad()),
                    }
                }
                _ => {}
            }
        }
        Ok(query)
    }
}

fn form_pairs(raw: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

fn is_true(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "false" | "0")
}

/// The content type of a body, without parameters.
pub fn content_type(headers: &HeaderMap) -> &str {
    header_text(headers, &header::CONTENT_TYPE)
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}

/// Who writes, when the query does not say: the program's name from `User-Agent`.
pub fn default_manager(headers: &HeaderMap) -> String {
    let agent = header_text(headers, &header::USER_AGENT);
    let name: String = agent.split('/').next().unwrap_or_default().chars().take(128).collect();
    if name.is_empty() { "unknown".into() } else { name }
}

/// A header as text; empty when it is missing or is no text.
pub fn header_text<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// All that a client accepts, as one list.
pub fn accept(request: &Request) -> String {
    let values: Vec<&str> = request
        .headers()
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_kubernetes_says() {
        let resource = |group: &str, version: &str, namespace: &str, resource: &str, name: &str, subresource: &str| {
            Some(Target::Resource(ResourcePath {
                group: group.into(),
                version: version.into(),
                namespace: namespace.into(),
                resource: resource.into(),
                name: name.into(),
                subresource: subresource.into(),
            }))
        };
        assert_eq!(
            Target::parse("/api/v1/namespaces"),
            resource("", "v1", "", "namespaces", "", "")
        );
        assert_eq!(
            Target::parse("/api/v1/namespaces/a"),
            resource("", "v1", "", "namespaces", "a", "")
        );
        assert_eq!(
            Target::parse("/api/v1/namespaces/a/status"),
            resource("", "v1", "", "namespaces", "a", "status")
        );
        assert_eq!(
            Target::parse("/api/v1/namespaces/a/pods"),
            resource("", "v1", "a", "pods", "", "")
        );
        assert_eq!(
            Target::parse("/apis/apps/v1/namespaces/a/deployments/b/scale"),
            resource("apps", "v1", "a", "deployments", "b", "scale")
        );
        assert_eq!(
            Target::parse("/openapi/v3/apis/apps/v1"),
            Some(Target::OpenApiV3Of("apps".into(), "v1".into()))
        );
        assert_eq!(Target::parse("/healthz"), None);
    }

    #[test]
    fn a_bad_value_names_its_parameter() {
        for raw in ["limit=x", "resourceVersion=abc", "dryRun=Some", "fieldValidation=Maybe"] {
            let status = Query::parse(raw).unwrap_err();
            assert!(
                status.message.contains(raw.split('=').next().unwrap()),
                "{}",
                status.message
            );
        }
        let query = Query::parse("labelSelector=a%3Db%2Cc&watch=1&resourceVersion=").unwrap();
        assert_eq!(
            (query.label_selector.as_str(), query.watch, query.resource_version),
            ("a=b,c", true, None)
        );
    }
}
