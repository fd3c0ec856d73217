//! The programs that take part, and what their starts came to.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::common::{Refreshes, Witnessed, median, sorted};
use crate::support::app::App;
use crate::support::poll_until;
use crate::support::sway::Sway;

pub const OPEN_LIMIT: Duration = Duration::from_secs(10);
pub const END_LIMIT: Duration = Duration::from_secs(3);

/// A program that takes part.
pub struct Contender {
    pub name: String,
    pub program: Result<OsString, String>,
    pub arguments: Vec<String>,
    pub turns: Vec<Turn>,
    pub absent: Option<String>,
}

/// What one start of it came to.
#[derive(Default)]
pub struct Turn {
    pub values: Vec<f64>,
    /// What of it is counted, by the part's own rules.
    pub counts: [usize; 4],
    /// What was seen of the display's refreshes, in the parts that look at them.
    pub refreshes: Refreshes,
    /// Of `values`, those that do not fall into a stop of the machine; `None` where nobody could tell.
    pub undisturbed: Option<Vec<f64>>,
    pub witnessed: Option<Witnessed>,
    pub cpu: f64,
    pub report: Value,
}

impl Contender {
    pub fn new(name: &str, program: &Result<OsString, String>, arguments: &[&str]) -> Self {
        Self {
            name: name.into(),
            program: program.clone(),
            arguments: arguments.iter().map(|&a| a.into()).collect(),
            turns: Vec::new(),
            absent: program.as_ref().err().cloned(),
        }
    }

    pub fn scanout(name: &str, program: &Result<OsString, String>, scene: &str, pacing: &str) -> Self {
        let mut arguments = vec!["run", "--display", "window", "--size", "1280x720"];
        arguments.extend(["--report", "report.json", "--pacing", pacing, "--scene"]);
        arguments.extend(scene.split(' '));
        Self::new(name, program, &arguments)
    }

    /// The same with another build of the program.
    pub fn by(&self, other: &Path) -> Self {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let program =
            other.canonicalize().map(OsString::from).map_err(|e| format!("{}: {e}", other.display()));
        Self::new(&format!("{}@other", self.name), &program, &arguments)
    }

    /// Starts it in `sway` and finds its window; a failure takes it out of the run, with the reason.
    pub fn start(&mut self, sway: &Sway, variables: &[(&str, &str)]) -> Option<App> {
        if self.absent.is_some() {
            return None;
        }
        let program = self.program.as_ref().ok()?;
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let app = App::start_with(program, &arguments, &sway.place(), variables);
        if sway.window_of(app.id(), OPEN_LIMIT).is_some() {
            return Some(app);
        }
        let said = app.stderr();
        self.absent = Some(format!("no window: {}", said.lines().next().unwrap_or("nothing said")));
        None
    }

    pub fn all(&self) -> Vec<f64> {
        sorted(self.turns.iter().flat_map(|t| &t.values).copied())
    }

    pub fn count(&self, i: usize) -> usize {
        self.turns.iter().map(|t| t.counts[i]).sum()
    }

    pub fn refreshes(&self) -> Refreshes {
        Refreshes::together(self.turns.iter().map(|t| t.refreshes))
    }

    /// Like [`all`](Self::all), of those that do not fall into a stop of the machine.
    pub fn undisturbed(&self) -> Option<Vec<f64>> {
        let each: Option<Vec<_>> = self.turns.iter().map(|t| t.undisturbed.as_deref()).collect();
        each.map(|each| sorted(each.into_iter().flatten().copied()))
    }

    pub fn cpu(&self) -> f64 {
        median(self.turns.iter().map(|t| t.cpu * 100.0))
    }
}

/// Asks the program to end; its report, where it writes one.
pub fn end(mut app: App) -> Value {
    app.interrupt();
    let ended = poll_until(END_LIMIT, || (!app.runs()).then_some(())).is_some();
    if let Some(folder) = std::env::var_os("SCANOUT_BENCH_LOGS") {
        let _ = std::fs::write(PathBuf::from(folder).join(format!("{}.log", app.id())), app.stderr());
    }
    if ended && app.folder().join("report.json").exists() { app.report("report.json") } else { Value::Null }
}
