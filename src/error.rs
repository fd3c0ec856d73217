//! What can go wrong, typed, each with its source and the raw code of the system or driver that said so.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

/// The result of everything fallible in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// Why a run could not start, or ended early.
///
/// The text of each variant is one line that says what is wrong and, where there is something to be done, what
/// to do. [`source`](StdError::source) keeps the underlying error.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// Initialisation step 1: there is no window system to connect to.
    NoWindowSystem {
        /// What the window system's library said.
        source: Source,
    },
    /// Step 2: the window system offers no framebuffer configuration that fits.
    NoConfig {
        /// What was asked for.
        wanted: &'static str,
        /// What the driver said, if it said something.
        source: Option<Source>,
    },
    /// Step 3: the window could not be made.
    Window {
        /// What the window system said.
        source: Source,
    },
    /// Step 4: no OpenGL context could be made.
    Context {
        /// What the driver said.
        source: Source,
    },
    /// Step 4: the driver's OpenGL is older than what scanout draws with.
    ContextVersion {
        /// Lowest usable version (major, minor).
        wanted: (u32, u32),
        /// What the driver gave, as it names itself.
        got: String,
    },
    /// Step 5: the surface or the context could not be made current, resized or swapped.
    Surface {
        /// Which operation failed.
        operation: &'static str,
        /// What the driver said.
        source: Source,
    },
    /// Step 6: OpenGL functions were asked for while no context is current on this thread.
    NotCurrent,
    /// The display connection or the context was lost while running.
    DisplayLost {
        /// What was noticed.
        detail: String,
    },
    /// The OpenGL context was lost, because the GPU was reset for instance, and the run could not go on in a new one.
    ContextLost {
        /// Whose work was to blame.
        cause: ResetCause,
        /// Why the run could not go on.
        detail: String,
    },
    /// EGL without a window system could not be set up.
    Egl {
        /// Which call failed.
        call: &'static str,
        /// Its raw error code, or 0 when there was none.
        code: i32,
        /// What to make of it.
        detail: String,
    },
    /// A shader or program was refused.
    #[cfg(feature = "gl")]
    Shader(crate::gl::ShaderError),
    /// An OpenGL object could not be made.
    Gl {
        /// Which operation failed.
        operation: &'static str,
        /// The driver's reason, or ours.
        detail: String,
    },
    /// Data could not be streamed to the GPU.
    #[cfg(feature = "gl")]
    Stream(crate::gl::StreamError),
    /// A texture could not be made.
    #[cfg(feature = "gl")]
    Texture {
        /// What it is called.
        name: String,
        /// Why.
        reason: crate::gl::TextureError,
    },
    /// Code on one of the threads panicked; the run was ended in order.
    ThreadPanicked {
        /// The thread.
        thread: ThreadName,
        /// The panic's message.
        message: String,
    },
    /// A thread did not end within the time allowed after it was asked to.
    ThreadStuck {
        /// The thread.
        thread: ThreadName,
    },
    /// The system refused to start a thread.
    Spawn {
        /// The thread.
        thread: ThreadName,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A configuration that cannot be meant.
    Config(String),
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// What was being done to it.
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A model could not be loaded.
    #[cfg(feature = "scenes")]
    Model(crate::scenes::model::ModelError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWindowSystem { source } => {
                write!(f, "no window system: {source}; check DISPLAY and WAYLAND_DISPLAY, or draw off screen")
            }
            Self::NoConfig { wanted, .. } => {
                write!(f, "the display offers no framebuffer configuration with {wanted}")
            }
            Self::Window { source } => write!(f, "the window could not be made: {source}"),
            Self::Context { source } => write!(f, "no OpenGL context: {source}"),
            Self::ContextVersion { wanted: (major, minor), got } => {
                write!(f, "OpenGL {major}.{minor} or newer is needed; the driver offers {got}")
            }
            Self::Surface { operation, source } => write!(f, "{operation} failed: {source}"),
            Self::NotCurrent => {
                write!(f, "OpenGL functions were asked for before a context was made current on this thread")
            }
            Self::DisplayLost { detail } => write!(f, "the display was lost: {detail}"),
            Self::ContextLost { cause, detail } => {
                write!(f, "the OpenGL context was lost ({cause}): {detail}")
            }
            Self::Egl { call, code, detail } => {
                write!(f, "off-screen EGL: {call}: {detail}")?;
                if *code != 0 {
                    write!(f, " (EGL error {code:#x})")?;
                }
                Ok(())
            }
            #[cfg(feature = "gl")]
            Self::Shader(e) => e.fmt(f),
            #[cfg(feature = "gl")]
            Self::Stream(e) => e.fmt(f),
            #[cfg(feature = "gl")]
            Self::Texture { name, reason } => write!(f, "texture `{name}` {reason}"),
            Self::Gl { operation, detail } => write!(f, "OpenGL: {operation}: {detail}"),
            Self::ThreadPanicked { thread, message } => write!(f, "the {thread} thread panicked: {message}"),
            Self::ThreadStuck { thread } => {
                write!(f, "the {thread} thread did not end when asked to and was abandoned")
            }
            Self::Spawn { thread, source } => write!(f, "the {thread} thread could not be started: {source}"),
            Self::Config(detail) => f.write_str(detail),
            Self::Io { path, action, source } => write!(f, "{}: cannot {action}: {source}", path.display()),
            #[cfg(feature = "scenes")]
            Self::Model(e) => e.fmt(f),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // Variants whose text already contains their source's text do not hand it out again, so that a chain
        // printed link by link says each thing once.
        match self {
            Self::NoConfig { source: Some(source), .. } => Some(source.as_ref()),
            #[cfg(feature = "gl")]
            Self::Shader(e) => e.source(),
            #[cfg(feature = "scenes")]
            Self::Model(e) => e.source(),
            _ => None,
        }
    }
}

#[cfg(feature = "gl")]
impl From<crate::gl::ShaderError> for Error {
    fn from(e: crate::gl::ShaderError) -> Self {
        Self::Shader(e)
    }
}

#[cfg(feature = "gl")]
impl From<crate::gl::StreamError> for Error {
    fn from(e: crate::gl::StreamError) -> Self {
        Self::Stream(e)
    }
}

#[cfg(feature = "scenes")]
impl From<crate::scenes::model::ModelError> for Error {
    fn from(e: crate::scenes::model::ModelError) -> Self {
        Self::Model(e)
    }
}

/// Whose work made the driver reset the GPU, as far as it tells.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ResetCause {
    /// This context's.
    Guilty,
    /// Another's.
    Innocent,
    /// The driver does not know.
    Unknown,
}

impl fmt::Display for ResetCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Guilty => "what this program draws made the driver reset the GPU",
            Self::Innocent => "another program made the driver reset the GPU",
            Self::Unknown => "the driver reset the GPU and does not say why",
        })
    }
}

/// The threads of a run.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ThreadName {
    /// Moves the world.
    Logic,
    /// Draws.
    Render,
    /// Prepares textures.
    Loader,
    /// Looks at shader files that may change.
    Shaders,
}

impl ThreadName {
    pub(crate) const fn os_name(self) -> &'static str {
        match self {
            Self::Logic => "scanout-logic",
            Self::Render => "scanout-render",
            Self::Loader => "scanout-loader",
            Self::Shaders => "scanout-shaders",
        }
    }
}

impl fmt::Display for ThreadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Logic => "logic",
            Self::Render => "render",
            Self::Loader => "loader",
            Self::Shaders => "shaders",
        })
    }
}
