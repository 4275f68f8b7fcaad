//! Writing objects and clusters: one queue, shared commits, one revision each.
//!
//! A commit costs a disk flush (SQLite) or a round trip with a row lock (PostgreSQL), so writers that wait share one.
//! Each runs inside a savepoint with a revision of its own: one that conflicts is rolled back alone. Nobody is
//! answered before the commit.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

use crate::backend::{Connection, on_connection};
use crate::changes::ChangeKind;
use crate::error::{Doing, Error, Result};
use crate::objects::{FIND, Object, ObjectRow};
use crate::queue::{Batch, Request};
use crate::recordings;
use crate::seal::Keys;
use crate::store::Inner;
use crate::{Cluster, ClusterHealth, Lease, ObjectKey, Revision};

/// One write of a transaction.
#[derive(Debug, Clone)]
pub enum Write {
    /// Makes an object; its body carries `metadata.uid` and `metadata.creationTimestamp`.
    Create {
        /// Its key.
        key: ObjectKey,
        /// The whole object.
        body: Arc<Value>,
    },
    /// Changes an object.
    Update {
        /// Its key.
        key: ObjectKey,
        /// The whole object.
        body: Arc<Value>,
        /// The revision that the change was made from.
        expected: Revision,
    },
    /// Deletes an object.
    Delete {
        /// Its key.
        key: ObjectKey,
        /// The revision that the decision was made from; `None` for whatever is there.
        expected: Option<Revision>,
    },
    /// Writes nothing: the whole transaction fails unless an object is as it was when the decision was made. For
    /// decisions that rest on other objects than those that they write.
    Require {
        /// The key.
        key: ObjectKey,
        /// The revision at which it was read; `None` when it was not there.
        expected: Option<Revision>,
    },
    /// Writes nothing: the whole transaction fails if any object of a namespace was made or changed after a revision. For
    /// decisions that rest on everything in it; the namespace itself is none of its objects.
    RequireQuiet {
        /// The namespace.
        namespace: String,
        /// The revision as of which its objects were read.
        since: Revision,
    },
    /// Makes or replaces the side table's row of a registered cluster.
    PutCluster(Box<Cluster>),
    /// Changes what the side table says of a cluster's health, and nothing else of its row.
    PutHealth(Box<ClusterHealth>),
    /// Removes the side table's row of a cluster, and what was recorded of propagation to it.
    DeleteCluster(String),
}

/// Writes that happen together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Transaction {
    /// In order.
    pub writes: Vec<Write>,
    /// The lease under which the writer acts, if it acts as leader.
    pub lease: Option<Lease>,
}

/// What a transaction left behind.
#[derive(Debug, Clone)]
pub struct Written {
    /// The revision of the whole transaction.
    pub revision: Revision,
    /// For each write of an object, in order, what it is now; for a deletion, what it was.
    pub objects: Vec<Object>,
}

/// What became of a batch, request by request.
#[derive(Default)]
struct Outcomes {
    written: Vec<Result<Written>>,
    recorded: Vec<Result<()>>,
}

pub(crate) const BUMP: &str = "UPDATE counters SET value = value + 1 WHERE name = 'revision' RETURNING value";
const INSERT: &str = "INSERT INTO objects (grp, resource, namespace, name, uid, generation, revision, created_at, deletion_at, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const UPDATE: &str = "UPDATE objects SET uid = $5, generation = $6, revision = $7, created_at = $8, deletion_at = $9, body = $10 \
     WHERE grp = $1 AND resource = $2 AND namespace = $3 AND name = $4";
const DELETE: &str = "DELETE FROM objects WHERE grp = $1 AND resource = $2 AND namespace = $3 AND name = $4";
const RECORD: &str = "INSERT INTO changes (revision, position, kind, grp, resource, namespace, name, before_body, after_body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const NEWEST_IN_NAMESPACE: &str = "SELECT MAX(revision) FROM objects WHERE namespace = $1";
pub(crate) const STATEMENTS: [&str; 6] = [BUMP, INSERT, UPDATE, DELETE, RECORD, NEWEST_IN_NAMESPACE];

/// Hands a transaction to the writer and waits for its commit.
pub(crate) async fn submit(queue: &mpsc::Sender<Request>, transaction: Transaction) -> Result<Written> {
    let (answer, outcome) = oneshot::channel();
    queue
        .send(Request::Write { transaction, answer })
        .await
        .map_err(|_| Error::Closed)?;
    outcome.await.map_err(|_| Error::Closed)?
}

/// Serves the queue until all senders are gone.
pub(crate) async fn run(inner: Arc<Inner>, mut queue: mpsc::Receiver<Request>, wake: watch::Sender<Revision>) {
    while let Some(first) = queue.recv().await {
        let batch = Batch::gather(first, &mut queue);
        commit_batch(&inner, batch, &wake).await;
    }
}

async fn commit_batch(inner: &Inner, batch: Batch, wake: &watch::Sender<Revision>) {
    let committed = match inner.pool.writer().await {
        Ok(mut connection) => {
            let done = write_all(&mut connection, &inner.keys, &batch).await;
            if done.is_err() {
                // The connection may hold a broken transaction; rolling back makes it fit for the next one.
                let _ = connection.run("ROLLBACK").await;
            }
            done
        }
        Err(error) => Err(error),
    };
    match committed {
        Ok(Outcomes { written, recorded }) => {
            let successes = written.iter().filter_map(|outcome| outcome.as_ref().ok());
            if let Some(newest) = successes.map(|written| written.revision).max() {
                wake.send_if_modified(|seen| {
                    let moved = newest > *seen;
                    *seen = newest.max(*seen);
                    moved
                });
            }
            for (answer, outcome) in batch.writers.into_iter().zip(written) {
                let _ = answer.send(outcome);
            }
            for (answer, outcome) in batch.recorders.into_iter().zip(recorded) {
                let _ = answer.send(outcome);
            }
        }
        Err(error) => {
            tracing::error!(%error, cause = ?std::error::Error::source(&error).map(ToString::to_string), "a commit failed");
            let failure = || Error::Database {
                doing: "committing",
                source: sqlx::Error::Protocol(error.to_string()),
            };
            for answer in batch.writers {
                let _ = answer.send(Err(failure()));
            }
            for answer in batch.recorders {
                let _ = answer.send(Err(failure()));
            }
        }
    }
}

async fn write_all(connection: &mut Connection, keys: &Keys, batch: &Batch) -> Result<Outcomes> {
    connection.begin().await?;
    let mut outcomes = Outcomes {
        written: Vec::with_capacity(batch.transactions.len()),
        recorded: recordings::write(connection, &batch.recordings).await?,
    };
    for transaction in &batch.transactions {
        connection.run("SAVEPOINT one").await?;
        let outcome = write_one(connection, keys, transaction).await;
        match &outcome {
            Ok(_) => connection.run("RELEASE SAVEPOINT one").await?,
            Err(_) => {
                connection.run("ROLLBACK TO SAVEPOINT one").await?;
                connection.run("RELEASE SAVEPOINT one").await?;
            }
        }
        outcomes.written.push(outcome);
    }
    if outcomes.written.iter().any(Result::is_ok) {
        connection.notify().await?;
    }
    connection.run("COMMIT").await?;
    Ok(outcomes)
}

async fn write_one(connection: &mut Connection, keys: &Keys, transaction: &Transaction) -> Result<Written> {
    // First statement of all: it takes the lock that makes the order of revisions the order of commits.
    let revision: i64 =
        on_connection!(connection, |one| sqlx::query_scalar(BUMP).fetch_one(one).await).doing("taking a revision")?;
    let revision = Revision(revision);
    if let Some(lease) = &transaction.lease {
        crate::leases::check(connection, lease).await?;
    }
    let mut objects = Vec::new();
    for (position, write) in transaction.writes.iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        match write {
            Write::Create { key, body } => {
                if find(connection, key).await?.is_some() {
                    return Err(Error::AlreadyExists(key.clone()));
                }
                let object = store_object(connection, keys, INSERT, key, body, revision).await?;
                record(
                    connection,
                    keys,
                    revision,
                    position,
                    ChangeKind::Created,
                    key,
                    None,
                    Some(body),
                )
                .await?;
                objects.push(object);
            }
            Write::Update { key, body, expected } => {
                let before = current(connection, keys, key, Some(*expected)).await?;
                let object = store_object(connection, keys, UPDATE, key, body, revision).await?;
                if object.uid != before.uid {
                    return Err(Error::OtherUid(key.clone()));
                }
                let (before, after) = (Some(&before.body), Some(body));
                record(
                    connection,
                    keys,
                    revision,
                    position,
                    ChangeKind::Updated,
                    key,
                    before,
                    after,
                )
                .await?;
                objects.push(object);
            }
            Write::Delete { key, expected } => {
                let before = current(connection, keys, key, *expected).await?;
                on_connection!(connection, |one| {
                    sqlx::query(DELETE)
                        .bind(&key.group)
                        .bind(&key.resource)
                        .bind(&key.namespace)
                        .bind(&key.name)
                        .execute(one)
                        .await
                        .map(drop)
                })
                .doing("deleting an object")?;
                record(
                    connection,
                    keys,
                    revision,
                    position,
                    ChangeKind::Deleted,
                    key,
                    Some(&before.body),
                    None,
                )
                .await?;
                objects.push(Object { revision, ..before });
            }
            Write::Require { key, expected } => {
                let current = find(connection, key).await?.map(|row| Revision(row.revision));
                if current != *expected {
                    return Err(Error::Conflict {
                        key: key.clone(),
                        current: current.unwrap_or_default(),
                    });
                }
            }
            Write::RequireQuiet { namespace, since } => {
                let newest: Option<i64> = on_connection!(connection, |one| {
                    sqlx::query_scalar(NEWEST_IN_NAMESPACE)
                        .bind(namespace)
                        .fetch_one(one)
                        .await
                })
                .doing("reading the newest object of a namespace")?;
                if let Some(current) = newest.map(Revision).filter(|newest| newest > since) {
                    return Err(Error::Conflict {
                        key: ObjectKey::new("", "namespaces", "", namespace),
                        current,
                    });
                }
            }
            Write::PutCluster(cluster) => crate::clusters::put(connection, cluster).await?,
            Write::PutHealth(health) => crate::clusters::put_health(connection, health).await?,
            Write::DeleteCluster(name) => crate::clusters::delete(connection, name).await?,
        }
    }
    Ok(Written { revision, objects })
}

async fn find(connection: &mut Connection, key: &ObjectKey) -> Result<Option<ObjectRow>> {
    on_connection!(connection, |one| {
        sqlx::query_as(FIND)
            .bind(&key.group)
            .bind(&key.resource)
            .bind(&key.namespace)
            .bind(&key.name)
            .fetch_optional(one)
            .await
    })
    .doing("reading an object")
}

/// The object as it is, if it is at the expected revision.
async fn current(
    connection: &mut Connection,
    keys: &Keys,
    key: &ObjectKey,
    expected: Option<Revision>,
) -> Result<Object> {
    let row = find(connection, key)
        .await?
        .ok_or_else(|| Error::NotFound(key.clone()))?;
    let current = Revision(row.revision);
    if expected.is_some_and(|expected| expected != current) {
        return Err(Error::Conflict {
            key: key.clone(),
            current,
        });
    }
    row.into_object(keys)
}

async fn store_object(
    connection: &mut Connection,
    keys: &Keys,
    statement: &'static str,
    key: &ObjectKey,
    body: &Arc<Value>,
    revision: Revision,
) -> Result<Object> {
    let metadata = &body["metadata"];
    let time = |field: &str| {
        metadata[field]
            .as_str()
            .map(|text| {
                text.parse::<jiff::Timestamp>()
                    .map_err(|error| key.corrupt(&format!("metadata.{field}: {error}")))
            })
            .transpose()
    };
    let object = Object {
        uid: metadata["uid"]
            .as_str()
            .ok_or_else(|| key.corrupt(&"metadata.uid is missing"))?
            .to_owned(),
        generation: metadata["generation"].as_i64().unwrap_or_default(),
        revision,
        created_at: time("creationTimestamp")?.ok_or_else(|| key.corrupt(&"metadata.creationTimestamp is missing"))?,
        deletion_at: time("deletionTimestamp")?,
        body: body.clone(),
        key: key.clone(),
    };
    let bytes = key.encode(body, keys)?;
    on_connection!(connection, |one| {
        sqlx::query(statement)
            .bind(&key.group)
            .bind(&key.resource)
            .bind(&key.namespace)
            .bind(&key.name)
            .bind(&object.uid)
            .bind(object.generation)
            .bind(revision.0)
            .bind(object.created_at.as_millisecond())
            .bind(object.deletion_at.map(jiff::Timestamp::as_millisecond))
            .bind(bytes)
            .execute(one)
            .await
            .map(drop)
    })
    .doing("writing an object")?;
    Ok(object)
}

#[expect(clippy::too_many_arguments, reason = "one row of history, column by column")]
async fn record(
    connection: &mut Connection,
    keys: &Keys,
    revision: Revision,
    position: i64,
    kind: ChangeKind,
    key: &ObjectKey,
    before: Option<&Arc<Value>>,
    after: Option<&Arc<Value>>,
) -> Result<()> {
    let before = before.map(|body| key.encode(body, keys)).transpose()?;
    let after = after.map(|body| key.encode(body, keys)).transpose()?;
    on_connection!(connection, |one| {
        sqlx::query(RECORD)
            .bind(revision.0)
            .bind(position)
            .bind(kind.as_str())
            .bind(&key.group)
            .bind(&key.resource)
            .bind(&key.namespace)
            .bind(&key.name)
            .bind(before)
            .bind(after)
            .execute(one)
            .await
            .map(drop)
    })
    .doing("recording a change")
}
