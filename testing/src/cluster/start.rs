//! Bringing a cluster up: each server starts as soon as what it needs answers.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Api;
use rcgen::KeyPair;
use tokio::{net::TcpStream, sync::Mutex};
use uuid::Uuid;

use super::{
    Cluster, Options,
    certificates::Authority,
    kubeconfig::Kubeconfig,
    kwok, nodes,
    servers::{Ports, Servers},
};
use crate::{folder::Folder, process::Process, programs::Programs, readiness::until};

/// Ample: on an idle machine the whole start takes four seconds.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// The user in the group `system:masters` that every cluster has.
pub(super) const ADMIN: &str = "admin";
const ADMINS: &str = "system:masters";

pub(super) async fn start(name: &str, options: Options) -> Result<Cluster> {
    let programs = Programs::find(options.release)?;
    let folder = Folder::new("atoll-cluster-")?;
    let ports = Ports::free()?;
    let servers = Servers {
        programs: &programs,
        folder: &folder,
        ports: &ports,
    };

    let mut etcd = servers.etcd().start(folder.path())?;
    let authority = Authority::new(name)?;
    let admin_token = Uuid::new_v4().simple().to_string();
    let endpoint = format!("https://127.0.0.1:{}", ports.api);
    let admin = Kubeconfig {
        cluster: name,
        endpoint: &endpoint,
        authority: &authority.certificate,
    }
    .with_certificate(ADMIN, &authority.client(ADMIN, Some(ADMINS))?)?;
    write_files(&folder, &authority, &admin, &admin_token)?;
    let kwok_configuration = kwok::configure(&folder, &programs)?;

    // The API server would find etcd by itself, but only a second later.
    until("etcd", PATIENCE, async || {
        etcd.check()?;
        Ok(TcpStream::connect(("127.0.0.1", ports.etcd)).await.is_ok())
    })
    .await?;
    let api_server = servers.api_server();
    let running = api_server.start(folder.path())?;

    let mut cluster = Cluster {
        name: name.to_owned(),
        endpoint,
        api_server: Mutex::new(Some(running)),
        others: vec![etcd],
        api_server_program: api_server,
        authority,
        admin,
        admin_token,
        programs: programs.clone(),
        folder,
    };
    let client = cluster.client().await?;
    wait_until_serving(&cluster, &client).await?;
    // Borrowed anew: the folder has moved into the cluster.
    let servers = Servers {
        programs: &programs,
        folder: &cluster.folder,
        ports: &ports,
    };
    for program in [
        servers.controller_manager(),
        servers.scheduler(),
        servers.kwok(&kwok_configuration),
    ] {
        cluster.others.push(program.start(cluster.folder.path())?);
    }
    let region = options.region.as_deref().unwrap_or_else(|| region_of(name));
    nodes::create(&client, name, region, options.nodes).await?;
    wait_until_usable(&mut cluster.others, &client, options.nodes).await?;
    Ok(cluster)
}

/// Waits for the API server to say that it is ready.
pub(super) async fn wait_until_serving(cluster: &Cluster, client: &kube::Client) -> Result<()> {
    until("the API server", PATIENCE, async || {
        if let Some(process) = cluster.api_server.lock().await.as_mut() {
            process.check()?;
        }
        let request = http::Request::get("/readyz").body(Vec::new())?;
        Ok(client.request_text(request).await.is_ok())
    })
    .await
    .with_context(|| format!("cluster {} does not start", cluster.name))
}

/// Waits until pods can be created and will be run.
async fn wait_until_usable(processes: &mut [Process], client: &kube::Client, nodes: usize) -> Result<()> {
    let accounts = Api::<ServiceAccount>::namespaced(client.clone(), "default");
    until("nodes and service accounts", PATIENCE, async || {
        processes.iter_mut().try_for_each(Process::check)?;
        Ok(nodes::usable(client).await? == nodes && accounts.get_opt("default").await?.is_some())
    })
    .await
}

fn write_files(folder: &Folder, authority: &Authority, admin: &str, token: &str) -> Result<()> {
    let server = authority.server(&[
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
    ])?;
    let accounts = KeyPair::generate()?;
    let tokens = format!("{token},{ADMIN},{ADMIN},\"{ADMINS}\"\n");
    for (name, content) in [
        ("ca.crt", authority.certificate.as_str()),
        ("ca.key", &authority.key()),
        ("server.crt", &server.certificate),
        ("server.key", &server.key),
        ("service-accounts.key", &accounts.serialize_pem()),
        ("service-accounts.pub", &accounts.public_key_pem()),
        ("tokens.csv", &tokens),
        ("admin.yaml", admin),
    ] {
        fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
    }
    Ok(())
}

/// `eu-1` is in region `eu`.
fn region_of(name: &str) -> &str {
    name.split('-').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::region_of;

    #[test]
    fn the_region_is_the_name_up_to_its_first_dash() {
        assert_eq!(region_of("eu-1"), "eu");
        assert_eq!(region_of("host"), "host");
    }
}
