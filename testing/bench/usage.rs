//! What a process uses, by the kernel's account.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

/// The unit of times in `/proc`, whatever the kernel's own clock: `USER_HZ`.
const TICK: Duration = Duration::from_millis(10);

/// Memory of a process that is in RAM, in bytes.
pub(crate) fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("no VmRSS")?;
    Ok(kilobytes.trim().parse::<u64>()? * 1024)
}

/// Processor time that a process has used so far, in user and system mode.
pub(crate) fn processor_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(TICK * u32::try_from(ticks)?)
}
