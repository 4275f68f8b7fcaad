//! The test cluster itself: what the end-to-end tests take for granted.

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context, Result, bail};
use atoll_testing::{Cluster, OLDEST_KUBERNETES, Options, Release, until, until_despite_errors};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Node};
use kube::{Api, ResourceExt, api::ListParams};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Command,
    time::timeout,
};

const LIMIT: Duration = Duration::from_secs(120);

const WEB: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: registry.example/web}]
"#;

#[tokio::test]
async fn a_cluster_runs_pods_and_survives_a_crash() -> Result<()> {
    let cluster = Cluster::start("eu-1").await?;
    nodes_are_ready(&cluster).await?;
    cluster.apply(WEB).await?;
    wait_for_web(&cluster).await?;

    logs_are_shown(&cluster).await?;
    commands_run(&cluster).await?;
    ports_are_forwarded(&cluster).await?;
    every_kubeconfig_is_accepted(&cluster).await?;

    cluster.kill_api_server().await?;
    assert!(!cluster.kubectl(["get", "nodes"]).await?.status.success());
    cluster.start_api_server().await?;
    wait_for_web(&cluster).await
}

#[tokio::test]
async fn the_oldest_supported_release_runs_pods() -> Result<()> {
    let options = Options {
        release: Release::Oldest,
        nodes: 1,
        ..Options::default()
    };
    let cluster = Cluster::start_with("ap-1", options).await?;
    let version = cluster.client().await?.apiserver_version().await?;
    assert_eq!(format!("{}.{}", version.major, version.minor), OLDEST_KUBERNETES);
    cluster.apply(WEB).await?;
    wait_for_web(&cluster).await
}

#[tokio::test]
async fn a_paused_api_server_answers_nothing_until_it_is_resumed() -> Result<()> {
    let cluster = Cluster::start("us-1").await?;
    let client = cluster.client().await?;
    cluster.pause_api_server().await?;
    let answer = timeout(Duration::from_millis(500), client.apiserver_version()).await;
    assert!(answer.is_err(), "answered while paused");
    cluster.resume_api_server().await?;
    timeout(LIMIT, client.apiserver_version()).await??;
    Ok(())
}

/// Runs a program that owns a cluster, and kills it so that it can do nothing
/// about its servers.
#[tokio::test]
async fn clusters_end_with_a_process_that_is_killed() -> Result<()> {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_clusters"))
        .args(["-n", "1"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut output = BufReader::new(owner.stdout.take().context("no output")?).lines();
    let line = output.next_line().await?.context("no cluster")?;
    let [_, endpoint, kubeconfig] = line.split(' ').collect::<Vec<_>>()[..] else {
        bail!("not a cluster: {line}");
    };
    let address = endpoint.strip_prefix("https://").context("no address")?;
    let folder = Path::new(kubeconfig).parent().context("no folder")?;
    TcpStream::connect(address).await?;
    assert!(folder.exists());

    owner.kill().await?;
    until("the end of the servers", LIMIT, async || {
        Ok(TcpStream::connect(address).await.is_err() && !folder.exists())
    })
    .await
}

async fn nodes_are_ready(cluster: &Cluster) -> Result<()> {
    let nodes = Api::<Node>::all(cluster.client().await?);
    let nodes = nodes.list(&ListParams::default()).await?.items;
    let ready = nodes.iter().filter(|node| {
        let conditions = node.status.as_ref().and_then(|s| s.conditions.as_ref());
        conditions.is_some_and(|all| all.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
    });
    assert_eq!(ready.count(), 3);
    let region = nodes[0].labels().get("topology.kubernetes.io/region");
    assert_eq!(region.map(String::as_str), Some("eu"));
    Ok(())
}

async fn wait_for_web(cluster: &Cluster) -> Result<()> {
    let deployments = Api::<Deployment>::default_namespaced(cluster.client().await?);
    until_despite_errors("two running replicas", LIMIT, async || {
        let status = deployments.get("web").await?.status.unwrap_or_default();
        Ok(status.available_replicas == Some(2))
    })
    .await
}

async fn logs_are_shown(cluster: &Cluster) -> Result<()> {
    cluster.append_pod_log("2026-01-01T00:00:02Z", "a line of this test")?;
    let output = cluster.kubectl(["logs", "deployment/web"]).await?;
    let text = String::from_utf8(output.stdout)?;
    assert!(text.ends_with("a line of this test\n"), "{text}");
    Ok(())
}

async fn commands_run(cluster: &Cluster) -> Result<()> {
    let script = "echo out; echo err >&2; exit 3";
    let output = cluster
        .kubectl(["exec", "deployment/web", "--", "sh", "-c", script])
        .await?;
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(String::from_utf8(output.stdout)?, "out\n");
    assert!(String::from_utf8(output.stderr)?.starts_with("err\n"));
    Ok(())
}

async fn ports_are_forwarded(cluster: &Cluster) -> Result<()> {
    let mut forward = cluster
        .kubectl_command()
        .args(["port-forward", "deployment/web", ":80"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut output = BufReader::new(forward.stdout.take().context("no output")?);
    let mut line = String::new();
    output.read_line(&mut line).await?;
    let address = line
        .strip_prefix("Forwarding from ")
        .and_then(|rest| rest.split(' ').next())
        .with_context(|| format!("kubectl said {line:?}"))?;

    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"there and back").await?;
    let mut answer = [0; 14];
    stream.read_exact(&mut answer).await?;
    assert_eq!(&answer, b"there and back");
    forward.kill().await?;
    Ok(())
}

async fn every_kubeconfig_is_accepted(cluster: &Cluster) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for (kubeconfig, user) in [
        (cluster.token_kubeconfig()?, "admin"),
        (cluster.kubeconfig_for("viewer", Some("viewers"))?, "viewer"),
    ] {
        let file = folder.path().join(user);
        std::fs::write(&file, kubeconfig)?;
        let output = cluster
            .kubectl_command()
            .env("KUBECONFIG", &file)
            .args(["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"])
            .output()
            .await?;
        assert_eq!(String::from_utf8(output.stdout)?, user);
    }
    Ok(())
}
