use glow::HasContext as _;

use super::egl;
use crate::display::sleep;
use crate::error::{Error, Result};
use crate::gl::{DebugLevel, Gl, RenderTarget, Surface};
use crate::pacing::{FrameId, Origin, Pacing, Presentation, Throttle, VblankSample};
use crate::runtime::{Feedback, Size};
use crate::sim::FixedDisplay;
use crate::time::{Clock, MonotonicClock, Timestamp};
use crate::timeline::{self, Kind};

/// How long swap waits for the frame before, in nanoseconds. A GPU that takes longer has hung.
const HUNG: i32 = i32::MAX; // 2.1 s
/// How often that is waited for a software rasteriser: it does not hang, and takes seconds for the largest pictures.
const SOFTWARE_WAITS: u32 = 15;

/// An off-screen target that behaves like a double-buffered window on a simulated display: at most one frame is in
/// flight behind the one being drawn, and with swap interval 1 swap returns at the display's vertical blank.
///
/// The fields drop in this order: OpenGL objects before the context.
pub(super) struct OffscreenSurface {
    target: RenderTarget,
    in_flight: Option<glow::Fence>,
    gl: Gl,
    display: FixedDisplay,
    throttled: bool,
    /// Frames wait for the display's next refresh, and swap does not.
    refreshes: bool,
    /// A refresh that nobody was told of yet.
    vblank: Option<Timestamp>,
    /// None only while it is changed for another.
    context: Option<egl::Context>,
}

impl OffscreenSurface {
    pub(super) fn new(context: egl::Context, gl: &Gl, size: Size, hz: f64) -> Result<Self> {
        let display = FixedDisplay::new(hz, MonotonicClock.now());
        let target = RenderTarget::new(gl, size)?;
        Ok(Self {
            target,
            in_flight: None,
            gl: gl.clone(),
            display,
            throttled: false,
            refreshes: false,
            vblank: None,
            context: Some(context),
        })
    }
}

impl Surface for OffscreenSurface {
    fn resize(&mut self, size: Size) -> Result<()> {
        if size == self.target.size() { Ok(()) } else { self.target.resize(size) }
    }

    fn bind(&self, _gl: &Gl) {
        self.target.bind();
    }

    fn framebuffer(&self) -> Option<glow::Framebuffer> {
        Some(self.target.framebuffer())
    }

    fn swap(&mut self, _id: FrameId) -> Result<Option<Presentation>> {
        let gl = self.gl.raw();
        // SAFETY: makes, waits for and frees fences of the current context; each is freed once.
        let waited = unsafe {
            let next = gl.fence_sync(glow::SYNC_GPU_COMMANDS_COMPLETE, 0).ok();
            gl.flush();
            let before = std::mem::replace(&mut self.in_flight, next);
            before.map(|fence| {
                let _wait = timeline::span(Kind::Fence, "frame before");
                let waits = if self.gl.caps().software { SOFTWARE_WAITS } else { 1 };
                let wait = |_| gl.client_wait_sync(fence, 0, HUNG);
                let status = (0..waits).map(wait).find(|&status| status != glow::TIMEOUT_EXPIRED);
                let status = status.unwrap_or(glow::TIMEOUT_EXPIRED);
                gl.delete_sync(fence);
                status
            })
        };
        if let Some(glow::WAIT_FAILED | glow::TIMEOUT_EXPIRED) = waited {
            return Err(Error::DisplayLost { detail: "the GPU does not finish its work any more".into() });
        }
        if !self.throttled {
            return Ok(None);
        }
        let vblank = self.display.vblank_after(MonotonicClock.now());
        sleep::until(vblank);
        let finished = self.in_flight.is_some_and(|fence| {
            // SAFETY: the fence is ours and alive.
            unsafe { gl.get_sync_status(fence) == glow::SIGNALED }
        });
        Ok(finished.then_some(Presentation::At(vblank, Origin::Simulated)))
    }

    fn restore(&mut self, debug: DebugLevel) -> Result<Gl> {
        // It went with its context.
        self.in_flight = None;
        let robust = self.context.take().is_none_or(|old| old.is_robust());
        let context = self.context.insert(egl::Context::new(debug, robust)?);
        let gl = context.load(debug)?;
        self.target = RenderTarget::new(&gl, self.target.size())?;
        self.gl = gl.clone();
        Ok(gl)
    }

    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        self.throttled = matches!(mode, Pacing::Vsync | Pacing::Naive);
        self.refreshes = mode.shows_at_refreshes();
        if self.throttled { Throttle::Driver } else { Throttle::Untested }
    }

    fn presentation(&mut self, _id: FrameId, gpu_done: Timestamp) -> Option<Presentation> {
        // Where nothing waits for it the display tears: what is finished is on screen.
        let waits = self.throttled || self.refreshes;
        let at = if waits { self.display.vblank_at_or_after(gpu_done) } else { gpu_done };
        self.vblank = self.refreshes.then_some(at);
        Some(Presentation::At(at, Origin::Simulated))
    }

    fn poll(&mut self, _now: Timestamp, sink: &mut dyn FnMut(Feedback)) {
        // The display exists from the first refresh that it shows something at.
        if let Some(at) = self.vblank.take() {
            let origin = Origin::Simulated;
            sink(Feedback::Vblank(VblankSample { at, sequence: None, period: None, origin }));
        }
    }
}

impl Drop for OffscreenSurface {
    fn drop(&mut self) {
        if let (Some(fence), Some(_)) = (self.in_flight.take(), &self.context) {
            // SAFETY: the fence is ours; the context, a later field, is still alive and current.
            unsafe { self.gl.raw().delete_sync(fence) }
        }
    }
}
