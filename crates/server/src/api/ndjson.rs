//! Answers that arrive line by line: stages of something slow, the outcome last.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE};
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Media type of JSON values, each on a line of its own.
pub(super) const NDJSON: &str = "application/x-ndjson";
/// Lines that may wait for a slow reader; more are waited for.
const LINES: usize = 64;

/// Where lines are written.
#[derive(Clone)]
pub(super) struct Lines(mpsc::Sender<Bytes>);

impl Lines {
    /// Writes a line; the reader may be gone, which is no error.
    pub(super) async fn write(&self, value: &impl Serialize) {
        if let Some(line) = encode(value) {
            let _ = self.0.send(line).await;
        }
    }

    /// Writes a line unless the reader is too slow for it.
    pub(super) fn offer(&self, value: &impl Serialize) {
        if let Some(line) = encode(value) {
            let _ = self.0.try_send(line);
        }
    }
}

fn encode(value: &impl Serialize) -> Option<Bytes> {
    let mut line = serde_json::to_vec(value).ok()?;
    line.push(b'\n');
    Some(line.into())
}

/// Whether a client asked for lines.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains(NDJSON))
}

/// Somewhere to write, and the answer that carries it. The work ends with the answer: who goes away stops it.
pub(super) fn answer<F>(work: impl FnOnce(Lines) -> F) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(LINES);
    let work = work(Lines(sender));
    // The work is polled together with its own lines, so that it needs no task and ends when nobody reads any more.
    let driver = futures::stream::once(work).filter_map(|()| async { None::<Bytes> });
    let lines = futures::stream::select(ReceiverStream::new(receiver), driver);
    let body = Body::from_stream(lines.map(Ok::<_, std::convert::Infallible>));
    ([(CONTENT_TYPE, NDJSON)], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_arrive_in_order_and_the_answer_ends() {
        let response = answer(|lines| async move {
            for number in 0..200 {
                lines.write(&number).await;
            }
        });
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let numbers: Vec<u32> = text.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn lines_are_sent_to_those_who_ask() {
        let mut headers = HeaderMap::new();
        assert!(!is_wanted(&headers));
        headers.insert(
            ACCEPT,
            http::HeaderValue::from_static("application/json, application/x-ndjson"),
        );
        assert!(is_wanted(&headers));
    }
}
