//! One run of a scenario in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use scanout::observe::{Folder, Process, Transcript};
use scanout::time::{Clock as _, MonotonicClock};

use super::child_report::Run;
use super::place::Place;
use super::scenario::Scenario;
use super::stop::Stop;
use super::user::User;

/// How long a run that was asked to end may take to write its report.
const GRACE: Duration = Duration::from_secs(20);
/// Longest sleep between two looks at the child.
const GLANCE: Duration = Duration::from_millis(20);
/// Larger than the files of any child of ours.
const LARGEST: u64 = 256 << 20;

/// A program that has `scanout run`, with further options for all of its runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Build {
    pub program: PathBuf,
    pub args: Vec<String>,
}

/// What came of a run.
#[derive(Debug)]
pub struct Ran {
    pub run: Run,
    /// The user ended it before it was complete.
    pub interrupted: bool,
    /// Events that were injected.
    pub events: u64,
}

/// Runs the scenario once with this build and reads what it left behind. Nothing of it is left running, whatever happens.
/// `limit` overrides how long it may take; `tick` is called about 50 times a second.
///
/// # Errors
/// One line that says what went wrong: it could not be started, died, hung, or left no figures.
pub fn run(
    scenario: &Scenario,
    build: &Build,
    limit: Option<Duration>,
    stop: &Stop,
    mut tick: impl FnMut(Duration),
) -> Result<Ran, String> {
    let say = |e: &dyn std::fmt::Display| e.to_string();
    let folder = Folder::make("bench").map_err(|e| say(&e))?;
    let path = |name: &str| folder.path().join(name);
    let (report, log) = (path("report.json"), path("frames.json"));
    let mut user = User::start(scenario).map_err(|e| say(&e))?;
    let set_up = |command: &mut Command| {
        command.args(scenario.arguments(&report, &log, &build.args));
        // Files that nobody asked for land in the folder.
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        if scenario.place != Place::Desktop {
            user.place().apply(command, folder.path());
        }
    };
    let clock = MonotonicClock;
    let mut process = Process::start(&build.program, "", set_up).map_err(|e| say(&e))?;
    let stderr = process.child().stderr.take().map(Transcript::of).transpose().map_err(|e| say(&e))?;
    let began = clock.now();
    let limit = limit.unwrap_or_else(|| scenario.limit());
    let (mut end, mut interrupted) = (began + limit, false);
    let mut lost: Option<String> = None;
    let status = loop {
        if let Some(status) = process.ended() {
            break status;
        }
        let now = clock.now();
        if stop.seen() && !interrupted {
            interrupted = true;
            process.signal(Signal::INT);
            end = end.min(now + GRACE);
        }
        if now >= end {
            let passed = now.saturating_since(began).as_secs_f64();
            // Dropping the process ends it, and what it started.
            return Err(lost.unwrap_or_else(|| format!("it still ran after {passed:.1} s and was ended")));
        }
        tick(now.saturating_since(began));
        let idle = if interrupted || lost.is_some() {
            GLANCE
        } else {
            user.act(process.id(), now).unwrap_or_else(|e| {
                // Without input the run might wait for ever.
                lost = Some(e.to_string());
                process.signal(Signal::INT);
                end = end.min(now + GRACE);
                GLANCE
            })
        };
        let nap = idle.min(GLANCE);
        stop.wait(nap);
    };
    if let Some(lost) = lost {
        return Err(format!("input could not be injected: {lost}"));
    }
    let files = read(&report).and_then(|report| Ok((report, read(&log)?)));
    match (status.success(), files) {
        (true, Ok((report, log))) => {
            Ok(Ran { run: Run::parse(&report, &log)?, interrupted, events: user.sent() })
        }
        (true, Err(why)) => Err(format!("it left no figures: {why}")),
        (false, _) => Err(died(status, &stderr.map_or_else(String::new, |said| said.whole()))),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    super::super::plain_file::read(path, LARGEST, "which no run leaves behind").map_err(|e| e.to_string())
}

/// How it ended, with the last thing that it said.
fn died(status: ExitStatus, said: &str) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended".into(),
    };
    let mut lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    // What is wrong with an option stands before the hints to it.
    let error = lines.clone().rfind(|line| line.starts_with("error: "));
    let last = error.or_else(|| lines.next_back());
    // A line of a foreign program may be as long as it likes.
    last.map_or(how.clone(), |line| format!("{how}: {}", line.chars().take(300).collect::<String>()))
}
