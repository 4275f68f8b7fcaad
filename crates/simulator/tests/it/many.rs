use atoll_simulator::{MemberOptions, SimulatedMember};

use crate::fixture::{World, client, eventually, options};

#[tokio::test]
async fn fifty_members_start_answer_and_stop() {
    let mut members = Vec::new();
    for index in 0..50 {
        let options = MemberOptions {
            name: format!("member-{index}"),
            ..MemberOptions::default()
        };
        members.push(SimulatedMember::start(options).await.unwrap());
    }
    let mut uids = std::collections::BTreeSet::new();
    for member in &members {
        let client = client(member).await;
        let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(client);
        let system = namespaces.get("kube-system").await.unwrap();
        assert!(
            uids.insert(system.metadata.uid.unwrap()),
            "each member is a cluster of its own"
        );
    }
    for member in members {
        let address = member.endpoint().trim_start_matches("https://").to_owned();
        member.stop().await;
        assert!(tokio::net::TcpStream::connect(&address).await.is_err());
    }
}

#[tokio::test]
async fn sample_workloads_come_alive_and_differ_by_member() {
    let world = World::with(MemberOptions {
        workloads: true,
        ..options()
    })
    .await;
    eventually("every sample runs", async || {
        let list = world.get("/apis/apps/v1/deployments").await;
        let items = list["items"].as_array().unwrap().clone();
        items.len() > 3
            && items
                .iter()
                .all(|one| one["status"]["availableReplicas"] == one["spec"]["replicas"])
    })
    .await;
    let other = World::with(MemberOptions {
        name: "west".into(),
        workloads: true,
        ..options()
    })
    .await;
    let shape = async |world: &World| -> Vec<(String, i64)> {
        let list = world.get("/apis/apps/v1/deployments").await;
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["metadata"]["name"].to_string(),
                    one["spec"]["replicas"].as_i64().unwrap(),
                )
            })
            .collect()
    };
    assert_ne!(shape(&world).await, shape(&other).await);
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    for options in [
        MemberOptions {
            name: "No Label".into(),
            ..MemberOptions::default()
        },
        MemberOptions {
            kubernetes_version: "newest".into(),
            ..MemberOptions::default()
        },
        MemberOptions {
            nodes: 1000,
            ..MemberOptions::default()
        },
    ] {
        assert!(SimulatedMember::start(options).await.is_err());
    }
}
