//! Going on without what takes too long; its answer brings about the next run.

use std::collections::BTreeSet;

use jiff::Timestamp;

use futures::StreamExt;

use atoll_federation::{ClusterName, Outcome, Reason, Record, Step, failure_reason};

use super::super::Sync;
use super::super::context::row;
use super::super::execute::Done;
use super::super::lanes::Arrival;
use super::{Answer, Round};
use crate::error::chain;
use crate::key::Key;

impl Round<'_> {
    /// Goes on without the looks that are still under way.
    pub(super) fn leave_looks(&mut self) {
        let unasked: BTreeSet<ClusterName> = self.unasked.iter().cloned().collect();
        let names = std::mem::replace(&mut self.looking, unasked);
        let names: BTreeSet<ClusterName> = names.difference(&self.looking).cloned().collect();
        for name in &names {
            self.sync.lanes.begin(self.key, name);
            self.unknown(
                name.clone(),
                Reason::RetrievalFailed,
                "the cluster has not answered yet",
            );
        }
        self.busy.extend(names);
        self.listing.clear();
        self.looking_into.clear();
        let mut looks = std::mem::take(&mut self.looks);
        let (sync, key, asked) = (self.sync.clone(), self.key.clone(), self.asked.clone());
        self.leave(async move {
            while let Some((name, answer)) = looks.next().await {
                match answer {
                    Answer::Seen(_) if !sync.is_current(&name, asked.get(&name)) => {
                        sync.arrive(&key, &name, Arrival::Done);
                    }
                    Answer::Seen(seen) => sync.arrive(&key, &name, Arrival::Seen(seen)),
                    Answer::Pods(pods) => {
                        sync.readings.arrive(&key, &name, pods);
                        sync.queue.add(key.clone());
                    }
                    Answer::Drift(version, Some(drift)) => {
                        sync.drifts.learn(&key, &name, version, drift);
                        sync.queue.add(key.clone());
                    }
                    Answer::Drift(_, None) => {}
                }
            }
        });
    }

    /// Goes on without the steps that are still under way.
    pub(super) fn leave_steps(&mut self) {
        let is_left = |name: &&ClusterName| !self.outcomes.contains_key(*name) && !self.busy.contains(*name);
        let names: Vec<ClusterName> = self.started.iter().filter(is_left).cloned().collect();
        for name in &names {
            self.sync.lanes.begin(self.key, name);
        }
        self.busy.extend(names);
        let mut steps = std::mem::take(&mut self.steps);
        let (sync, key, asked) = (self.sync.clone(), self.key.clone(), self.asked.clone());
        self.leave(async move {
            while let Some((name, step, done)) = steps.next().await {
                let arrival = if sync.is_current(&name, asked.get(&name)) {
                    settle_late(&sync, &key, &name, &step, done).await
                } else {
                    Arrival::Done
                };
                sync.arrive(&key, &name, arrival);
            }
        });
    }

    fn leave(&self, work: impl Future<Output = ()> + Send + 'static) {
        let lost = self.sync.leadership.lost().clone();
        self.sync.tracker.spawn(async move {
            lost.run_until_cancelled(work).await;
        });
    }
}

/// A step that ended after its run: its success is remembered here, its failure is told to the next run.
async fn settle_late(sync: &Sync, key: &Key, name: &ClusterName, step: &Step, done: Done) -> Arrival {
    sync.learn(key, name, &done.outcome);
    match (&done.outcome, step) {
        (Outcome::Failed(failure), _) => Arrival::Failed {
            reason: failure_reason(step, failure),
            message: failure.message.clone(),
            retry: failure.kind.is_transient().then_some(done.retry_after),
        },
        (Outcome::Applied(present), Step::Apply(apply)) => {
            let record = Record {
                uid: Some(present.uid.clone()),
                applied_hash: Some(apply.hash.clone()),
                managed_hash: present.managed_hash.clone(),
                ..Record::begun(Timestamp::now())
            };
            let put = [row(key, name, record)];
            let recorded = sync
                .hub
                .store
                .record_propagations(Some(sync.leadership.lease()), &put, &[])
                .await;
            if let Err(error) = recorded {
                // The next run finds the object by its marks.
                tracing::warn!(object = %key, cluster.name = %name, error = %chain(&error), "what was written could not be recorded");
            }
            if key.kind.row().is_namespace() {
                sync.wake_namespace(key);
            }
            Arrival::Done
        }
        (Outcome::Applied(_) | Outcome::Deleted { .. } | Outcome::Released, _) => Arrival::Done,
    }
}
