//! Child processes that are restarted when they die, as a service manager would.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    process::{Child, Command},
    task::JoinSet,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::process::{Signal, signal};

/// Pause before the first restart; doubles with each one until [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A process that ran this long is taken to be well; its next restart is quick again.
const WELL_AFTER: Duration = Duration::from_secs(20);

/// Time a process gets to end by itself.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// A program to keep running.
#[derive(Debug, Clone)]
pub struct Program {
    /// Unique among the supervisor's programs; also the name of its log file.
    pub name: String,
    pub path: PathBuf,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
}

/// What became of a program so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// Process id while it runs.
    pub pid: Option<u32>,
    pub starts: u32,
}

/// Keeps programs running until it is stopped. Stops them in the reverse order of their start.
#[derive(Debug)]
pub struct Supervisor {
    log_dir: PathBuf,
    programs: Vec<Running>,
    tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Running {
    name: String,
    status: Shared,
    stop: CancellationToken,
    stopped: CancellationToken,
}

impl Running {
    /// Asks it to end and waits until it did.
    async fn end(self) {
        self.stop.cancel();
        self.stopped.cancelled().await;
    }
}

type Shared = Arc<Mutex<Status>>;

impl Supervisor {
    /// Output of each program is appended to `<log_dir>/<name>.log`.
    pub fn new(log_dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(log_dir)?;
        Ok(Self {
            log_dir: log_dir.to_owned(),
            programs: Vec::new(),
            tasks: JoinSet::new(),
        })
    }

    /// Starts a program and keeps it running.
    pub fn start(&mut self, program: Program) -> Result<()> {
        let log = self.log_file(&program.name)?;
        let running = Running {
            name: program.name.clone(),
            status: Shared::default(),
            stop: CancellationToken::new(),
            stopped: CancellationToken::new(),
        };
        let keeper = Keeper {
            program,
            log,
            status: Arc::clone(&running.status),
            stop: running.stop.clone(),
        };
        let stopped = running.stopped.clone().drop_guard();
        self.tasks.spawn(async move {
            keeper.run().await;
            drop(stopped);
        });
        self.programs.push(running);
        Ok(())
    }

    /// Where a program writes.
    pub fn log_path(&self, name: &str) -> PathBuf {
        self.log_dir.join(format!("{name}.log"))
    }

    pub fn status(&self, name: &str) -> Status {
        self.find(name)
            .map(|running| *lock(&running.status))
            .unwrap_or_default()
    }

    /// All programs, in the order of their start.
    pub fn statuses(&self) -> BTreeMap<String, Status> {
        self.programs
            .iter()
            .map(|program| (program.name.clone(), *lock(&program.status)))
            .collect()
    }

    /// Sends SIGKILL. The program is restarted.
    pub fn kill(&self, name: &str) -> Result<()> {
        let pid = self
            .status(name)
            .pid
            .with_context(|| format!("{name} does not run"))?;
        signal(pid, Signal::KILL)
    }

    /// Sends SIGKILL, and does not start the program again.
    pub async fn kill_for_good(&mut self, name: &str) -> Result<()> {
        let running = self
            .take(name)
            .with_context(|| format!("{name} does not run"))?;
        let pid = lock(&running.status).pid;
        if let Some(pid) = pid {
            signal(pid, Signal::KILL)?;
        }
        // Before the pause after which it would be started again.
        running.end().await;
        Ok(())
    }

    /// Stops one program for good.
    pub async fn stop(&mut self, name: &str) {
        if let Some(running) = self.take(name) {
            running.end().await;
        }
    }

    /// Stops everything, last started first.
    pub async fn stop_all(&mut self) {
        while let Some(running) = self.programs.pop() {
            running.end().await;
        }
        while self.tasks.join_next().await.is_some() {}
    }

    /// Lets go of a program, so that it is not looked after any more.
    fn take(&mut self, name: &str) -> Option<Running> {
        let index = self
            .programs
            .iter()
            .position(|program| program.name == name)?;
        Some(self.programs.remove(index))
    }

    fn find(&self, name: &str) -> Option<&Running> {
        self.programs.iter().find(|program| program.name == name)
    }

    fn log_file(&self, name: &str) -> Result<File> {
        let path = self.log_path(name);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .with_context(|| format!("open {}", path.display()))
    }
}

/// Runs one program again and again.
struct Keeper {
    program: Program,
    log: File,
    status: Shared,
    stop: CancellationToken,
}

impl Keeper {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        while !self.stop.is_cancelled() {
            let started = Instant::now();
            match self.spawn() {
                Ok(child) => self.watch(child).await,
                Err(err) => self.note(&format!("supervisor: start failed: {err:#}")),
            }
            if started.elapsed() >= WELL_AFTER {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn spawn(&self) -> Result<Child> {
        // Whatever happens to us, even SIGKILL, takes the program down with us.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.program.path)
            .args(&self.program.args);
        command.envs(self.program.env.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(self.log.try_clone()?)
            .stderr(self.log.try_clone()?);
        // Ctrl-C in our terminal is ours to handle; programs are stopped in order.
        command.process_group(0).kill_on_drop(true);
        let child = command
            .spawn()
            .with_context(|| self.program.path.display().to_string())?;
        let mut status = lock(&self.status);
        status.pid = child.id();
        status.starts += 1;
        Ok(child)
    }

    async fn watch(&self, mut child: Child) {
        tokio::select! {
            ended = child.wait() => {
                lock(&self.status).pid = None;
                let how = ended.map_or_else(|err| err.to_string(), |status| status.to_string());
                self.note(&format!("supervisor: {} ended with {how}", self.program.name));
            }
            () = self.stop.cancelled() => {
                if let Some(pid) = child.id() {
                    signal(pid, Signal::TERM).ok();
                }
                if tokio::time::timeout(STOP_LIMIT, child.wait()).await.is_err() {
                    self.note("supervisor: does not end, killing it");
                    child.kill().await.ok();
                }
                lock(&self.status).pid = None;
            }
        }
    }

    fn note(&self, line: &str) {
        use std::io::Write as _;
        // The log is for people; a full disk must not stop the plane.
        writeln!(&self.log, "{line}").ok();
    }
}

fn lock(status: &Shared) -> MutexGuard<'_, Status> {
    // A status is two plain numbers, whole at any time.
    status.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PATIENCE, eventually};

    fn sleeper(name: &str) -> Program {
        Program {
            name: name.to_owned(),
            path: "/bin/sleep".into(),
            args: vec!["1000".to_owned()],
            env: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_killed_program_is_started_again_and_a_stopped_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut supervisor = Supervisor::new(dir.path()).unwrap();
        supervisor.start(sleeper("a")).unwrap();
        let first = eventually(PATIENCE, async || {
            supervisor.status("a").pid.ok_or("not running")
        })
        .await;
        supervisor.kill("a").unwrap();
        eventually(PATIENCE, async || match supervisor.status("a") {
            Status {
                pid: Some(pid),
                starts: 2,
            } if pid != first => Ok(()),
            other => Err(other),
        })
        .await;
        supervisor.stop_all().await;
        assert_eq!(supervisor.status("a"), Status::default());
        let log = std::fs::read_to_string(dir.path().join("a.log")).unwrap();
        assert!(log.contains("ended with signal: 9"), "{log}");
    }
}
