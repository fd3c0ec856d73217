//! The program under test.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
pub use scanout::observe::Place;
use scanout::observe::Program;

use super::poll_until;

/// A started program with its output in files.
pub struct App(Program);

/// How it ended.
#[derive(Debug)]
pub struct Ending {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// From the call of `wait` to the end.
    pub after: Duration,
}

impl App {
    pub fn start(program: impl AsRef<OsStr>, arguments: &[&str], place: &Place) -> Self {
        Self::start_with(program, arguments, place, &[])
    }

    /// With further environment variables.
    pub fn start_with(
        program: impl AsRef<OsStr>,
        arguments: &[&str],
        place: &Place,
        variables: &[(&str, &str)],
    ) -> Self {
        let started = Program::start(program, arguments, place, |command, folder| {
            // Tests leave nothing in the user's folders; those that want a cache name one.
            command.env("RUST_BACKTRACE", "1").env("RUST_LOG", "warn").env("SCANOUT_SHADER_CACHE", "off");
            // A relative path in an argument is one in the program's folder.
            command.current_dir(folder).envs(variables.iter().copied());
        });
        Self(started.unwrap_or_else(|e| panic!("{e}")))
    }

    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// A folder that lives as long as this, for reports and screenshots.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// The report that the program was told to write as `name` into its folder.
    #[track_caller]
    pub fn report(&self, name: &str) -> serde_json::Value {
        let path = self.folder().join(name);
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{}: {e}\n{}", path.display(), self.stderr()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}\n{text}", path.display()))
    }

    pub fn stdout(&self) -> String {
        self.0.stdout()
    }

    pub fn stderr(&self) -> String {
        self.0.stderr()
    }

    pub fn runs(&mut self) -> bool {
        self.0.runs()
    }

    /// Asks `check`, with the process id, again and again for up to `limit`; gives up when the program ends.
    pub fn poll_while_running<T>(&mut self, limit: Duration, check: impl Fn(u32) -> Option<T>) -> Option<T> {
        poll_until(limit, || if self.runs() { check(self.id()).map(Some) } else { Some(None) }).flatten()
    }

    /// Panics with its output if it has ended.
    #[track_caller]
    pub fn assert_runs(&mut self, when: &str) {
        assert!(self.runs(), "{when}: the program has ended\n{}\n{}", self.stdout(), self.stderr());
    }

    /// Sends it a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.0.process().signal(signal);
    }

    /// Ctrl+C, as a terminal sends it.
    pub fn interrupt(&mut self) {
        self.0.process().signal(Signal::INT);
    }

    /// Waits for its end. Panics (and the drop kills it) when it still runs after `limit`.
    #[track_caller]
    pub fn wait(&mut self, limit: Duration) -> Ending {
        let start = Instant::now();
        let status = self.0.process().wait(limit);
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let Some(status) = status else {
            panic!("the program still runs {limit:?} after it should have ended\n{stdout}\n{stderr}");
        };
        Ending { code: status.code(), stdout, stderr, after: start.elapsed() }
    }
}

impl Ending {
    /// Exit code 0 and nobody panicked on the way.
    #[track_caller]
    pub fn assert_clean(&self) {
        self.assert_code(&[0]);
    }

    /// One of these exit codes and no panic.
    #[track_caller]
    pub fn assert_code(&self, codes: &[i32]) {
        assert!(
            self.code.is_some_and(|c| codes.contains(&c)) && !self.stderr.contains("panicked"),
            "expected exit code {codes:?} without a panic: {self:#?}"
        );
    }

    /// Exactly one line of error, one that tells something. Log lines are not counted.
    #[track_caller]
    pub fn assert_one_line(&self) {
        let (own, of_libraries) = self.lines();
        assert!(own + of_libraries == 1, "expected one line of error: {self:#?}");
    }

    /// The end of a display server was told: in at most one line by the program, unless a library already did. (libX11
    /// and libwayland print about a connection that breaks before any program can say a word.)
    #[track_caller]
    pub fn assert_loss_told(&self) {
        let (own, of_libraries) = self.lines();
        assert!(own <= 1 && own + of_libraries >= 1, "expected one line about the lost display: {self:#?}");
    }

    /// Lines on stderr by the program itself and by the display libraries in it, without its log.
    fn lines(&self) -> (usize, usize) {
        // The program's log has a level before each line; its one line of error begins with its name.
        let is_log = |l: &str| ["warning: ", "error: ", "debug: "].iter().any(|level| l.starts_with(level));
        let said = self.stderr.lines().map(str::trim).filter(|l| l.len() > 10 && !is_log(l));
        let (libraries, own): (Vec<&str>, Vec<&str>) = said.partition(|l| {
            ["XIO:", "after ", "X connection to", "Io error:", "Error trying to flush"]
                .iter()
                .any(|s| l.starts_with(s))
        });
        (own.len(), libraries.len())
    }
}
