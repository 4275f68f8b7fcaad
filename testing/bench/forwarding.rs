//! What forwarding costs: the same small read of one member directly, through
//! `kubectl proxy` and through the hub, in turn and several times.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result};
use atoll_testing::{Cluster, Hub, Rest};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};

use crate::{
    connection::Target,
    load::{self, CONNECTIONS, Round},
    report::{Report, percentile},
    usage::processor_time,
};

/// Two kilobytes, from the API server's own cache.
const OBJECT: &str = "/api/v1/namespaces/default/configmaps/kube-root-ca.crt";

/// Long enough for the rate to settle.
const ROUND: Duration = Duration::from_secs(5);

/// So that what else the machine does strikes all of them.
const ROUNDS: usize = 3;

/// One way to the member.
struct Way {
    name: &'static str,
    target: Target,
    path: String,
    /// Who stands in between.
    process: Option<u32>,
    rounds: Vec<Round>,
    used: Duration,
}

pub(crate) async fn compare(report: &mut Report, hub: &Hub, admin: &Rest, cluster: &Cluster) -> Result<()> {
    let (proxy, proxy_address) = start_kubectl_proxy(cluster).await?;
    let plain = |url: &str| {
        url.trim_start_matches("http://")
            .trim_start_matches("https://")
            .to_owned()
    };
    let hub_path = format!("/k8s/clusters/{}{OBJECT}", cluster.name());
    let mut ways = [
        Way {
            name: "directly",
            target: Target {
                address: plain(cluster.endpoint()),
                authority: Some(cluster.authority().to_owned()),
                token: Some(cluster.token().to_owned()),
            },
            path: OBJECT.to_owned(),
            process: None,
            rounds: Vec::new(),
            used: Duration::ZERO,
        },
        Way {
            name: "kubectl proxy",
            target: Target {
                address: proxy_address,
                authority: None,
                token: None,
            },
            path: OBJECT.to_owned(),
            process: proxy.id(),
            rounds: Vec::new(),
            used: Duration::ZERO,
        },
        Way {
            name: "the hub",
            target: Target {
                address: plain(&hub.url()),
                authority: None,
                token: admin.token().map(str::to_owned),
            },
            path: hub_path,
            process: Some(hub.process_id()?),
            rounds: Vec::new(),
            used: Duration::ZERO,
        },
    ];
    for round in 0..=ROUNDS {
        for way in &mut ways {
            let before = way.process.map(processor_time).transpose()?;
            let done = load::run(&way.target, &way.path, ROUND)
                .await
                .with_context(|| way.name)?;
            // The first round only warms up.
            if round == 0 {
                continue;
            }
            if let (Some(process), Some(before)) = (way.process, before) {
                way.used += processor_time(process)?.saturating_sub(before);
            }
            way.rounds.push(done);
        }
    }
    drop(proxy);
    add_lines(report, &ways);
    Ok(())
}

fn add_lines(report: &mut Report, ways: &[Way]) {
    let rate = |way: &Way| {
        let mut rates: Vec<f64> = way.rounds.iter().map(Round::requests_per_second).collect();
        rates.sort_by(f64::total_cmp);
        percentile(&rates, 0.5)
    };
    let direct = rate(&ways[0]);
    for way in ways {
        let mut latencies: Vec<Duration> = way.rounds.iter().flat_map(|round| round.latencies.clone()).collect();
        latencies.sort_unstable();
        let milliseconds = |share| percentile(&latencies, share).as_secs_f64() * 1e3;
        report.add(
            format!("get {} times at once, {}", CONNECTIONS, way.name),
            format!("{:.0}/s", rate(way)),
            format!(
                "{:.0} % of direct; p50 {:.1} ms, p99 {:.1} ms",
                rate(way) / direct * 100.0,
                milliseconds(0.5),
                milliseconds(0.99)
            ),
        );
        if way.process.is_some() {
            let each = way.used.as_secs_f64() * 1e6 / latencies.len() as f64;
            report.add(
                format!("processor time for each request, {}", way.name),
                format!("{each:.0} µs"),
                "",
            );
        }
    }
}

/// `kubectl proxy`, and the address it says it serves.
async fn start_kubectl_proxy(cluster: &Cluster) -> Result<(Child, String)> {
    let mut child = cluster
        .kubectl_command()
        .args(["proxy", "--port=0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = child.stdout.take().context("no output")?;
    let line = BufReader::new(output)
        .lines()
        .next_line()
        .await?
        .context("kubectl ended")?;
    let address = line.rsplit(' ').next().context("no address")?.to_owned();
    Ok((child, address))
}
