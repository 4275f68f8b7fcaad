//! One collection of a member, listed and then watched, for as long as the member is there.

mod lines;
mod message;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use hyper::body::Incoming;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use crate::backoff::{Backoff, jittered, up_to};
use crate::limits::Place;
use crate::member::Member;
use crate::request::{Answer, MAX_OBJECT, OwnError, OwnRequest, Refusal};
use crate::scrub::Scrub;
use crate::transport::{SendError, Transport};
use lines::{LineError, Lines};
use message::{Listed, Message, Page, is_out_of_range};

/// Objects per page, as long as they fit into one answer.
const PAGE: usize = 500;
/// The most objects of one list: as many as the hub knows at all. A list that goes on and on is none.
const MAX_LISTED: usize = 500_000;
/// A watch that ends sooner than this, without a word, did not work.
const TOO_SHORT: Duration = Duration::from_secs(5);
/// The longest wait that a member may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A collection of one kind: everywhere, or in one namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Collection {
    /// Group; empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Plural name.
    pub plural: String,
    /// Namespace; `None` for all, and for what has no namespace.
    pub namespace: Option<String>,
}

impl Collection {
    /// Path of the collection.
    pub fn path(&self) -> String {
        self.path_in(self.namespace.as_deref())
    }

    /// Path of one object; `namespace` is `None` for what has none.
    pub fn object_path(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.path_in(namespace), encoded(name))
    }

    /// `apiVersion` of its objects.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    fn path_in(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let namespace = namespace
            .map(|namespace| format!("/namespaces/{}", encoded(namespace)))
            .unwrap_or_default();
        format!("/{root}/{}{namespace}/{}", self.api_version(), self.plural)
    }
}

/// A path segment or query value; what Kubernetes allows in names stays readable.
fn encoded(text: &str) -> impl std::fmt::Display {
    const PLAIN: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, PLAIN)
}

/// What a watch tells. Between `Restarted` and `Synced` everything that is there comes again; what did not come by
/// `Synced` is gone. Until then nothing has vanished.
#[derive(Debug)]
pub enum WatchEvent {
    /// A new list begins.
    Restarted,
    /// An object that is there: listed, added or changed.
    Present(Box<Value>),
    /// The list is complete.
    Synced,
    /// An object that is gone, as it last was.
    Gone(Box<Value>),
    /// Nothing is known for now; it is tried again by itself.
    Failed(OwnError),
}

impl Member {
    /// Lists and watches a collection: with bookmarks, resuming where it broke off, listing anew when the member has
    /// compacted that, waiting longer each time it fails. Ends with the member only.
    pub fn watch(
        self: &Arc<Self>,
        collection: Collection,
        label_selector: String,
    ) -> impl Stream<Item = WatchEvent> + Send + use<> {
        let deadlines = self.network.deadlines;
        let watcher = Watcher {
            member: self.clone(),
            collection,
            selector: label_selector,
            phase: Phase::BEGINNING,
            backoff: Backoff::new(deadlines.retry_first, deadlines.retry_most),
            delay: None,
            ready: VecDeque::new(),
            page: PAGE,
        };
        futures::stream::unfold(watcher, |mut watcher| async move {
            watcher.next().await.map(|event| (event, watcher))
        })
    }
}

struct Watcher {
    member: Arc<Member>,
    collection: Collection,
    selector: String,
    phase: Phase,
    backoff: Backoff,
    /// How long to wait before the next step.
    delay: Option<Duration>,
    /// Events that were not taken yet.
    ready: VecDeque<WatchEvent>,
    /// Objects to ask for at a time.
    page: usize,
}

enum Phase {
    /// The page after `next` is to be asked for; so many objects were asked for before it.
    List {
        next: Option<String>,
        listed: usize,
        turn: Option<Turn>,
    },
    /// Everything up to `revision` is known.
    Watch { revision: String, open: Option<Open> },
}

impl Phase {
    const BEGINNING: Self = Self::List {
        next: None,
        listed: 0,
        turn: None,
    };
}

/// Permission to list: the member's, and that of all members together unless it took too long.
struct Turn {
    _member: Option<Place>,
    _all: Option<Place>,
}

struct Open {
    lines: Lines<Incoming>,
    scrub: Scrub,
    since: Instant,
    spoke: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<WatchEvent> {
        let ended = self.member.ended();
        loop {
            if ended.is_cancelled() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            ended.run_until_cancelled(self.step()).await?;
        }
    }

    /// Makes one step: a page, the opening of a watch, or a line of it.
    async fn step(&mut self) {
        if let Some(delay) = self.delay.take() {
            sleep(delay).await;
        }
        let transport = match self.member.transport() {
            Ok(transport) => transport,
            Err(unavailable) => return self.fail(unavailable.into()),
        };
        match &mut self.phase {
            Phase::List { .. } => self.list(&transport).await,
            Phase::Watch { open: None, .. } => self.open(&transport).await,
            // An open watch must not keep the pools of a member that left.
            Phase::Watch { open: Some(_), .. } => {
                drop(transport);
                self.read().await;
            }
        }
    }

    async fn list(&mut self, transport: &Transport) {
        let Phase::List { next, listed, turn } = &mut self.phase else {
            return;
        };
        if turn.is_none() {
            let places = &self.member.places;
            *turn = Some(Turn {
                _member: places.lists.take().await,
                _all: places.all_lists.take().await,
            });
        }
        let first = next.is_none();
        let mut path = format!("{}?limit={}", self.collection.path(), self.page);
        if let Some(token) = next {
            path.push_str(&format!("&continue={}", encoded(token)));
        }
        push_selector(&mut path, &self.selector);
        let answer = transport
            .ask(OwnRequest::get(path), self.member.network.deadlines.own_request)
            .await;
        let page = answer.and_then(|answer: Answer| answer.read_json::<Page>(&transport.origin.scrub));
        if matches!(page, Err(OwnError::TooLarge(_))) && self.page > 1 {
            // What does not fit in one answer comes in several.
            self.page = (self.page / 4).max(1);
            return;
        }
        *listed += self.page;
        let goes_on = |page: Listed| match &page.next {
            Some(token) if next.as_ref() == Some(token) => {
                Err(OwnError::Broken("a list goes round in circles".to_owned()))
            }
            Some(_) if *listed >= MAX_LISTED => {
                Err(OwnError::Broken(format!("a list has more than {MAX_LISTED} objects")))
            }
            Some(_) | None => Ok(page),
        };
        match page.and_then(|page| page.check(&self.collection)).and_then(goes_on) {
            Ok(page) => {
                if first {
                    self.ready.push_back(WatchEvent::Restarted);
                }
                let items = page.items.into_iter();
                self.ready.extend(items.map(|item| WatchEvent::Present(Box::new(item))));
                match page.next {
                    Some(token) => *next = Some(token),
                    None => {
                        // What was too large once need not stay so.
                        self.page = (self.page * 2).min(PAGE);
                        self.ready.push_back(WatchEvent::Synced);
                        self.phase = Phase::Watch {
                            revision: page.revision,
                            open: None,
                        };
                    }
                }
            }
            // A list that did not come whole is no list: it begins again.
            Err(error) => {
                self.phase = Phase::BEGINNING;
                self.fail(error);
            }
        }
    }

    async fn open(&mut self, transport: &Transport) {
        let Phase::Watch { revision, open } = &mut self.phase else {
            return;
        };
        let seconds = jittered(self.member.network.deadlines.watch).as_secs().max(1);
        let mut path = format!(
            "{}?watch=true&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={}",
            self.collection.path(),
            encoded(revision)
        );
        push_selector(&mut path, &self.selector);
        let scrub = transport.origin.scrub.clone();
        let refused = match transport.stream(OwnRequest::get(path)).await {
            Ok(response) if response.status().is_success() => {
                let lines = Lines::new(response.into_body());
                *open = Some(Open {
                    lines,
                    scrub,
                    since: Instant::now(),
                    spoke: false,
                });
                return;
            }
            Ok(response) => {
                let limit = self.member.network.deadlines.question;
                match timeout(limit, Answer::read(response, MAX_OBJECT)).await {
                    Ok(Ok(answer)) => answer.json(&scrub).err(),
                    Ok(Err(error)) => Some(error),
                    Err(_) => Some(OwnError::TimedOut(limit)),
                }
            }
            Err(error) => Some(error),
        };
        match refused {
            Some(OwnError::Refused(refusal)) => self.refuse(refusal),
            Some(error) => self.fail(error),
            None => self.fail(OwnError::NotKubernetes("a watch was answered by no watch".to_owned())),
        }
    }

    async fn read(&mut self) {
        let Phase::Watch { revision, open: slot } = &mut self.phase else {
            return;
        };
        let Some(open) = slot else { return };
        let deadlines = self.member.network.deadlines;
        let line = timeout(deadlines.silence, open.lines.next()).await;
        let short = open.since.elapsed() < TOO_SHORT.min(deadlines.watch / 2);
        let worked = open.spoke || !short;
        let is_stuck = matches!(line, Ok(Err(LineError::TooLong)));
        let failure = match line {
            Ok(Ok(Some(line))) => match Message::read(&line, &open.scrub) {
                Ok(Message::Refused(refusal)) => {
                    *slot = None;
                    return self.refuse(refusal);
                }
                Ok(Message::Happened(event, now)) => {
                    *revision = now;
                    open.spoke = true;
                    self.backoff.reset();
                    self.ready.extend(event);
                    return;
                }
                Err(error) => Some(error),
            },
            // The end of a watch, orderly or not, is everyday: it goes on from where it was.
            Ok(Ok(None)) if worked => None,
            Ok(Ok(None)) => Some(OwnError::Broken("the watch ended at once".to_owned())),
            Ok(Err(LineError::Body(_))) if worked => None,
            Ok(Err(LineError::Body(error))) => Some(SendError::of(&error).into()),
            Ok(Err(error @ LineError::TooLong)) => Some(OwnError::Broken(error.to_string())),
            Err(_) => None,
        };
        *slot = None;
        if is_stuck {
            // From where it was the same line would come again.
            self.phase = Phase::BEGINNING;
        }
        match failure {
            Some(error) => self.fail(error),
            None if short => self.delay = Some(up_to(deadlines.retry_first / 2)),
            None => self.backoff.reset(),
        }
    }

    /// The member ends a watch, or does not begin one.
    fn refuse(&mut self, refusal: Box<Refusal>) {
        if is_out_of_range(&refusal) {
            self.phase = Phase::BEGINNING;
            // Many watches may get this together, and one may get it again and again.
            self.delay = Some(self.backoff.next());
        } else {
            self.fail(OwnError::Refused(refusal));
        }
    }

    fn fail(&mut self, error: OwnError) {
        let asked = error.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
        // Asking again and again with a credential that is refused helps nobody.
        let patient = if error.is_unauthorized() {
            self.backoff.most() * 2
        } else {
            Duration::ZERO
        };
        self.delay = Some(self.backoff.next().max(asked).max(patient));
        self.ready.push_back(WatchEvent::Failed(error));
    }
}

fn push_selector(path: &mut String, selector: &str) {
    if !selector.is_empty() {
        path.push_str(&format!("&labelSelector={}", encoded(selector)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_kubernetes() {
        let collection = |group: &str, namespace: Option<&str>| Collection {
            group: group.into(),
            version: "v1".into(),
            plural: "things".into(),
            namespace: namespace.map(Into::into),
        };
        assert_eq!(collection("", None).path(), "/api/v1/things");
        assert_eq!(collection("apps", None).path(), "/apis/apps/v1/things");
        assert_eq!(
            collection("apps", Some("a")).path(),
            "/apis/apps/v1/namespaces/a/things"
        );
        assert_eq!(
            collection("", None).object_path(Some("a"), "b.c-d"),
            "/api/v1/namespaces/a/things/b.c-d"
        );
        assert_eq!(
            collection("", None).object_path(None, "atoll:x/../y"),
            "/api/v1/things/atoll%3Ax%2F..%2Fy"
        );
    }
}
