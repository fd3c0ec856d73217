use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::fs::OFlags;

use super::error::{Error, Result};
use super::folder::Folder;
use super::poll_until;
use super::process::Process;
use super::program::{Place, first_line};
use super::screen::Screen;

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
        let log = folder.path().join("log");
        let log_file = fs::File::create(&log).map_err(Error::io("a file for the log of Xvfb"))?;
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
                .stderr(log_file);
        })?;
        let mut line = String::new();
        if let Some(out) = process.child().stdout.take() {
            // An end without a number is told below.
            let _ = BufReader::new(out).read_line(&mut line);
        }
        let Ok(number) = line.trim().parse() else {
            // It has closed its output; its end and the last of its log come a moment later.
            let _ = process.wait(Duration::from_millis(200));
            return Err(Error::NotReady { server: "Xvfb", said: said(&log, &mut process) });
        };
        let file = folder.path().join(SCREEN_FILE);
        let screen =
            poll_until(START_LIMIT, || Screen::open(&file).ok()).map_or_else(|| Screen::open(&file), Ok)?;
        Ok(Self { process, number, screen, folder })
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

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// The server dies at once, as in a crash. The mapped screen stays readable.
    pub fn crash(&mut self) {
        self.process.kill();
        remove_files_of(self.id());
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        self.process.end();
        // It removes its files itself, unless it had to be killed.
        remove_files_of(self.id());
    }
}

/// Removes lock and socket of the X server that had this process id and has ended: the server itself would have. Those of
/// any other process are left alone.
pub(super) fn remove_files_of(pid: u32) {
    for lock in fs::read_dir("/tmp").into_iter().flatten().flatten() {
        let name = lock.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(".X")?.strip_suffix("-lock"));
        let Some(number) = number.filter(|number| number.bytes().all(|b| b.is_ascii_digit())) else {
            continue;
        };
        if owner_of(&lock.path()) == Some(pid) {
            let _ = fs::remove_file(format!("/tmp/.X11-unix/X{number}"));
            let _ = fs::remove_file(lock.path());
        }
    }
}

/// The process in the lock of an X server: its number, and nothing else. Anybody may put things of that name there, so that no
/// link is followed and no pipe waited for.
fn owner_of(lock: &Path) -> Option<u32> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(lock).ok()?;
    let mut text = String::new();
    file.metadata().ok().filter(fs::Metadata::is_file)?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Why a server did not start, in one line.
pub(super) fn said(log: &Path, process: &mut Process) -> String {
    let text = fs::read(log).unwrap_or_default();
    // X servers put an empty line and the kind of message before the message.
    let text = String::from_utf8_lossy(&text);
    let lines = text.lines().map(str::trim).filter(|line| *line != "Fatal server error:");
    first_line(&lines.collect::<Vec<_>>().join("\n"))
        .or_else(|| process.ending())
        .unwrap_or_else(|| "it said nothing".into())
}
