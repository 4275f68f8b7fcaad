//! Temporary.
use atoll_simulator::{MemberOptions, SimulatedMember};
#[tokio::main]
async fn main() {
    let member = SimulatedMember::start(MemberOptions { name: "east".into(), workloads: true, provider: "aws".into(), region: "eu-west-1".into(), ..MemberOptions::default() }).await.expect("starts");
    std::fs::write("/tmp/sim-try/kubeconfig", member.kubeconfig()).expect("writes");
    tokio::time::sleep(std::time::Duration::from_secs(1800)).await;
}
