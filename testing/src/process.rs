//! A server process that cannot outlive the test that started it.
//!
//! `Drop` is not enough: a test killed by a signal, or aborted by a panic while
//! panicking, runs none. So each process gets a companion shell that waits on a
//! pipe whose other end only this process holds. When the pipe closes, for
//! whatever reason, the companion ends the whole process group.

use std::{
    env,
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// Starts the companion, twice forked so that the program has no child it does
/// not know of, and then becomes the program.
const SUPERVISED: &str = r#"
signal=$1
shift
exec 3<&0 </dev/null
(
    (
        read -r _ <&3
        kill -s "$signal" 0
    ) >/dev/null 2>&1 &
)
exec "$@" 3<&-
"#;

/// How many lines of a dead process's log its error shows.
const SHOWN_LINES: usize = 20;

/// How a process is asked to end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// At once. Right for servers whose data is thrown away.
    Kill,
    /// PostgreSQL's immediate shutdown, which also frees its shared memory.
    Quit,
}

impl Stop {
    fn name(self) -> &'static str {
        match self {
            Stop::Kill => "KILL",
            Stop::Quit => "QUIT",
        }
    }

    fn signal(self) -> Signal {
        match self {
            Stop::Kill => Signal::KILL,
            Stop::Quit => Signal::QUIT,
        }
    }
}

/// What to run; kept so that a process can be started a second time.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Names the process in errors, and its log file.
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) stop: Stop,
}

impl Program {
    /// Starts the program with its output going to `<name>.log` in a folder.
    pub(crate) fn start(&self, logs: &Path) -> Result<Process> {
        let log = logs.join(format!("{}.log", self.name));
        let output = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new("/bin/sh");
        for (variable, _) in env::vars_os() {
            // What the user's own hub is told is nothing to a hub under test.
            if variable.to_string_lossy().starts_with("ATOLL_") {
                command.env_remove(variable);
            }
        }
        let mut child = command
            .args(["-c", SUPERVISED, self.name, self.stop.name()])
            .arg(&self.path)
            .args(&self.arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", self.name))?;
        let lifeline = child.stdin.take();
        Ok(Process {
            name: self.name,
            stop: self.stop,
            child,
            log,
            _lifeline: lifeline,
        })
    }
}

/// A running program: the leader of a process group of its own.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    stop: Stop,
    child: Child,
    log: PathBuf,
    _lifeline: Option<ChildStdin>,
}

impl Process {
    /// Fails, with the end of its log, when the process has ended by itself.
    pub(crate) fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "{} ended with {status}\n{}",
                self.name,
                self.last_lines().unwrap_or_default()
            );
        }
        Ok(())
    }

    /// The id of the program, which has taken the place of the shell that
    /// started it.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops the process from running without ending it, so that its
    /// connections stay open and nothing answers.
    pub(crate) fn pause(&self) -> io::Result<()> {
        Ok(kill_process(self.pid(), Signal::STOP)?)
    }

    /// Undoes [`Process::pause`].
    pub(crate) fn resume(&self) -> io::Result<()> {
        Ok(kill_process(self.pid(), Signal::CONT)?)
    }

    /// Ends the whole group and waits for the program.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        // The group exists until its last member has gone, so the number cannot
        // have passed to a stranger; when all are gone there is nothing to end.
        let _ = kill_process_group(self.pid(), self.stop.signal());
        self.child.wait()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn last_lines(&self) -> io::Result<String> {
        let text = fs::read_to_string(&self.log)?;
        let lines: Vec<&str> = text.lines().collect();
        Ok(lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(process.name = self.name, %error, "cannot wait for a process");
        }
    }
}
