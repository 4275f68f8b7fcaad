//! What is refused: how it is said, and that nothing of it stays behind.

pub(crate) mod account;
pub(crate) mod clusters;
mod odd_server;
pub(crate) mod requests;

use anyhow::{Context, Result};
use atoll_testing::Answer;
use http::StatusCode;
use serde_json::Value;

/// The `Status` that a refusal has to be, for a program (code and reason) and
/// for a person (message).
pub(crate) fn status(answer: &Answer, code: StatusCode, reason: &str) -> Result<Value> {
    let status = answer.body(code)?;
    let kind = answer.headers.get("content-type").context("no content type")?;
    assert_eq!(kind, "application/json", "{status}");
    assert_eq!(status["kind"], "Status", "{status}");
    assert_eq!(status["apiVersion"], "v1", "{status}");
    assert_eq!(status["status"], "Failure", "{status}");
    assert_eq!(status["code"], code.as_u16(), "{status}");
    assert_eq!(status["reason"], reason, "{status}");
    assert!(!text(&status["message"]).is_empty(), "{status}");
    Ok(status)
}

/// A text of a status; empty when it is not there.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
