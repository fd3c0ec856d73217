use std::num::NonZeroU32;

use glow::HasContext as _;
use glutin::surface::{GlSurface as _, SwapInterval};

use super::init::Current;
use crate::error::{Error, Result};
use crate::gl::{Gl, Surface as GlTarget};
use crate::pacing::{Pacing, Presentation, Throttle};
use crate::runtime::Size;
use crate::time::Timestamp;

/// A window's surface with its context, on the render thread.
///
pub(super) struct WindowTarget {
    current: Current,
    /// Swapping with interval 1 would block for as long as the window is hidden.
    may_throttle: bool,
}

impl WindowTarget {
    pub(super) fn new(current: Current, wayland: bool) -> Self {
        Self { current, may_throttle: !wayland }
    }
}

fn positive(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

impl GlTarget for WindowTarget {
    fn resize(&mut self, size: Size) -> Result<()> {
        self.current.surface.resize(&self.current.context, positive(size.width), positive(size.height));
        Ok(())
    }

    fn bind(&self, gl: &Gl) {
        // SAFETY: binds the surface's own framebuffer.
        unsafe { gl.raw().bind_framebuffer(glow::FRAMEBUFFER, None) }
    }

    fn swap(&mut self) -> Result<Option<Presentation>> {
        // Nothing is asked of a server that is gone, and a swap during which it went has shown nothing.
        let swapped =
            (!self.current.lost()).then(|| self.current.surface.swap_buffers(&self.current.context));
        if self.current.lost() {
            return Err(super::app::server_lost());
        }
        swapped.transpose().map_err(|e| Error::Surface { operation: "swap", source: Box::new(e) })?;
        // Nobody says when it is displayed. Not before the GPU is done with it, which is not known yet.
        Ok(None)
    }

    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        let throttle = mode == Pacing::Vsync && self.may_throttle;
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
            (_, Err(e)) => {
                log::warn!("swap interval 0 was refused ({e}); swap may wait for the display");
                Throttle::Untested
            }
        }
    }

    fn presentation(&self, gpu_done: Timestamp) -> Presentation {
        Presentation::Estimated(gpu_done)
    }
}
