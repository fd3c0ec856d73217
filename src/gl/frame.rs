use std::fmt;
use std::time::Duration;

use glow::HasContext as _;

use super::{Gl, Hook, Mesh, Program};
use crate::error::Result;
use crate::pacing::FrameId;
use crate::runtime::{FrameInfo, Size, TargetInfo};
use crate::stats::Recorder;

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
}

/// A frame being drawn.
pub struct Frame<'a> {
    gl: &'a Gl,
    info: FrameInfo<'a>,
}

impl<'a> Frame<'a> {
    pub(super) const fn new(gl: &'a Gl, info: FrameInfo<'a>) -> Self {
        Self { gl, info }
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

    /// Figures of the frames so far.
    #[must_use]
    pub const fn stats(&self) -> &'a Recorder {
        self.info.stats
    }

    /// Fills the drawing area with a colour (red, green, blue, alpha; 0 to 1) and the depth buffer with 1.
    pub fn clear(&mut self, [r, g, b, a]: [f32; 4]) {
        // SAFETY: clears the bound framebuffer of the current context.
        unsafe {
            self.gl.raw().clear_color(r, g, b, a);
            self.gl.raw().depth_mask(true);
            self.gl.raw().clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
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
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Makes a renderer on the render thread.
pub(crate) type MakeRenderer<R> = Box<dyn FnOnce(&CreateContext<'_>) -> Result<R> + Send>;
