use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Duration;

use super::error::{Error, Result};
use super::folder::Folder;
use super::poll_until;
use super::process::Process;
use super::program::{Place, first_line};
use super::screen::Screen;
use super::transcript::Transcript;

/// Servers take about 0.1 s to start; the rest is for a machine that is busy building.
const START_LIMIT: Duration = Duration::from_secs(20);

/// What Xvfb calls the screen in its `-fbdir`.
const SCREEN_FILE: &str = "Xvfb_screen0";

/// An X server of one's own without a monitor, on a free display, with its screen mapped. Needs the package `xvfb`.
#[derive(Debug)]
pub struct Xvfb {
    // Before the folder: the server writes there until its end.
    process: Process,
    number: u32,
    /// What is on its screen.
    pub screen: Screen,
    folder: Folder,
    log: Transcript,
}

impl Xvfb {
    /// Starts one of this many pixels, with 24 bits each. Takes about 0.1 s.
    ///
    /// # Errors
    /// When Xvfb is not installed or does not start.
    pub fn start(width: u32, height: u32) -> Result<Self> {
        Self::start_with(width, height, &[])
    }

    /// With further arguments for the server, as Xvfb(1) has them: `-extension`, `XTEST`.
    ///
    /// # Errors
    /// When Xvfb is not installed or does not start.
    pub fn start_with(width: u32, height: u32, arguments: &[&str]) -> Result<Self> {
        let folder = Folder::make("xvfb").map_err(Error::io("a temporary folder"))?;
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
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
        })?;
        let log = Transcript::of_any(process.child().stderr.take());
        let log = log.map_err(Error::io("a thread that reads what Xvfb writes"))?;
        let mut line = String::new();
        if let Some(out) = process.child().stdout.take() {
            // An end without a number is told below.
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let Ok(number) = line.trim().parse() else {
            // It has closed its output; its end and the last of its log come a moment later.
            let _ = process.wait(Duration::from_millis(200));
            return Err(Error::NotReady { server: "Xvfb", said: said(&[&log], &mut process) });
        };
        let file = folder.path().join(SCREEN_FILE);
        let screen =
            poll_until(START_LIMIT, || Screen::open(&file).ok()).map_or_else(|| Screen::open(&file), Ok)?;
        Ok(Self { process, number, screen, folder, log })
    }

    /// Its screen once more, for an owner of its own.
    ///
    /// # Errors
    /// When its file cannot be mapped again.
    pub fn view(&self) -> Result<Screen> {
        Screen::open(&self.folder.path().join(SCREEN_FILE))
    }

    /// What DISPLAY has to be.
    #[must_use]
    pub fn display(&self) -> String {
        format!(":{}", self.number)
    }

    /// The environment for a program.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::X11 { display: self.display() }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has written; of much, the beginning and the end ([`Transcript`]).
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// The server dies at once, as in a crash. The mapped screen stays readable.
    pub fn crash(&mut self) {
        self.process.kill();
        self.remove_files();
    }

    /// What the server itself removes, unless it had to be killed. (One that picks its display has no lock.)
    fn remove_files(&self) {
        let socket = format!("/tmp/.X11-unix/X{}", self.number);
        // The number may be another server's by now, which takes connections.
        let refused = |e: io::Error| e.kind() == io::ErrorKind::ConnectionRefused;
        if UnixStream::connect(&socket).is_err_and(refused) {
            let _ = fs::remove_file(socket);
        }
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.process.end();
        self.remove_files();
    }
}

/// Why a server did not start, in one line.
pub(super) fn said(logs: &[&Transcript], process: &mut Process) -> String {
    let text: String = logs.iter().map(|log| log.whole() + "\n").collect();
    // X servers put an empty line and the kind of message before the message.
    let lines = text.lines().map(str::trim).filter(|line| *line != "Fatal server error:");
    first_line(&lines.collect::<Vec<_>>().join("\n"))
        .or_else(|| process.ending())
        .unwrap_or_else(|| "it said nothing".into())
}
