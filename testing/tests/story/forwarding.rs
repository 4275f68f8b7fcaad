//! kubectl on a member, through the hub.

use std::process::Stdio;

use anyhow::{Context, Result};
use atoll_testing::Kubectl;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    net::TcpStream,
    process::{Child, ChildStdout},
    time::timeout,
};

use crate::{
    manifests,
    world::{PATIENCE, World},
};

/// kubectl upgrades to WebSocket, and to SPDY when told that it must not.
const PROTOCOLS: [&str; 2] = ["true", "false"];

fn eu(world: &World) -> Result<Kubectl> {
    world.kubectl("eu-1")
}

pub(crate) async fn kubectl_reads_a_member_as_the_person_who_asks(world: &World) -> Result<()> {
    let kubectl = eu(world)?;
    let nodes = kubectl.text(["get", "nodes"]).await?;
    assert_eq!(
        nodes.lines().filter(|line| line.contains(" Ready ")).count(),
        3,
        "{nodes}"
    );

    let user = "jsonpath={.status.userInfo.username}";
    assert_eq!(kubectl.text(["auth", "whoami", "-o", user]).await?, "atoll:admin");
    let groups = kubectl
        .text(["auth", "whoami", "-o", "jsonpath={.status.userInfo.groups}"])
        .await?;
    assert!(groups.contains("atoll:admins"), "{groups}");
    assert!(!groups.contains("system:masters"), "{groups}");
    Ok(())
}

pub(crate) async fn pods_are_watched(world: &World) -> Result<()> {
    let kubectl = eu(world)?;
    let (mut watch, mut lines) = running(&kubectl, &["get", "pods", "--watch", "--output=name"])?;
    kubectl.apply(manifests::TOOLS).await?;
    let pod = timeout(PATIENCE, lines.next_line())
        .await
        .context("the watch shows nothing")??
        .context("the watch ended")?;
    assert!(pod.starts_with("pod/tools-"), "{pod}");
    watch.kill().await?;

    let ready = [
        "wait",
        "--for=condition=Available",
        "deployment/tools",
        "--timeout=120s",
    ];
    kubectl.text(ready).await?;
    Ok(())
}

pub(crate) async fn logs_are_followed(world: &World) -> Result<()> {
    let kubectl = eu(world)?;
    let text = kubectl.text(["logs", "deployment/tools"]).await?;
    assert!(text.ends_with("ready\n"), "{text}");

    let (mut follow, mut lines) = running(&kubectl, &["logs", "--follow", "--tail=1", "deployment/tools"])?;
    for expected in ["ready", "written while followed"] {
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .with_context(|| format!("{expected:?} does not arrive"))??;
        assert_eq!(line.as_deref(), Some(expected));
        if expected == "ready" {
            world
                .eu
                .append_pod_log("2026-01-01T00:00:02Z", "written while followed")?;
        }
    }
    follow.kill().await?;
    Ok(())
}

pub(crate) async fn commands_are_run(world: &World) -> Result<()> {
    let kubectl = eu(world)?;
    for websockets in PROTOCOLS {
        let script = "read line; echo \"$line\"; echo err >&2; exit 3";
        let mut child = kubectl
            .command()
            .env("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", websockets)
            .args(["exec", "-i", "deployment/tools", "--", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().context("no input")?;
        input.write_all(b"from here\n").await?;
        drop(input);
        let output = timeout(PATIENCE, child.wait_with_output())
            .await
            .context("exec hangs")??;
        let (out, err) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        assert_eq!(output.status.code(), Some(3), "websockets {websockets}: {err}");
        assert_eq!(out, "from here\n", "websockets {websockets}");
        assert!(err.starts_with("err\n"), "websockets {websockets}: {err}");
    }
    Ok(())
}

pub(crate) async fn ports_are_forwarded(world: &World) -> Result<()> {
    let kubectl = eu(world)?;
    for websockets in PROTOCOLS {
        let mut command = kubectl.command();
        command
            .env("KUBECTL_PORT_FORWARD_WEBSOCKETS", websockets)
            .args(["port-forward", "deployment/tools", ":80"])
            .stdout(Stdio::piped());
        let mut forward = command.spawn()?;
        // Kept until the end: kubectl dies when it can no longer say what it does.
        let mut lines = BufReader::new(forward.stdout.take().context("no output")?).lines();
        let line = timeout(PATIENCE, lines.next_line())
            .await
            .context("kubectl says nothing")??
            .context("kubectl ended")?;
        let address = line
            .strip_prefix("Forwarding from ")
            .and_then(|rest| rest.split(' ').next())
            .with_context(|| format!("kubectl said {line:?}"))?;

        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"there and back").await?;
        let mut answer = [0; 14];
        timeout(PATIENCE, stream.read_exact(&mut answer))
            .await
            .context("nothing comes back")??;
        assert_eq!(&answer, b"there and back", "websockets {websockets}");
        forward.kill().await?;
    }
    Ok(())
}

/// kubectl that goes on, and the lines it prints.
fn running(kubectl: &Kubectl, arguments: &[&str]) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut child = kubectl.command().args(arguments).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().context("no output")?;
    Ok((child, BufReader::new(output).lines()))
}
