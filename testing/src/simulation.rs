//! `atoll simulate`: members in memory, in a process of their own so that what
//! they use is not counted as the hub's.

use std::{fs, time::Duration};

use anyhow::{Context, Result};

use crate::{
    folder::Folder,
    hub::binary,
    process::{Process, Program, Stop},
    readiness::until,
};

const PATIENCE: Duration = Duration::from_secs(60);

/// Running simulated members. Dropping it ends them.
pub struct Simulation {
    _process: Process,
    members: usize,
    folder: Folder,
}

impl Simulation {
    /// Starts some members and waits until all of them listen.
    pub async fn start(members: usize) -> Result<Self> {
        let folder = Folder::new("atoll-simulation-")?;
        let program = Program {
            name: "simulate",
            path: binary()?,
            arguments: vec![
                "simulate".to_owned(),
                format!("--members={members}"),
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
            _process: process,
            members,
            folder,
        })
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
