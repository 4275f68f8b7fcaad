//! Leadership: a row with an epoch.
//!
//! A lease is no fence by itself: a leader that slept may still believe in it. So the epoch rises with every new
//! holder, and a transaction that carries an old one is refused inside the database.

use jiff::{SignedDuration, Timestamp};

use crate::Store;
use crate::backend::{on_pool, on_writer};
use crate::error::{Doing, Result};

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

const TAKE: &str = "INSERT INTO leases (name, holder, epoch, expires_at) VALUES ($1, $2, 1, $4) \
     ON CONFLICT (name) DO UPDATE SET \
       epoch = CASE WHEN leases.holder = $2 THEN leases.epoch ELSE leases.epoch + 1 END, holder = $2, expires_at = $4 \
     WHERE leases.holder = $2 OR leases.expires_at <= $3 \
     RETURNING epoch";
const RELEASE: &str = "UPDATE leases SET expires_at = 0 WHERE name = $1 AND holder = $2 AND epoch = $3";
const HOLDER: &str = "SELECT holder FROM leases WHERE name = $1 AND expires_at > $2";
pub(crate) const STATEMENTS: [&str; 3] = [TAKE, RELEASE, HOLDER];

impl Store {
    /// Takes or renews the lease for `holder` until `now + life`; `None` while somebody else holds it.
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

    /// Who holds a lease at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_holder(&self, name: &str, now: Timestamp) -> Result<Option<String>> {
        on_pool!(self, |pool| sqlx::query_scalar(HOLDER)
            .bind(name)
            .bind(now.as_millisecond())
            .fetch_optional(pool)
            .await)
        .doing("reading a lease")
    }
}
