//! Runs some clusters until interrupted, to try things by hand.

use anyhow::{Context, Result};
use atoll_testing::{Cluster, Options, Release};
use clap::Parser;
use futures::future::try_join_all;

/// The names given to clusters, in order; more get a number.
const NAMES: [&str; 4] = ["host", "eu-1", "us-1", "ap-1"];

/// Starts real Kubernetes clusters on loopback and stops them on Ctrl-C.
#[derive(Parser)]
struct Arguments {
    /// How many clusters.
    #[arg(short = 'n', long, default_value_t = 3)]
    clusters: usize,

    /// How many nodes each has.
    #[arg(long, default_value_t = 3)]
    nodes: usize,

    /// Run the oldest supported Kubernetes instead of the newest.
    #[arg(long)]
    oldest: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        nodes: arguments.nodes,
        release: if arguments.oldest {
            Release::Oldest
        } else {
            Release::Newest
        },
        ..Options::default()
    };
    tokio::select! {
        ended = run(arguments.clusters, options) => ended,
        interrupt = tokio::signal::ctrl_c() => interrupt.context("cannot wait for Ctrl-C"),
    }
}

/// Starts the clusters together and keeps them until it is dropped.
async fn run(count: usize, options: Options) -> Result<()> {
    let starts = (0..count).map(|index| {
        let options = options.clone();
        async move { Cluster::start_with(&name(index), options).await }
    });
    let clusters = try_join_all(starts).await?;
    for cluster in &clusters {
        println!(
            "{} {} {}",
            cluster.name(),
            cluster.endpoint(),
            cluster.kubeconfig_path().display()
        );
    }
    println!("ready: {count} clusters, Ctrl-C stops them");
    std::future::pending().await
}

fn name(index: usize) -> String {
    match NAMES.get(index) {
        Some(name) => (*name).to_owned(),
        None => format!("member-{}", index + 1),
    }
}
