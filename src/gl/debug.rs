use std::cell::{Cell, RefCell};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use glow::HasContext as _;
use parking_lot::Mutex;

use super::Capabilities;
use crate::time::{Clock as _, MonotonicClock};
use crate::timeline::{self, MessageSink};

/// Messages kept between two looks; more than these add nothing to the first.
const KEPT: usize = 16;

/// What the debug hooks do.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DebugLevel {
    /// Nothing: the driver's messages are off and hooks cost one predictable branch.
    Off,
    /// Errors and performance warnings are logged at every hook.
    Log,
    /// As `Log`, and an error panics before the next draw or at the next link, wherever it was seen first. Messages
    /// arrive on the calling thread as they happen, which serialises drivers: for debugging only.
    Panic,
}

impl Default for DebugLevel {
    /// `Panic` in builds with debug assertions, `Off` otherwise.
    fn default() -> Self {
        if cfg!(debug_assertions) { Self::Panic } else { Self::Off }
    }
}

impl FromStr for DebugLevel {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "off" => Ok(Self::Off),
            "log" => Ok(Self::Log),
            "panic" => Ok(Self::Panic),
            _ => Err("the level is one of: off, log, panic".into()),
        }
    }
}

/// Where the program is when it looks for errors, with the name of what it is about to use.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Hook<'a> {
    /// Before a draw call: an error stops the program.
    Draw(&'a str),
    /// After a program was linked: an error stops the program.
    Link(&'a str),
    /// After a texture was bound: an error is logged, and stops the program at the next draw or link.
    Bind(&'a str),
    /// At the end of a frame: as after a bind.
    FrameEnd,
}

impl fmt::Display for Hook<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Draw(name) => write!(f, "before draw `{name}`"),
            Self::Link(name) => write!(f, "at link of program `{name}`"),
            Self::Bind(name) => write!(f, "at bind of texture `{name}`"),
            Self::FrameEnd => write!(f, "at the end of the frame"),
        }
    }
}

#[derive(Clone, Debug)]
struct Message {
    error: bool,
    text: String,
}

/// What the driver's callback, on whatever thread it comes, and the hooks share.
#[derive(Debug, Default)]
struct Inbox {
    messages: Mutex<Vec<Message>>,
    /// Some hook is going to look.
    hooked: AtomicBool,
    /// A timeline that wants them all.
    sink: OnceLock<MessageSink>,
}

#[derive(Debug)]
pub(super) struct Debug {
    level: Cell<DebugLevel>,
    /// `None` without KHR_debug: `glGetError` is asked instead.
    inbox: Option<Arc<Inbox>>,
    /// The first error that a hook saw which does not stop the program, for the next one that does.
    owed: RefCell<Option<String>>,
}

impl Debug {
    pub(super) fn install(gl: &mut glow::Context, caps: &Capabilities, level: DebugLevel) -> Self {
        let inbox = caps.debug_output.then(|| {
            let inbox = Arc::<Inbox>::default();
            let into = Arc::clone(&inbox);
            // SAFETY: the callback owns what it uses; the context keeps it until it is dropped itself.
            unsafe {
                gl.debug_message_callback(move |source, kind, id, severity, text| {
                    receive(&into, source, kind, id, severity, text);
                });
            }
            inbox
        });
        let debug = Self { level: Cell::new(DebugLevel::Off), inbox, owed: RefCell::new(None) };
        debug.set_level(gl, level);
        debug
    }

    pub(super) fn level(&self) -> DebugLevel {
        self.level.get()
    }

    #[inline]
    pub(super) fn is_on(&self) -> bool {
        self.level.get() != DebugLevel::Off
    }

    /// Messages go to `sink` as well. Where hooks are off they may come later and from other threads, so that the driver is
    /// not slowed down.
    pub(super) fn report_to(&self, gl: &glow::Context, sink: MessageSink) {
        if let Some(inbox) = &self.inbox {
            let _ = inbox.sink.set(sink);
            self.set_level(gl, self.level());
        }
    }

    pub(super) fn set_level(&self, gl: &glow::Context, level: DebugLevel) {
        let was_off = self.level.replace(level) == DebugLevel::Off;
        if was_off || level == DebugLevel::Off {
            // What happened before is not blamed on what is drawn from now on.
            match &self.inbox {
                Some(inbox) => inbox.messages.lock().clear(),
                None => clear_errors(gl),
            }
        }
        if level != DebugLevel::Panic {
            *self.owed.borrow_mut() = None;
        }
        let Some(inbox) = &self.inbox else { return };
        // Relaxed: the flag carries no data, and one message more or less is none of anybody's.
        inbox.hooked.store(level != DebugLevel::Off, Ordering::Relaxed);
        // SAFETY: toggles state of the current context; the callback is installed.
        unsafe {
            if level == DebugLevel::Off {
                if inbox.sink.get().is_some() {
                    gl.enable(glow::DEBUG_OUTPUT);
                } else {
                    gl.disable(glow::DEBUG_OUTPUT);
                }
                gl.disable(glow::DEBUG_OUTPUT_SYNCHRONOUS);
            } else {
                gl.enable(glow::DEBUG_OUTPUT);
                // Synchronous, so that a message is there when the hook after the call looks for it.
                gl.enable(glow::DEBUG_OUTPUT_SYNCHRONOUS);
            }
        }
    }

    /// What the driver said since the last look is none of the hooks' business: it was dealt with where it arose.
    pub(super) fn forget(&self, gl: &glow::Context) {
        if let Some(inbox) = &self.inbox {
            for message in std::mem::take(&mut *inbox.messages.lock()) {
                log::debug!("OpenGL, of what was tried: {}", message.text);
            }
        }
        clear_errors(gl);
    }

    #[cold]
    pub(super) fn look(&self, gl: &glow::Context, hook: Hook<'_>) {
        let messages = match &self.inbox {
            Some(inbox) => std::mem::take(&mut *inbox.messages.lock()),
            None => ask(gl),
        };
        for message in &messages {
            if message.error {
                log::error!("OpenGL error {hook}: {}", message.text);
            } else {
                log::warn!("OpenGL {hook}: {}", message.text);
            }
        }
        if self.level.get() != DebugLevel::Panic {
            return;
        }
        let mut owed = self.owed.borrow_mut();
        let first = messages.into_iter().find(|m| m.error).map(|m| m.text);
        if !matches!(hook, Hook::Draw(_) | Hook::Link(_)) {
            if let (None, Some(text)) = (owed.as_ref(), first) {
                *owed = Some(format!("{text} (seen {hook})"));
            }
            return;
        }
        // What was seen earlier is nearer to the cause.
        let error = owed.take().or(first);
        drop(owed);
        if let Some(text) = error {
            panic!("OpenGL error {hook}: {text}");
        }
    }
}

fn receive(inbox: &Inbox, source: u32, kind: u32, id: u32, severity: u32, text: &str) {
    if let Some(sink) = inbox.sink.get() {
        sink.send(timeline::Message::new(MonotonicClock.now(), [source, kind, id, severity], text));
    }
    if !inbox.hooked.load(Ordering::Relaxed) {
        return;
    }
    let error = kind == glow::DEBUG_TYPE_ERROR;
    if error && source == glow::DEBUG_SOURCE_SHADER_COMPILER {
        return; // whoever compiles gets it as a `ShaderError`, and may well go on
    }
    let worth_it = error
        || severity == glow::DEBUG_SEVERITY_HIGH
        || (kind == glow::DEBUG_TYPE_PERFORMANCE && severity == glow::DEBUG_SEVERITY_MEDIUM);
    if worth_it {
        let mut inbox = inbox.messages.lock();
        if inbox.len() < KEPT {
            inbox.push(Message { error, text: format!("{} (id {id})", text.trim_end()) });
        }
    }
}

fn ask(gl: &glow::Context) -> Vec<Message> {
    let mut messages = Vec::new();
    // A lost context answers forever; a few errors say enough.
    while messages.len() < KEPT {
        // SAFETY: takes one error flag of the current context.
        let code = unsafe { gl.get_error() };
        if code == glow::NO_ERROR {
            break;
        }
        messages.push(Message { error: true, text: error_name(code).to_owned() });
    }
    messages
}

/// Forgets the error flags that are set.
pub(super) fn clear_errors(gl: &glow::Context) {
    // A lost context answers forever.
    for _ in 0..KEPT {
        // SAFETY: takes one error flag of the current context.
        if unsafe { gl.get_error() } == glow::NO_ERROR {
            break;
        }
    }
}

/// The name of a `glGetError` code.
pub(super) const fn error_name(code: u32) -> &'static str {
    match code {
        glow::INVALID_ENUM => "GL_INVALID_ENUM",
        glow::INVALID_VALUE => "GL_INVALID_VALUE",
        glow::INVALID_OPERATION => "GL_INVALID_OPERATION",
        glow::INVALID_FRAMEBUFFER_OPERATION => "GL_INVALID_FRAMEBUFFER_OPERATION",
        glow::OUT_OF_MEMORY => "GL_OUT_OF_MEMORY",
        glow::STACK_OVERFLOW => "GL_STACK_OVERFLOW",
        glow::STACK_UNDERFLOW => "GL_STACK_UNDERFLOW",
        _ => "an unknown error code",
    }
}
