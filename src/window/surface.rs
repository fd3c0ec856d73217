use std::num::NonZeroU32;
use std::time::Duration;

use glow::HasContext as _;
use glutin::surface::{GlSurface as _, SwapInterval};

use super::init::Current;
use crate::display::Chain;
use crate::error::{Error, ResetCause, Result};
use crate::gl::{DebugLevel, Gl, Surface as GlTarget};
use crate::pacing::{FrameId, Pacing, Presentation, Throttle};
use crate::runtime::{Feedback, Size};
use crate::time::{Clock, MonotonicClock, Timestamp};

/// A window's surface with its context, on the render thread.
pub(super) struct WindowTarget {
    // Before the context: what it has made on a connection goes before the connection does.
    display: Chain,
    current: Current,
    /// Interval 1 may be set.
    may_throttle: bool,
    /// The same in `vsync` alone, wherever the window is: see [`Config::swap_may_block`](crate::Config::swap_may_block).
    may_block: bool,
    /// The driver holds a size that was asked for ahead of the next frame.
    prepared: bool,
    behind: Behind,
}

/// Whether frames have the size that was asked for ahead of them while the window has another one by now. Mesa asks once
/// behind each swap, and nothing but a swap makes it ask again (making the context current anew does not).
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Behind {
    No,
    /// The next frame is drawn at the old size.
    Next,
    /// The last frame was.
    Last,
}

impl WindowTarget {
    pub(super) fn new(current: Current, display: Chain, may_throttle: bool, may_block: bool) -> Self {
        Self { display, current, may_throttle, may_block, prepared: false, behind: Behind::No }
    }
}

fn positive(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

fn swap_error(e: glutin::error::Error) -> Error {
    if matches!(e.error_kind(), glutin::error::ErrorKind::ContextLost) {
        return Error::ContextLost { cause: ResetCause::Unknown, detail: e.to_string() };
    }
    Error::Surface { operation: "swap", source: Box::new(e) }
}

impl GlTarget for WindowTarget {
    fn resize(&mut self, size: Size) -> Result<()> {
        // A call over the connection is made by some drivers, and none is made once that is gone.
        if self.current.lost() {
            return Err(super::app::server_lost());
        }
        if self.prepared {
            self.behind = Behind::Next;
        }
        self.current.surface.resize(&self.current.context, positive(size.width), positive(size.height));
        Ok(())
    }

    fn bind(&self, gl: &Gl) {
        // SAFETY: binds the surface's own framebuffer.
        unsafe { gl.raw().bind_framebuffer(glow::FRAMEBUFFER, None) }
    }

    fn swap(&mut self, id: FrameId) -> Result<Option<Presentation>> {
        // Nothing is asked of a server that is gone, and a swap during which it went has shown nothing.
        if self.current.lost() {
            return Err(super::app::server_lost());
        }
        let began = MonotonicClock.now();
        self.display.before_swap(id, began);
        let swapped = self.current.surface.swap_buffers(&self.current.context);
        if self.current.lost() {
            return Err(super::app::server_lost());
        }
        swapped.map_err(swap_error)?;
        self.prepared = false;
        self.behind = if self.behind == Behind::Next { Behind::Last } else { Behind::No };
        self.display.after_swap(id, began, MonotonicClock.now());
        Ok(None)
    }

    /// Mesa's software rasterisers ask the X server for the window's size before the first draw call behind a swap, and wait
    /// for the answer: a round trip between the input and the picture that can as well be behind the frame before.
    fn prepare(&mut self, gl: &Gl) -> Result<()> {
        if !self.current.is_x11() || !gl.caps().software || self.current.lost() {
            return Ok(());
        }
        self.bind(gl);
        // SAFETY: a command in the current context. What a back buffer holds behind a swap is undefined anyway, and this is
        // the cheapest command that makes the driver look for it; most windows have no stencil buffer to clear.
        unsafe { gl.raw().clear(glow::STENCIL_BUFFER_BIT) }
        self.prepared = true;
        // What a server that went meanwhile did not say would be taken for the size of the next frame.
        if self.current.lost() { Err(super::app::server_lost()) } else { Ok(()) }
    }

    fn stale(&self) -> bool {
        self.behind == Behind::Last
    }

    fn restore(&mut self, debug: DebugLevel) -> Result<Gl> {
        if self.current.lost() {
            return Err(super::app::server_lost());
        }
        self.current.renew()?;
        self.current.load(debug)
    }

    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        // A frame that is paced towards a refresh is swapped at it as well, or it would tear.
        let throttle = match mode {
            // Others do not ask whether the window is hidden.
            Pacing::Naive => true,
            Pacing::Vsync => self.may_throttle || self.may_block,
            _ => mode.shows_at_refreshes() && self.may_throttle,
        };
        let interval = if throttle { SwapInterval::Wait(NonZeroU32::MIN) } else { SwapInterval::DontWait };
        let set = self.current.surface.set_swap_interval(&self.current.context, interval);
        match (mode, set) {
            (Pacing::Vsync, Ok(())) if throttle => Throttle::Untested,
            (Pacing::Vsync, set) => {
                let why = set
                    .err()
                    .map_or("swap would block while the window is hidden".to_owned(), |e| e.to_string());
                log::info!("vsync: a timer at the nominal refresh rate paces, not swap ({why})");
                Throttle::Timer
            }
            (_, Ok(())) => Throttle::Untested,
            (Pacing::Naive, Err(e)) => {
                log::warn!("swap interval 1 was refused ({e}); swap may not wait for the display");
                Throttle::Untested
            }
            (_, Err(e)) => {
                log::warn!("swap interval 0 was refused ({e}); swap may wait for the display");
                Throttle::Untested
            }
        }
    }

    fn set_refresh(&mut self, hz: f64) {
        self.display.set_refresh(hz);
    }

    fn presentation(&mut self, id: FrameId, gpu_done: Timestamp) -> Option<Presentation> {
        self.display.gpu_done(id, gpu_done)
    }

    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        self.display.poll(now, sink);
    }

    fn poll_every(&self) -> Duration {
        self.display.poll_every()
    }

    fn measured_hz(&self) -> Option<f64> {
        self.display.measured_hz()
    }
}
