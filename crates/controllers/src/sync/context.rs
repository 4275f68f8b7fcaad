//! Everything that a plan depends on and that no member has to be asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use atoll_federation::placement::{Placed, place};
use atoll_federation::plain::{PlainObject, Settled, Situation};
use atoll_federation::plan::{Contents, Hold, Input, Pods};
use atoll_federation::replicas::Preference;
use atoll_federation::{
    Cluster, ClusterName, Drift, FederatedObject, Fight, Observed, Present, Record, Settings, TypeDescriptor,
};
use atoll_store::{Propagation, Store};
use jiff::Timestamp;

use crate::error::{Doing, Result};
use crate::fleet::{self, Fleet};
use crate::hub::Hub;
use crate::key::{Key, Kind};
use crate::preferences::{self, Stated};
use crate::sync::plain;

/// One object, where it may go, and what the hub remembers of it.
pub(crate) struct Context {
    pub(crate) row: &'static TypeDescriptor,
    settings: Settings,
    pub(crate) object: FederatedObject,
    pub(crate) namespace: Option<FederatedObject>,
    pub(crate) clusters: BTreeMap<ClusterName, Cluster>,
    pub(crate) records: BTreeMap<ClusterName, Record>,
    /// Objects that the hub manages by cluster; counted only when something may be deleted.
    managed: BTreeMap<ClusterName, u64>,
    /// What members hold in the namespace, as far as it matters and was read.
    pub(crate) contents: BTreeMap<ClusterName, Contents>,
    /// Objects in the namespace that the hub manages, by cluster.
    inside: BTreeMap<ClusterName, u64>,
    pods: BTreeMap<ClusterName, Pods>,
    /// What was found changed in members.
    drifts: BTreeMap<ClusterName, Drift>,
    /// Where somebody changes the object again each time it is put back.
    fights: BTreeMap<ClusterName, Fight>,
    /// What a preference object says about the object.
    pub(crate) stated: Option<Stated>,
    /// The same object with what only plain ones have.
    pub(crate) plain: Option<Box<PlainObject>>,
    /// What a plain object shares out by itself, given what was seen.
    pub(crate) settled: Option<Settled>,
    /// A hold on the change that displaces the object, found over all objects together.
    held: Option<Hold>,
    /// Whether that change was confirmed.
    confirmed: bool,
    /// Clusters that the object goes to, ready or not; none when that cannot be told.
    placed: BTreeSet<ClusterName>,
    /// Whether it can be told where the object goes.
    is_placed: bool,
    now: Timestamp,
}

impl Context {
    /// Reads it from the store.
    pub(crate) async fn load(hub: &Hub, fleet: &Fleet, key: &Key, object: FederatedObject) -> Result<Self> {
        let namespace = namespace(hub, key).await?;
        Self::load_within(hub, fleet, key, object, namespace).await
    }

    /// Reads it from the store but for the FederatedNamespace, which may be one that is not stored yet.
    pub(crate) async fn load_within(
        hub: &Hub,
        fleet: &Fleet,
        key: &Key,
        object: FederatedObject,
        namespace: Option<FederatedObject>,
    ) -> Result<Self> {
        let clock = Timestamp::now();
        // Statuses carry whole seconds, as Kubernetes writes them.
        let now = Timestamp::from_second(clock.as_second()).unwrap_or(clock);
        let row = key.kind.row();
        let members = hub.clusters.members();
        let configuration = hub.configuration();
        let clusters = fleet::clusters(fleet, &members, clock, &hub.shares());
        let mut context = Self {
            row,
            settings: configuration.settings.clone(),
            namespace,
            records: records(&hub.store, key).await?,
            clusters,
            object,
            managed: BTreeMap::new(),
            contents: BTreeMap::new(),
            inside: BTreeMap::new(),
            pods: BTreeMap::new(),
            drifts: BTreeMap::new(),
            fights: BTreeMap::new(),
            stated: preferences::find(&hub.store, key).await?,
            plain: None,
            settled: None,
            held: None,
            confirmed: false,
            placed: BTreeSet::new(),
            is_placed: false,
            now,
        };
        if !context.object.is_deleting() {
            let placed = context.place();
            context.is_placed = placed.is_some();
            context.placed = placed.unwrap_or_default();
        }
        let mut records = context.records.keys();
        if records.any(|name| !context.placed.contains(name) || shares_itself_out(row)) && !context.object.is_deleting()
        {
            context.managed = by_cluster(hub.store.managed().await.doing("counting managed objects")?);
        }
        if row.is_namespace() && context.records.keys().any(|name| context.may_delete(name)) {
            let beside = row.federated.resource();
            let inside = hub.store.managed_in_namespace(&key.name, &beside).await;
            context.inside = by_cluster(inside.doing("counting managed objects")?);
        }
        Ok(context)
    }

    /// Clusters that the object goes to; `None` when that cannot be told, or its namespace is not federated.
    fn place(&self) -> Option<BTreeSet<ClusterName>> {
        let namespace = self.namespace.as_ref();
        match place(
            self.row,
            &self.object,
            namespace,
            self.settings.scope,
            &self.clusters,
            self.stated.is_some(),
        ) {
            Ok(Placed::Clusters(placed)) => Some(placed),
            Ok(Placed::NamespaceNotFederated) | Err(_) => None,
        }
    }

    /// Takes note of what only a plain object has.
    pub(crate) fn take_plain(&mut self, plain: Option<Box<PlainObject>>) {
        self.plain = plain;
        self.settle(&BTreeMap::new());
    }

    /// Shares out what a plain object shares out by itself, given what was seen.
    pub(crate) fn settle(&mut self, observed: &BTreeMap<ClusterName, Observed>) {
        self.settled = self.plain.as_ref().map(|plain| {
            plain.settle(&Situation {
                now: self.now,
                scope: self.settings.scope,
                row: self.row,
                namespace: self.namespace.as_ref(),
                clusters: &self.clusters,
                observed,
                records: &self.records,
            })
        });
    }

    /// Whether who gets how much depends on what all members hold.
    pub(crate) fn shares_out(&self) -> bool {
        shares_itself_out(self.row) || self.preference().is_some()
    }

    /// Whether this is a Job that nobody was given a part of yet.
    pub(crate) fn is_new_job(&self) -> bool {
        shares_itself_out(self.row) && self.row.target.kind == "Job" && self.records.is_empty()
    }

    /// When shares may come out otherwise although nothing happens.
    pub(crate) fn shares_recheck(&self) -> Option<Duration> {
        self.settled.as_ref()?.recheck
    }

    /// The preference, if there is one that can be meant.
    pub(crate) fn preference(&self) -> Option<&Preference> {
        if let Some(settled) = &self.settled {
            return settled.preference.as_ref();
        }
        let stated = self.stated.as_ref()?.preference.as_ref();
        stated.ok().map(|object| &object.preference)
    }

    /// Why the preference cannot be meant, if there is one that cannot.
    pub(crate) fn refused_preference(&self) -> Option<String> {
        if let Some(plain) = &self.plain {
            let why = plain.refused_preference()?;
            return Some(format!("the preferences of this object cannot be meant: {why}"));
        }
        let why = self.stated.as_ref()?.preference.as_ref().err()?;
        Some(format!(
            "the ReplicaSchedulingPreference of this object cannot be meant: {why}"
        ))
    }

    /// Takes note of what a member's pods tell.
    pub(crate) fn note_pods(&mut self, name: &ClusterName, pods: Pods) {
        self.pods.insert(name.clone(), pods);
    }

    /// Takes note of what was found changed in a member.
    pub(crate) fn note_drift(&mut self, name: &ClusterName, drift: Drift) {
        self.drifts.insert(name.clone(), drift);
    }

    /// Takes note of where the hub waits before it puts the object back.
    pub(crate) fn note_fights(&mut self, fights: BTreeMap<ClusterName, Fight>) {
        self.fights = fights;
    }

    /// Whether the pods of a member have to be known before replicas are shared out.
    pub(crate) fn needs_pods(&self, name: &ClusterName, present: &Present) -> bool {
        let keeps_share = self.clusters.get(name).is_some_and(|cluster| cluster.keeps_share);
        let ready = present.live.ready_replicas.unwrap_or_default();
        let is_settled = present.spec_replicas.unwrap_or_default() == ready;
        self.preference().is_some() && self.placed.contains(name) && keeps_share && !is_settled
    }

    /// Clusters that have anything to do with the object.
    pub(crate) fn concerned(&self) -> BTreeSet<ClusterName> {
        let recorded = self.records.keys().filter(|name| self.clusters.contains_key(*name));
        self.placed.iter().chain(recorded).cloned().collect()
    }

    /// Those of them that can be talked to.
    pub(crate) fn reachable(&self) -> BTreeSet<ClusterName> {
        let is_ready = |name: &ClusterName| self.clusters.get(name).is_some_and(|cluster| cluster.ready);
        self.concerned().into_iter().filter(is_ready).collect()
    }

    /// Whether the hub has begun to write this object there.
    pub(crate) fn is_recorded(&self, name: &ClusterName) -> bool {
        self.records.get(name).is_some_and(|record| record.uid.is_some())
    }

    /// Whether the object may be about to be deleted there.
    fn may_delete(&self, name: &ClusterName) -> bool {
        self.records.contains_key(name) && !self.placed.contains(name)
    }

    /// What is on record in clusters that the object is no longer placed in, with its UIDs. An object that is being
    /// deleted itself, and one whose placement cannot be told, is displaced from nowhere.
    pub(crate) fn displaced(&self) -> BTreeSet<(ClusterName, String)> {
        if self.object.is_deleting() || !self.is_placed {
            return BTreeSet::new();
        }
        displaced(self.row, &self.placed, &self.clusters, &self.records).collect()
    }

    /// Takes a preference that is not stored, or not so.
    pub(crate) fn prefer(&mut self, stated: Stated) {
        self.stated = Some(stated);
        let placed = self.place();
        self.is_placed = placed.is_some();
        self.placed = placed.unwrap_or_default();
    }

    /// The confirmation that the object carries although nothing of it is where it is not placed. That of an object which
    /// is being deleted is about that.
    pub(crate) fn useless_confirmation(&self) -> Option<&str> {
        let leaves_something = self.records.keys().any(|name| self.may_delete(name));
        // What shares itself out leaves clusters although it is placed there.
        let is_useless = !leaves_something && !shares_itself_out(self.row) && !self.object.is_deleting();
        self.object.confirm_deletes.as_deref().filter(|_| is_useless)
    }

    /// The deletes of this change wait.
    pub(crate) fn hold(&mut self, hold: Hold) {
        self.held = Some(hold);
    }

    /// The deletes of this change were confirmed.
    pub(crate) fn confirm(&mut self) {
        self.confirmed = true;
    }

    /// Whether it has to be known what a member's namespace holds before it is decided about.
    pub(crate) fn needs_contents(&self, name: &ClusterName) -> bool {
        self.row.is_namespace() && self.may_delete(name)
    }

    /// Takes note of what a member holds in the namespace beside what the hub manages.
    pub(crate) fn note_contents(&mut self, name: &ClusterName, unmanaged: u64) {
        let managed = self.inside.get(name).copied().unwrap_or_default();
        self.contents.insert(name.clone(), Contents { managed, unmanaged });
    }

    /// The input of a plan, given what was seen.
    pub(crate) fn input<'a>(&'a self, hub: &'a Hub, observed: &'a BTreeMap<ClusterName, Observed>) -> Input<'a> {
        Input {
            now: self.now,
            hub_uid: &hub.options.hub_uid,
            scope: self.settings.scope,
            adopt_resources: self.settings.adopt_resources,
            kind: self.row,
            object: self.settled.as_ref().map_or(&self.object, |settled| &settled.object),
            namespace: self.namespace.as_ref(),
            clusters: &self.clusters,
            observed,
            records: &self.records,
            preference: self.preference(),
            pods: &self.pods,
            managed: &self.managed,
            contents: &self.contents,
            drifts: &self.drifts,
            fights: &self.fights,
            held: self.held.as_ref(),
            confirmed: self.confirmed,
        }
    }
}

/// Whether objects of this kind are only in those of their clusters where they have a share.
fn shares_itself_out(row: &TypeDescriptor) -> bool {
    row.is_plain() && matches!(row.target.kind.as_ref(), "HorizontalPodAutoscaler" | "Job")
}

/// What is recorded where the object is not placed and would be deleted. What was adopted as a namespace is let go, and
/// what a cluster that was unregistered holds stays there.
pub(crate) fn displaced<'a>(
    row: &TypeDescriptor,
    placed: &BTreeSet<ClusterName>,
    clusters: &BTreeMap<ClusterName, Cluster>,
    records: &'a BTreeMap<ClusterName, Record>,
) -> impl Iterator<Item = (ClusterName, String)> + 'a {
    let is_namespace = row.is_namespace();
    let (placed, clusters) = (placed.clone(), clusters.keys().cloned().collect::<BTreeSet<_>>());
    records.iter().filter_map(move |(name, record)| {
        let stays = placed.contains(name) || !clusters.contains(name) || (is_namespace && record.is_adopted());
        let uid = record.uid.clone().filter(|_| !stays)?;
        Some((name.clone(), uid))
    })
}

/// The FederatedNamespace that says where the objects of a namespace may go.
async fn namespace(hub: &Hub, key: &Key) -> Result<Option<FederatedObject>> {
    if !key.kind.row().target.namespaced {
        return Ok(None);
    }
    let Some(row) = hub.configuration().types.namespaces().map(|served| served.row) else {
        return plain::scope(hub, key).await;
    };
    let kind = Kind::of(row);
    let of_namespace = Key::of_target(kind, "", &key.namespace);
    let stored = hub
        .store
        .object(&of_namespace.stored())
        .await
        .doing("reading a FederatedNamespace")?;
    let Some(stored) = stored else {
        // A Namespace that is federated itself stands for one.
        return plain::scope(hub, key).await;
    };
    // One that cannot be read federates nothing, and what is there stays.
    Ok(FederatedObject::parse(row, &stored.body).ok())
}

/// What the hub remembers of an object.
pub(crate) async fn records(store: &Store, key: &Key) -> Result<BTreeMap<ClusterName, Record>> {
    let rows = store
        .propagations(&key.record())
        .await
        .doing("reading records of propagation")?;
    Ok(rows.into_iter().filter_map(record).collect())
}

/// A record as planning reads it.
pub(crate) fn record(row: Propagation) -> Option<(ClusterName, Record)> {
    let name = ClusterName::parse(&row.cluster).ok()?;
    let record = Record {
        uid: row.uid,
        applied_hash: row.applied_hash,
        managed_hash: row.managed_hash,
        status: row.status,
        message: row.message,
        at: row.at,
        leftover: row.leftover,
    };
    Some((name, record))
}

/// A record as it is kept.
pub(crate) fn row(key: &Key, cluster: &ClusterName, record: Record) -> Propagation {
    Propagation {
        key: key.record(),
        cluster: cluster.to_string(),
        uid: record.uid,
        applied_hash: record.applied_hash,
        managed_hash: record.managed_hash,
        status: record.status,
        message: record.message,
        leftover: record.leftover,
        at: record.at,
    }
}

/// Counts of the store, by the names of clusters.
pub(crate) fn by_cluster(counts: BTreeMap<String, u64>) -> BTreeMap<ClusterName, u64> {
    let named = |(name, count): (String, u64)| Some((ClusterName::parse(&name).ok()?, count));
    counts.into_iter().filter_map(named).collect()
}
