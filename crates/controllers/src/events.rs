//! What happened to objects of the hub, as Events that `kubectl describe` shows.
//!
//! A run hands its notes over and goes on: they wait in a bounded queue, are written in batches, and one that says what
//! an earlier one said counts it up instead of standing beside it. Under overload notes are lost and counted, since an
//! event is worth less than the work that it tells of. After an hour they are forgotten, as Kubernetes does, and of very
//! many in one namespace the oldest are forgotten sooner.

mod event;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use atoll_federation::EventNote;
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_store::{Object, ObjectKey, Store, Transaction, Write};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, sleep};

use self::event::{Event, is_old};
use crate::counts::Tally;
use crate::error::{Doing, Result, chain};
use crate::hub::Hub;
use crate::leader::Leadership;

/// Notes that may wait.
const WAITING: usize = 4096;
/// Events that are written together.
const BATCH: usize = 64;
/// How long notes gather.
const GATHER: Duration = Duration::from_millis(200);
/// Between two rounds of forgetting.
const FORGET: Duration = Duration::from_secs(300);
/// So many events that were written are a reason to forget before the next round.
const MANY: u64 = 2000;
/// Events that a namespace keeps: the latest ones.
const MOST: usize = 2000;
/// Old events that are looked at together.
const PAGE: usize = 500;
/// How long an event is kept after it last happened.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Where events of objects lie that live in no namespace.
const DEFAULT_NAMESPACE: &str = "default";
/// How often a batch is tried that somebody else's write overtakes.
const TRIES: usize = 3;

/// What events are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
    uid: String,
    resource_version: String,
}

impl Subject {
    /// An object as it is stored.
    pub(crate) fn of(stored: &Object) -> Self {
        let text = |field: &str| stored.body[field].as_str().unwrap_or_default().to_owned();
        Self {
            api_version: text("apiVersion"),
            kind: text("kind"),
            namespace: stored.key.namespace.clone(),
            name: stored.key.name.clone(),
            uid: stored.uid.clone(),
            resource_version: stored.revision.0.to_string(),
        }
    }

    /// Whose events these are.
    fn component(&self) -> String {
        format!("{}-controller", self.kind.to_lowercase())
    }

    fn event_namespace(&self) -> &str {
        if self.namespace.is_empty() {
            DEFAULT_NAMESPACE
        } else {
            &self.namespace
        }
    }
}

/// A note on its way.
#[derive(Debug, Clone)]
struct Told {
    subject: Subject,
    note: EventNote,
    at: Timestamp,
}

/// Takes notes. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Recorder {
    waiting: mpsc::Sender<Told>,
    tally: Arc<Tally>,
}

/// Writes down what a [`Recorder`] was told.
pub(crate) struct Writer {
    told: mpsc::Receiver<Told>,
}

/// A recorder and its writer.
pub(crate) fn recorder(tally: Arc<Tally>) -> (Recorder, Writer) {
    let (waiting, told) = mpsc::channel(WAITING);
    (Recorder { waiting, tally }, Writer { told })
}

impl Recorder {
    /// Notes that something happened; never waits.
    pub(crate) fn tell(&self, subject: &Subject, note: EventNote) {
        let now = Timestamp::now();
        let told = Told {
            subject: subject.clone(),
            note,
            at: Timestamp::from_second(now.as_second()).unwrap_or(now),
        };
        if self.waiting.try_send(told).is_err() {
            self.tally.lost_events(1);
        }
    }
}

impl Writer {
    /// Writes until the leadership ends.
    pub(crate) async fn run(mut self, hub: Hub, leadership: Leadership) {
        let lost = leadership.lost().clone();
        let work = async {
            let mut forget = interval(FORGET);
            let mut since = 0;
            loop {
                let mut batch = Vec::new();
                tokio::select! {
                    count = self.told.recv_many(&mut batch, BATCH) => if count == 0 {
                        return;
                    },
                    _ = forget.tick() => {
                        since = 0;
                        if let Err(error) = self::forget(&hub.store, &leadership, Timestamp::now()).await {
                            tracing::warn!(error = %chain(&error), "old events could not be forgotten");
                        }
                        continue;
                    }
                }
                self.gather(&mut batch).await;
                let events = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                if let Err(error) = write(&hub.store, &leadership, batch).await {
                    hub.tally.lost_events(events);
                    tracing::warn!(error = %chain(&error), "events could not be written");
                }
                since += events;
                if since >= MANY {
                    forget.reset_immediately();
                }
            }
        };
        lost.run_until_cancelled(work).await;
    }

    /// More notes for a batch, if they come soon.
    async fn gather(&mut self, batch: &mut Vec<Told>) {
        let until = Instant::now() + GATHER;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                count = self.told.recv_many(batch, room) => if count == 0 {
                    return;
                },
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }
}

async fn write(store: &Store, leadership: &Leadership, batch: Vec<Told>) -> Result<()> {
    let mut events: BTreeMap<ObjectKey, Event> = BTreeMap::new();
    for told in &batch {
        let event = Event::of(told);
        match events.get_mut(&event.key()) {
            Some(same) => same.again(told),
            None => {
                events.insert(event.key(), event);
            }
        }
    }
    for attempt in 1.. {
        match write_once(store, leadership, &events).await {
            Err(error) if error.is_conflict() && attempt < TRIES => sleep(GATHER).await,
            outcome => return outcome,
        }
    }
    Ok(())
}

async fn write_once(store: &Store, leadership: &Leadership, events: &BTreeMap<ObjectKey, Event>) -> Result<()> {
    leadership.check()?;
    let namespaces: BTreeSet<&str> = events.keys().map(|key| key.namespace.as_str()).collect();
    let mut open = BTreeSet::new();
    for namespace in namespaces {
        if takes_events(store, namespace).await? {
            open.insert(namespace);
        }
    }
    let mut writes = Vec::new();
    for (key, event) in events.iter().filter(|(key, _)| open.contains(key.namespace.as_str())) {
        let before = store.object(key).await.doing("reading an event")?;
        writes.push(event.write(before.as_ref()));
    }
    if writes.is_empty() {
        return Ok(());
    }
    let lease = Some(leadership.lease().clone());
    let written = store.write(Transaction { writes, lease }).await;
    written.map(drop).doing("writing events")
}

/// A namespace on its way out takes nothing new, and one that is gone would never be emptied again.
async fn takes_events(store: &Store, namespace: &str) -> Result<bool> {
    if [DEFAULT_NAMESPACE, SYSTEM_NAMESPACE].contains(&namespace) {
        return Ok(true);
    }
    let key = ObjectKey::new("", "namespaces", "", namespace);
    let stored = store.object(&key).await.doing("reading a namespace")?;
    Ok(stored.is_some_and(|namespace| namespace.deletion_at.is_none()))
}

/// Forgets what is old, and of what a namespace has too much the oldest.
async fn forget(store: &Store, leadership: &Leadership, now: Timestamp) -> Result<()> {
    let doing = "forgetting old events";
    let before = now.saturating_sub(KEPT).unwrap_or(now);
    let mut last: Option<ObjectKey> = None;
    loop {
        // What was made lately has happened lately.
        let page = store.objects_after("", "events", last.as_ref(), Some(before), PAGE);
        let page = page.await.doing(doing)?;
        let Some(end) = page.last() else { break };
        last = Some(end.key.clone());
        let old = page.into_iter().filter(|event| is_old(event, before));
        delete(store, leadership, old.map(|event| event.key).collect()).await?;
    }
    loop {
        let surplus = store.surplus("", "events", MOST, PAGE).await.doing(doing)?;
        if surplus.is_empty() {
            return Ok(());
        }
        delete(store, leadership, surplus).await?;
    }
}

async fn delete(store: &Store, leadership: &Leadership, keys: Vec<ObjectKey>) -> Result<()> {
    for keys in keys.chunks(BATCH) {
        leadership.check()?;
        let delete = |key: &ObjectKey| Write::Delete {
            key: key.clone(),
            expected: None,
        };
        let transaction = Transaction {
            writes: keys.iter().map(delete).collect(),
            lease: Some(leadership.lease().clone()),
        };
        match store.write(transaction).await.doing("forgetting old events") {
            // One of them has gone by itself: the others have their turn the next time.
            Err(error) if error.is_conflict() => {}
            written => drop(written?),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_lost_and_counted() {
        let tally = Arc::new(Tally::default());
        let (recorder, writer) = recorder(tally.clone());
        let subject = Subject {
            api_version: "v1".into(),
            kind: "ConfigMap".into(),
            namespace: "shop".into(),
            name: "web".into(),
            uid: "u".into(),
            resource_version: "1".into(),
        };
        let note = |message: usize| EventNote {
            warning: false,
            reason: "CreateInCluster",
            message: message.to_string(),
        };
        for message in 0..WAITING + 3 {
            recorder.tell(&subject, note(message));
        }
        assert_eq!(tally.counts(0).lost_events, 3);
        assert_eq!(writer.told.len(), WAITING);
    }
}
