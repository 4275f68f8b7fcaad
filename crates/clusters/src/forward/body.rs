//! Bodies on their way through the hub: streamed, never gathered.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{BoxError, RequestBody};
use crate::limits::Place;

/// The body of a forwarded answer. It holds its place towards the member until it is dropped, and breaks off when the
/// member leaves.
pub struct ForwardedBody {
    inner: Incoming,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    _place: Place,
}

/// The member left while it was answering.
#[derive(Debug, thiserror::Error)]
#[error("the cluster was removed, or given another credential")]
struct Left;

impl ForwardedBody {
    pub(super) fn new(inner: Incoming, ended: CancellationToken, place: Place) -> Self {
        Self {
            inner,
            ended: Box::pin(ended.cancelled_owned()),
            _place: place,
        }
    }
}

impl std::fmt::Debug for ForwardedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForwardedBody")
    }
}

impl Body for ForwardedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Box::new(Left))));
        }
        poll_data(Pin::new(&mut self.inner), cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The body of a forwarded request. It notes when its last piece was taken.
pub(super) struct Outgoing {
    inner: RequestBody,
    progress: Arc<Progress>,
}

impl Outgoing {
    pub(super) fn new(inner: RequestBody) -> (Self, Arc<Progress>) {
        let progress = Arc::new(Progress {
            begun: Instant::now(),
            last: AtomicU64::new(0),
        });
        (
            Self {
                inner,
                progress: progress.clone(),
            },
            progress,
        )
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = ready!(poll_data(Pin::new(&mut self.inner), cx));
        self.progress.note();
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The next piece of data; trailers stay behind, since a header that was refused could come as one.
fn poll_data<B>(mut body: Pin<&mut B>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    loop {
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) if frame.is_trailers() => {}
            other => return Poll::Ready(other.map(|frame| frame.map_err(Into::into))),
        }
    }
}

/// When a request last moved.
pub(super) struct Progress {
    begun: Instant,
    last: AtomicU64,
}

impl Progress {
    fn note(&self) {
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(millis, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.begun + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// Waits for `answer` until nothing moved for `limit`: an upload is as slow as it is.
    pub(super) async fn within<T>(&self, limit: Duration, answer: impl Future<Output = T>) -> Option<T> {
        let mut answer = std::pin::pin!(answer);
        loop {
            let deadline = self.last() + limit;
            if let Ok(answer) = timeout_at(deadline, &mut answer).await {
                return Some(answer);
            }
            if self.last() + limit <= Instant::now() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt as _;
    use http::HeaderMap;
    use http_body_util::{BodyExt as _, StreamBody};

    use super::*;

    fn frames(frames: Vec<Frame<Bytes>>) -> RequestBody {
        StreamBody::new(futures::stream::iter(frames).map(Ok::<_, BoxError>)).boxed_unsync()
    }

    /// PX-13
    #[tokio::test]
    async fn trailers_stay_behind() {
        let mut trailers = HeaderMap::new();
        trailers.insert("impersonate-user", "system:admin".parse().unwrap());
        let (body, _) = Outgoing::new(frames(vec![Frame::data(Bytes::from("a")), Frame::trailers(trailers)]));
        let collected = body.collect().await.unwrap();
        assert!(collected.trailers().is_none());
        assert_eq!(collected.to_bytes(), "a");
    }

    #[tokio::test]
    async fn an_upload_that_moves_is_waited_for_and_one_that_stands_is_not() {
        let limit = Duration::from_millis(200);
        let pieces = futures::stream::iter(0..5).then(|_| async {
            tokio::time::sleep(Duration::from_millis(80)).await;
            Ok::<_, BoxError>(Frame::data(Bytes::from("a")))
        });
        let (body, progress) = Outgoing::new(StreamBody::new(pieces).boxed_unsync());
        let begun = Instant::now();
        let upload = progress.within(limit, body.collect()).await;
        assert_eq!(upload.unwrap().unwrap().to_bytes().len(), 5);
        assert!(begun.elapsed() > limit);

        let (_body, progress) = Outgoing::new(frames(vec![]));
        assert!(progress.within(limit, futures::future::pending::<()>()).await.is_none());
    }
}
