//! The console's files, embedded in the binary.
//!
//! Files below `/assets/` carry a hash in their name and may be kept for ever; a missing one is a 404, never the page,
//! or a browser would cache HTML as script. Every other unknown path gets `index.html`, because the console routes by
//! path. That page is made new each time: it and its content security policy carry one nonce, used once.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use rust_embed::RustEmbed;

use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Files;

const PAGE: &str = "index.html";
/// What machines ask for at other programs' roots: a page in answer would look like success.
const NO_PAGES: [&str; 6] = ["apis", "debug", "metrics", "openapi", "swagger", "version"];
const NONCE: &str = "__CSP_NONCE__";

/// Shown instead of the console by a binary that was built without it.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Atoll</title>\
<h1>The console is not part of this build</h1>\
<p>Run <code>make console</code> and build again. The APIs work without it: see <code>/api/v1</code> and <code>/k8s/hub</code>.</p></html>";

/// Policy of every answer that is not the console's page.
const POLICY: &str =
    "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers that every answer carries, page, API and errors alike.
pub const SECURITY_HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Answers a request for anything that no API owns.
pub async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Error::method_not_allowed(request.method()).into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if path != PAGE
        && let Some(response) = file(path, request.headers())
    {
        return response;
    }
    if path.starts_with("assets/") || !is_page(path) {
        return Error::not_found("there is no such file").into_response();
    }
    page()
}

/// Whether a path may be one of the console's. Later parts of it name objects, which have dots in them; the first is
/// the console's own word. Files that crawlers ask for, and paths of other programs, are none.
fn is_page(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    !first.contains('.') && !NO_PAGES.contains(&first)
}

/// The policy of answers that are data.
pub fn data_policy() -> HeaderValue {
    HeaderValue::from_static(POLICY)
}

fn file(path: &str, headers: &HeaderMap) -> Option<Response> {
    let plain = Files::get(path)?;
    let (data, encoding) = encodings(headers)
        .into_iter()
        .find_map(|(encoding, suffix)| Some((Files::get(&format!("{path}{suffix}"))?.data, Some(encoding))))
        .unwrap_or((plain.data, None));
    let mut response = Response::new(Body::from(data.into_owned()));
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    out.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    out.insert(header::CONTENT_SECURITY_POLICY, data_policy());
    let lifetime = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(lifetime));
    if let Some(encoding) = encoding {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(response)
}

/// The encodings a client takes, best first, with the suffix of the file that holds them.
fn encodings(headers: &HeaderMap) -> Vec<(&'static str, &'static str)> {
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let takes = |name: &str| {
        accepted.split(',').any(|part| {
            let mut parts = part.split(';').map(str::trim);
            parts.next() == Some(name) && !parts.any(|parameter| parameter == "q=0")
        })
    };
    [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(name, _)| takes(name))
        .collect()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn page() -> Response {
    let Some(file) = Files::get(PAGE) else {
        return (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            NOT_BUILT,
        )
            .into_response();
    };
    let random: [u8; 16] = rand::random();
    let nonce = STANDARD.encode(random);
    let html = String::from_utf8_lossy(&file.data).replace(NONCE, &nonce);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    let mut response = Response::new(Body::from(html));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_str(&policy).expect("base64 is valid in a header"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_files_and_of_other_programs_are_no_pages() {
        for page in ["", "clusters", "federated/deployments.apps/shop/web.v1", "no/such/page"] {
            assert!(is_page(page), "{page}");
        }
        for none in ["robots.txt", "metrics", "debug/pprof", ".well-known/x", "apis/apps/v1"] {
            assert!(!is_page(none), "{none}");
        }
    }

    #[test]
    fn the_best_encoding_a_client_takes_comes_first() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("gzip, deflate, br;q=0.9"),
        );
        assert_eq!(encodings(&headers), [("br", ".br"), ("gzip", ".gz")]);
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br;q=0, gzip"));
        assert_eq!(encodings(&headers), [("gzip", ".gz")]);
    }
}
