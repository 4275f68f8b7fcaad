//! Whether members that misbehave delay the others.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use serde_json::json;
use tokio::time::{interval, sleep, sleep_until};

use crate::{
    fleet::Fleet,
    report::{Report, milliseconds, percentile},
};

const MEMBERS: usize = 10;
const HUNG: &str = "member-8";
const SLOW: &str = "member-9";
const FLAPPING: &str = "member-10";
const HEALTHY: usize = 7;

/// Objects of one round, and the time from one to the next.
const OBJECTS: usize = 300;
const PACE: Duration = Duration::from_millis(40);
/// Rounds with and without faults follow one another, so that what else the
/// machine does strikes both.
const ROUNDS: usize = 4;

const SLOWNESS: u64 = 500;
/// How long the flapping member is away, and then there.
const FLAP: Duration = Duration::from_secs(2);
/// For the members to be as they were.
const RECOVERY: Duration = Duration::from_secs(12);

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let fleet = Fleet::start(MEMBERS).await?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        without.extend(run(&fleet, &format!("well-{round}")).await?);
        fleet.quiet(Duration::from_secs(1)).await?;
        fleet.set_fault(HUNG, json!({ "fault": "hang" })).await?;
        fleet
            .set_fault(SLOW, json!({ "fault": "slow", "milliseconds": SLOWNESS }))
            .await?;
        let ill = format!("ill-{round}");
        let faulty = async {
            tokio::select! {
                latencies = run(&fleet, &ill) => latencies,
                error = flap(&fleet) => error.map(|()| Vec::new()),
            }
        };
        with.extend(faulty.await?);
        for member in [HUNG, SLOW, FLAPPING] {
            fleet.set_fault(member, json!({ "fault": "none" })).await?;
        }
        sleep(RECOVERY).await;
        fleet.quiet(Duration::from_secs(2)).await?;
    }
    without.sort_unstable();
    with.sort_unstable();
    report.add(
        format!(
            "1 object to {HEALTHY} of {MEMBERS} members, {:.0} objects a second",
            1.0 / PACE.as_secs_f64()
        ),
        format!("p99 {}", milliseconds(&without, 0.99)),
        format!("p50 {}, {} objects", milliseconds(&without, 0.5), without.len()),
    );
    let ratio =
        percentile::<Duration>(&with, 0.99).as_secs_f64() / percentile::<Duration>(&without, 0.99).as_secs_f64();
    report.add(
        format!(
            "the same, one of the others hung, one {SLOWNESS} ms slow, one away every {} s",
            FLAP.as_secs()
        ),
        format!("p99 {}", milliseconds(&with, 0.99)),
        format!("p50 {}; {ratio:.2} times, goal: at most 1.2", milliseconds(&with, 0.5)),
    );
    Ok(())
}

/// Creates objects at a steady pace and notes when the last healthy member holds each.
async fn run(fleet: &Fleet, prefix: &str) -> Result<Vec<Duration>> {
    let healthy: Vec<String> = (1..=HEALTHY).map(|number| format!("member-{number}")).collect();
    let stamp = Instant::now();
    let objects = (0..OBJECTS).map(|number| {
        let (name, healthy) = (format!("{prefix}-{number:03}"), &healthy);
        let begin = stamp + PACE * u32::try_from(number).unwrap_or_default();
        async move {
            sleep_until(begin.into()).await;
            let began = Instant::now();
            fleet.federate_map(&name).await?;
            fleet.wait_for(&name, healthy).await?;
            anyhow::Ok(began.elapsed())
        }
    });
    try_join_all(objects).await
}

/// Ends with an error only.
async fn flap(fleet: &Fleet) -> Result<()> {
    let mut turn = interval(FLAP);
    loop {
        for fault in ["refuse", "none"] {
            turn.tick().await;
            fleet.set_fault(FLAPPING, json!({ "fault": fault })).await?;
        }
    }
}
