//! A connection to the X server for OpenGL alone.
//!
//! Over a connection that two threads share, a swap on the render thread that waits for a reply also reads whatever
//! events have arrived and queues them inside Xlib. The main thread, asleep until the socket has something to read, does
//! not learn of them before the next event comes: a key press can lie there for seconds (seen, once in a few dozen
//! presses). A connection of its own for OpenGL leaves events to the thread that waits for them, and no lock is shared.

use std::ffi::c_int;
use std::io::Write as _;
use std::ptr::NonNull;

use raw_window_handle::{RawDisplayHandle, XlibDisplayHandle};
use x11_dl::xlib::{self, Xlib};

use crate::error::{Error, Result};

/// An Xlib connection of our own. It is dropped after everything made over it.
pub(super) struct Connection {
    xlib: Xlib,
    display: NonNull<xlib::Display>,
    /// The number of the screen that is used.
    pub(super) screen: c_int,
}

// SAFETY: Xlib lets a connection be used by any thread, one at a time, and winit has called XInitThreads.
unsafe impl Send for Connection {}

impl Connection {
    /// Connects to the server that `DISPLAY` names, as winit has done.
    pub(super) fn open(screen: c_int) -> Result<Self> {
        let xlib = Xlib::open().map_err(|e| Error::NoWindowSystem { source: Box::new(e) })?;
        // SAFETY: the handler has the signature that Xlib wants, and does not return.
        unsafe { (xlib.XSetIOErrorHandler)(Some(server_gone)) };
        // SAFETY: a null name means the one in the environment.
        let display = unsafe { (xlib.XOpenDisplay)(std::ptr::null()) };
        let display = NonNull::new(display).ok_or_else(|| Error::NoWindowSystem {
            source: "the X server refuses a second connection".into(),
        })?;
        Ok(Self { xlib, display, screen })
    }

    /// The connection as others take it.
    pub(super) fn handle(&self) -> RawDisplayHandle {
        RawDisplayHandle::Xlib(XlibDisplayHandle::new(Some(self.display.cast()), self.screen))
    }
}

/// What Xlib calls, on whichever thread noticed it, when the server is gone. Xlib ends the process in any case; its own
/// handler does so by `exit`, whose destructors then run under threads that still draw (seen to crash, in 5 of 24 tries).
unsafe extern "C" fn server_gone(_display: *mut xlib::Display) -> c_int {
    const LINE: &[u8] = b"scanout: the display was lost: the X server closed the connection\n";
    let _ = std::io::stderr().write_all(LINE);
    // SAFETY: ends the process without running anything.
    unsafe { libc::_exit(1) }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the connection is ours, open, and nothing that was made over it is left.
        unsafe {
            (self.xlib.XCloseDisplay)(self.display.as_ptr());
        }
    }
}
