//! `atoll simulate`: members in memory, in a process of their own so that what
//! they use is not counted as the hub's.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

use crate::{
    folder::Folder,
    hub::binary,
    ports::free_port,
    process::{Process, Program, Stop},
    readiness::until,
    rest::Rest,
};

/// Ample: a thousand members of a debug build take half of it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Running simulated members. Dropping it ends them.
pub struct Simulation {
    process: Process,
    members: usize,
    control: u16,
    folder: Folder,
}

impl Simulation {
    /// Starts some members with one node each, and waits until all of them
    /// listen.
    pub async fn start(members: usize) -> Result<Self> {
        let folder = Folder::new("atoll-simulation-")?;
        let control = free_port()?;
        let program = Program {
            name: "simulate",
            path: binary()?,
            arguments: vec![
                "simulate".to_owned(),
                format!("--members={members}"),
                "--nodes=1".to_owned(),
                format!("--control=127.0.0.1:{control}"),
                format!("--dir={}", folder.join("kubeconfigs").display()),
            ],
            stop: Stop::Kill,
        };
        let mut process = program.start(folder.path())?;
        until("the simulated members", PATIENCE, async || {
            process.check()?;
            let said = fs::read_to_string(folder.join("simulate.log"))?;
            Ok(said.contains("run until"))
        })
        .await?;
        Ok(Self {
            process,
            members,
            control,
            folder,
        })
    }

    /// A client of what steers the members: their faults, their counts, and
    /// waiting for what they hold.
    pub fn control(&self) -> Rest {
        Rest::new(format!("http://127.0.0.1:{}", self.control))
    }

    /// The id of the process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The names of the members and their kubeconfigs.
    pub fn kubeconfigs(&self) -> Result<Vec<(String, String)>> {
        (1..=self.members)
            .map(|number| {
                let name = format!("member-{number}");
                let file = self.folder.join("kubeconfigs").join(format!("{name}.yaml"));
                let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
                Ok((name, text))
            })
            .collect()
    }
}
