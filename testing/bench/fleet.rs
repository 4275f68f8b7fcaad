//! A hub with simulated members, and what is asked of both again and again. The
//! members run in a process of their own, so that the hub's processor time and
//! memory are its alone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use atoll_testing::{Database, Hub, Rest, Simulation, until};
use futures::{StreamExt, TryStreamExt, stream};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Requests to the hub at the same time.
pub(crate) const AT_ONCE: usize = 16;

/// How long anything may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

const NAMESPACE: &str = "bench";
const FEDERATED: &str = "/k8s/hub/apis/types.kubefed.io/v1beta1/namespaces/bench";

/// A hub and its members.
pub(crate) struct Fleet {
    pub(crate) hub: Hub,
    pub(crate) admin: Rest,
    pub(crate) simulation: Simulation,
    control: Rest,
    /// How long it took to register all members, one request each.
    pub(crate) registered_in: Duration,
}

/// How far the controllers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) queued: u64,
    pub(crate) plans: u64,
}

/// What members were asked, all together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) reads: u64,
    pub(crate) writes: u64,
}

impl Fleet {
    /// Starts all of it, registers the members, and federates one namespace to
    /// all of them.
    pub(crate) async fn start(members: usize) -> Result<Self> {
        let simulation = Simulation::start(members).await?;
        let hub = Hub::start(&Database::Sqlite).await?;
        let admin = hub.sign_in().await?;
        let kubeconfigs = simulation.kubeconfigs()?;
        let began = Instant::now();
        let requests = kubeconfigs.into_iter().map(|(name, kubeconfig)| {
            let body = json!({ "name": name, "kubeconfig": kubeconfig });
            create(&admin, "/api/v1/clusters", body)
        });
        stream::iter(requests)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        let registered_in = began.elapsed();
        let fleet = Self {
            control: simulation.control(),
            simulation,
            hub,
            admin,
            registered_in,
        };
        let namespace = json!({ "metadata": { "name": NAMESPACE } });
        create(&fleet.admin, "/k8s/hub/api/v1/namespaces", namespace).await?;
        fleet.federate("federatednamespaces", NAMESPACE, json!({})).await?;
        let wanted = json!({ "resource": "namespaces", "name": NAMESPACE });
        fleet.wait(wanted).await.context("the namespace everywhere")?;
        fleet.federate_map("first").await?;
        fleet.wait_for("first", &[]).await?;
        fleet.quiet(Duration::from_secs(1)).await?;
        Ok(fleet)
    }

    /// Creates a federated `ConfigMap` for all members.
    pub(crate) async fn federate_map(&self, name: &str) -> Result<()> {
        let template = json!({ "data": { "name": name, "text": "A line as configurations have them, eighty bytes." } });
        self.federate("federatedconfigmaps", name, template).await
    }

    /// Creates many of them, some at the same time.
    pub(crate) async fn federate_maps(&self, prefix: &str, count: usize) -> Result<()> {
        let names: Vec<String> = (0..count).map(|number| format!("{prefix}-{number:04}")).collect();
        let requests = names.iter().map(|name| self.federate_map(name));
        stream::iter(requests)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>()
            .await?;
        Ok(())
    }

    async fn federate(&self, resource: &str, name: &str, template: Value) -> Result<()> {
        let object = json!({
            "metadata": { "name": name },
            "spec": { "placement": { "clusterSelector": {} }, "template": template },
        });
        create(&self.admin, &format!("{FEDERATED}/{resource}"), object).await
    }

    /// Waits until these members, or all, hold the `ConfigMap` of this name.
    pub(crate) async fn wait_for(&self, name: &str, members: &[String]) -> Result<()> {
        let wanted = json!({ "resource": "configmaps", "namespace": NAMESPACE, "name": name, "members": members });
        self.wait(wanted).await.with_context(|| name.to_owned())
    }

    /// Waits until every member holds so many managed `ConfigMaps`.
    pub(crate) async fn wait_for_count(&self, count: usize) -> Result<()> {
        self.wait(json!({ "resource": "configmaps", "namespace": NAMESPACE, "managed": count }))
            .await
    }

    /// The client gives up after a minute, so a longer wait is asked for in pieces.
    async fn wait(&self, mut wanted: Value) -> Result<()> {
        wanted["seconds"] = 30.into();
        let began = Instant::now();
        loop {
            let answer = self.control.post("/wait", wanted.clone()).await?;
            match answer.status {
                StatusCode::NO_CONTENT => return Ok(()),
                StatusCode::GATEWAY_TIMEOUT if began.elapsed() < PATIENCE => {}
                StatusCode::GATEWAY_TIMEOUT => {
                    let missing = answer.json()?.as_array().map_or(0, Vec::len);
                    bail!("{missing} members lack it after {} s", began.elapsed().as_secs());
                }
                status => bail!("{status}: {}", answer.text),
            }
        }
    }

    /// Sets what goes wrong in a member.
    pub(crate) async fn set_fault(&self, member: &str, fault: Value) -> Result<()> {
        let path = format!("/members/{member}/fault");
        let answer = self.control.send(Method::PUT, &path, Some(fault), &[]).await?;
        answer.body(StatusCode::NO_CONTENT)?;
        Ok(())
    }

    /// What all members were asked so far.
    pub(crate) async fn asked(&self) -> Result<Asked> {
        let members = self.control.get("/members").await?.body(StatusCode::OK)?;
        let sum = |what: &str| {
            let counts = members.as_array().into_iter().flatten();
            counts.filter_map(|member| member[what].as_u64()).sum()
        };
        Ok(Asked {
            reads: sum("reads"),
            writes: sum("writes"),
        })
    }

    /// How far the controllers are, by the hub's metrics.
    pub(crate) async fn progress(&self) -> Result<Progress> {
        let text = self.hub.metrics().get("/metrics").await?.text;
        let number = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.trim().parse().ok());
            number.with_context(|| format!("no {name} among the metrics"))
        };
        Ok(Progress {
            queued: number("atoll_controllers_queue_length ")?,
            plans: number("atoll_controllers_plans_total ")?,
        })
    }

    /// Waits until no plan was made for this long; returns when the last one was
    /// first seen.
    pub(crate) async fn quiet(&self, quiet: Duration) -> Result<Instant> {
        let (mut last, mut since) = (self.progress().await?, Instant::now());
        let began = since;
        until("the controllers to be done", PATIENCE, async || {
            let now = self.progress().await?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
            Ok(now.queued == 0 && since.elapsed() >= quiet)
        })
        .await
        .with_context(|| format!("busy for {} s", began.elapsed().as_secs()))?;
        Ok(since)
    }
}

async fn create(admin: &Rest, path: &str, object: Value) -> Result<()> {
    admin.post(path, object).await?.body(StatusCode::CREATED)?;
    Ok(())
}
