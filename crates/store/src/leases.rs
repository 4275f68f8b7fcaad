//! Leadership: a row with an epoch.
//!
//! A lease is no fence by itself: a leader that slept may still believe in it. So the epoch rises with every new
//! holder, and a transaction that carries an old one is refused inside the database.
//!
//! Clocks of replicas differ, so nobody compares its own clock with the row's: every renewal moves `expires_at`
//! forward, and whoever wants the lease waits, by its own monotonic clock, until the row has not moved for the life of
//! a lease. It then takes the lease *as it saw it*; a renewal in between makes that fail.

use jiff::{SignedDuration, Timestamp};

use crate::Store;
use crate::backend::{Connection, on_connection, on_pool, on_writer, row};
use crate::error::{Doing, Error, Result};

/// A lease that was held when it was taken or renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// What it is for.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Rises with every new holder.
    pub epoch: i64,
}

/// The row of a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Who holds it, or held it last.
    pub holder: String,
    /// Rises with every new holder.
    pub epoch: i64,
    /// When it ends by the holder's clock, in Unix milliseconds; 0 once it was given back. It moves with every renewal.
    pub expires_at: i64,
}

row! {
    struct Row {
        holder: String,
        epoch: i64,
        expires_at: i64,
    }
}

const TAKE: &str = "INSERT INTO leases (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $4) \
     ON CONFLICT (name) DO UPDATE SET \
       epoch = CASE WHEN leases.holder = $2 THEN leases.epoch ELSE leases.epoch + 1 END, holder = $2, \
       expires_at = CASE WHEN leases.expires_at >= $4 THEN leases.expires_at + 1 ELSE $4 END \
     WHERE leases.holder = $2 OR leases.expires_at <= $3 \
     RETURNING epoch";
const RELEASE: &str = "UPDATE leases SET expires_at = 0 WHERE name = $1 AND holder = $2 AND epoch = $3";
const FIND: &str = "SELECT holder, epoch, expires_at FROM leases WHERE name = $1";
const CHECK: &str = "SELECT epoch FROM leases WHERE name = $1 AND holder = $2 AND epoch = $3";
pub(crate) const STATEMENTS: [&str; 4] = [TAKE, RELEASE, FIND, CHECK];

/// Refuses whoever no longer holds the lease it acts by.
pub(crate) async fn check(connection: &mut Connection, lease: &Lease) -> Result<()> {
    let held: Option<i64> = on_connection!(connection, |one| {
        sqlx::query_scalar(CHECK)
            .bind(&lease.name)
            .bind(&lease.holder)
            .bind(lease.epoch)
            .fetch_optional(one)
            .await
    })
    .doing("checking the lease")?;
    held.map(drop).ok_or_else(|| Error::Fenced(lease.name.clone()))
}

impl Store {
    /// Takes or renews the lease for `holder` until `now + life`; `None` while somebody else holds it beyond `now`.
    /// To take over a lease that has not moved for long enough, pass the `expires_at` that was seen as `now`.
    ///
    /// # Errors
    /// When the database fails: then the lease must be taken for lost.
    pub async fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        life: SignedDuration,
    ) -> Result<Option<Lease>> {
        let now = now.as_millisecond();
        let until = now.saturating_add(i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        let epoch: Option<i64> = on_writer!(self, |pool| {
            sqlx::query_scalar(TAKE)
                .bind(name)
                .bind(holder)
                .bind(now)
                .bind(until)
                .fetch_optional(pool)
                .await
        })
        .doing("taking a lease")?;
        Ok(epoch.map(|epoch| Lease {
            name: name.into(),
            holder: holder.into(),
            epoch,
        }))
    }

    /// Gives the lease back, so that the next holder need not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_lease(&self, lease: &Lease) -> Result<()> {
        on_writer!(self, |pool| {
            sqlx::query(RELEASE)
                .bind(&lease.name)
                .bind(&lease.holder)
                .bind(lease.epoch)
                .execute(pool)
                .await
                .map(drop)
        })
        .doing("giving a lease back")
    }

    /// The row of a lease, if anybody ever took it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease(&self, name: &str) -> Result<Option<LeaseRow>> {
        let row: Option<Row> = on_pool!(self, |pool| sqlx::query_as(FIND).bind(name).fetch_optional(pool).await)
            .doing("reading a lease")?;
        Ok(row.map(|row| LeaseRow {
            holder: row.holder,
            epoch: row.epoch,
            expires_at: row.expires_at,
        }))
    }
}
