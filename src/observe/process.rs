use std::ffi::OsStr;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, kill_process_group, waitid,
};

use super::error::{Error, Result};
use super::poll_until;

/// Time that a server gets to remove its files after SIGTERM before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// A running child with all that it starts in its turn (its process group). Dropping it ends them: politely first, and
/// by force after two seconds.
///
/// The kernel ends the child too when the *thread* that started it dies without dropping this (by a signal that cannot
/// be caught, for instance): start children on a thread that lives as long as they shall.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
    status: Option<ExitStatus>,
    /// Its number is anybody's by now.
    reaped: bool,
}

impl Process {
    /// Starts `program`; `set_up` gives it arguments, environment and output. `package` is what to install when it is
    /// missing, or empty for a program of the user's own.
    ///
    /// # Errors
    /// When the program, or `setpriv` of util-linux, is missing, or the system does not start it.
    pub fn start(
        program: impl AsRef<OsStr>,
        package: &'static str,
        set_up: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        Self::start_as(None, program, package, set_up)
    }

    /// Like [`start`](Self::start), as another user (needs root).
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub fn start_as(
        uid: Option<u32>,
        program: impl AsRef<OsStr>,
        package: &'static str,
        set_up: impl FnOnce(&mut Command),
    ) -> Result<Self> {
        let program = program.as_ref();
        let name = program.to_string_lossy().into_owned();
        if !is_there(program) {
            return Err(Error::Missing { program: name, package });
        }
        if !is_there(OsStr::new(SETPRIV)) {
            return Err(Error::Missing { program: SETPRIV.into(), package: "util-linux" });
        }
        // setpriv sets the signal and becomes the program: same process id, no unsafe code before exec here.
        let mut command = Command::new(SETPRIV);
        command.args(["--pdeathsig", "TERM"]);
        if let Some(uid) = uid {
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={uid}")).arg("--clear-groups");
        }
        // A group of its own, so that what it starts can be ended with it.
        command.arg("--").arg(program).process_group(0);
        set_up(&mut command);
        let child = command.spawn().map_err(|source| Error::Start { program: name.clone(), source })?;
        Ok(Self { child, name, status: None, reaped: false })
    }

    /// Its process id, which is that of its group too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it was started as.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The standard library's handle, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The exit status, if it has ended. Its number stays its own until this is dropped or [killed](Self::kill): what it has left
    /// running is ended by that number, which must not have come to somebody else meanwhile.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none()
            && let Some(pid) = self.pid()
        {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            // An error here can only be that there is no such child any more, which nobody else can have waited for.
            self.status = waitid(WaitId::Pid(pid), look).ok().flatten().map(|status| exit_status(&status));
        }
        self.status
    }

    /// Whether it has ended, for those who may not change this.
    pub(super) fn has_ended(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // Nobody's number: its end was told already.
        self.status.is_some()
            || self.pid().is_none_or(|pid| !matches!(waitid(WaitId::Pid(pid), look), Ok(None)))
    }

    /// How it ended, in words, if it has.
    pub fn ending(&mut self) -> Option<String> {
        self.ended().map(|status| match (status.code(), status.signal()) {
            (Some(code), _) => format!("{} ended with exit code {code}", self.name),
            (None, Some(signal)) => format!("{} was ended by signal {signal}", self.name),
            (None, None) => format!("{} ended", self.name),
        })
    }

    /// Waits for the end; `None` when it still runs after `limit`.
    pub fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        poll_until(limit, || self.ended())
    }

    /// Sends it a signal, and not what it has started.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none()
            && let Some(pid) = self.pid()
        {
            // It may have ended since; then there is nobody left to tell.
            let _ = kill_process(pid, signal);
        }
    }

    /// Ends it at once, with what it has started, without letting it clean up.
    pub fn kill(&mut self) {
        self.signal_group(Signal::KILL);
        let _ = self.child.kill();
        self.reap();
    }

    /// It has ended, or is about to.
    fn reap(&mut self) {
        self.status = self.child.wait().ok().or(self.status);
        self.reaped = true;
    }

    /// Ends it with what it has started: asked first, by force after two seconds. Harmless when it has ended.
    pub fn end(&mut self) {
        self.signal_group(Signal::TERM);
        // What was stopped hears of it only when it goes on.
        self.signal_group(Signal::CONT);
        if self.wait(GRACE).is_none() {
            self.kill();
        }
        // Whoever it left behind has had its time with it.
        self.signal_group(Signal::KILL);
        self.reap();
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(self.id().cast_signed())
    }

    /// The group outlives its first process where that has left others behind.
    fn signal_group(&self, signal: Signal) {
        if let Some(group) = self.pid().filter(|_| !self.reaped) {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// The same as wait(2) has it: the code in the second byte, or the signal in the first.
fn exit_status(told: &WaitIdStatus) -> ExitStatus {
    let code = told.exit_status().map(|code| (code & 0xff) << 8);
    ExitStatus::from_raw(code.or_else(|| told.terminating_signal()).unwrap_or(0))
}

/// Of util-linux, which is on every Debian machine.
const SETPRIV: &str = "setpriv";

/// Whether `program` is a path to something that can be run, or the name of it on PATH.
#[must_use]
pub fn is_there(program: &OsStr) -> bool {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return can_run(path);
    }
    std::env::var_os("PATH")
        .is_some_and(|dirs| std::env::split_paths(&dirs).any(|dir| can_run(&dir.join(program))))
}

fn can_run(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn missing_program_is_named_with_its_package() {
        let refused = Process::start("scanout-no-such-program", "a-package", |_| {}).unwrap_err().to_string();
        assert_eq!(refused, "scanout-no-such-program is not installed: run `apt-get install a-package`");
        // A file that cannot be run is no program.
        let refused = Process::start(file!(), "", |_| {}).unwrap_err();
        assert!(matches!(refused, Error::Missing { .. }), "{refused}");
    }

    #[test]
    fn dropped_process_takes_what_it_started_with_it() {
        use std::io::{BufRead as _, BufReader};
        let mut shell = Process::start("sh", "dash", |command| {
            command.args(["-c", "trap '' TERM; sleep 1000 & echo $!; wait"]).stdout(Stdio::piped());
        })
        .unwrap();
        let mut line = String::new();
        BufReader::new(shell.child().stdout.take().unwrap()).read_line(&mut line).unwrap();
        let below = format!("/proc/{}", line.trim());
        let is_alive = || {
            let stat = std::fs::read_to_string(format!("{below}/stat")).unwrap_or_default();
            stat.rsplit_once(')').is_some_and(|(_, after)| !after.trim_start().starts_with('Z'))
        };
        assert!(is_alive(), "{below}");
        drop(shell);
        assert!(poll_until(Duration::from_secs(5), || (!is_alive()).then_some(())).is_some(), "{below}");
    }
}
