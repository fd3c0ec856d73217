use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use glow::HasContext as _;

use super::frame::MakeRenderer;
use super::invocations::Invocations;
use super::options::GlOptions;
use super::overlay::{Overlay, OverlayFactory};
use super::surface::Surface;
use super::{
    Capabilities, CreateContext, FenceRing, Frame, Gl, GpuTimer, Hook, Renderer, ShaderFolder, read_pixels,
};
use crate::display::sleep;
use crate::error::{Error, ResetCause, Result};
use crate::pacing::{FrameId, Origin, Pacing, Presentation, Throttle};
use crate::runtime::{Backend, Changes, Feedback, FrameInfo, OverlayPort, Pixels, Size, TargetInfo};
use crate::time::{Clock, MonotonicClock};
use crate::timeline::{self, Kind};

/// How often a scene that rests is looked at while its shaders may change.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How often a fence is looked at while there is nothing else to do.
const POLL_FENCE_EVERY: Duration = Duration::from_micros(500);

/// Swaps whose outcome is remembered until the frame's fence is seen signalled.
const REMEMBERED: usize = 16;

/// How long a reset is waited for before a new context is asked for all the same. Drivers take some tenths of a second; some
/// never say that it is over.
const RESET_TAKES: Duration = Duration::from_secs(1);
/// How often the driver is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(10);

/// The OpenGL side of the render thread.
///
/// The fields drop in the order in which they stand here: what owns OpenGL objects first, the context's functions
/// after them, the surface with its context last.
pub(crate) struct GlBackend<R, T> {
    renderer: R,
    overlay: Option<Box<dyn Overlay>>,
    /// Input for the overlay, where somebody passes it on.
    port: Option<OverlayPort>,
    fences: FenceRing,
    /// A frame that was drawn and has no fence yet.
    unfenced: Option<FrameId>,
    timer: Option<GpuTimer>,
    /// No more frames come.
    over: bool,
    invocations: Option<Invocations>,
    newest: FrameId,
    _end: ContextEnd,
    gl: Gl,
    target: TargetInfo,
    surface: T,
    options: GlOptions,
    folder: Option<Rc<ShaderFolder>>,
    swaps: [(FrameId, Option<Presentation>); REMEMBERED],
}

impl<R, T: Surface> GlBackend<R, T> {
    /// Makes the renderer, and the overlay if there is to be one, in the context that is current on this thread. When
    /// that fails, `gl` is dropped before `surface`, as the order of the parameters has it.
    ///
    /// # Errors
    /// Whatever the makers report.
    pub(crate) fn new(
        mut surface: T,
        gl: Gl,
        target: TargetInfo,
        make: MakeRenderer<R>,
        overlay: Option<OverlayFactory>,
        options: GlOptions,
    ) -> Result<Self> {
        let (size, scale) = (options.size, options.scale);
        let folder = options.shader_folder.as_ref().map(ShaderFolder::open).transpose()?.map(Rc::new);
        options.apply(&gl, folder.as_ref());
        surface.bind(&gl);
        set_viewport(&gl, size);
        let cx = CreateContext::new(&gl, &target, size, scale);
        let renderer = make(&cx)?;
        let overlay = overlay.map(|make| make(&cx)).transpose()?;
        if !size.is_empty() {
            surface.resize(size)?;
        }
        let fences = FenceRing::new(&gl);
        let (timer, invocations) = options.timers(&gl);
        Ok(Self {
            renderer,
            overlay,
            port: None,
            fences,
            unfenced: None,
            timer,
            over: false,
            invocations,
            newest: FrameId(0),
            _end: ContextEnd(gl.clone()),
            gl,
            target,
            surface,
            options,
            folder,
            swaps: [(FrameId(0), None); REMEMBERED],
        })
    }

    /// With input for the overlay.
    #[cfg_attr(not(feature = "window"), allow(dead_code, reason = "off screen there is no pointer"))]
    pub(crate) fn listening(mut self, port: OverlayPort) -> Self {
        self.port = Some(port);
        self
    }

    fn paint<S>(&mut self, view: &S, info: &FrameInfo<'_>)
    where
        R: Renderer<S>,
    {
        self.gl.reload_shaders();
        self.surface.bind(&self.gl);
        {
            crate::profile::scope!("render");
            let _scope = timeline::scope("render");
            let (surface, timer) = (self.surface.framebuffer(), self.timer.as_mut());
            self.renderer.render(view, &mut Frame::new(&self.gl, *info, surface, timer));
        }
        let mut overlay = self.overlay.as_mut().filter(|o| o.visible());
        if let Some(port) = &self.port {
            // What came for an overlay that is hidden by now is nobody's.
            while let Some(event) = port.next() {
                if let Some(overlay) = &mut overlay {
                    overlay.input(&event);
                }
            }
        }
        if let Some(overlay) = &mut overlay {
            crate::profile::scope!("overlay");
            let _scope = timeline::scope("overlay");
            if let Some(timer) = &mut self.timer {
                timer.pass("overlay");
            }
            overlay.draw(&self.gl, info);
            restore(&self.gl, info.size);
        }
        if let Some(port) = &self.port {
            port.publish(overlay.map(|overlay| overlay.areas()));
        }
        self.gl.hook(Hook::FrameEnd);
    }
}

impl<R, T: Surface> GlBackend<R, T> {
    /// Puts the fence of the frame that was drawn behind what was asked for so far, once.
    fn fence(&mut self) {
        if let Some(id) = self.unfenced.take() {
            self.fences.insert(id);
        }
    }

    fn still_there(&self) -> Result<()> {
        let Some(cause) = self.gl.lost() else { return Ok(()) };
        Err(Error::ContextLost { cause, detail: "nobody has made a new one yet".into() })
    }

    /// Everything that lived in the old context is left behind, and made anew in another one.
    fn in_new_context<S>(&mut self) -> Result<()>
    where
        R: Renderer<S>,
    {
        let began = MonotonicClock.now();
        while self.gl.resetting().is_some() && MonotonicClock.now() < began + RESET_TAKES {
            sleep::until(MonotonicClock.now() + ASK_EVERY);
        }
        if let Some(overlay) = &mut self.overlay
            && !overlay.context_lost()
        {
            log::warn!("the overlay is gone with the context");
            self.overlay = None;
        }
        // From here on what is dropped of the old context frees nothing: its names may be others' in the new one.
        self.gl.context_gone();
        // When glow's table of functions is dropped, it takes the debug callback from whatever context is current then, which
        // would be the new one. A run loses few contexts: the table stays.
        std::mem::forget(self.gl.shared());
        let gl = self.surface.restore(self.options.debug)?;
        self.options.apply(&gl, self.folder.as_ref());
        (self.fences, self.unfenced) = (FenceRing::new(&gl), None);
        (self.timer, self.invocations) = self.options.timers(&gl);
        self._end = ContextEnd(gl.clone());
        self.gl = gl;
        let caps = self.gl.caps();
        (self.target.vendor, self.target.renderer) = (caps.vendor.clone(), caps.renderer.clone());
        (self.target.version, self.target.software) = (caps.version.clone(), caps.software);
        self.target.streaming = None;
        self.surface.bind(&self.gl);
        let (size, scale) = (self.options.size, self.options.scale);
        set_viewport(&self.gl, size);
        self.renderer.restore(&CreateContext::new(&self.gl, &self.target, size, scale))
    }
}

impl<S, R: Renderer<S>, T: Surface> Backend<S> for GlBackend<R, T> {
    fn target(&self) -> &TargetInfo {
        &self.target
    }

    fn set_pacing(&mut self, mode: Pacing) -> Throttle {
        self.surface.set_pacing(mode)
    }

    fn set_refresh(&mut self, hz: f64) {
        self.target.refresh_hz = Some(hz);
        self.surface.set_refresh(hz);
    }

    fn resize(&mut self, size: Size, scale: f32) -> Result<()> {
        (self.options.size, self.options.scale) = (size, scale);
        self.surface.resize(size)?;
        self.surface.bind(&self.gl);
        set_viewport(&self.gl, size);
        self.renderer.resize(&self.gl, size);
        Ok(())
    }

    fn draw(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<()> {
        self.newest = frame.id;
        if let Some(timer) = &mut self.timer {
            timer.begin(frame.id);
        }
        if let Some(invocations) = &mut self.invocations {
            invocations.begin(frame.id);
        }
        self.paint(view, frame);
        if let Some(invocations) = &mut self.invocations {
            invocations.end();
        }
        if let Some(timer) = &mut self.timer {
            timer.end();
        }
        self.unfenced = Some(frame.id);
        // A software rasteriser draws the frame before a swap returns, and each fence is one more hand-over to its threads:
        // it would lie between the last draw call and the picture, and tell nothing that the end of the swap does not.
        if !self.target.software {
            self.fence();
        }
        Ok(())
    }

    fn hold(&mut self) {
        self.fence();
        // SAFETY: a command in the current context.
        unsafe { self.gl.raw().flush() }
    }

    fn swap(&mut self, id: FrameId) -> Result<()> {
        let swapped = self.surface.swap(id);
        self.fence();
        if !self.options.lose_context_at.is_empty() && self.options.lose_context_at.contains(&id.0) {
            self.options.lose_context_at.retain(|&at| at != id.0);
            self.gl.simulate_loss(ResetCause::Unknown);
        }
        // Once per frame, and here: the driver has nothing left to do then that the question would wait for. What a lost
        // context makes of a swap says less than the loss.
        self.still_there()?;
        self.swaps[id.slot(REMEMBERED)] = (id, swapped?);
        Ok(())
    }

    fn prepare(&mut self) -> Result<()> {
        self.surface.prepare(&self.gl)
    }

    fn restore(&mut self, lost: Error) -> Result<()> {
        let Error::ContextLost { cause, .. } = lost else { return Err(lost) };
        self.in_new_context().map_err(|e| match e {
            Error::ContextLost { detail, .. } => Error::ContextLost { cause, detail },
            e => Error::ContextLost { cause, detail: format!("no new one could be set up: {e}") },
        })
    }

    fn finish(&mut self) {
        // SAFETY: waits for all commands of the current context, once.
        unsafe { self.gl.raw().finish() };
        self.over = true;
    }

    fn changed(&self) -> bool {
        self.surface.stale() || self.gl.shaders_changed()
    }

    fn unfinished(&self) -> bool {
        self.renderer.unfinished() || self.overlay.as_ref().is_some_and(|o| o.visible() && o.unfinished())
    }

    fn changes(&mut self) -> Option<Changes> {
        self.overlay.as_mut()?.changes()
    }

    fn look_every(&self) -> Option<Duration> {
        self.folder.is_some().then_some(LOOK_EVERY)
    }

    fn poll(&mut self, sink: &mut dyn FnMut(Feedback)) {
        let (swaps, surface) = (&self.swaps, &mut self.surface);
        self.fences.poll(|id| {
            let now = MonotonicClock.now();
            let (swapped, known) = swaps[id.slot(REMEMBERED)];
            // What is known to have been displayed was done by then, however late the fence was looked at.
            let shown = known.filter(|_| swapped == id).and_then(|p| p.time());
            sink(Feedback::GpuDone(id, shown.map_or(now, |(at, _)| now.min(at))));
            if swapped == id
                && let Some(presentation) = known.or_else(|| surface.presentation(id, now))
            {
                sink(Feedback::Presented(id, presentation));
            }
        });
        let target = &mut self.target;
        surface.poll(MonotonicClock.now(), &mut |feedback| {
            if let Feedback::Source(name, origin) = feedback {
                (target.source, target.origin) = (name.to_owned(), origin);
            }
            sink(feedback);
        });
        target.measured_hz = surface.measured_hz();
        if target.streaming.is_none() {
            // Once, after the renderer has asked for it, which it does when it is made.
            target.streaming = self.gl.streaming().map(str::to_owned);
        }
        if let Some(invocations) = &mut self.invocations {
            let at = MonotonicClock.now();
            invocations.poll(self.newest, |id, vertices, fragments| {
                let event = timeline::Event::new(Kind::Invocations, "invocations", id.0, at, at);
                timeline::push(timeline::Event { value: vertices, delay: fragments, ..event });
            });
        }
        if let Some(timer) = &mut self.timer {
            timer.poll(self.newest, self.over, |pass| {
                sink(Feedback::GpuPass(pass.frame, pass.name, pass.begin, pass.end));
            });
        }
    }

    fn poll_every(&self) -> Duration {
        // Until a fence is seen it is what is waited for: nobody stamps it.
        if self.fences.is_empty() { self.surface.poll_every() } else { POLL_FENCE_EVERY }
    }

    fn capture(&mut self, view: &S, frame: &FrameInfo<'_>) -> Result<Pixels> {
        self.paint(view, frame);
        let picture = read_pixels(&self.gl, frame.size);
        self.still_there()?;
        picture
    }

    fn toggle_overlay(&mut self) {
        if let Some(overlay) = &mut self.overlay {
            overlay.toggle();
        }
    }
}

/// Marks the context as gone when it is dropped: a handle that somebody kept elsewhere frees nothing after that.
struct ContextEnd(Gl);

impl Drop for ContextEnd {
    fn drop(&mut self) {
        self.0.context_gone();
    }
}

impl<R, T> fmt::Debug for GlBackend<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GlBackend").field("target", &self.target).finish_non_exhaustive()
    }
}

impl TargetInfo {
    /// What a context with these capabilities draws to.
    pub(crate) fn of(
        caps: &Capabilities,
        surface: &str,
        refresh_hz: Option<f64>,
        (source, origin): (&str, Origin),
    ) -> Self {
        Self {
            surface: surface.to_owned(),
            vendor: caps.vendor.clone(),
            renderer: caps.renderer.clone(),
            version: caps.version.clone(),
            software: caps.software,
            refresh_hz,
            measured_hz: None,
            source: source.to_owned(),
            origin,
            streaming: None,
        }
    }
}

fn set_viewport(gl: &Gl, size: Size) {
    // SAFETY: sets state of the current context.
    unsafe { gl.raw().viewport(0, 0, size.width as i32, size.height as i32) }
}

/// Sets back what an overlay may have changed to what a renderer finds at first.
fn restore(gl: &Gl, size: Size) {
    // SAFETY: sets state of the current context.
    unsafe {
        let gl = gl.raw();
        gl.disable(glow::BLEND);
        gl.disable(glow::SCISSOR_TEST);
        gl.disable(glow::FRAMEBUFFER_SRGB);
        gl.disable(glow::CULL_FACE);
        gl.disable(glow::DEPTH_TEST);
        gl.color_mask(true, true, true, true);
        gl.bind_vertex_array(None);
        gl.use_program(None);
    }
    set_viewport(gl, size);
}
