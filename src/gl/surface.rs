use std::time::Duration;

use super::{DebugLevel, Gl};
use crate::error::{Error, ResetCause, Result};
use crate::pacing::{FrameId, Pacing, Presentation, Throttle};
use crate::runtime::{Feedback, Size};
use crate::time::Timestamp;

/// What a context draws to and shows it with: a window's surface, or an off-screen target.
pub trait Surface {
    /// Adapts to a new size (never empty).
    ///
    /// # Errors
    /// When the driver refuses.
    fn resize(&mut self, size: Size) -> Result<()>;

    /// Makes it the target of draws.
    fn bind(&self, gl: &Gl);

    /// The framebuffer that [`bind`](Self::bind) makes the target; `None` is the window's own.
    fn framebuffer(&self) -> Option<glow::Framebuffer> {
        None
    }

    /// Shows what was drawn, as frame `id`. May wait for the display, depending on [`set_pacing`](Self::set_pacing).
    /// Returns what became of the frame where that is known already.
    ///
    /// # Errors
    /// When the surface or the display is lost.
    fn swap(&mut self, id: FrameId) -> Result<Option<Presentation>>;

    /// The frame before was swapped, and its times are written down. Asks for what the next one is drawn to, where a driver
    /// would otherwise stop that frame's first draw call to ask.
    ///
    /// # Errors
    /// When the surface or the display is lost.
    fn prepare(&mut self, gl: &Gl) -> Result<()> {
        let _ = gl;
        Ok(())
    }

    /// The frame that was swapped last may have had the size of the one before: another one shows it whole.
    fn stale(&self) -> bool {
        false
    }

    /// A pacing mode is in force from the next swap on. Returns what is known about swap waiting for the display.
    fn set_pacing(&mut self, mode: Pacing) -> Throttle;

    /// The display's nominal rate is `hz` from now on, which whoever tells display times has to know.
    fn set_refresh(&mut self, hz: f64) {
        let _ = hz;
    }

    /// The GPU has finished a frame by `gpu_done`. What becomes of it, where [`swap`](Self::swap) did not know that and
    /// [`poll`](Self::poll) is not going to say it.
    fn presentation(&mut self, id: FrameId, gpu_done: Timestamp) -> Option<Presentation>;

    /// Passes on, without waiting, what the display has said since the last call, in any order.
    fn poll(&mut self, now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        let _ = (now, sink);
    }

    /// How soon to call [`poll`](Self::poll) again while it is to say something of a frame.
    fn poll_every(&self) -> Duration {
        Duration::from_millis(1)
    }

    /// Makes a new context, current on this thread, in place of the one that was lost, with the same target.
    ///
    /// # Errors
    /// When the driver refuses, or this surface knows no way.
    fn restore(&mut self, debug: DebugLevel) -> Result<Gl> {
        let _ = debug;
        let detail = "this surface cannot have a new one".into();
        Err(Error::ContextLost { cause: ResetCause::Unknown, detail })
    }

    /// The display's refresh rate in Hz as measured so far.
    fn measured_hz(&self) -> Option<f64> {
        None
    }
}
