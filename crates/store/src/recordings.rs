//! Records of propagation on their way into the database.
//!
//! There are far more of them than of anything else: two for every object in every member. So those that wait share a
//! transaction (`writer`) and its statements, many rows each. Part of what a row says comes from members, so a row that
//! the database refuses is nobody else's trouble.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use tokio::sync::{mpsc, oneshot};

use crate::backend::{Connection, on_connection};
use crate::error::{Doing, Error, Result};
use crate::propagations::{DELETE, DELETE_HEAD, PUT_HEAD, PUT_TAIL, Propagation, PropagationKey};
use crate::queue::Request;
use crate::{Lease, leases};

/// Rows of one statement, largest first: few different statements, so that databases can keep them prepared.
const CHUNKS: [usize; 3] = [64, 8, 1];
const PUT_COLUMNS: usize = 11;
const KEY_COLUMNS: usize = 4;

/// Records to put and to drop together, under one lease.
pub(crate) struct Recording {
    pub(crate) lease: Option<Lease>,
    pub(crate) put: Vec<Propagation>,
    pub(crate) dropped: Vec<(PropagationKey, String)>,
}

impl Recording {
    /// How much work it is.
    pub(crate) fn rows(&self) -> usize {
        self.put.len() + self.dropped.len()
    }

    /// What it is about.
    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let put = self.put.iter().map(|record| (&record.key, record.cluster.as_str()));
        put.chain(self.dropped.iter().map(|(key, cluster)| (key, cluster.as_str())))
    }
}

/// Names a row: an object and a cluster.
type Place<'a> = (&'a PropagationKey, &'a str);

/// Hands records to the writer and waits for their commit.
pub(crate) async fn submit(queue: &mpsc::Sender<Request>, recording: Recording) -> Result<()> {
    let (answer, outcome) = oneshot::channel();
    queue
        .send(Request::Record { recording, answer })
        .await
        .map_err(|_| Error::Closed)?;
    outcome.await.map_err(|_| Error::Closed)?
}

/// Writes them in order, inside the transaction that is open. Those whose lease is lost are refused, one by one.
pub(crate) async fn write(connection: &mut Connection, recordings: &[Recording]) -> Result<Vec<Result<()>>> {
    let mut outcomes = Vec::with_capacity(recordings.len());
    let mut leases: Vec<(&Lease, bool)> = Vec::new();
    // What comes later counts. A statement must not meet the same row twice.
    let mut rows: BTreeMap<Place<'_>, Option<&Propagation>> = BTreeMap::new();
    for recording in recordings {
        if let Some(lease) = &recording.lease {
            let held = match leases.iter().find(|(known, _)| *known == lease) {
                Some((_, held)) => *held,
                None => {
                    let held = match leases::check(connection, lease).await {
                        Ok(()) => true,
                        Err(Error::Fenced(_)) => false,
                        Err(error) => return Err(error),
                    };
                    leases.push((lease, held));
                    held
                }
            };
            if !held {
                outcomes.push(Err(Error::Fenced(lease.name.clone())));
                continue;
            }
        }
        for record in &recording.put {
            rows.insert((&record.key, &record.cluster), Some(record));
        }
        for (key, cluster) in &recording.dropped {
            rows.insert((key, cluster), None);
        }
        outcomes.push(Ok(()));
    }
    let put: Vec<&Propagation> = rows.values().copied().flatten().collect();
    let gone = rows.iter().filter(|(_, record)| record.is_none());
    let gone: Vec<Place<'_>> = gone.map(|(place, _)| *place).collect();
    if let Err(error) = try_rows(connection, &put, &gone).await? {
        tracing::warn!(%error, "records of propagation could not be written together; they are written one by one");
        let refused = write_apart(connection, &put, &gone).await?;
        for (outcome, recording) in outcomes.iter_mut().zip(recordings) {
            let why = recording.places().find_map(|place| refused.get(&place));
            if let (Ok(()), Some(why)) = (&outcome, why) {
                *outcome = Err(Error::Database {
                    doing: "recording propagation",
                    source: sqlx::Error::Protocol(why.clone()),
                });
            }
        }
    }
    Ok(outcomes)
}

/// Writes rows; when that fails, nothing of it has happened. The outer error means that the transaction is broken.
async fn try_rows(connection: &mut Connection, put: &[&Propagation], gone: &[Place<'_>]) -> Result<Result<()>> {
    if put.is_empty() && gone.is_empty() {
        return Ok(Ok(()));
    }
    connection.run("SAVEPOINT records").await?;
    let outcome = write_rows(connection, put, gone).await;
    if outcome.is_err() {
        connection.run("ROLLBACK TO SAVEPOINT records").await?;
    }
    connection.run("RELEASE SAVEPOINT records").await?;
    Ok(outcome)
}

async fn write_rows(connection: &mut Connection, put: &[&Propagation], gone: &[Place<'_>]) -> Result<()> {
    for chunk in chunks(put) {
        put_rows(connection, chunk).await?;
    }
    for chunk in chunks(gone) {
        delete_rows(connection, chunk).await?;
    }
    Ok(())
}

/// Writes the rows that can be written, and says of the others why not: one that the database refuses costs nobody else
/// anything.
async fn write_apart<'a>(
    connection: &mut Connection,
    put: &[&'a Propagation],
    gone: &[Place<'a>],
) -> Result<BTreeMap<Place<'a>, String>> {
    let mut refused = BTreeMap::new();
    for chunk in chunks(put) {
        if try_rows(connection, chunk, &[]).await?.is_ok() {
            continue;
        }
        for row in chunk {
            if let Err(error) = try_rows(connection, &[*row], &[]).await? {
                refused.insert((&row.key, row.cluster.as_str()), error.to_string());
            }
        }
    }
    for chunk in chunks(gone) {
        if try_rows(connection, &[], chunk).await?.is_ok() {
            continue;
        }
        for place in chunk {
            if let Err(error) = try_rows(connection, &[], &[*place]).await? {
                refused.insert(*place, error.to_string());
            }
        }
    }
    Ok(refused)
}

/// Cuts rows into pieces of the sizes that statements have.
fn chunks<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= rows.len())?;
        let (chunk, rest) = rows.split_at(size);
        rows = rest;
        Some(chunk)
    })
}

/// `($1, $2), ($3, $4)` and so on.
fn placeholders(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns)
            .map(|column| format!("${}", row * columns + column))
            .collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

async fn put_rows(connection: &mut Connection, rows: &[&Propagation]) -> Result<()> {
    let text = format!("{PUT_HEAD} VALUES {} {PUT_TAIL}", placeholders(rows.len(), PUT_COLUMNS));
    on_connection!(connection, |one| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for record in rows {
            query = query
                .bind(&record.key.resource)
                .bind(&record.key.namespace)
                .bind(&record.key.name)
                .bind(&record.cluster)
                .bind(&record.uid)
                .bind(&record.applied_hash)
                .bind(&record.managed_hash)
                .bind(&record.status)
                .bind(&record.message)
                .bind(record.leftover)
                .bind(record.at.as_millisecond());
        }
        query.execute(one).await.map(drop)
    })
    .doing("recording propagation")
}

async fn delete_rows(connection: &mut Connection, rows: &[Place<'_>]) -> Result<()> {
    let text = if rows.len() == 1 {
        DELETE.to_owned()
    } else {
        format!("{DELETE_HEAD} (VALUES {})", placeholders(rows.len(), KEY_COLUMNS))
    };
    on_connection!(connection, |one| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for (key, cluster) in rows {
            query = query
                .bind(&key.resource)
                .bind(&key.namespace)
                .bind(&key.name)
                .bind(*cluster);
        }
        query.execute(one).await.map(drop)
    })
    .doing("dropping records of propagation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_pieces_that_statements_are_prepared_for() {
        let rows: Vec<usize> = (0..83).collect();
        let sizes: Vec<usize> = chunks(&rows).map(<[usize]>::len).collect();
        assert_eq!(sizes, [64, 8, 8, 1, 1, 1]);
        assert_eq!(chunks(&rows).flatten().copied().collect::<Vec<_>>(), rows);
        assert_eq!(placeholders(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
