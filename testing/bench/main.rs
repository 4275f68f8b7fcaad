//! `make bench`: what the hub costs, as numbers.
//!
//! Everything is measured in one run on one machine, so that ratios mean
//! something; nothing is asserted. `docs/benchmarks.md` says how to read it.

mod connection;
mod footprint;
mod forwarding;
mod load;
mod propagation;
mod report;
mod usage;

use anyhow::Result;
use atoll_testing::{Cluster, Database, Hub};
use http::StatusCode;
use report::Report;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<()> {
    let mut report = Report::default();
    footprint::binary_size(&mut report)?;
    {
        let (hub, host, eu, us) = tokio::try_join!(
            Hub::start(&Database::Sqlite),
            Cluster::start("host"),
            Cluster::start("eu-1"),
            Cluster::start("us-1"),
        )?;
        let admin = hub.sign_in().await?;
        for cluster in [&host, &eu, &us] {
            let body = json!({ "name": cluster.name(), "kubeconfig": cluster.kubeconfig() });
            admin.post("/api/v1/clusters", body).await?.body(StatusCode::CREATED)?;
        }
        footprint::memory(&mut report, &hub).await?;
        forwarding::compare(&mut report, &hub, &admin, &eu).await?;
        footprint::memory_after_load(&mut report, &hub)?;
    }
    propagation::measure(&mut report).await?;
    report.print();
    Ok(())
}
