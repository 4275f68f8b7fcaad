//! What members tell later: structures that none could tell when a type was written, because its CRD was on its way or
//! nobody was there (whoever writes a type and its CRD in one file finds both known a moment later), and what Kubernetes
//! says of the fields of its own kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use atoll_clusters::Member;
use atoll_controllers::configuration::structure_key;
use atoll_federation::TypeDescriptor;
use atoll_federation::configuration::without_list_types;
use atoll_store::{Error, Result, Transaction, Write};
use serde_json::json;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::descriptions;
use super::seed::made;
use super::structures::{Told, ask, is_known};
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
    loop {
        sleep(EVERY).await;
        describing.ask(&state).await;
        let configuration = state.configuration();
        let unknown = configuration
            .types
            .federated()
            .map(|served| served.row)
            .filter(|row| !is_known(&row.target) && !configuration.structures.contains_key(&row.name()));
        let unknown: BTreeMap<String, &TypeDescriptor> = unknown.map(|row| (row.name(), row)).collect();
        asked.retain(|name, _| unknown.contains_key(name));
        for (name, row) in unknown {
            if asked.get(&name).is_some_and(|next| Instant::now() < next.at) {
                continue;
            }
            let then = asked.get(&name).map_or(EVERY, |next| (next.then * 2).min(SELDOM));
            if let Err(error) = learn_one(&state, row).await {
                let error = crate::error::chain(&error);
                tracing::warn!(error, "the structure of {name} cannot be kept");
            }
            let at = Instant::now() + then;
            asked.insert(name, Next { at, then });
        }
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
    let federated = &row.federated;
    let stored = state.store.objects(&federated.group, &federated.plural, None).await?;
    let schema = if stored.objects.is_empty() {
        structure.schema
    } else {
        // These were merged as if each list were one value.
        without_list_types(structure.schema)
    };
    let body = json!({
        "version": row.target.version,
        "structure": schema,
        "replicasPath": structure.replicas_path,
    });
    let write = Write::Create {
        key: structure_key(&row.name()),
        body: made(body, state.now()).into(),
    };
    let transaction = Transaction {
        writes: vec![write],
        lease: None,
    };
    match state.store.write(transaction).await {
        // Another replica was faster.
        Ok(_) | Err(Error::AlreadyExists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
