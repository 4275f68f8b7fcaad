//! Watches: one JSON object a line, in the order of commits.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::header::{self, HeaderValue};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};

use crate::api::{Api, Call, Selection, namespace_of};
use crate::backend::{Backend, WatchEvent, WatchStream};
use crate::request::IncludeObject;
use crate::resource::Resource;
use crate::status::Status;
use crate::table::{Form, partial, table};

/// Bookmarks at least this often, for clients that ask for them.
const BOOKMARK: Duration = Duration::from_secs(60);
/// Initial events leave in pieces of about this size, so that a long list is never in memory as text.
const PIECE: usize = 32 << 10;

/// A line. `type` comes before `object`: readers that keep the object raw depend on it.
#[derive(Serialize)]
struct Line<'a> {
    r#type: &'a str,
    object: &'a Value,
}

/// How events are written for one watcher.
struct Writer {
    /// The resource that was asked for; a view shows events in its own form.
    resource: Arc<Resource>,
    selection: Selection,
    form: Form,
    include: IncludeObject,
    columns_sent: bool,
    now: fn() -> jiff::Timestamp,
}

impl Writer {
    fn line(kind: &str, object: &Value) -> Vec<u8> {
        let mut line = serde_json::to_vec(&Line { r#type: kind, object }).unwrap_or_default();
        line.push(b'\n');
        line
    }

    fn write(&mut self, kind: &str, object: &Arc<Value>, include: IncludeObject) -> Vec<u8> {
        match self.form {
            Form::Object => Self::line(kind, &crate::view::shown(&self.resource, object)),
            Form::Metadata => Self::line(kind, &partial(object)),
            Form::Table => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                let with_columns = !std::mem::replace(&mut self.columns_sent, true);
                let objects = std::slice::from_ref(object);
                Self::line(
                    kind,
                    &table(&self.resource, objects, metadata, include, with_columns, (self.now)()),
                )
            }
        }
    }

    fn initial(&mut self, object: &Arc<Value>) -> Option<Vec<u8>> {
        self.selection
            .matches(object)
            .then(|| self.write("ADDED", object, self.include))
    }

    /// What an event is to this watcher: an object that leaves the selection is deleted for it.
    fn event(&mut self, before: Option<&Arc<Value>>, after: Option<&Arc<Value>>, revision: u64) -> Option<Vec<u8>> {
        let before = before.filter(|object| self.selection.matches(object));
        let after = after.filter(|object| self.selection.matches(object));
        match (before, after) {
            (None, Some(after)) => Some(self.write("ADDED", after, self.include)),
            (Some(_), Some(after)) => Some(self.write("MODIFIED", after, self.include)),
            // As it last was to this watcher, at the revision at which it went.
            (Some(before), None) => {
                let mut gone = (**before).clone();
                gone["metadata"]["resourceVersion"] = revision.to_string().into();
                Some(self.write("DELETED", &Arc::new(gone), self.include))
            }
            (None, None) => None,
        }
    }

    fn bookmark(&mut self, revision: u64, ends_initial_events: bool) -> Vec<u8> {
        let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if ends_initial_events {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object =
            json!({"kind": self.resource.kind, "apiVersion": self.resource.api_version(), "metadata": metadata});
        let include = if self.include == IncludeObject::None {
            IncludeObject::Metadata
        } else {
            self.include
        };
        self.write("BOOKMARK", &Arc::new(object), include)
    }
}

impl<B: Backend> Api<B> {
    pub(crate) async fn watch(&self, call: Call) -> Result<Response, Status> {
        let selection = Selection::of(&call)?;
        // No version, or 0, means: what there is now, then what follows; unless the client says otherwise.
        let start = call.query.resource_version.filter(|version| *version > 0);
        let initial = call.query.send_initial_events.unwrap_or(start.is_none());
        let mut bookmark_at_start = None;
        let (first, from) = match start {
            Some(from) if !initial => (Vec::new(), from),
            _ => {
                let listing = self
                    .backend
                    .list(&call.context, &call.resource, namespace_of(&call))
                    .await?;
                if call.query.send_initial_events == Some(true) {
                    bookmark_at_start = Some(listing.revision);
                }
                (if initial { listing.items } else { Vec::new() }, listing.revision)
            }
        };
        let events = self
            .backend
            .watch(&call.context, &call.resource, namespace_of(&call), from)
            .await;
        let events = match events {
            // Clients look for a lost history in the stream: some never begin anew when the watch itself is refused.
            Err(status) if status.is("Expired") => futures::stream::iter([Err(status)]).boxed(),
            events => events?,
        };
        let life = self.life(call.query.timeout_seconds);
        let writer = Writer {
            resource: call.asked,
            selection,
            form: call.form,
            include: call.query.include_object,
            columns_sent: false,
            now: self.options.now,
        };
        let mut tick = tokio::time::interval_at(Instant::now() + BOOKMARK, BOOKMARK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watching = Watching {
            writer,
            initial: first.into_iter(),
            bookmark_at_start,
            events,
            revision: from,
            bookmarks: call.query.bookmarks,
            end: Box::pin(tokio::time::sleep(life)),
            tick,
            over: false,
        };
        let mut response = Response::new(Body::from_stream(watching.lines().map(Ok::<_, Infallible>)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
        Ok(response)
    }

    /// How long a watch lives: as asked, or at random so that not all watches end at once.
    fn life(&self, asked: Option<u64>) -> Duration {
        let (least, most) = (*self.options.watch_seconds.start(), *self.options.watch_seconds.end());
        let chance = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
        let drawn = least + most.saturating_sub(least) * chance / 255;
        Duration::from_secs(asked.filter(|asked| *asked > 0).map_or(drawn, |asked| asked.min(most)))
    }
}

/// A watch under way.
struct Watching {
    writer: Writer,
    initial: std::vec::IntoIter<Arc<Value>>,
    bookmark_at_start: Option<u64>,
    events: WatchStream,
    revision: u64,
    bookmarks: bool,
    end: Pin<Box<Sleep>>,
    tick: Interval,
    over: bool,
}

impl Watching {
    fn lines(self) -> impl Stream<Item = Bytes> + Send + 'static {
        futures::stream::unfold(self, |mut watching| async move {
            watching.next().await.map(|line| (Bytes::from(line), watching))
        })
    }

    async fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(piece) = self.start() {
            return Some(piece);
        }
        while !self.over {
            let line = tokio::select! {
                () = &mut self.end => {
                    self.over = true;
                    self.bookmarks.then(|| self.writer.bookmark(self.revision, false))
                }
                _ = self.tick.tick(), if self.bookmarks => Some(self.writer.bookmark(self.revision, false)),
                event = self.events.next() => self.event(event),
            };
            if line.is_some() {
                return line;
            }
        }
        None
    }

    /// The next piece of the initial events, and after the last of them the bookmark that says so.
    fn start(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::new();
        while piece.len() < PIECE
            && let Some(object) = self.initial.next()
        {
            piece.extend(self.writer.initial(&object).unwrap_or_default());
        }
        if self.initial.len() == 0
            && let Some(revision) = self.bookmark_at_start.take()
        {
            piece.extend(self.writer.bookmark(revision, true));
        }
        (!piece.is_empty()).then_some(piece)
    }

    fn event(&mut self, event: Option<Result<WatchEvent, Status>>) -> Option<Vec<u8>> {
        let (revision, before, after) = match event {
            None => {
                self.over = true;
                return None;
            }
            Some(Err(status)) => {
                self.over = true;
                return Some(Writer::line(
                    "ERROR",
                    &serde_json::to_value(&status).unwrap_or_default(),
                ));
            }
            Some(Ok(WatchEvent::Bookmark { revision })) => {
                self.revision = revision;
                return None;
            }
            Some(Ok(WatchEvent::Added { revision, object })) => (revision, None, Some(object)),
            Some(Ok(WatchEvent::Modified {
                revision,
                object,
                previous,
            })) => (revision, Some(previous), Some(object)),
            Some(Ok(WatchEvent::Deleted { revision, object })) => (revision, Some(object), None),
        };
        self.revision = revision;
        self.writer.event(before.as_ref(), after.as_ref(), revision)
    }
}
