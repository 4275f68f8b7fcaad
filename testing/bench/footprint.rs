//! How big the binary is, and how much memory an idle hub takes.

use std::{fs, time::Duration};

use anyhow::Result;
use atoll_testing::{Hub, binary};
use tokio::time::sleep;

use crate::{
    report::{Report, megabytes, percentile},
    usage::resident,
};

/// How long an idle hub is watched: a few rounds of probes.
const WATCHED: Duration = Duration::from_secs(40);

/// How often it is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

pub(crate) fn binary_size(report: &mut Report) -> Result<()> {
    let size = fs::metadata(binary()?)?.len();
    report.add("binary, console inside", megabytes(size), "goal: below 30 MB");
    Ok(())
}

/// Not a wait for something: the time itself is what is measured over.
pub(crate) async fn memory(report: &mut Report, hub: &Hub) -> Result<()> {
    let process = hub.process_id()?;
    let mut seen = Vec::new();
    for _ in 0..WATCHED.as_secs() / INTERVAL.as_secs() {
        sleep(INTERVAL).await;
        seen.push(resident(process)?);
    }
    seen.sort_unstable();
    report.add(
        "resident memory, three members, idle",
        megabytes(percentile(&seen, 0.5)),
        format!(
            "goal: below 40 MB; {} to {} over {} s",
            megabytes(seen[0]),
            megabytes(percentile(&seen, 1.0)),
            WATCHED.as_secs()
        ),
    );
    Ok(())
}

pub(crate) fn memory_after_load(report: &mut Report, hub: &Hub) -> Result<()> {
    let after = resident(hub.process_id()?)?;
    report.add("resident memory right after the load above", megabytes(after), "");
    Ok(())
}
