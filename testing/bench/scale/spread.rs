//! From a person's write on the hub until the last member holds the object.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    fleet::Fleet,
    report::{Report, milliseconds},
    usage::processor_time,
};

pub(crate) async fn measure(report: &mut Report, members: usize, objects: usize) -> Result<()> {
    let fleet = Fleet::start(members).await?;
    let before = processor_time(fleet.hub.process_id()?)?;
    let mut latencies = Vec::new();
    // One after the other: latency, not throughput.
    for number in 0..objects {
        let name = format!("object-{number:03}");
        let began = Instant::now();
        fleet.federate_map(&name).await?;
        fleet.wait_for(&name, &[]).await?;
        latencies.push(began.elapsed());
    }
    fleet.quiet(Duration::from_secs(1)).await?;
    let used = processor_time(fleet.hub.process_id()?)?.saturating_sub(before);
    let each = used.as_secs_f64() * 1e6 / (objects * members) as f64;
    latencies.sort_unstable();
    report.add(
        format!("1 object to {members} members, until the last one holds it"),
        format!("p50 {}", milliseconds(&latencies, 0.5)),
        format!(
            "p99 {}, worst {} of {objects}; the hub's processor {each:.0} µs a write{}",
            milliseconds(&latencies, 0.99),
            milliseconds(&latencies, 1.0),
            if members == 100 { "; goal: p99 below 1 s" } else { "" },
        ),
    );
    Ok(())
}
