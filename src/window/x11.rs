//! A connection to the X server for OpenGL alone.
//!
//! Over a connection that two threads share, a swap on the render thread that waits for a reply also reads whatever
//! events have arrived and queues them inside Xlib. The main thread, asleep until the socket has something to read, does
//! not learn of them before the next event comes: a key press can lie there for seconds (seen, once in a few dozen
//! presses). A connection of its own for OpenGL leaves events to the thread that waits for them, and no lock is shared.
//!
//! # When the server dies
//!
//! Xlib ends the process from whichever call notices it. Since libX11 1.7 a connection can be told to go on instead:
//! [`Loss`] is marked, the main thread is woken, the threads end as they do when asked to, and the figures of the run
//! are still there. Calls over such a connection do nothing, and crash once some kilobytes of requests have heaped up, so
//! as little as possible is asked of it: what was made over it is left behind, and the process is about to end anyway.

use std::ffi::{c_int, c_void};
use std::fmt;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use raw_window_handle::{RawDisplayHandle, XlibDisplayHandle};
use x11_dl::xlib::{self, Xlib};

use crate::error::{Error, Result};

/// Whether the server is gone, and who is to hear of it.
pub(super) struct Loss {
    lost: AtomicBool,
    /// The window is open, with its context.
    open: AtomicBool,
    tell: Box<dyn Fn() + Send + Sync>,
    unlock: OnceLock<UnlockDisplay>,
}

impl Loss {
    /// Lives as long as the process: Xlib keeps a pointer to it. `tell` is called once, on any thread.
    pub(super) fn new(tell: impl Fn() + Send + Sync + 'static) -> &'static Self {
        Box::leak(Box::new(Self {
            lost: AtomicBool::new(false),
            open: AtomicBool::new(false),
            tell: Box::new(tell),
            unlock: OnceLock::new(),
        }))
    }

    /// Whether the server is gone.
    pub(super) fn lost(&self) -> bool {
        // Relaxed: nothing else is read on the strength of it.
        self.lost.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loss").field(&self.lost()).finish()
    }
}

type UnlockDisplay = unsafe extern "C" fn(*mut xlib::Display);

/// `XSetIOErrorExitHandler`, of libX11 1.7 and newer.
type SetExitHandler = unsafe extern "C" fn(
    *mut xlib::Display,
    Option<unsafe extern "C" fn(*mut xlib::Display, *mut c_void)>,
    *mut c_void,
);

/// An Xlib connection of our own. It is dropped after everything made over it.
pub(super) struct Connection {
    xlib: Xlib,
    display: NonNull<xlib::Display>,
    /// The number of the screen that is used.
    pub(super) screen: c_int,
    loss: &'static Loss,
}

// SAFETY: Xlib lets a connection be used by any thread, one at a time, and winit has called XInitThreads.
unsafe impl Send for Connection {}

impl Connection {
    /// Connects to the server that `DISPLAY` names, as winit has done over `winits` connection. The end of either is
    /// told to `loss`.
    pub(super) fn open(winits: Option<NonNull<c_void>>, screen: c_int, loss: &'static Loss) -> Result<Self> {
        let xlib = Xlib::open().map_err(|e| Error::NoWindowSystem { source: Box::new(e) })?;
        // SAFETY: a null name means the one in the environment.
        let display = unsafe { (xlib.XOpenDisplay)(std::ptr::null()) };
        let display = NonNull::new(display).ok_or_else(|| Error::NoWindowSystem {
            source: "the X server refuses a second connection".into(),
        })?;
        let set = exit_handler_setter();
        let handler = if set.is_some() { server_gone_quietly } else { server_gone };
        // SAFETY: the handler has the signature that Xlib wants.
        unsafe { (xlib.XSetIOErrorHandler)(Some(handler)) };
        if let Some(set) = set {
            let _ = loss.unlock.set(xlib.XUnlockDisplay);
            let data = std::ptr::from_ref(loss).cast_mut().cast();
            for each in [Some(display), winits.map(NonNull::cast)].into_iter().flatten() {
                // SAFETY: both connections are open; the handler has the signature that Xlib wants, and `data` is what it
                // takes and lives forever.
                unsafe { set(each.as_ptr(), Some(go_on), data) };
            }
        }
        Ok(Self { xlib, display, screen, loss })
    }

    /// Whether the server is gone.
    pub(super) fn lost(&self) -> bool {
        self.loss.lost()
    }

    /// The window is open, with its context: from here on the loss of the server is told, and everything else goes on.
    pub(super) fn opened(&self) {
        self.loss.open.store(true, Ordering::Relaxed);
    }

    /// The connection as others take it.
    pub(super) fn handle(&self) -> RawDisplayHandle {
        RawDisplayHandle::Xlib(XlibDisplayHandle::new(Some(self.display.cast()), self.screen))
    }
}

/// Before winit connects: a server that dies while it does ends the process in one line of ours, with exit code 1. What Xlib
/// does otherwise are two lines of its own and `exit`. Only where the window opens on X11, since the handler is the whole
/// process's. The library stays open: `x11_dl` never closes one.
pub(super) fn watch_from_the_start() {
    if let Ok(xlib) = Xlib::open() {
        // SAFETY: the handler has the signature that Xlib wants; it takes no lock, and ends the process in place of returning.
        unsafe { (xlib.XSetIOErrorHandler)(Some(server_gone)) };
    }
}

/// The function, where the libX11 that is loaded has it.
fn exit_handler_setter() -> Option<SetExitHandler> {
    // SAFETY: opens what `Xlib::open` has opened already, and keeps it open.
    let library = NonNull::new(unsafe { libc::dlopen(c"libX11.so.6".as_ptr(), libc::RTLD_LAZY) })?;
    // SAFETY: the library is open.
    let found = NonNull::new(unsafe { libc::dlsym(library.as_ptr(), c"XSetIOErrorExitHandler".as_ptr()) })?;
    // SAFETY: the function of that name has this signature (Xlib.h).
    Some(unsafe { std::mem::transmute::<*mut c_void, SetExitHandler>(found.as_ptr()) })
}

/// What Xlib calls first, on whichever thread noticed it, when the server is gone. [`go_on`] comes after it.
unsafe extern "C" fn server_gone_quietly(_display: *mut xlib::Display) -> c_int {
    0
}

/// What Xlib calls then, in place of ending the process.
unsafe extern "C" fn go_on(display: *mut xlib::Display, loss: *mut c_void) {
    // SAFETY: `Connection::open` passed this reference, which is valid forever.
    let loss = unsafe { &*loss.cast_const().cast::<Loss>() };
    if !loss.open.load(Ordering::Relaxed) {
        // Mesa goes on with answers that never came while it looks for configurations (seen to crash, in 3 of 7 tries). What an
        // earlier window of this process has measured is lost, as it was by the crash.
        end_here();
    }
    if let Some(unlock) = loss.unlock.get() {
        // Xlib has locked the connection for this thread, which it thinks will end the process. Others would wait for it
        // forever: libGLX does when the process ends.
        // SAFETY: the connection is open, and this is the thread that has it locked; one that has not is left alone.
        unsafe { unlock(display) };
    }
    if !loss.lost.swap(true, Ordering::Relaxed) {
        (loss.tell)();
    }
}

/// With an older Xlib, which ends the process in any case, by `exit`, whose destructors then run under threads that
/// still draw (seen to crash, in 5 of 24 tries).
unsafe extern "C" fn server_gone(_display: *mut xlib::Display) -> c_int {
    end_here()
}

/// One line, and the end of the process.
fn end_here() -> ! {
    const LINE: &[u8] = b"scanout: the display was lost: the X server closed the connection\n";
    // Not by the standard library, whose lock of the error output a thread may hold that waits for Xlib's, held here.
    // SAFETY: the bytes are as many as is said, and constant.
    let _ = unsafe { libc::write(2, LINE.as_ptr().cast(), LINE.len()) };
    super::end_process(1)
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.lost() {
            return;
        }
        // SAFETY: the connection is ours, open, and nothing that was made over it is left.
        unsafe {
            (self.xlib.XCloseDisplay)(self.display.as_ptr());
        }
    }
}
