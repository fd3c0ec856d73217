//! An X server without a monitor, one per test.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use super::poll_until;
use super::process::Process;
use super::screen::Screen;

/// Servers take about 0.1 s to start; the rest is for a machine that is busy building.
const START_LIMIT: Duration = Duration::from_secs(20);

/// A running Xvfb with its screen mapped.
pub struct Xvfb {
    // Before the folder: the server writes there until its end.
    process: Process,
    number: u32,
    pub screen: Screen,
    _folder: TempDir,
}

impl Xvfb {
    /// 1280x720, 24 bits.
    pub fn start() -> Self {
        Self::start_sized(1280, 720)
    }

    pub fn start_sized(width: u32, height: u32) -> Self {
        let folder = TempDir::with_prefix("scanout-xvfb-").expect("a temporary folder");
        let mut process = Process::start("Xvfb", "xvfb", |command| {
            command
                // It picks a free display itself and tells its number once it listens.
                .args(["-displayfd", "1", "-nolisten", "tcp", "-noreset"])
                // Xvfb would draw the pointer into the very pixels that are read.
                .arg("-nocursor")
                .args(["-screen", "0"])
                .arg(format!("{width}x{height}x24"))
                .arg("-fbdir")
                .arg(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(fs::File::create(folder.path().join("log")).expect("a log file"));
        });
        let mut line = String::new();
        let out = process.child().stdout.take().expect("piped");
        let _ = BufReader::new(out).read_line(&mut line);
        let log = || fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        let number =
            line.trim().parse().unwrap_or_else(|_| panic!("Xvfb did not start: {line:?}\n{}", log()));
        let file = folder.path().join("Xvfb_screen0");
        let screen = poll_until(START_LIMIT, || Screen::open(&file).ok())
            .unwrap_or_else(|| panic!("Xvfb's framebuffer: {:?}", Screen::open(&file).err()));
        Self { process, number, screen, _folder: folder }
    }

    /// What DISPLAY has to be.
    pub fn display(&self) -> String {
        format!(":{}", self.number)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The server dies at once, as in a crash. The mapped screen stays readable.
    pub fn crash(&mut self) {
        self.process.kill();
        for file in self.files() {
            let _ = fs::remove_file(file);
        }
    }

    /// What the server itself would have removed.
    fn files(&self) -> [PathBuf; 2] {
        let n = self.number;
        [PathBuf::from(format!("/tmp/.X{n}-lock")), PathBuf::from(format!("/tmp/.X11-unix/X{n}"))]
    }
}
