use std::cell::{Cell, OnceCell};
use std::ffi::{CStr, c_char, c_void};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use glow::HasContext as _;

use super::debug::{Debug, clear_errors, error_name};
use super::program_reload::Shaders;
use super::stream::{self, Strategy, StreamError};
use super::timer;
use super::{Capabilities, DebugLevel, Hook};
use crate::error::{Error, ResetCause, Result};
use crate::timeline::MessageSink;

/// Lowest version that scanout draws with.
pub const MINIMUM_VERSION: (u32, u32) = (3, 3);

/// The functions and capabilities of the context that is current on this thread.
///
/// A cheap handle (one reference count), `!Send` and `!Sync`: an OpenGL context belongs to one thread.
#[derive(Clone)]
pub struct Gl(Rc<Inner>);

/// `glMultiDrawElementsIndirect`, which glow does not have.
pub(super) type MultiDraw = extern "system" fn(u32, u32, *const c_void, i32, i32);

struct Inner {
    raw: Arc<glow::Context>,
    multi_draw: Option<MultiDraw>,
    caps: Capabilities,
    debug: Debug,
    timers: Option<timer::Functions>,
    shaders: Shaders,
    reset_status: Option<ResetStatus>,
    lost: Cell<Option<ResetCause>>,
    alive: Cell<bool>,
    /// With what was found out about it.
    stream: OnceCell<(Strategy, String)>,
}

/// `glGetGraphicsResetStatus`, which glow has not.
type ResetStatus = unsafe extern "system" fn() -> u32;

// What it returns, of GL 4.5 and the extensions alike.
const GUILTY_CONTEXT_RESET: u32 = 0x8253;
const INNOCENT_CONTEXT_RESET: u32 = 0x8254;

impl Gl {
    /// Loads the functions of the context that is current on this thread.
    ///
    /// # Safety
    /// `loader` returns null or the address of the OpenGL function of that name, for the context that is current
    /// on this thread; that context stays current here until [`Gl::context_gone`] is called or the last clone is
    /// dropped.
    ///
    /// # Errors
    /// [`Error::NotCurrent`] when no context is current, [`Error::ContextVersion`] when it is older than 3.3.
    pub unsafe fn load(mut loader: impl FnMut(&CStr) -> *const c_void, level: DebugLevel) -> Result<Self> {
        // glow would take the version string for granted; asked here, a missing context is an error, not a crash.
        let get_string = loader(c"glGetString");
        if get_string.is_null() {
            return Err(Error::NotCurrent);
        }
        // SAFETY: the caller's loader gives the function of that name, whose C signature this is.
        let get_string: extern "system" fn(u32) -> *const c_char = unsafe { std::mem::transmute(get_string) };
        let version = get_string(glow::VERSION);
        if version.is_null() {
            return Err(Error::NotCurrent);
        }
        // SAFETY: a non-null result of glGetString is a NUL-terminated string that lives as long as the context.
        let version = unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned();
        if parse_version(&version).is_none_or(|v| v < MINIMUM_VERSION) {
            return Err(Error::ContextVersion { wanted: MINIMUM_VERSION, got: version });
        }
        // SAFETY: the caller's promise about `loader`.
        let mut raw = unsafe { glow::Context::from_loader_function_cstr(|name| loader(name)) };
        let mut caps = Capabilities::query(&raw);
        let multi_draw = Some(loader(c"glMultiDrawElementsIndirect"))
            .filter(|f| caps.multi_draw_indirect && !f.is_null())
            // SAFETY: the caller's loader gives the function of that name, whose C signature this is; the driver says
            // that it has it.
            .map(|f| unsafe { std::mem::transmute::<*const c_void, MultiDraw>(f) });
        let reset_status = if caps.reset_notification { load_reset_status(&mut loader) } else { None };
        // SAFETY: the caller's promise about `loader`; the capability was checked.
        let timers = caps.timer_query.then(|| unsafe { timer::Functions::load(loader) }).flatten();
        caps.timestamp_bits = timers.map_or(0, |functions| functions.bits);
        let debug = Debug::install(&mut raw, &caps, level);
        log::info!("OpenGL: {} / {} / {}", caps.vendor, caps.renderer, caps.version);
        #[allow(clippy::arc_with_non_send_sync, reason = "egui_glow wants an Arc; nothing sends it")]
        let raw = Arc::new(raw);
        Ok(Self(Rc::new(Inner {
            raw,
            multi_draw,
            caps,
            debug,
            timers,
            shaders: Shaders::default(),
            alive: Cell::new(true),
            stream: OnceCell::new(),
            reset_status,
            lost: Cell::new(None),
        })))
    }

    /// The functions themselves, for everything that has no wrapper here.
    #[must_use]
    pub fn raw(&self) -> &glow::Context {
        &self.0.raw
    }

    /// The functions in the form in which `egui_glow` and others take them. It must be dropped with the renderer.
    #[must_use]
    pub fn shared(&self) -> Arc<glow::Context> {
        Arc::clone(&self.0.raw)
    }

    /// What the driver can do.
    #[must_use]
    pub fn caps(&self) -> &Capabilities {
        &self.0.caps
    }

    /// How to stream to this driver: the strategy that the environment variable `SCANOUT_STREAM` names, or else the fastest
    /// one that works. The first call tries them all, which takes a few milliseconds, and says in the log what came of it.
    ///
    /// # Errors
    /// When the variable holds no name of a [`Strategy`] (nor `auto`), or nothing works.
    pub fn stream_strategy(&self) -> Result<Strategy, StreamError> {
        if let Some(&(strategy, _)) = self.0.stream.get() {
            return Ok(strategy);
        }
        let chosen = stream::chosen_by_environment(self)?;
        log::info!("streaming by {}", chosen.1);
        Ok(self.0.stream.get_or_init(|| chosen).0)
    }

    /// What [`stream_strategy`](Self::stream_strategy) found out; `None`: nobody has asked it.
    pub(super) fn streaming(&self) -> Option<&str> {
        self.0.stream.get().map(|(_, why)| why.as_str())
    }

    pub(super) fn multi_draw(&self) -> Option<MultiDraw> {
        self.0.multi_draw
    }

    /// A point at which errors are looked for: see [`Hook`]. One predictable branch while hooks are off.
    ///
    /// # Panics
    /// At [`DebugLevel::Panic`], when this hook or one since the last stop saw an error, and this is one that stops the
    /// program.
    #[inline]
    pub fn hook(&self, hook: Hook<'_>) {
        // What a lost context calls errors are its loss, which is dealt with at the end of the frame.
        if self.0.debug.is_on() && self.lost().is_none() {
            self.0.debug.look(&self.0.raw, hook);
        }
    }

    /// Does what the driver may refuse, and what the program has an answer to. Where `work` fails, what the driver said of it
    /// is forgotten: the error that comes back is all that becomes of it. What was said before is kept for the hooks, and
    /// so is what it says of work that succeeds. No error flag is set when `work` begins. Not for the hot path: it asks the
    /// driver.
    ///
    /// # Errors
    /// Those of `work`.
    pub(super) fn attempt<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.hook(Hook::FrameEnd);
        clear_errors(&self.0.raw);
        let outcome = work();
        if outcome.is_err() {
            self.0.debug.forget(&self.0.raw);
        }
        outcome
    }

    /// The name of the error flag that is set, which is cleared by this.
    pub(super) fn error_flag(&self) -> Option<&'static str> {
        // SAFETY: takes one error flag of the current context.
        let code = unsafe { self.0.raw.get_error() };
        (code != glow::NO_ERROR).then(|| error_name(code))
    }

    /// The level of the debug hooks.
    #[must_use]
    pub fn debug_level(&self) -> DebugLevel {
        self.0.debug.level()
    }

    /// Switches the debug hooks.
    pub fn set_debug_level(&self, level: DebugLevel) {
        self.0.debug.set_level(&self.0.raw, level);
    }

    /// The context is about to be destroyed, or was lost: handles that are dropped from now on free nothing.
    pub fn context_gone(&self) {
        self.0.alive.set(false);
    }

    /// From now on what the driver says goes to `sink` as well, also with the debug hooks off.
    pub(crate) fn report_to(&self, sink: MessageSink) {
        self.0.debug.report_to(&self.0.raw, sink);
    }

    pub(super) fn timer_functions(&self) -> Option<timer::Functions> {
        self.0.timers
    }

    /// Whether the context was lost, and why; asks the driver until it was. One call of the driver that answers at once,
    /// or none where the context does not tell
    /// ([`Capabilities::reset_notification`](super::Capabilities::reset_notification)).
    #[must_use]
    pub fn lost(&self) -> Option<ResetCause> {
        if self.0.lost.get().is_none() {
            self.0.lost.set(self.resetting());
        }
        self.0.lost.get()
    }

    /// What the driver says of a reset now; it says so once, or for as long as the reset goes on.
    pub(super) fn resetting(&self) -> Option<ResetCause> {
        let status = self.0.reset_status?;
        // SAFETY: the driver's function of that name, for the context that is current on this thread.
        match unsafe { status() } {
            glow::NO_ERROR => None,
            GUILTY_CONTEXT_RESET => Some(ResetCause::Guilty),
            INNOCENT_CONTEXT_RESET => Some(ResetCause::Innocent),
            _ => Some(ResetCause::Unknown),
        }
    }

    /// From now on [`lost`](Self::lost) says that the context was lost: what a run does about it can be tested where no
    /// GPU is reset.
    pub fn simulate_loss(&self, cause: ResetCause) {
        self.0.lost.set(Some(cause));
    }

    pub(super) fn shaders(&self) -> &Shaders {
        &self.0.shaders
    }

    pub(super) fn is_alive(&self) -> bool {
        self.0.alive.get()
    }
}

fn load_reset_status(loader: &mut impl FnMut(&CStr) -> *const c_void) -> Option<ResetStatus> {
    let names = [c"glGetGraphicsResetStatus", c"glGetGraphicsResetStatusARB"];
    let found = names.into_iter().map(loader).find(|f| !f.is_null())?;
    // SAFETY: the caller of `load` promises that its loader gives the function of that name, whose C signature this is; the
    // context has it by its capabilities.
    Some(unsafe { std::mem::transmute::<*const c_void, ResetStatus>(found) })
}

impl fmt::Debug for Gl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gl").field("renderer", &self.caps().renderer).finish_non_exhaustive()
    }
}

/// Major and minor from `"4.5 (Core Profile) Mesa 22.3.6"`. OpenGL ES names itself with words first: not usable.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_strings_are_read() {
        for (text, want) in [
            ("4.5 (Core Profile) Mesa 22.3.6", Some((4, 5))),
            ("3.3.0 NVIDIA 580.159.04", Some((3, 3))),
            ("2.1 Mesa", Some((2, 1))),
            ("OpenGL ES 3.2 Mesa", None),
            ("", None),
        ] {
            assert_eq!(parse_version(text), want, "{text}");
        }
    }

    #[test]
    fn load_without_functions_is_an_error() {
        // SAFETY: a loader that knows no function makes no promise that could be broken.
        let result = unsafe { Gl::load(|_| std::ptr::null(), DebugLevel::Off) };
        assert!(matches!(result, Err(Error::NotCurrent)));
    }

    #[test]
    fn load_without_a_current_context_is_an_error() {
        extern "system" fn no_context(_: u32) -> *const c_char {
            std::ptr::null()
        }
        let loader = |name: &CStr| {
            if name == c"glGetString" { no_context as *const c_void } else { std::ptr::null() }
        };
        // SAFETY: the one function that the loader gives has the signature of its namesake.
        let result = unsafe { Gl::load(loader, DebugLevel::Off) };
        assert!(matches!(result, Err(Error::NotCurrent)));
    }

    #[test]
    fn load_of_an_old_context_names_both_versions() {
        extern "system" fn old(_: u32) -> *const c_char {
            c"2.1 Mesa 22.3.6".as_ptr()
        }
        let loader =
            |name: &CStr| if name == c"glGetString" { old as *const c_void } else { std::ptr::null() };
        // SAFETY: the one function that the loader gives has the signature of its namesake.
        let result = unsafe { Gl::load(loader, DebugLevel::Off) };
        let text = result.unwrap_err().to_string();
        assert!(text.contains("3.3") && text.contains("2.1 Mesa"), "{text}");
    }
}
