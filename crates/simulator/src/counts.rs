//! How often a member is asked, by what for: so that somebody who drives it from outside can tell whether anything was
//! written at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use serde::Serialize;

/// Requests that a member has got since it began, whatever became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Requests that change nothing, but for watches.
    pub reads: u64,
    /// Watches.
    pub watches: u64,
    /// Requests that may change something.
    pub writes: u64,
}

/// The counters behind [`Counts`]; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    reads: AtomicU64,
    watches: AtomicU64,
    writes: AtomicU64,
}

impl Tally {
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            reads: self.inner.reads.load(Ordering::Relaxed),
            watches: self.inner.watches.load(Ordering::Relaxed),
            writes: self.inner.writes.load(Ordering::Relaxed),
        }
    }

    fn counter(&self, method: &Method, query: &str) -> &AtomicU64 {
        if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            &self.inner.writes
        } else if query
            .split('&')
            .any(|part| matches!(part, "watch" | "watch=1" | "watch=true"))
        {
            &self.inner.watches
        } else {
            &self.inner.reads
        }
    }
}

/// Counts a request before anything else happens to it.
pub(crate) async fn layer(State(tally): State<Tally>, request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    tally.counter(request.method(), query).fetch_add(1, Ordering::Relaxed);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_change_something_is_a_write_whatever_its_query() {
        let tally = Tally::default();
        let count = |method: Method, query: &str| tally.counter(&method, query).fetch_add(1, Ordering::Relaxed);
        count(Method::GET, "");
        count(Method::GET, "limit=500&watch=true");
        count(Method::PATCH, "fieldManager=atoll&force=false");
        count(Method::DELETE, "watch=true");
        let expected = Counts {
            reads: 1,
            watches: 1,
            writes: 2,
        };
        assert_eq!(tally.counts(), expected);
    }
}
