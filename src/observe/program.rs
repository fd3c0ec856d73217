use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, Result};
use super::family::family_of;
use super::folder::Folder;
use super::process::Process;
use super::transcript::Transcript;

/// Where a program opens its window. Everything else about displays is taken out of its environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Place {
    /// An X server.
    X11 {
        /// What DISPLAY has to be.
        display: String,
    },
    /// A Wayland compositor.
    Wayland {
        /// The folder with its socket.
        runtime_dir: PathBuf,
        /// What WAYLAND_DISPLAY has to be.
        display: String,
    },
    /// No display at all.
    Nowhere,
}

/// Variables that lead a program to the user's own session.
const DISPLAY_VARIABLES: [&str; 6] =
    ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET", "XAUTHORITY", "XDG_SESSION_TYPE", "SWAYSOCK"];

impl Place {
    /// Puts this into the environment of `command`, and every other display out of it. `folder` is a runtime folder
    /// without a socket in it: several libraries look for one there when they are told nothing else.
    pub fn apply(&self, command: &mut Command, folder: &Path) {
        for name in DISPLAY_VARIABLES {
            command.env_remove(name);
        }
        match self {
            // A server of a session asks for the cookie that its user has; those of our own ask for none.
            Self::X11 { display } => command
                .env("DISPLAY", display)
                .env("XDG_RUNTIME_DIR", folder)
                .envs(std::env::var_os("XAUTHORITY").map(|cookies| ("XAUTHORITY", cookies))),
            Self::Wayland { runtime_dir, display } => {
                command.env("XDG_RUNTIME_DIR", runtime_dir).env("WAYLAND_DISPLAY", display)
            }
            Self::Nowhere => command.env("XDG_RUNTIME_DIR", folder),
        };
    }
}

/// A program that is watched, with its output read. It ends, with all that it started, when this is dropped.
#[derive(Debug)]
pub struct Program {
    // Before the folder: it writes there until its end.
    process: Process,
    folder: Folder,
    out: Transcript,
    err: Transcript,
}

impl Program {
    /// Starts `program` in `place`. `set_up` may add to its environment and change its folder, which is the caller's
    /// otherwise; it is told [`folder`](Self::folder).
    ///
    /// # Errors
    /// When the program is missing or cannot be started.
    pub fn start<A: AsRef<OsStr>>(
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
        place: &Place,
        set_up: impl FnOnce(&mut Command, &Path),
    ) -> Result<Self> {
        let folder = Folder::make("app").map_err(Error::io("a temporary folder"))?;
        // A path stays one though the program may run in another folder.
        let program = program.as_ref();
        let is_path = Path::new(program).components().count() > 1;
        let absolute = is_path.then(|| std::path::absolute(program)).transpose();
        let absolute = absolute.map_err(Error::io("the current folder"))?;
        let mut process =
            Process::start(absolute.as_deref().map_or(program, Path::as_os_str), "", |command| {
                command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                place.apply(command, folder.path());
                set_up(command, folder.path());
            })?;
        let no_thread = || Error::io("a thread that reads its output");
        let child = process.child();
        // Pipes are missing where `set_up` has led the output elsewhere.
        let out = Transcript::of_any(child.stdout.take()).map_err(no_thread())?;
        let err = Transcript::of_any(child.stderr.take()).map_err(no_thread())?;
        Ok(Self { process, folder, out, err })
    }

    /// Its process id, which is that of its group too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The process itself, to signal and to wait for.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.ended().is_none()
    }

    /// Its family that lives: itself and all that it started, however far away. A program that goes into the background ends
    /// itself and leaves a child: that child has often left the process group, and is found where this process adopts orphans
    /// ([`adopt_orphans`](super::adopt_orphans)). `others` are further children of this process, which are none of it. Reads a file per
    /// process of the machine: some milliseconds.
    #[must_use]
    pub fn family(&self, others: &[u32]) -> Vec<u32> {
        family_of(self.id(), others)
    }

    /// A folder that lives as long as this.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has written to its standard output so far; of much, the beginning and the end ([`Transcript`]).
    #[must_use]
    pub fn stdout(&self) -> String {
        self.text(&self.out)
    }

    /// What it has written to its standard error so far, likewise.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.text(&self.err)
    }

    /// The first line that it wrote to its standard error, or else to its output: most programs say why they end.
    #[must_use]
    pub fn said(&self) -> Option<String> {
        first_line(&self.stderr()).or_else(|| first_line(&self.stdout()))
    }

    fn text(&self, of: &Transcript) -> String {
        if self.process.has_ended() { of.whole() } else { of.text() }
    }
}

/// The first line that is not empty.
pub(super) fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}
