//! From rows to members: what is registered in the store is what this replica holds open.
//!
//! Every replica does this, since every replica forwards. The revision of the store is the signal, so it does not
//! matter through which door or at which replica a cluster was registered. A database that cannot be read closes no
//! member, and a row that cannot be used is a member that says why.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::{Connection, Credential, Endpoint, HealthSnapshot, Members, Registration};
use atoll_store::{Cluster, Error, Store};
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::error::chain;
use crate::hub::Hub;

/// Changes that come together are one reading.
const COALESCE: Duration = Duration::from_millis(30);
/// Between two readings there is this many times as long as one of them took: a busy store with many clusters is not
/// read all the time.
const REST: u32 = 10;
/// The same while members come and go: somebody waits for them.
const SHORT_REST: u32 = 2;
/// The wake-up is a courtesy; the rows are read this often in any case.
const POLL: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_secs(2);

/// Keeps the members as the store has them, until `stop`. Says in `opened` when they are for the first time.
pub(crate) async fn run(hub: Hub, opened: watch::Sender<bool>, stop: CancellationToken) {
    let mut registry = Registry::default();
    let mut revisions = hub.store.revisions();
    let mut health = hub.clusters.health();
    loop {
        revisions.mark_unchanged();
        health.mark_unchanged();
        let begun = Instant::now();
        let before = hub.clusters.members();
        let wait = match hub.store.clusters().await {
            Ok(rows) => {
                let registrations = registry.registrations(&hub.store, rows, &hub.clusters.members());
                hub.clusters.apply(registrations);
                opened.send_replace(true);
                POLL
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the registered clusters cannot be read; the members stay as they are");
                RETRY
            }
        };
        let is_moving = !Arc::ptr_eq(&before, &hub.clusters.members());
        let rest = if is_moving { SHORT_REST } else { REST };
        let rest = COALESCE.max(begun.elapsed() * rest).min(RETRY);
        tokio::select! {
            () = stop.cancelled() => return,
            Ok(()) = revisions.changed() => {}
            Ok(()) = health.changed() => {}
            () = sleep(wait) => {}
        }
        if stop.run_until_cancelled(sleep(rest)).await.is_none() {
            return;
        }
    }
}

/// What was made of rows, kept so that keys are not parsed again on every change.
#[derive(Default)]
struct Registry {
    connections: BTreeMap<String, Made>,
    /// Members that turned out to be a cluster which is registered under another name, with the credential that led
    /// there.
    doubles: BTreeMap<String, (i64, String)>,
}

/// A connection, and the parts of the row that it was made from.
struct Made {
    from: Source,
    connection: Result<Connection, String>,
}

#[derive(PartialEq, Eq)]
struct Source {
    credential_revision: i64,
    endpoint: String,
    ca: String,
    tls_server_name: String,
}

impl Source {
    fn of(row: &Cluster) -> Self {
        Self {
            credential_revision: row.credential_revision,
            endpoint: row.endpoint.clone(),
            ca: row.ca.clone(),
            tls_server_name: row.tls_server_name.clone(),
        }
    }
}

impl Registry {
    fn registrations(
        &mut self,
        store: &Store,
        rows: Vec<Result<Cluster, Error>>,
        members: &Members,
    ) -> Vec<Registration> {
        self.find_doubles(&rows, members);
        let mut made = BTreeMap::new();
        let registrations = rows
            .into_iter()
            .filter_map(|row| match row {
                Ok(row) => Some(self.registration(store, &row, &mut made)),
                Err(error) => unreadable(&error),
            })
            .collect();
        self.connections = made;
        registrations
    }

    fn registration(&mut self, store: &Store, row: &Cluster, made: &mut BTreeMap<String, Made>) -> Registration {
        let from = Source::of(row);
        let one = match self.connections.remove(&row.name) {
            Some(before) if before.from == from => before,
            Some(_) | None => Made {
                connection: connection(store, row),
                from,
            },
        };
        let connection = match self.doubles.get(&row.name) {
            Some((_, other)) => Err(format!("this is the cluster that is registered as {other} already")),
            None => one.connection.clone(),
        };
        made.insert(row.name.clone(), one);
        Registration {
            name: row.name.clone(),
            uid: row.uid.clone(),
            generation: row.credential_revision,
            connection,
            last: last_health(row),
        }
    }

    /// A row without an identity, whose member turned out to be somebody else's cluster, makes no connection. What was
    /// found holds for the credential that it was found with, as long as the other registration is there.
    fn find_doubles(&mut self, rows: &[Result<Cluster, Error>], members: &Members) {
        let rows: Vec<&Cluster> = rows.iter().flatten().collect();
        let row = |name: &str| rows.iter().find(|row| row.name == name);
        self.doubles.retain(|name, (generation, other)| {
            row(name).is_some_and(|row| row.credential_revision == *generation && row.uid.is_none())
                && row(other).is_some()
        });
        for unknown in rows.iter().filter(|row| row.uid.is_none()) {
            let Some(uid) = members.get(&unknown.name).and_then(|member| member.uid()) else {
                continue;
            };
            let holder = rows.iter().find(|row| row.uid.as_ref() == Some(&uid));
            if let Some(holder) = holder {
                let found = (unknown.credential_revision, holder.name.clone());
                self.doubles.insert(unknown.name.clone(), found);
            }
        }
    }
}

fn unreadable(error: &Error) -> Option<Registration> {
    tracing::warn!(error = %chain(error), "a registered cluster cannot be read");
    Some(Registration {
        name: error.cluster()?.to_owned(),
        uid: None,
        generation: 0,
        connection: Err(error.to_string()),
        last: None,
    })
}

/// The health that is on record, as the last leader wrote it.
pub(crate) fn last_health(row: &Cluster) -> Option<HealthSnapshot> {
    serde_json::from_value(row.probe.clone()).ok()
}

/// What stands in a credential's place while there is none: the reason, for people.
#[derive(Deserialize)]
struct Placeholder {
    unusable: BTreeMap<String, String>,
}

fn connection(store: &Store, row: &Cluster) -> Result<Connection, String> {
    let endpoint = Endpoint::parse(&row.endpoint).map_err(|error| error.to_string())?;
    let stored = store.open_sealed(&row.credential).map_err(|error| error.to_string())?;
    let bytes = stored.expose_secret();
    if let Ok(placeholder) = serde_json::from_slice::<Placeholder>(bytes)
        && let Some(why) = placeholder.unusable.into_values().next()
    {
        return Err(why);
    }
    let credential = Credential::from_stored(bytes).map_err(|error| error.to_string())?;
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut connection = Connection::new(endpoint, text(&row.ca), text(&row.tls_server_name), credential)
        .map_err(|error| error.to_string())?;
    connection.expires_at = connection.expires_at.or(row.credential_expires_at);
    Ok(connection)
}
