//! Where the programs of a cluster are, as `make kubernetes` left them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::versions::Release;

/// The built programs of one Kubernetes release.
///
/// The oldest release brings only the three Kubernetes servers; etcd, kwok and
/// kubectl are the newest release's in every cluster.
#[derive(Clone, Debug)]
pub struct Programs {
    release: PathBuf,
    newest: PathBuf,
}

impl Programs {
    /// The programs of the newest release.
    pub fn newest() -> Result<Self> {
        Self::find(Release::Newest)
    }

    /// Finds the programs of a release, or says how to build them.
    pub fn find(release: Release) -> Result<Self> {
        let programs = Self {
            release: directory(release),
            newest: directory(Release::Newest),
        };
        for file in [
            programs.api_server(),
            programs.controller_manager(),
            programs.scheduler(),
            programs.etcd(),
            programs.kwok(),
            programs.kubectl(),
            programs.kwok_stages(),
        ] {
            if !file.is_file() {
                let target = match release {
                    Release::Newest => "kubernetes",
                    Release::Oldest => "kubernetes kubernetes-oldest",
                };
                bail!("{} is missing: run `make {target}`", file.display());
            }
        }
        Ok(programs)
    }

    /// `kubectl`.
    pub fn kubectl(&self) -> PathBuf {
        self.newest.join("kubectl")
    }

    /// `kubefedctl`, or how to build it.
    pub fn kubefedctl() -> Result<PathBuf> {
        let program = kubernetes().join("kubefedctl/kubefedctl");
        if !program.is_file() {
            bail!("{} is missing: run `make kubefedctl`", program.display());
        }
        Ok(program)
    }

    pub(crate) fn etcd(&self) -> PathBuf {
        self.newest.join("etcd")
    }

    pub(crate) fn kwok(&self) -> PathBuf {
        self.newest.join("kwok")
    }

    /// The rules by which kwok moves nodes and pods from state to state.
    pub(crate) fn kwok_stages(&self) -> PathBuf {
        self.newest.join("kwok-stages.yaml")
    }

    pub(crate) fn api_server(&self) -> PathBuf {
        self.release.join("kube-apiserver")
    }

    pub(crate) fn controller_manager(&self) -> PathBuf {
        self.release.join("kube-controller-manager")
    }

    pub(crate) fn scheduler(&self) -> PathBuf {
        self.release.join("kube-scheduler")
    }
}

fn directory(release: Release) -> PathBuf {
    kubernetes().join(format!("v{}", release.minor()))
}

fn kubernetes() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let workspace = package.parent().unwrap_or(package);
    workspace.join("target/kubernetes")
}
