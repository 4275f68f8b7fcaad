//! `atoll demo`: a hub to look at. Everything lives in a folder that goes with the process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use atoll_federation::types;
use atoll_simulator::{MemberOptions, SimulatedMember};
use atoll_store::Role;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::serve::Running;
use super::simulate::write_private;
use super::{Ending, Failure, Outcome};
use crate::app::create_federated::create_federated;
use crate::app::initialise::ADMIN;
use crate::app::issue_kubeconfig::issue_kubeconfig;
use crate::app::register_cluster::{NewCluster, register_cluster};
use crate::auth::Caller;
use crate::config::{Access, Config, Data, Listen, Logs};
use crate::state::AppState;
use crate::telemetry::{self, LogFormat};

/// How the demonstration runs.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Address for TLS and plain HTTP; it must be a loopback address
    #[arg(
        long,
        env = "ATOLL_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS:PORT"
    )]
    listen: SocketAddr,

    /// What is logged, such as warn or atoll_server=debug,warn
    #[arg(long, env = "ATOLL_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

/// A cluster of the demonstration.
struct Place {
    name: &'static str,
    alias: &'static str,
    role: Role,
    provider: &'static str,
    region: &'static str,
    version: &'static str,
    nodes: usize,
    /// A node that nobody hears from, so that there is something to find out.
    silent_node: Option<&'static str>,
    labels: [(&'static str, &'static str); 2],
}

const PLACES: [Place; 4] = [
    Place {
        name: "host",
        alias: "Control room",
        role: Role::Host,
        provider: "kind",
        region: "eu-central",
        version: "v1.36.3",
        nodes: 1,
        silent_node: None,
        labels: [("region", "eu"), ("tier", "control")],
    },
    Place {
        name: "eu-1",
        alias: "Frankfurt",
        role: Role::Member,
        provider: "aws",
        region: "eu-central-1",
        version: "v1.36.3",
        nodes: 3,
        silent_node: None,
        labels: [("region", "eu"), ("tier", "production")],
    },
    Place {
        name: "us-1",
        alias: "Virginia",
        role: Role::Member,
        provider: "gce",
        region: "us-east4",
        version: "v1.35.7",
        nodes: 3,
        silent_node: None,
        labels: [("region", "us"), ("tier", "production")],
    },
    Place {
        name: "ap-1",
        alias: "Singapore",
        role: Role::Member,
        provider: "alicloud",
        region: "ap-southeast-1",
        version: "v1.34.9",
        nodes: 2,
        silent_node: Some("ap-1-node-2"),
        labels: [("region", "ap"), ("tier", "staging")],
    },
];

pub(super) async fn run(arguments: Arguments) -> Outcome {
    if !arguments.listen.ip().is_loopback() {
        return Err(Failure::Usage(
            "--listen: the demonstration is for this machine alone; use `atoll serve` for anything else".to_owned(),
        ));
    }
    telemetry::start(LogFormat::Text, &arguments.log).map_err(Failure::Usage)?;
    let mut ending = Ending::listen()?;
    let folder = tempfile::Builder::new()
        .prefix("atoll-demo-")
        .tempdir()
        .map_err(|error| Failure::while_doing("cannot make a folder", &error))?;
    let running = Running::start(&config(&arguments, folder.path()), true).await?;
    let mut members = Vec::new();
    let ready = tokio::select! {
        outcome = furnish(&running.state, folder.path(), &mut members) => outcome,
        () = ending.asked() => Err(Failure::Failed("ended before it was ready".to_owned())),
    };
    if ready.is_ok() {
        println!("{}", welcome(&running, folder.path()));
        ending.asked().await;
    }
    // Asked again, it leaves what is under way; the folder goes in any case.
    let ended = async {
        running.end().await;
        for member in members {
            member.stop().await;
        }
    };
    tokio::select! {
        () = ended => {}
        () = ending.asked() => {}
    }
    drop(folder);
    ready.map(|()| ExitCode::SUCCESS)
}

fn config(arguments: &Arguments, folder: &Path) -> Config {
    Config {
        listen: Listen {
            listen: arguments.listen,
            metrics_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls_cert: None,
            tls_key: None,
            tls_name: Vec::new(),
            public_url: None,
        },
        data: Data {
            data_dir: folder.join("data"),
            database: None,
            database_file: None,
            key_file: None,
        },
        access: Access {
            admin_password_file: None,
            session_hours: 12,
            allow_loopback_members: true,
        },
        logs: Logs {
            log_format: LogFormat::Text,
            log: arguments.log.clone(),
        },
    }
}

/// Clusters, an application and a kubeconfig.
async fn furnish(state: &AppState, folder: &Path, members: &mut Vec<SimulatedMember>) -> Result<(), Failure> {
    let caller = Caller::process(ADMIN);
    for place in &PLACES {
        let member = SimulatedMember::start(MemberOptions {
            name: place.name.to_owned(),
            kubernetes_version: place.version.to_owned(),
            provider: place.provider.to_owned(),
            region: place.region.to_owned(),
            nodes: place.nodes,
            workloads: true,
            ..MemberOptions::default()
        })
        .await
        .map_err(|error| Failure::while_doing(&format!("cannot start the cluster {}", place.name), &error))?;
        if let Some(node) = place.silent_node {
            member
                .set_node_ready(node, false)
                .map_err(|error| Failure::while_doing(&format!("cannot silence the node {node}"), &error))?;
        }
        let new = NewCluster {
            name: place.name.to_owned(),
            role: place.role,
            alias: place.alias.to_owned(),
            description: String::new(),
            provider: String::new(),
            region: String::new(),
            labels: place
                .labels
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            kubeconfig: SecretString::from(member.kubeconfig()),
            context: None,
            admit_admins: true,
        };
        members.push(member);
        register_cluster(state, ADMIN, new, &mut |_| {})
            .await
            .map_err(|error| Failure::while_doing(&format!("cannot register the cluster {}", place.name), &error))?;
    }
    let context = caller.context("demo");
    for (name, object) in application() {
        let kind = types::find(name).ok_or_else(|| Failure::Failed(format!("{name} is no federated type")))?;
        create_federated(state, &context, kind, &object, true)
            .await
            .map_err(|error| Failure::while_doing("cannot make the federated application", &error))?;
    }
    let kubeconfig = issue_kubeconfig(state, &caller, None)
        .await
        .map_err(|error| Failure::while_doing("cannot make a kubeconfig", &error))?;
    write_private(&folder.join("kubeconfig"), kubeconfig.expose_secret())
}

/// The federated application: a storefront on three clusters, larger in one and newer in another.
fn application() -> BTreeMap<&'static str, Value> {
    let labels = json!({"app": "storefront"});
    let placement = json!({"clusters": [{"name": "eu-1"}, {"name": "us-1"}, {"name": "ap-1"}]});
    let metadata = json!({"name": "storefront", "namespace": "storefront"});
    let deployment = json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": "FederatedDeployment",
        "metadata": metadata,
        "spec": {
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "replicas": 2,
                    "selector": {"matchLabels": labels},
                    "template": {
                        "metadata": {"labels": labels},
                        "spec": {"containers": [{
                            "name": "storefront",
                            "image": "registry.example.com/storefront:1.4.2",
                            "ports": [{"containerPort": 8080}],
                        }]},
                    },
                },
            },
            "placement": placement,
            "overrides": [
                {"clusterName": "eu-1", "clusterOverrides": [{"path": "/spec/replicas", "value": 4}]},
                {"clusterName": "ap-1", "clusterOverrides": [
                    {"path": "/spec/template/spec/containers/0/image", "value": "registry.example.com/storefront:1.5.0-rc1"},
                ]},
            ],
        },
    });
    let service = json!({
        "apiVersion": "types.kubefed.io/v1beta1",
        "kind": "FederatedService",
        "metadata": metadata,
        "spec": {
            "template": {"spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]}},
            "placement": placement,
        },
    });
    BTreeMap::from([("deployments.apps", deployment), ("services", service)])
}

fn welcome(running: &Running, folder: &Path) -> String {
    let password = running
        .generated_password
        .as_ref()
        .map_or("", |password| password.expose_secret());
    format!(
        "\nAtoll is running, with four simulated clusters.\n\n\
         \x20 console:   http://{address}\n\
         \x20 user:      {ADMIN}\n\
         \x20 password:  {password}\n\n\
         \x20 kubectl --kubeconfig={kubeconfig} get kubefedclusters,federateddeployments -A\n\
         \x20 kubectl --kubeconfig={kubeconfig} --context=eu-1 get pods -A\n\n\
         Ctrl-C ends it and removes everything.\n",
        address = running.address,
        kubeconfig = folder.join("kubeconfig").display(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_application_is_what_admission_accepts() {
        for (name, object) in application() {
            let kind = types::find(name).unwrap();
            assert!(atoll_federation::admit(kind, &object, None).is_ok(), "{name}");
        }
    }

    #[test]
    fn there_is_one_host_and_every_name_once() {
        assert_eq!(PLACES.iter().filter(|place| place.role == Role::Host).count(), 1);
        let names: std::collections::BTreeSet<_> = PLACES.iter().map(|place| place.name).collect();
        assert_eq!(names.len(), PLACES.len());
    }
}
