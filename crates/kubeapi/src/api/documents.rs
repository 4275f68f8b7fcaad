//! Documents: version, discovery, OpenAPI.

use std::sync::Arc;

use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderValue};
use serde_json::{Value, json};

use super::{Api, answer};
use crate::backend::Backend;
use crate::request::{Target, accept, header_text};
use crate::{discovery, openapi};

impl<B: Backend> Api<B> {
    pub(super) fn document(&self, target: &Target, request: &Request) -> Option<Response> {
        let mut catalog = self.backend.catalog();
        let is_kubefedctl = discovery::is_kubefedctl(header_text(request.headers(), &header::USER_AGENT));
        let is_discovery = matches!(
            target,
            Target::Groups { .. } | Target::Group(_) | Target::GroupVersion(..)
        );
        if is_discovery && is_kubefedctl {
            catalog = Arc::new(catalog.without_other_groups());
        }
        let value = match target {
            Target::Version => self.version(),
            Target::Groups { core } if discovery::wants_aggregated(&accept(request)) => {
                let mut response = axum::Json(discovery::aggregated(&catalog, *core)).into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(discovery::AGGREGATED));
                headers.insert(header::VARY, HeaderValue::from_static("Accept, User-Agent"));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
                return Some(response);
            }
            Target::Groups { core: true } => discovery::versions(&catalog),
            Target::Groups { core: false } => discovery::group_list(&catalog),
            Target::Group(group) => discovery::group(&catalog, group)?,
            Target::GroupVersion(group, version) => discovery::resource_list(&catalog, group, version)?,
            Target::OpenApiV2 => {
                // Clients ask for `v2@v1.0`, which is no media type that they could read in an answer.
                let content_type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
                let document = if is_kubefedctl {
                    openapi::v2::kinds(&catalog)
                } else {
                    openapi::v2::empty()
                };
                let headers = [(header::CONTENT_TYPE, content_type), (header::VARY, "User-Agent")];
                return Some((headers, document).into_response());
            }
            Target::OpenApiV3 => openapi::root(&catalog, &self.options.title, prefix(request)),
            Target::OpenApiV3Of(group, version) => return self.openapi(group, version, request),
            Target::Resource(_) => return None,
        };
        let mut response = answer(StatusCode::OK, &value, &[]);
        response
            .headers_mut()
            .insert(header::VARY, HeaderValue::from_static("Accept, User-Agent"));
        Some(response)
    }

    /// One group version's OpenAPI document. It is named by its hash, so a client that asks with the hash may keep it.
    fn openapi(&self, group: &str, version: &str, request: &Request) -> Option<Response> {
        let catalog = self.backend.catalog();
        let document = openapi::document(&catalog, &self.options.title, group, version)?;
        let tag = format!("\"{}\"", document.hash);
        let known = header_text(request.headers(), &header::IF_NONE_MATCH) == tag;
        let mut response = if known {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            ([(header::CONTENT_TYPE, "application/json")], document.json.clone()).into_response()
        };
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        let asked_by_hash = request
            .uri()
            .query()
            .is_some_and(|query| query == format!("hash={}", document.hash));
        let keep = if asked_by_hash {
            "private, max-age=31536000, immutable"
        } else {
            "no-cache, private"
        };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
        Some(response)
    }

    fn version(&self) -> Value {
        let mut numbers = self.options.git_version.trim_start_matches('v').split('.');
        let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
        json!({"major": major, "minor": minor, "gitVersion": self.options.git_version, "gitCommit": "", "gitTreeState": "clean",
            "buildDate": "", "goVersion": "", "compiler": "rustc", "platform": platform})
    }
}

/// Where the API is mounted: what the original path has before the one that was routed.
fn prefix(request: &Request) -> &str {
    let path = request.uri().path();
    let original = request
        .extensions()
        .get::<OriginalUri>()
        .map_or(path, |original| original.0.path());
    original.strip_suffix(path).unwrap_or_default().trim_end_matches('/')
}
