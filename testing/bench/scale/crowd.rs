//! Very many members with some objects each: what one propagation takes of the
//! hub's memory, and what all of it takes of a processor while nothing happens.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::time::sleep;

use crate::{
    fleet::Fleet,
    report::{Report, megabytes},
    usage::{processor_time, resident},
};

const OBJECTS: usize = 100;

/// Idle connections are closed within a minute; what stays is what it costs.
const SETTLED: Duration = Duration::from_secs(75);
/// How long the processor is looked at, at the end of that.
const WATCHED: Duration = Duration::from_secs(30);

pub(crate) async fn measure(report: &mut Report, members: usize) -> Result<()> {
    let fleet = Fleet::start(members).await?;
    let hub = fleet.hub.process_id()?;
    report.add(
        format!("registering {members} members"),
        format!("{:.1} s", fleet.registered_in.as_secs_f64()),
        format!("{:.0} a second", members as f64 / fleet.registered_in.as_secs_f64()),
    );
    sleep(SETTLED).await;
    let empty = resident(hub)?;
    report.add(
        format!("resident memory, {members} members with one object each"),
        megabytes(empty),
        format!("{:.0} kB a member", empty as f64 / 1e3 / members as f64),
    );
    let began = Instant::now();
    let before = processor_time(hub)?;
    let (created, held) = tokio::join!(
        fleet.federate_maps("object", OBJECTS - 1),
        fleet.wait_for_count(OBJECTS)
    );
    created?;
    held?;
    let took = began.elapsed();
    fleet.quiet(Duration::from_secs(2)).await?;
    let used = processor_time(hub)?.saturating_sub(before);
    let propagations = (OBJECTS - 1) * members;
    report.add(
        format!("{} more objects to {members} members", OBJECTS - 1),
        format!("{:.0} writes/s", propagations as f64 / took.as_secs_f64()),
        format!(
            "{:.1} s; the hub's processor {:.0} µs a write; resident memory right after {}",
            took.as_secs_f64(),
            used.as_secs_f64() * 1e6 / propagations as f64,
            megabytes(resident(hub)?)
        ),
    );
    // Not a wait for something: the time itself is what is measured over.
    sleep(SETTLED - WATCHED).await;
    let before = processor_time(hub)?;
    sleep(WATCHED).await;
    let used = processor_time(hub)?.saturating_sub(before);
    let full = resident(hub)?;
    report.add(
        "memory for each propagation",
        format!("{} B", full.saturating_sub(empty) / propagations as u64),
        format!(
            "goal: below 1,000 B; {} with {members} members of {OBJECTS} objects",
            megabytes(full)
        ),
    );
    report.add(
        "processor at rest",
        format!("{:.1} %", used.as_secs_f64() / WATCHED.as_secs_f64() * 100.0),
        format!(
            "of one core, over {} s, {members} members being probed",
            WATCHED.as_secs()
        ),
    );
    Ok(())
}
