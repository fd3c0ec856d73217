use std::fmt;
use std::time::Duration;

use glow::HasContext as _;

use super::{Gl, GpuTimer, Hook, Mesh, Program, StreamRange, StreamRing, VertexLayout};
use crate::error::{Error, ResetCause, Result};
use crate::pacing::FrameId;
use crate::runtime::{FrameInfo, LatestInput, Size, TargetInfo};
use crate::stats::Recorder;
use crate::time::{Clock, MonotonicClock};

/// What a renderer is made with, on the render thread, once the context is current.
#[derive(Debug)]
#[non_exhaustive]
pub struct CreateContext<'a> {
    /// The context.
    pub gl: &'a Gl,
    /// What is drawn with and to.
    pub target: &'a TargetInfo,
    /// The drawing area.
    pub size: Size,
    /// Physical pixels per logical pixel.
    pub scale: f32,
}

impl<'a> CreateContext<'a> {
    pub(crate) const fn new(gl: &'a Gl, target: &'a TargetInfo, size: Size, scale: f32) -> Self {
        Self { gl, target, size, scale }
    }
}

/// Draws snapshots. It is made on the render thread, lives there, and need not be `Send`.
pub trait Renderer<S> {
    /// Draws one frame: clear first, since the old contents are undefined. Called for every frame, also when the
    /// snapshot is the one of the frame before.
    fn render(&mut self, snapshot: &S, frame: &mut Frame<'_>);

    /// The drawing area has a new size (never empty). The viewport is set already.
    fn resize(&mut self, gl: &Gl, size: Size) {
        let _ = (gl, size);
    }

    /// Whether another frame of the same snapshot would show more than the last one, because textures are still being loaded for
    /// instance. As long as it is so, a scene that rests is drawn once per frame interval. Asked often: it costs next to nothing.
    fn unfinished(&self) -> bool {
        false
    }

    /// The context was lost with all that was made in it, because the GPU was reset for instance, and `cx` is a new one:
    /// make everything anew. Usually `*self = Self::new(cx)?; Ok(())`, with what `new` needs kept at hand. What is dropped
    /// of the old context frees nothing.
    ///
    /// # Errors
    /// When that is not possible, which ends the run with [`Error::ContextLost`]. So does not having this method.
    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        let _ = cx;
        let detail = "this renderer cannot be made anew".into();
        Err(Error::ContextLost { cause: ResetCause::Unknown, detail })
    }
}

/// A frame being drawn.
pub struct Frame<'a> {
    gl: &'a Gl,
    info: FrameInfo<'a>,
    /// The surface's framebuffer; `None` is the window's own.
    surface: Option<glow::Framebuffer>,
    timer: Option<&'a mut GpuTimer>,
}

impl<'a> Frame<'a> {
    pub(super) const fn new(
        gl: &'a Gl,
        info: FrameInfo<'a>,
        surface: Option<glow::Framebuffer>,
        timer: Option<&'a mut GpuTimer>,
    ) -> Self {
        Self { gl, info, surface, timer }
    }

    /// From here to the next pass, or to the frame's end, what is drawn belongs to the pass `name`: the HUD, the report and
    /// the timeline tell what it took the GPU. What was drawn before the first pass belongs to it. At most
    /// [`MAX_PASSES`](super::MAX_PASSES) are timed in a frame; more are counted. One query, or one branch where nothing is
    /// timed.
    pub fn pass(&mut self, name: &'static str) {
        if let Some(timer) = &mut self.timer {
            timer.pass(name);
        }
    }

    /// Draws go to the surface from now on, as they do at the start of a frame: for renderers that draw elsewhere first.
    pub fn bind_surface(&self) {
        let Size { width, height } = self.info.size;
        // SAFETY: the framebuffer is the surface's, which outlives the frame.
        unsafe {
            self.gl.raw().bind_framebuffer(glow::FRAMEBUFFER, self.surface);
            self.gl.raw().viewport(0, 0, width as i32, height as i32);
        }
    }

    /// The context. `frame.gl().raw()` has every OpenGL function.
    #[must_use]
    pub const fn gl(&self) -> &'a Gl {
        self.gl
    }

    /// The frame's number.
    #[must_use]
    pub const fn id(&self) -> FrameId {
        self.info.id
    }

    /// The drawing area in physical pixels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.info.size
    }

    /// Physical pixels per logical pixel.
    #[must_use]
    pub const fn scale(&self) -> f32 {
        self.info.scale
    }

    /// The animation clock: the sum of all steps up to the snapshot that is drawn.
    #[must_use]
    pub const fn animation_time(&self) -> Duration {
        self.info.animation_time
    }

    /// The frame is kept [apart](crate::stats::FrameRecord::apart) from the run's figures.
    #[must_use]
    pub const fn is_apart(&self) -> bool {
        self.info.apart
    }

    /// Figures of the frames so far.
    #[must_use]
    pub const fn stats(&self) -> &'a Recorder {
        self.info.stats
    }

    /// The newest input, read now and not when the snapshot was made: a late latch. Call it immediately before what
    /// depends on it is handed to the GPU; when it was read goes into the frame's record. Costs about as much as reading
    /// the clock.
    #[must_use]
    pub fn latch(&self) -> LatestInput {
        self.info.latch.read(MonotonicClock.now())
    }

    /// Fills the drawing area with a colour (red, green, blue, alpha; 0 to 1).
    pub fn clear(&mut self, colour: [f32; 4]) {
        self.clear_buffers(colour, glow::COLOR_BUFFER_BIT);
    }

    /// Fills the drawing area with a colour and the depth buffer with 1, for scenes that use depth.
    pub fn clear_with_depth(&mut self, colour: [f32; 4]) {
        self.clear_buffers(colour, glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
    }

    fn clear_buffers(&mut self, [r, g, b, a]: [f32; 4], buffers: u32) {
        // SAFETY: clears the bound framebuffer of the current context.
        unsafe {
            self.gl.raw().clear_color(r, g, b, a);
            self.gl.raw().depth_mask(true);
            self.gl.raw().clear(buffers);
        }
    }

    /// Fills a rectangle (left, top, width, height in pixels from the top left corner; what lies outside the drawing
    /// area is cut off) with a colour.
    pub fn fill(&mut self, [left, top, width, height]: [i32; 4], [r, g, b, a]: [f32; 4]) {
        let (width, height) = (width.max(0), height.max(0));
        let bottom = self.info.size.height as i32 - top - height;
        // SAFETY: clears a part of the bound framebuffer of the current context; sizes are not negative.
        unsafe {
            let gl = self.gl.raw();
            gl.enable(glow::SCISSOR_TEST);
            gl.scissor(left, bottom, width, height);
            gl.clear_color(r, g, b, a);
            gl.clear(glow::COLOR_BUFFER_BIT);
            gl.disable(glow::SCISSOR_TEST);
        }
    }

    /// Whether what is nearer hides what is farther. Off at the start of a frame.
    pub fn set_depth_test(&mut self, on: bool) {
        self.set(glow::DEPTH_TEST, on);
    }

    /// Whether back faces are left out, and whether those are the ones with clockwise corners turned round (a mirrored
    /// object). Off at the start of a frame.
    pub fn set_face_culling(&mut self, on: bool, mirrored: bool) {
        self.set(glow::CULL_FACE, on);
        // SAFETY: sets state of the current context.
        unsafe { self.gl.raw().front_face(if mirrored { glow::CW } else { glow::CCW }) }
    }

    /// Whether colours are blended over what is there by their alpha, without touching the depth buffer. Off at the
    /// start of a frame.
    pub fn set_blending(&mut self, on: bool) {
        self.set(glow::BLEND, on);
        // SAFETY: sets state of the current context.
        unsafe {
            self.gl.raw().blend_func_separate(
                glow::SRC_ALPHA,
                glow::ONE_MINUS_SRC_ALPHA,
                glow::ONE,
                glow::ONE_MINUS_SRC_ALPHA,
            );
            self.gl.raw().depth_mask(!on);
        }
    }

    /// Whether a fragment covers only as many samples of its pixel as its alpha says, and is opaque there: soft edges without
    /// an order of drawing. Does nothing where a pixel has one sample. Off at the start of a frame.
    pub fn set_alpha_to_samples(&mut self, on: bool) {
        self.set(glow::SAMPLE_ALPHA_TO_COVERAGE, on);
        self.set(glow::SAMPLE_ALPHA_TO_ONE, on);
    }

    /// Whether points are as large as the vertex shader's `gl_PointSize` says, and not one pixel. Off at the start of a
    /// frame.
    pub fn set_point_sizes(&mut self, on: bool) {
        self.set(glow::PROGRAM_POINT_SIZE, on);
    }

    fn set(&mut self, what: u32, on: bool) {
        // SAFETY: toggles state of the current context.
        unsafe {
            if on {
                self.gl.raw().enable(what);
            } else {
                self.gl.raw().disable(what);
            }
        }
    }

    /// Draws a mesh with a program.
    pub fn draw(&mut self, program: &Program, mesh: &Mesh) {
        self.gl.hook(Hook::Draw(program.name()));
        program.use_program();
        mesh.draw();
    }

    /// Draws a mesh `instances` times with a program.
    pub fn draw_instanced(&mut self, program: &Program, mesh: &Mesh, instances: usize) {
        self.gl.hook(Hook::Draw(program.name()));
        program.use_program();
        mesh.draw_instanced(instances);
    }

    /// Draws a mesh once for each `I` in a range of the ring that is attached to it: see [`Mesh::draw_streamed`].
    pub fn draw_streamed<I: VertexLayout>(
        &mut self,
        program: &Program,
        mesh: &Mesh,
        ring: &StreamRing,
        range: StreamRange,
    ) {
        self.gl.hook(Hook::Draw(program.name()));
        program.use_program();
        mesh.draw_streamed::<I>(ring, range);
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Makes a renderer on the render thread.
pub(crate) type MakeRenderer<R> = Box<dyn FnOnce(&CreateContext<'_>) -> Result<R> + Send>;
