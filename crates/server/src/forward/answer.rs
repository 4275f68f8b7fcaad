//! Which answers of a member are not passed on: those that would be taken for the hub's, or are nobody's API.
//!
//! What a Kubernetes API server says about the caller's request goes through as it is, errors included. A 401 is about
//! the credential of the *hub*, and a client that believed it would throw its own away. A page of HTML comes from
//! whatever stands where the API server should be. Behind `/proxy/` both may be the program's own words.

use http::StatusCode;
use http::header;
use http::response::Parts;

use crate::error::{Error, Reason, Result};

/// Refuses what cannot be the member's answer to this caller.
///
/// # Errors
/// 502 that names the cluster, the stage and the way out.
pub(super) fn check(cluster: &str, proxied: bool, answer: &Parts) -> Result<()> {
    if proxied {
        return Ok(());
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        let message = format!("cluster {cluster:?} does not accept the hub's own credential");
        return Err(Error::new(Reason::BadGateway, message)
            .in_cluster(cluster)
            .at_stage("signIn")
            .with_hint("Replace the cluster's credential."));
    }
    let kind = answer
        .headers
        .get(header::CONTENT_TYPE)
        .map_or(&b""[..], |value| value.as_bytes());
    if kind.to_ascii_lowercase().starts_with(b"text/html") {
        let message = format!(
            "cluster {cluster:?} answered with a page ({}) instead of the Kubernetes API",
            answer.status
        );
        return Err(Error::new(Reason::BadGateway, message)
            .in_cluster(cluster)
            .at_stage("version")
            .with_hint(
                "Check that the cluster's address leads to its API server, and not to a proxy or a login page.",
            ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, kind: &str) -> Parts {
        let response = http::Response::builder()
            .status(code)
            .header("content-type", kind)
            .body(())
            .unwrap();
        response.into_parts().0
    }

    #[test]
    fn a_401_is_about_the_hub_and_html_is_no_api() {
        for (code, kind, stage) in [
            (401, "application/json", "signIn"),
            (502, "Text/HTML; charset=utf-8", "version"),
        ] {
            let status = check("eu-1", false, &answer(code, kind)).unwrap_err().into_status();
            let details = status.details.unwrap();
            assert_eq!(
                (status.code, details.stage.as_str(), details.cluster.as_str()),
                (502, stage, "eu-1")
            );
            assert!(
                check("eu-1", true, &answer(code, kind)).is_ok(),
                "behind a proxy it is the program's own"
            );
        }
        for (code, kind) in [
            (200, "application/json"),
            (403, "application/json"),
            (503, "text/plain"),
            (409, ""),
        ] {
            assert!(check("eu-1", false, &answer(code, kind)).is_ok());
        }
    }
}
