//! Temporary.
use atoll_simulator::{MemberOptions, SimulatedMember};
#[tokio::main]
async fn main() {
    let count: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let workloads = std::env::args().nth(2).is_some();
    let start = std::time::Instant::now();
    let mut all = Vec::new();
    for i in 0..count {
        let name = if i == 0 { "east".to_owned() } else { format!("m-{i}") };
        all.push(
            SimulatedMember::start(MemberOptions {
                name,
                workloads,
                provider: "aws".into(),
                region: "eu-west-1".into(),
                ..MemberOptions::default()
            })
            .await
            .expect("starts"),
        );
    }
    println!("{:?}", start.elapsed());
    std::fs::write("/tmp/sim-try/kubeconfig", all[0].kubeconfig()).expect("writes");
    tokio::time::sleep(std::time::Duration::from_secs(1800)).await;
}
