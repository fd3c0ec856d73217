//! Child processes that never outlive their owner.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::poll_until;

/// Time that a server gets to remove its files after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// A running child; dropping it ends it, politely first.
pub struct Process {
    child: Child,
    name: String,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts `program` so that the kernel ends it too when the starting thread dies without dropping this.
    ///
    /// `package` is what to install when the program is missing.
    pub fn start(program: impl AsRef<OsStr>, package: &str, set_up: impl FnOnce(&mut Command)) -> Self {
        Self::start_as(None, program, package, set_up)
    }

    /// Like [`start`](Self::start), as another user (needs root).
    pub fn start_as(
        uid: Option<u32>,
        program: impl AsRef<OsStr>,
        package: &str,
        set_up: impl FnOnce(&mut Command),
    ) -> Self {
        let program = program.as_ref();
        let name = program.to_string_lossy().into_owned();
        assert!(
            is_there(program),
            "{name} is not installed: run `apt-get install {package}` or scripts/setup test"
        );
        // setpriv sets the signal and becomes the program: same process id, no unsafe code before exec here.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]);
        if let Some(uid) = uid {
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={uid}")).arg("--clear-groups");
        }
        command.arg("--").arg(program);
        set_up(&mut command);
        let child =
            command.spawn().unwrap_or_else(|e| panic!("setpriv (package util-linux) for {name}: {e}"));
        Self { child, name, status: None }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().expect("wait for a child of ours");
        }
        self.status
    }

    /// Waits for the end; `None` when it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        poll_until(limit, || self.ended())
    }

    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none()
            && let Some(pid) = Pid::from_raw(self.id().cast_signed())
        {
            // It may have ended since; then there is nobody left to tell.
            let _ = kill_process(pid, signal);
        }
    }

    /// Ends it at once, without letting it clean up.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.status = self.child.wait().ok();
    }

    /// Panics with what is known when the process has ended.
    pub fn assert_runs(&mut self) {
        if let Some(status) = self.ended() {
            panic!("{} ended early: {:?}, signal {:?}", self.name, status.code(), status.signal());
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
        if self.wait(GRACE).is_none() {
            self.kill();
        }
    }
}

/// Whether `program` is a path that exists or a name on PATH.
pub fn is_there(program: &OsStr) -> bool {
    let path = std::path::Path::new(program);
    if path.components().count() > 1 {
        return path.exists();
    }
    std::env::var_os("PATH")
        .is_some_and(|dirs| std::env::split_paths(&dirs).any(|dir| dir.join(program).is_file()))
}
