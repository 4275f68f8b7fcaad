//! `atoll simulate`: member clusters in memory, for trying things out, for tests and for scale.

use std::fs::Permissions;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use atoll_simulator::{Control, MemberOptions, SimulatedMember};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Ending, Failure, Outcome};
use crate::listen::Listener;
use crate::telemetry::{self, LogFormat};

/// Most members of one process.
const MAX_MEMBERS: u16 = 2000;

/// Which members.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// How many member clusters
    #[arg(short = 'n', long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_MEMBERS)))]
    members: u16,

    /// Folder for their kubeconfigs
    #[arg(long, default_value = "simulated", value_name = "DIR")]
    dir: PathBuf,

    /// Nodes of each member
    #[arg(long, default_value_t = 3)]
    nodes: u8,

    /// The Kubernetes version that members claim to be
    #[arg(long, default_value = "v1.36.3")]
    kubernetes_version: String,

    /// Start with sample workloads
    #[arg(long)]
    workloads: bool,

    /// Loopback address for faults and counts, plain HTTP without credentials
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = loopback)]
    control: Option<SocketAddr>,
}

/// Whoever reaches it may break every member, so nobody beyond this machine does.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "write ADDRESS:PORT".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("must be a loopback address, such as 127.0.0.1:9400".to_owned())
    }
}

pub(super) async fn run(arguments: Arguments) -> Outcome {
    telemetry::start(LogFormat::Text, "info").map_err(Failure::Usage)?;
    let mut ending = Ending::listen()?;
    std::fs::create_dir_all(&arguments.dir)
        .map_err(|error| Failure::Usage(format!("--dir: cannot make {}: {error}", arguments.dir.display())))?;
    let control_port = match arguments.control {
        Some(address) => Some(
            Listener::bind_plain(address)
                .await
                .map_err(|error| Failure::while_doing(&format!("--control: cannot listen on {address}"), &error))?,
        ),
        None => None,
    };
    let (mut members, mut control) = (Vec::new(), Control::default());
    for number in 1..=arguments.members {
        let name = format!("member-{number}");
        let options = MemberOptions {
            name: name.clone(),
            kubernetes_version: arguments.kubernetes_version.clone(),
            nodes: usize::from(arguments.nodes),
            workloads: arguments.workloads,
            ..MemberOptions::default()
        };
        let member = SimulatedMember::start(options)
            .await
            .map_err(|error| Failure::while_doing(&format!("cannot start {name}"), &error))?;
        let file = arguments.dir.join(format!("{name}.yaml"));
        write_private(&file, &member.kubeconfig())?;
        println!("{name}   {}   {}", member.endpoint(), file.display());
        control.add(&member);
        members.push(member);
    }
    let (tasks, ended) = (TaskTracker::new(), CancellationToken::new());
    if let Some(port) = control_port {
        tasks.spawn(port.serve(control.router(), ended.clone(), ended.clone()));
    }
    println!("{} simulated clusters run until Ctrl-C", members.len());
    ending.asked().await;
    ended.cancel();
    for member in members {
        member.stop().await;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .and_then(|()| std::fs::set_permissions(path, Permissions::from_mode(0o600)))
        .map_err(|error| Failure::Failed(format!("cannot write {}: {error}", path.display())))
}
