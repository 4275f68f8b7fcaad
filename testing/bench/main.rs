//! `make bench`: what the hub costs, as numbers.
//!
//! Everything is measured in one run on one machine, so that ratios mean
//! something; nothing is asserted. `docs/benchmarks.md` says how to read it.
//! Words after `--` name the parts to run: `real`, `spread`, `bulk`, `crowd`,
//! `faults`.

mod connection;
mod fleet;
mod footprint;
mod forwarding;
mod load;
mod report;
mod scale;
mod usage;

use std::{env, process::ExitCode};

use anyhow::{Result, ensure};
use atoll_testing::{Cluster, Database, Hub, binary};
use http::StatusCode;
use report::Report;
use serde_json::json;

const PARTS: [&str; 5] = ["real", "spread", "bulk", "crowd", "faults"];

/// Members of the crowd.
const CROWD: usize = 1000;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    // cargo adds an option of its own.
    let mut parts: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for part in &parts {
        ensure!(PARTS.contains(&part.as_str()), "{part} is none of {}", PARTS.join(", "));
    }
    if parts.is_empty() {
        parts = PARTS.map(str::to_owned).to_vec();
    }
    eprintln!("measures {}", binary()?.display());
    let mut report = Report::default();
    let mut code = ExitCode::SUCCESS;
    for part in parts {
        let measured = match part.as_str() {
            "real" => real(&mut report).await,
            "spread" => spread(&mut report).await,
            "bulk" => scale::bulk::measure(&mut report).await,
            "crowd" => scale::crowd::measure(&mut report, CROWD).await,
            _ => scale::faults::measure(&mut report).await,
        };
        if let Err(error) = measured {
            // What was measured already is worth having.
            eprintln!("{part}: {error:#}");
            report.add(format!("the rest of the part {part}"), "not measured", "");
            code = ExitCode::FAILURE;
        }
    }
    report.print();
    Ok(code)
}

/// Against real API servers.
async fn real(report: &mut Report) -> Result<()> {
    footprint::binary_size(report)?;
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
    footprint::memory(report, &hub).await?;
    forwarding::compare(report, &hub, &admin, &eu).await?;
    footprint::memory_after_load(report, &hub)
}

async fn spread(report: &mut Report) -> Result<()> {
    scale::spread::measure(report, 3, 100).await?;
    scale::spread::measure(report, 100, 100).await
}
