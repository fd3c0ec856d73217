use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

/// The result of what observes.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// Why something could not be observed. The text of each is one line: what is wrong, and what to do where something can
/// be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A program is not on this machine.
    Missing {
        /// Its name or path.
        program: String,
        /// The Debian package that has it; empty for a program of the user's own.
        package: &'static str,
    },
    /// The system did not start a program that is there.
    Start {
        /// Its name or path.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A server did not come up.
    NotReady {
        /// Which one.
        server: &'static str,
        /// The first line that it wrote, or how it ended.
        said: String,
    },
    /// A server that is named does not take a connection.
    Connect {
        /// Its display or socket.
        server: String,
        /// What the connection said.
        source: Source,
    },
    /// A server has no part that is needed: XTEST, MIT-SHM, a protocol of Wayland.
    Lacks {
        /// Which server.
        server: String,
        /// What it lacks.
        what: &'static str,
    },
    /// A server no longer answers, or refused a request.
    Server {
        /// `X11`, `Wayland` or `sway`.
        server: &'static str,
        /// What the connection said.
        source: Source,
    },
    /// A mapped screen that is not one.
    Screen {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Pixels outside the screen were asked for, or a pointer position was.
    Outside {
        /// The place.
        at: (u32, u32),
        /// The size of the screen.
        size: (u32, u32),
    },
    /// A file or a memory of our own could not be made.
    Io {
        /// What it is for.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Error {
    /// From an operation of the system on something of ours.
    pub(crate) fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    /// From a Wayland call.
    pub(crate) fn wayland(source: impl StdError + Send + Sync + 'static) -> Self {
        Self::Server { server: "Wayland", source: source.into() }
    }

    /// From an answer that is not one.
    pub(crate) fn sway(why: impl Into<String>) -> Self {
        Self::Server { server: "sway", source: why.into().into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { program, package: "" } if program.is_empty() => {
                write!(f, "an empty name is no program")
            }
            Self::Missing { program, package: "" } => {
                write!(f, "{program} is neither a program on PATH nor a file that can be run")
            }
            Self::Missing { program, package } => {
                write!(f, "{program} is not installed: run `apt-get install {package}`")
            }
            Self::Start { program, source } => write!(f, "{program} cannot be started: {source}"),
            Self::NotReady { server, said } => write!(f, "{server} did not start: {said}"),
            Self::Connect { server, source } => write!(f, "no connection to {server}: {source}"),
            Self::Lacks { server, what } => write!(f, "{server} has no {what}"),
            Self::Server { server, source } => write!(f, "{server}: {source}"),
            Self::Screen { path, why } => write!(f, "{} is no screen to be read: {why}", path.display()),
            Self::Outside { at: (x, y), size: (w, h) } => {
                write!(f, "({x}, {y}) lies outside the screen of {w}x{h}")
            }
            Self::Io { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Start { source, .. } | Self::Io { source, .. } => Some(source),
            Self::Connect { source, .. } | Self::Server { source, .. } => Some(source.as_ref()),
            _ => None,
        }
    }
}

macro_rules! from_x11 {
    ($($error:ty),+) => {$(
        impl From<$error> for Error {
            fn from(source: $error) -> Self {
                Self::Server { server: "X11", source: source.into() }
            }
        }
    )+};
}

from_x11!(x11rb::errors::ConnectionError, x11rb::errors::ReplyError, x11rb::errors::ReplyOrIdError);
