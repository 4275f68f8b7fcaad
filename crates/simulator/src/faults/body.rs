//! Open streams under faults: watches that are cut in the middle of a line, or fall silent.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::watch;

use super::{Fault, State};

/// What stands at the end of a watch that was cut.
const HALF_A_LINE: &[u8] = b"{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"";

/// An end at once would take the half line with it before it has left.
const FLUSH: Duration = Duration::from_millis(20);

/// A stream that was cut.
#[derive(Debug, thiserror::Error)]
#[error("the stream was cut by a simulated fault")]
struct Cut;

/// Watches over the body of an answer, if it is a stream.
pub(super) fn guard(response: Response, mut state: watch::Receiver<State>, method: Method, path: String) -> Response {
    let is_stream = HttpBody::size_hint(response.body()).exact().is_none();
    if !is_stream || response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    let cuts = state.borrow_and_update().cuts;
    let guarded = Guarded {
        state,
        method,
        path,
        cuts,
        is_cut: false,
    };
    response.map(|body| {
        Body::from_stream(stream::unfold((guarded, body), |(mut guarded, mut body)| async move {
            let piece = guarded.next(&mut body).await?;
            Some((piece, (guarded, body)))
        }))
    })
}

struct Guarded {
    state: watch::Receiver<State>,
    method: Method,
    path: String,
    cuts: u64,
    is_cut: bool,
}

impl Guarded {
    async fn next(&mut self, body: &mut Body) -> Option<Result<Bytes, Cut>> {
        if self.is_cut {
            tokio::time::sleep(FLUSH).await;
            return Some(Err(Cut));
        }
        loop {
            let (cuts, hangs) = {
                let state = self.state.borrow_and_update();
                (state.cuts, state.of(&self.method, &self.path) == Some(&Fault::Hang))
            };
            if cuts != self.cuts {
                self.is_cut = true;
                return Some(Ok(Bytes::from_static(HALF_A_LINE)));
            }
            tokio::select! {
                biased;
                changed = self.state.changed() => if changed.is_err() {
                    return None;
                },
                frame = body.frame(), if !hangs => match frame {
                    Some(Ok(frame)) => return Some(Ok::<_, Infallible>(frame.into_data().ok()?).map_err(|never| match never {})),
                    Some(Err(_)) => return Some(Err(Cut)),
                    None => return None,
                },
            }
        }
    }
}
