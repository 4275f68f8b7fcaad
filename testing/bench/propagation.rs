//! How long it takes from a person's write on the hub until every member holds
//! the object. The members are simulated: what is measured is the hub.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use atoll_testing::{Database, Hub, Rest, Simulation};
use base64::{Engine, engine::general_purpose::STANDARD};
use futures::future::try_join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use kube::config::Kubeconfig;
use serde_json::{Value, json};

use crate::{
    connection::{Connection, Target},
    report::{Report, percentile},
};

const MEMBERS: usize = 3;

/// One after the other: latency, not throughput.
const OBJECTS: usize = 100;

const FEDERATED: &str = "/k8s/hub/apis/types.kubefed.io/v1beta1/namespaces/bench";

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let simulation = Simulation::start(MEMBERS).await?;
    let hub = Hub::start(&Database::Sqlite).await?;
    let admin = hub.sign_in().await?;
    let mut targets = Vec::new();
    for (name, kubeconfig) in simulation.kubeconfigs()? {
        let body = json!({ "name": name, "labels": { "bench": "yes" }, "kubeconfig": kubeconfig });
        admin.post("/api/v1/clusters", body).await?.body(StatusCode::CREATED)?;
        targets.push(target(&kubeconfig)?);
    }
    create(
        &admin,
        "/k8s/hub/api/v1/namespaces",
        json!({ "metadata": { "name": "bench" } }),
    )
    .await?;
    federate(&admin, "federatednamespaces", "bench", json!({})).await?;

    let mut watches = Vec::new();
    for target in &targets {
        watches.push(Watch::open(target).await?);
    }
    let mut latencies = Vec::new();
    for number in 0..OBJECTS {
        let name = format!("object-{number:03}");
        let began = Instant::now();
        federate(
            &admin,
            "federatedconfigmaps",
            &name,
            json!({ "data": { "number": name } }),
        )
        .await?;
        try_join_all(watches.iter_mut().map(|watch| watch.see(&name))).await?;
        latencies.push(began.elapsed());
    }
    latencies.sort_unstable();
    let milliseconds = |share| {
        format!(
            "{:.1} ms",
            percentile::<Duration>(&latencies, share).as_secs_f64() * 1e3
        )
    };
    report.add(
        format!("from the write on the hub to {MEMBERS} members"),
        milliseconds(0.5),
        format!("p95 {}, worst {} of {OBJECTS}", milliseconds(0.95), milliseconds(1.0)),
    );
    Ok(())
}

/// Creates a federated object that is placed on every member.
async fn federate(admin: &Rest, resource: &str, name: &str, template: Value) -> Result<()> {
    let object = json!({
        "metadata": { "name": name },
        "spec": {
            "placement": { "clusterSelector": { "matchLabels": { "bench": "yes" } } },
            "template": template,
        },
    });
    create(admin, &format!("{FEDERATED}/{resource}"), object).await
}

async fn create(admin: &Rest, path: &str, object: Value) -> Result<()> {
    admin.post(path, object).await?.body(StatusCode::CREATED)?;
    Ok(())
}

/// The server of a kubeconfig with one context and a token.
fn target(kubeconfig: &str) -> Result<Target> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    let cluster = kubeconfig.clusters.into_iter().next().and_then(|named| named.cluster);
    let cluster = cluster.context("no cluster")?;
    let user = kubeconfig
        .auth_infos
        .into_iter()
        .next()
        .and_then(|named| named.auth_info);
    let token = user.context("no user")?.token.context("no token")?;
    let server = cluster.server.context("no server")?;
    let authority = cluster.certificate_authority_data.context("no authority")?;
    Ok(Target {
        address: server.trim_start_matches("https://").to_owned(),
        authority: Some(String::from_utf8(STANDARD.decode(authority)?)?),
        token: Some(secrecy::ExposeSecret::expose_secret(&token).to_owned()),
    })
}

/// A watch of a member's config maps, asked of the member itself.
struct Watch {
    body: Incoming,
    seen: String,
    _connection: Connection,
}

impl Watch {
    async fn open(target: &Target) -> Result<Self> {
        let mut connection = Connection::open(target).await?;
        let path = "/api/v1/configmaps?watch=true&labelSelector=kubefed.io/managed%3Dtrue";
        let response = connection
            .send(Request::get(path).body(Full::<Bytes>::default())?)
            .await?;
        ensure!(response.status().is_success(), "watch: {}", response.status());
        Ok(Self {
            body: response.into_body(),
            seen: String::new(),
            _connection: connection,
        })
    }

    /// Reads on until an event names this object.
    async fn see(&mut self, name: &str) -> Result<()> {
        let named = format!("\"name\":\"{name}\"");
        while !self.seen.contains(&named) {
            let frame = self.body.frame().await.context("the watch ended")??;
            if let Ok(data) = frame.into_data() {
                self.seen.push_str(&String::from_utf8_lossy(&data));
            }
        }
        self.seen.clear();
        Ok(())
    }
}
