//! The stage: three members and a hub, and what is shown when a chapter fails.

use std::{env, fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result, bail, ensure};
use atoll_testing::{Database, Hub, Kubectl, Options, Release, Rest};
use http::StatusCode;
use serde_json::Value;

use crate::{federated::Federated, member::Member, waiting::eventually};

/// Names the chapters to tell; all of them when it is not set.
const CHOICE: &str = "CHAPTERS";

/// The namespace of the control plane.
pub(crate) const SYSTEM: &str = "kube-federation-system";

/// How many of the hub's last lines a failure shows.
const SHOWN_LINES: usize = 40;

/// Everything that takes part. Fields end in order: the hub before what it talks
/// to.
pub(crate) struct World {
    pub(crate) hub: Hub,
    /// The administrator's session.
    pub(crate) admin: Rest,
    /// The administrator's kubectl on the hub.
    pub(crate) kubectl: Kubectl,
    pub(crate) eu: Member,
    pub(crate) us: Member,
    /// The one with the oldest Kubernetes.
    pub(crate) ap: Member,
    known: Vec<String>,
    failed: Vec<String>,
}

impl World {
    /// Three clusters with a node each, and a hub that knows none of them.
    pub(crate) async fn start() -> Result<Self> {
        let newest = Options {
            nodes: 1,
            ..Options::default()
        };
        let oldest = Options {
            release: Release::Oldest,
            ..newest.clone()
        };
        let (hub, eu, us, ap) = tokio::try_join!(
            Hub::start(&Database::Sqlite),
            Member::start("eu-1", newest.clone()),
            Member::start("us-1", newest),
            Member::start("ap-1", oldest),
        )?;
        let admin = hub.sign_in().await?;
        Ok(Self {
            kubectl: hub.kubectl(&admin).await?.in_context("hub"),
            hub,
            admin,
            eu,
            us,
            ap,
            known: Vec::new(),
            failed: Vec::new(),
        })
    }

    /// The three clusters, sorted by name as a status is.
    pub(crate) fn members(&self) -> [&Member; 3] {
        [&self.ap, &self.eu, &self.us]
    }

    /// The chapter without which there is no other.
    pub(crate) async fn open(&mut self, title: &str, chapter: impl AsyncFnOnce(&Self) -> Result<()>) -> Result<()> {
        self.tell_one(title, chapter).await;
        match self.failed.pop() {
            None => Ok(()),
            Some(title) => bail!("without this there is no story: {title}"),
        }
    }

    /// Tells a chapter, if it was not left out by choice.
    pub(crate) async fn tell(&mut self, name: &str, title: &str, chapter: impl AsyncFnOnce(&Self) -> Result<()>) {
        self.known.push(name.to_owned());
        let chosen = env::var(CHOICE).map_or(true, |chosen| chosen.split(',').any(|one| one == name));
        if chosen {
            self.tell_one(&format!("{name}: {title}"), chapter).await;
        }
    }

    async fn tell_one(&mut self, title: &str, chapter: impl AsyncFnOnce(&Self) -> Result<()>) {
        let started = Instant::now();
        let told = chapter(self).await;
        let seconds = started.elapsed().as_secs_f32();
        match told {
            Ok(()) => println!("told in {seconds:5.1} s: {title}"),
            Err(error) => {
                println!("FAILED after {seconds:.1} s: {title}");
                for cause in error.chain() {
                    println!("  {cause}");
                }
                self.failed.push(title.to_owned());
                if let Err(error) = self.show().await {
                    println!("and what the hub has to say cannot be shown: {error:#}");
                }
            }
        }
    }

    /// Fails when a chapter has, or when one was chosen that does not exist.
    pub(crate) fn close(self) -> Result<()> {
        for chosen in env::var(CHOICE).iter().flat_map(|chosen| chosen.split(',')) {
            let known = &self.known;
            ensure!(
                known.iter().any(|one| one == chosen),
                "{CHOICE}: there is no {chosen}, only {}",
                known.join(", ")
            );
        }
        ensure!(self.failed.is_empty(), "failed: {}", self.failed.join("; "));
        Ok(())
    }

    /// What the hub has to say when a chapter has failed.
    async fn show(&self) -> Result<()> {
        println!("--- objects that are not everywhere they should be");
        let types = ["api-resources", "--api-group=types.kubefed.io", "-o", "name"];
        let types = self.kubectl.text(types).await?.lines().collect::<Vec<_>>().join(",");
        let objects = self.kubectl.text(["get", &types, "-A", "-o", "json"]).await?;
        let objects: Value = serde_json::from_str(&objects)?;
        for object in objects["items"].as_array().into_iter().flatten() {
            let object = Federated(object.clone());
            if object.is_propagated().is_err() {
                println!("{}", object.status());
            }
        }
        println!("--- clusters and events");
        let shown = self.kubectl.run(["get", "kubefedclusters,events", "-A"]).await?;
        println!("{}", String::from_utf8_lossy(&shown.stdout));
        let log = self.hub.log()?;
        let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("federation-{}.log", std::process::id()));
        fs::write(&kept, &log)?;
        println!("--- the end of the hub's log, all of which is in {}", kept.display());
        let lines: Vec<&str> = log.lines().collect();
        println!("{}", lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"));
        Ok(())
    }

    /// Makes a namespace on the hub, which every member gets too.
    pub(crate) async fn federate_namespace(&self, name: &str) -> Result<()> {
        self.kubectl
            .apply(&format!(
                "
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: types.kubefed.io/v1beta1
kind: FederatedNamespace
metadata: {{name: {name}, namespace: {name}}}
spec:
  placement: {{clusterSelector: {{}}}}
"
            ))
            .await?;
        self.propagated(name, "federatednamespaces", name).await?;
        Ok(())
    }

    /// Deletes a namespace on the hub, with all that is in it. Nobody waits.
    pub(crate) async fn leave_namespace(&self, name: &str) -> Result<()> {
        self.kubectl.text(["delete", "namespace", name, "--wait=false"]).await?;
        Ok(())
    }

    /// A federated object of `types.kubefed.io`.
    pub(crate) async fn federated(&self, namespace: &str, plural: &str, name: &str) -> Result<Federated> {
        self.federated_in("types.kubefed.io/v1beta1", namespace, plural, name)
            .await
    }

    /// A federated object of a group of its own.
    pub(crate) async fn federated_in(&self, api: &str, namespace: &str, plural: &str, name: &str) -> Result<Federated> {
        let place = match namespace {
            "" => String::new(),
            namespace => format!("/namespaces/{namespace}"),
        };
        let path = format!("/k8s/hub/apis/{api}{place}/{plural}/{name}");
        self.hub_object(&path).await.map(Federated)
    }

    /// Any object of the hub, by its path.
    pub(crate) async fn hub_object(&self, path: &str) -> Result<Value> {
        let answer = self.admin.get(path).await?;
        answer.body(StatusCode::OK).with_context(|| path.to_owned())
    }

    /// Waits until an object is everywhere it should be.
    pub(crate) async fn propagated(&self, namespace: &str, plural: &str, name: &str) -> Result<Federated> {
        eventually(&format!("{plural} {namespace}/{name} everywhere"), async || {
            self.federated(namespace, plural, name).await?.is_propagated()
        })
        .await?;
        self.federated(namespace, plural, name).await
    }
}
