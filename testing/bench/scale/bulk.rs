//! Many objects at once, and then the same hub again after a crash.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::{
    fleet::Fleet,
    report::{Report, megabytes},
    usage::{processor_time, resident},
};

const MEMBERS: usize = 10;
const OBJECTS: usize = 1000;
const WRITES: usize = MEMBERS * OBJECTS;

pub(crate) async fn measure(report: &mut Report) -> Result<()> {
    let mut fleet = Fleet::start(MEMBERS).await?;
    create(report, &fleet).await?;
    restart(report, &mut fleet).await
}

async fn create(report: &mut Report, fleet: &Fleet) -> Result<()> {
    let (hub, members) = (fleet.hub.process_id()?, fleet.simulation.process_id());
    let memory_before = resident(hub)?;
    let (hub_before, members_before) = (processor_time(hub)?, processor_time(members)?);
    let began = Instant::now();
    let (created, held) = tokio::join!(
        fleet.federate_maps("object", OBJECTS),
        fleet.wait_for_count(OBJECTS + 1)
    );
    created?;
    held?;
    let took = began.elapsed();
    let recorded = fleet.quiet(Duration::from_secs(1)).await?;
    let each = |before: Duration, process| -> Result<f64> {
        let used = processor_time(process)?.saturating_sub(before);
        Ok(used.as_secs_f64() * 1e6 / WRITES as f64)
    };
    report.add(
        format!("{OBJECTS} objects to {MEMBERS} members"),
        format!("{:.0} writes/s", WRITES as f64 / took.as_secs_f64()),
        format!(
            "goal: over 2,000; {:.1} s from the first request on the hub to the last object in a member, {:.1} s until all is recorded",
            took.as_secs_f64(),
            recorded.duration_since(began).as_secs_f64()
        ),
    );
    report.add(
        "processor time for each of these writes, the hub",
        format!("{:.0} µs", each(hub_before, hub)?),
        format!(
            "all {} simulated members: {:.0} µs",
            MEMBERS,
            each(members_before, members)?
        ),
    );
    report.add(
        "resident memory after that, the hub",
        megabytes(resident(hub)?),
        format!("before: {}", megabytes(memory_before)),
    );
    Ok(())
}

async fn restart(report: &mut Report, fleet: &mut Fleet) -> Result<()> {
    let before = fleet.asked().await?;
    fleet.hub.kill()?;
    let began = Instant::now();
    fleet.hub.start_again().await?;
    let ready = began.elapsed();
    let last = fleet.quiet(Duration::from_secs(3)).await?;
    let hub = fleet.hub.process_id()?;
    let used = processor_time(hub)?;
    let plans = fleet.progress().await?.plans;
    let after = fleet.asked().await?;
    report.add(
        format!("restart with {WRITES} propagations, until quiet"),
        format!("{:.1} s", last.duration_since(began).as_secs_f64()),
        format!(
            "serves after {:.1} s; {plans} plans, {:.1} s of processor time, {} reads of members",
            ready.as_secs_f64(),
            used.as_secs_f64(),
            after.reads - before.reads
        ),
    );
    report.add(
        "writes to members by that restart",
        (after.writes - before.writes).to_string(),
        "goal: 0",
    );
    report.add("resident memory after that, the hub", megabytes(resident(hub)?), "");
    Ok(())
}
