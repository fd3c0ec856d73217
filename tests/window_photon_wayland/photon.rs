//! `scanout photon` run as a user runs it, and what it has left behind.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Told to each run, and with that to all that it starts, so that what is left of it can be found.
const MARK: &str = "SCANOUT_TEST_MARK";

pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What it wrote, where it measured.
    pub json: Value,
    mark: String,
}

/// Runs it in an environment without any display but for `runtime_dir`.
pub fn photon(arguments: &str, runtime_dir: Option<&Path>, command: &[&str]) -> Ran {
    let folder = TempDir::with_prefix("scanout-photon-").unwrap();
    let report = folder.path().join("report.json");
    let mark = folder.path().display().to_string();
    let mut photon = Command::new(super::SCANOUT);
    photon.arg("photon").args(arguments.split_whitespace()).arg("--json").arg(&report);
    if !command.is_empty() {
        photon.arg("--").args(command);
    }
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"] {
        photon.env_remove(name);
    }
    photon.envs(runtime_dir.map(|folder| ("XDG_RUNTIME_DIR", folder)));
    photon.env(MARK, &mark).env("SCANOUT_SHADER_CACHE", "off").stdin(Stdio::null());
    let Output { status, stdout, stderr } = photon.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let json = fs::read(&report).ok().map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    Ran { code: status.code(), stdout: text(&stdout), stderr: text(&stderr), json, mark }
}

impl Ran {
    /// It measured, and wrote a number at this place.
    #[track_caller]
    pub fn number(&self, at: &str) -> f64 {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        let found = self.json.pointer(at).and_then(Value::as_f64);
        found.unwrap_or_else(|| panic!("no number at {at}: {:#}", self.json))
    }

    /// It did not measure, said why in one line with these words in it, and ended with code 2.
    #[track_caller]
    pub fn assert_refused(&self, words: &str) {
        assert_eq!(self.code, Some(2), "{}\n{}", self.stdout, self.stderr);
        let lines: Vec<&str> = self.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains(words), "expected one line with {words:?}: {lines:#?}");
    }

    /// Nothing that it started lives.
    #[track_caller]
    pub fn assert_nothing_left(&self) {
        let mark = format!("{MARK}={}", self.mark);
        let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
        // Those of other users cannot be read, where the tests do not run as root.
        let left: Vec<_> = processes
            .filter(|path| {
                let environment = fs::read(path.join("environ")).unwrap_or_default();
                environment.split(|&b| b == 0).any(|one| one == mark.as_bytes())
            })
            .map(|path| fs::read_to_string(path.join("cmdline")).unwrap_or_default().replace('\0', " "))
            .collect();
        assert!(left.is_empty(), "left behind: {left:#?}");
    }
}
