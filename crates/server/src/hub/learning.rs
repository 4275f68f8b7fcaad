//! What members tell later: structures that none could tell when a type was written, because its CRD, or the version that
//! it aims at, was on its way or nobody was there (whoever writes a type and its CRD in one file finds both known a moment
//! later), and what Kubernetes says of the fields of its own kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use atoll_clusters::Member;
use atoll_controllers::Configuration;
use atoll_controllers::configuration::structure_key;
use atoll_federation::TypeDescriptor;
use atoll_store::{Error, Result, Transaction};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::descriptions;
use super::structures::{Told, ask, is_current, is_known, keep};
use crate::state::AppState;

/// How often it is looked whether a type is without a structure.
const EVERY: Duration = Duration::from_secs(2);
/// How often members are asked at least, about a kind that none of them has.
const SELDOM: Duration = Duration::from_secs(60);

/// When members are asked again about a type, and how long after that.
struct Next {
    at: Instant,
    then: Duration,
}

/// Asks for what is not known until members tell, and as long as the hub runs.
pub async fn learn(state: AppState, ended: CancellationToken) {
    ended.run_until_cancelled(learn_all(state)).await;
}

async fn learn_all(state: AppState) {
    let mut asked: BTreeMap<String, Next> = BTreeMap::new();
    let mut describing = Describing::default();
    let mut unknown = Unknown::default();
    loop {
        sleep(EVERY).await;
        describing.ask(&state).await;
        if let Err(error) = unknown.update(&state).await {
            let error = crate::error::chain(&error);
            tracing::warn!(error, "it cannot be read which types are known");
            continue;
        }
        asked.retain(|name, _| unknown.types.contains_key(name));
        for (name, row) in &unknown.types {
            if asked.get(name).is_some_and(|next| Instant::now() < next.at) {
                continue;
            }
            let then = asked.get(name).map_or(EVERY, |next| (next.then * 2).min(SELDOM));
            if let Err(error) = learn_one(&state, row).await {
                let error = crate::error::chain(&error);
                tracing::warn!(error, "the structure of {name} cannot be kept");
            }
            let at = Instant::now() + then;
            asked.insert(name.clone(), Next { at, then });
        }
    }
}

/// Types whose targets are without a structure, by name.
#[derive(Default)]
struct Unknown {
    types: BTreeMap<String, &'static TypeDescriptor>,
    /// What they were read for: whatever makes one known makes a new configuration.
    of: Option<Arc<Configuration>>,
}

impl Unknown {
    async fn update(&mut self, state: &AppState) -> Result<()> {
        let configuration = state.configuration();
        if self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, &configuration)) {
            return Ok(());
        }
        let mut types = BTreeMap::new();
        for row in configuration.types.federated().map(|served| served.row) {
            if is_known(&row.target) {
                continue;
            }
            let kept = state.store.object(&structure_key(&row.name())).await?;
            if !is_current(kept.as_ref(), row) {
                types.insert(row.name(), row);
            }
        }
        self.types = types;
        self.of = Some(configuration);
        Ok(())
    }
}

/// Who was asked to describe the fields of Kubernetes' own kinds.
#[derive(Default)]
struct Describing {
    done: bool,
    /// Members that say nothing, by name and generation.
    silent: BTreeSet<(String, i64)>,
}

impl Describing {
    /// Asks one member, unless one has told already. Those that say nothing are not asked twice.
    async fn ask(&mut self, state: &AppState) {
        if self.done {
            return;
        }
        let key = |member: &Member| (member.name().to_owned(), member.generation());
        let members = state.clusters.members();
        let mut ready = members.values().filter(|member| member.is_ready());
        let Some(member) = ready.find(|member| !self.silent.contains(&key(member))) else {
            return;
        };
        match descriptions::read(member).await {
            Some(found) if !found.is_empty() => {
                state.catalogs.describe(&found);
                self.done = true;
            }
            Some(_) => {
                self.silent.insert(key(member));
            }
            // It is asked again.
            None => {}
        }
    }
}

async fn learn_one(state: &AppState, row: &TypeDescriptor) -> Result<()> {
    let Told::Known(structure) = ask(state, &row.target).await else {
        return Ok(());
    };
    let transaction = Transaction {
        writes: vec![keep(state, row, structure).await?],
        lease: None,
    };
    match state.store.write(transaction).await {
        // Another replica was faster.
        Ok(_) | Err(Error::AlreadyExists(_) | Error::Conflict { .. } | Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
