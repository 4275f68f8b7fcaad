//! One registry, two doors: a `KubeFedCluster` and its Secret, written by kubectl in any order, make and change the
//! same rows that the console's registration makes.
//!
//! A registered cluster is a `KubeFedCluster` object with a row of the side table, written in one transaction. Rules:
//! * **A row changes only together with its object**, which is written again at the revision it was read at. So the two
//!   doors, the replicas and the recorder of health cannot overwrite each other's half: the later one conflicts, reads
//!   again and decides again.
//! * A Secret that is missing or unusable makes a row whose credential cannot be opened as one; the cluster then reports
//!   `ConfigMalformed`. Writing the Secret later is enough.
//! * A changed Secret is sealed into the row again, and `credential_revision` moves, so that the member is reconnected.
//! * **A changed address does not get the old credential**: whoever may edit a cluster could otherwise have it sent to a
//!   place of their choice. The Secret must be written again with its value, or another one must be named.
//! * Deleting the object unregisters the cluster and leaves what is in the member.

mod spec;

use atoll_clusters::Credential;
use atoll_federation::types::SYSTEM_NAMESPACE;
use atoll_kubeapi::Change;
use atoll_store::{Cluster, Error, Object, ObjectKey, Result, Revision, Role, Sealed, Store, Transaction, Write};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use spec::{Shape, credential, stored};
pub use spec::{Unusable, parse_ca, parse_endpoint, secret_name};

use super::backend::{first, write_of};
use super::catalog::CORE_GROUP;
use super::mask;

/// How often a transaction is tried against objects that move.
const TRIES: usize = 8;

/// Writes objects that clusters are made of.
pub struct Registry<'a> {
    store: &'a Store,
    now: Timestamp,
}

/// A `KubeFedCluster` with the row it is to have.
struct Follower {
    object: Object,
    row: Cluster,
}

impl Follower {
    /// Writes the row, and the object as it is: whoever read it before must read it again.
    fn writes(self) -> [Write; 2] {
        let touch = Write::Update {
            key: self.object.key,
            body: self.object.body,
            expected: self.object.revision,
        };
        [touch, Write::PutCluster(Box::new(self.row))]
    }
}

/// Which Secret a decision was made from, and at which revision it was, if it was there.
struct Consulted {
    secret: String,
    revision: Option<Revision>,
}

fn secret_key(name: &str) -> ObjectKey {
    ObjectKey::new("", "secrets", SYSTEM_NAMESPACE, name)
}

impl<'a> Registry<'a> {
    /// The registry in this store.
    pub fn new(store: &'a Store, now: Timestamp) -> Self {
        Self { store, now }
    }

    /// Commits a change of a `KubeFedCluster`, with what it means for its row.
    pub(super) async fn commit_cluster(&self, key: &ObjectKey, change: Change, by: &str) -> Result<Object> {
        let mut writes = Vec::new();
        let mut consulted = None;
        match &change {
            Change::Create(value) => {
                let shape = Shape::of(value);
                let mut row = self.new_row(&key.name, &shape, by)?;
                consulted = Some(self.take_from_secret(&mut row, &shape.secret).await?);
                writes.push(Write::PutCluster(Box::new(row)));
            }
            Change::Update { value, .. } => {
                if let Some(before) = self.store.object(key).await? {
                    let (old, new) = (Shape::of(&before.body), Shape::of(value));
                    if old != new {
                        let (row, read) = self.changed_row(&key.name, &old, &new, by).await?;
                        consulted = read;
                        writes.push(Write::PutCluster(Box::new(row)));
                    }
                }
            }
            Change::Delete { .. } => writes.push(Write::DeleteCluster(key.name.clone())),
        }
        writes.insert(0, write_of(key, change));
        let object = first(self.store.write(Transaction { writes, lease: None }).await?)?;
        // Whoever commits second sees the other's commit here: a Secret that came in between is not missed.
        if let Some(consulted) = consulted
            && self.revision_of(&consulted.secret).await? != consulted.revision
        {
            self.reconcile(&key.name).await?;
        }
        Ok(object)
    }

    /// Commits a change of a Secret that may be a cluster's credential, with what it means for the clusters that name it.
    pub(super) async fn commit_secret(&self, key: &ObjectKey, change: Change) -> Result<Object> {
        for _ in 0..TRIES {
            let (change, given) = self.revealed(key, change.clone()).await?;
            let after = match &change {
                Change::Create(value) | Change::Update { value, .. } => Some(value),
                Change::Delete { .. } => None,
            };
            let followers = self.followers(&key.name, after, given).await?;
            let handled: Vec<String> = followers.iter().map(|one| one.object.key.name.clone()).collect();
            let mut writes = vec![write_of(key, change)];
            writes.extend(followers.into_iter().flat_map(Follower::writes));
            match self.store.write(Transaction { writes, lease: None }).await {
                // A cluster moved meanwhile, not the Secret: look again.
                Err(Error::Conflict { key: moved, .. } | Error::NotFound(moved)) if moved != *key => {}
                outcome => {
                    let object = first(outcome?)?;
                    for one in self.naming(&key.name).await? {
                        if !handled.contains(&one.key.name) && self.is_missing(&one.key.name).await? {
                            self.reconcile(&one.key.name).await?;
                        }
                    }
                    return Ok(object);
                }
            }
        }
        let current = self.store.revision().await?;
        Err(Error::Conflict {
            key: key.clone(),
            current,
        })
    }

    /// Whether a cluster waits for this Secret to be written again, because its address has changed.
    pub(super) async fn awaits(&self, secret: &str) -> Result<bool> {
        for object in self.naming(secret).await? {
            if let Some(row) = self.store.cluster(&object.key.name).await?
                && matches!(self.unusable(&row.credential), Some(Unusable::AddressChanged(_)))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Gives every cluster that lacks its credential what its Secret holds by now: what a crash between two commits
    /// may have left behind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn heal(&self) -> Result<()> {
        let listing = self
            .store
            .objects(CORE_GROUP, "kubefedclusters", Some(SYSTEM_NAMESPACE))
            .await?;
        for object in listing.objects {
            if self.is_missing(&object.key.name).await? {
                self.reconcile(&object.key.name).await?;
            }
        }
        Ok(())
    }

    /// Brings one row in step with its object and Secret.
    async fn reconcile(&self, name: &str) -> Result<()> {
        for _ in 0..TRIES {
            let Some(object) = self.store.object(&Store::cluster_key(name)).await? else {
                return Ok(());
            };
            let secret = self.store.object(&secret_key(secret_name(&object.body))).await?;
            let after = secret.as_ref().map(|secret| &*secret.body);
            let Some(follower) = self.follower(object, after, true).await? else {
                return Ok(());
            };
            let transaction = Transaction {
                writes: follower.writes().into(),
                lease: None,
            };
            match self.store.write(transaction).await {
                Err(Error::Conflict { .. } | Error::NotFound(_)) => {}
                outcome => return outcome.map(drop),
            }
        }
        Ok(())
    }

    /// The clusters whose row must change with this Secret. `after` is `None` when it goes; `given` says whether its
    /// values were given anew.
    async fn followers(&self, secret: &str, after: Option<&Value>, given: bool) -> Result<Vec<Follower>> {
        let mut followers = Vec::new();
        for object in self.naming(secret).await? {
            followers.extend(self.follower(object, after, given).await?);
        }
        Ok(followers)
    }

    async fn follower(&self, object: Object, after: Option<&Value>, given: bool) -> Result<Option<Follower>> {
        let shape = Shape::of(&object.body);
        let mut row = match self.store.cluster(&object.key.name).await? {
            Some(row) => row,
            None => self.new_row(&object.key.name, &shape, "")?,
        };
        let wanted = credential(&shape.secret, after);
        let bytes = stored(wanted.as_ref());
        if let Ok(current) = self.store.open_sealed(&row.credential) {
            let same = current.expose_secret() == bytes.expose_secret();
            let waits = matches!(
                Unusable::from_stored(current.expose_secret()),
                Some(Unusable::AddressChanged(_))
            );
            if same || waits && !given {
                return Ok(None);
            }
        }
        self.put_credential(&mut row, wanted)?;
        Ok(Some(Follower { object, row }))
    }

    /// The clusters that name this Secret.
    async fn naming(&self, secret: &str) -> Result<Vec<Object>> {
        let listing = self
            .store
            .objects(CORE_GROUP, "kubefedclusters", Some(SYSTEM_NAMESPACE))
            .await?;
        Ok(listing
            .objects
            .into_iter()
            .filter(|object| secret_name(&object.body) == secret)
            .collect())
    }

    async fn changed_row(
        &self,
        name: &str,
        old: &Shape,
        new: &Shape,
        by: &str,
    ) -> Result<(Cluster, Option<Consulted>)> {
        let mut row = match self.store.cluster(name).await? {
            Some(row) => row,
            None => self.new_row(name, new, by)?,
        };
        row.endpoint.clone_from(&new.endpoint);
        row.ca.clone_from(&new.ca);
        row.credential_revision += 1;
        if old.secret != new.secret {
            let consulted = self.take_from_secret(&mut row, &new.secret).await?;
            return Ok((row, Some(consulted)));
        }
        if old.endpoint != new.endpoint && self.unusable(&row.credential).is_none() {
            let why = format!(
                "the address has changed since the Secret {} was written: write the Secret again, with its token",
                new.secret
            );
            self.put_credential(&mut row, Err(Unusable::AddressChanged(why)))?;
        }
        Ok((row, None))
    }

    /// Puts what the Secret holds now into the row.
    async fn take_from_secret(&self, row: &mut Cluster, secret: &str) -> Result<Consulted> {
        let object = self.store.object(&secret_key(secret)).await?;
        let body = object.as_ref().map(|object| &*object.body);
        self.put_credential(row, credential(secret, body))?;
        Ok(Consulted {
            secret: secret.to_owned(),
            revision: object.map(|object| object.revision),
        })
    }

    fn put_credential(&self, row: &mut Cluster, credential: Result<Credential, Unusable>) -> Result<()> {
        row.credential = self.store.seal_credential(&row.name, &stored(credential.as_ref()))?;
        row.credential_expires_at = credential.ok().and_then(|credential| credential.expires_at());
        row.credential_revision += 1;
        Ok(())
    }

    fn new_row(&self, name: &str, shape: &Shape, by: &str) -> Result<Cluster> {
        let nothing = Unusable::Missing(format!("the Secret {} has not been read", shape.secret));
        Ok(Cluster {
            name: name.to_owned(),
            uid: None,
            role: Role::Member,
            alias: String::new(),
            description: String::new(),
            provider: String::new(),
            region: String::new(),
            connection: "direct".to_owned(),
            endpoint: shape.endpoint.clone(),
            ca: shape.ca.clone(),
            tls_server_name: String::new(),
            credential: self.store.seal_credential(name, &stored(Err(&nothing)))?,
            credential_revision: 0,
            credential_expires_at: None,
            // Nobody was asked whether the hub may write a binding there.
            admit_admins: false,
            created_at: self.now,
            created_by: by.to_owned(),
            state: "Pending".to_owned(),
            since: self.now,
            conditions: json!([]),
            probe: json!({}),
        })
    }

    /// The change of a Secret with its real values, and whether any of them was given anew.
    async fn revealed(&self, key: &ObjectKey, mut change: Change) -> Result<(Change, bool)> {
        let given = match &mut change {
            Change::Create(value) => mask::gives_values(value),
            Change::Update { value, .. } => {
                let given = mask::gives_values(value);
                // At another revision than the change was made from, the write conflicts.
                if let Some(before) = self.store.object(key).await? {
                    mask::reveal(value, &before.body);
                }
                given
            }
            Change::Delete { .. } => false,
        };
        Ok((change, given))
    }

    fn unusable(&self, sealed: &Sealed) -> Option<Unusable> {
        let bytes = self.store.open_sealed(sealed).ok()?;
        Unusable::from_stored(bytes.expose_secret())
    }

    /// Whether a cluster has no row, or one that waits for its Secret.
    async fn is_missing(&self, name: &str) -> Result<bool> {
        Ok(match self.store.cluster(name).await? {
            Some(row) => matches!(self.unusable(&row.credential), Some(Unusable::Missing(_))),
            None => true,
        })
    }

    async fn revision_of(&self, secret: &str) -> Result<Option<Revision>> {
        Ok(self
            .store
            .object(&secret_key(secret))
            .await?
            .map(|object| object.revision))
    }
}
