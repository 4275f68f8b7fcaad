//! The command lines of a cluster's five servers.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    folder::Folder,
    ports::free_port,
    process::{Program, Stop},
    programs::Programs,
};

/// Where each server listens, on 127.0.0.1.
pub(super) struct Ports {
    pub(super) api: u16,
    pub(super) etcd: u16,
    etcd_peer: u16,
    pub(super) kwok: u16,
}

impl Ports {
    pub(super) fn free() -> Result<Self> {
        Ok(Self {
            api: free_port()?,
            etcd: free_port()?,
            etcd_peer: free_port()?,
            kwok: free_port()?,
        })
    }
}

/// Everything the command lines refer to.
pub(super) struct Servers<'a> {
    pub(super) programs: &'a Programs,
    pub(super) folder: &'a Folder,
    pub(super) ports: &'a Ports,
}

impl Servers<'_> {
    pub(super) fn etcd(&self) -> Program {
        let client = format!("http://127.0.0.1:{}", self.ports.etcd);
        let peer = format!("http://127.0.0.1:{}", self.ports.etcd_peer);
        program(
            "etcd",
            self.programs.etcd(),
            vec![
                format!("--data-dir={}", self.file("etcd")),
                format!("--listen-client-urls={client}"),
                format!("--advertise-client-urls={client}"),
                format!("--listen-peer-urls={peer}"),
                format!("--initial-advertise-peer-urls={peer}"),
                format!("--initial-cluster=default={peer}"),
                // Nothing here has to survive a power cut.
                "--unsafe-no-fsync".into(),
                "--log-level=warn".into(),
            ],
        )
    }

    pub(super) fn api_server(&self) -> Program {
        program(
            "kube-apiserver",
            self.programs.api_server(),
            vec![
                "--bind-address=127.0.0.1".into(),
                "--advertise-address=127.0.0.1".into(),
                format!("--secure-port={}", self.ports.api),
                format!("--etcd-servers=http://127.0.0.1:{}", self.ports.etcd),
                format!("--cert-dir={}", self.file("generated")),
                format!("--client-ca-file={}", self.file("ca.crt")),
                format!("--tls-cert-file={}", self.file("server.crt")),
                format!("--tls-private-key-file={}", self.file("server.key")),
                format!("--token-auth-file={}", self.file("tokens.csv")),
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local".into(),
                format!("--service-account-key-file={}", self.file("service-accounts.pub")),
                format!(
                    "--service-account-signing-key-file={}",
                    self.file("service-accounts.key")
                ),
                "--service-cluster-ip-range=10.96.0.0/16".into(),
                "--authorization-mode=Node,RBAC".into(),
                "--allow-privileged=true".into(),
                // A node's host name resolves nowhere; its address is kwok's.
                "--kubelet-preferred-address-types=InternalIP".into(),
                // Endpoints on loopback are refused by validation.
                "--endpoint-reconciler-type=none".into(),
                "--profiling=false".into(),
            ],
        )
    }

    pub(super) fn controller_manager(&self) -> Program {
        program(
            "kube-controller-manager",
            self.programs.controller_manager(),
            vec![
                format!("--kubeconfig={}", self.file("admin.yaml")),
                "--secure-port=0".into(),
                "--leader-elect=false".into(),
                // Autoscalers are looked at this often, and this long after each change of theirs.
                "--horizontal-pod-autoscaler-sync-period=2s".into(),
                format!("--root-ca-file={}", self.file("ca.crt")),
                format!("--cluster-signing-cert-file={}", self.file("ca.crt")),
                format!("--cluster-signing-key-file={}", self.file("ca.key")),
                format!(
                    "--service-account-private-key-file={}",
                    self.file("service-accounts.key")
                ),
                "--profiling=false".into(),
            ],
        )
    }

    pub(super) fn scheduler(&self) -> Program {
        program(
            "kube-scheduler",
            self.programs.scheduler(),
            vec![
                format!("--kubeconfig={}", self.file("admin.yaml")),
                "--secure-port=0".into(),
                "--leader-elect=false".into(),
                "--profiling=false".into(),
            ],
        )
    }

    pub(super) fn kwok(&self, configuration: &str) -> Program {
        let port = self.ports.kwok;
        program(
            "kwok",
            self.programs.kwok(),
            vec![
                format!("--kubeconfig={}", self.file("admin.yaml")),
                format!("--config={configuration}"),
                "--manage-all-nodes=true".into(),
                // Without leases the controller manager takes the nodes for dead after 50 seconds.
                "--node-lease-duration-seconds=40".into(),
                "--node-ip=127.0.0.1".into(),
                format!("--node-port={port}"),
                format!("--server-address=127.0.0.1:{port}"),
                format!("--tls-cert-file={}", self.file("server.crt")),
                format!("--tls-private-key-file={}", self.file("server.key")),
            ],
        )
    }

    fn file(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

fn program(name: &'static str, path: PathBuf, arguments: Vec<String>) -> Program {
    Program {
        name,
        path,
        arguments,
        // The API server's own graceful stop takes a minute and keeps the port.
        stop: Stop::Kill,
    }
}
