use glow::HasContext as _;

use super::Gl;
use super::handle::{FramebufferObject, Handle, RenderbufferObject};
use crate::error::{Error, Result};
use crate::runtime::{Pixels, Size};

/// A framebuffer of our own: 8-bit RGBA with 24-bit depth.
#[derive(Debug)]
pub struct RenderTarget {
    framebuffer: Handle<FramebufferObject>,
    colour: Handle<RenderbufferObject>,
    depth: Handle<RenderbufferObject>,
    size: Size,
}

impl RenderTarget {
    /// A render target of `size` pixels.
    ///
    /// # Errors
    /// When the driver cannot make one of that size.
    pub fn new(gl: &Gl, size: Size) -> Result<Self> {
        let fail = |detail| Error::Gl { operation: "making a render target", detail };
        // SAFETY: makes names in the current context; each goes into a handle that owns it at once.
        let (framebuffer, colour, depth) = unsafe {
            (
                Handle::from_raw(gl, gl.raw().create_framebuffer().map_err(fail)?),
                Handle::from_raw(gl, gl.raw().create_renderbuffer().map_err(fail)?),
                Handle::from_raw(gl, gl.raw().create_renderbuffer().map_err(fail)?),
            )
        };
        let mut target = Self { framebuffer, colour, depth, size: Size::default() };
        target.resize(size)?;
        Ok(target)
    }

    /// Gives it another size. The contents are lost.
    ///
    /// # Errors
    /// When the driver cannot make one of that size. One beyond its limit leaves the target as it was.
    pub fn resize(&mut self, size: Size) -> Result<()> {
        let gl = self.framebuffer.gl();
        let limit = gl.caps().max_target_size;
        let Size { width, height } = size;
        if size.is_empty() || width > limit || height > limit {
            let detail = format!("{width}x{height} pixels; 1 to {limit} each way fit");
            return Err(Error::Gl { operation: "making a render target", detail });
        }
        let gl = gl.raw();
        let (width, height) = (size.width as i32, size.height as i32);
        // SAFETY: all three objects are ours and alive.
        let status = unsafe {
            for (buffer, format) in [(&self.colour, glow::RGBA8), (&self.depth, glow::DEPTH_COMPONENT24)] {
                gl.bind_renderbuffer(glow::RENDERBUFFER, Some(buffer.raw()));
                gl.renderbuffer_storage(glow::RENDERBUFFER, format, width, height);
            }
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(self.framebuffer.raw()));
            for (buffer, place) in
                [(&self.colour, glow::COLOR_ATTACHMENT0), (&self.depth, glow::DEPTH_ATTACHMENT)]
            {
                gl.framebuffer_renderbuffer(glow::FRAMEBUFFER, place, glow::RENDERBUFFER, Some(buffer.raw()));
            }
            gl.check_framebuffer_status(glow::FRAMEBUFFER)
        };
        if status != glow::FRAMEBUFFER_COMPLETE {
            let detail = format!("{width}x{height}: framebuffer status {status:#x}");
            return Err(Error::Gl { operation: "making a render target", detail });
        }
        self.size = size;
        Ok(())
    }

    /// Draws go here from now on.
    pub fn bind(&self) {
        // SAFETY: the framebuffer is ours and alive.
        unsafe {
            self.framebuffer.gl().raw().bind_framebuffer(glow::FRAMEBUFFER, Some(self.framebuffer.raw()));
        }
    }

    /// The same, and what is drawn fills all of it.
    pub fn begin(&self) {
        self.bind();
        // SAFETY: sets state of the current context.
        unsafe {
            self.framebuffer.gl().raw().viewport(0, 0, self.size.width as i32, self.size.height as i32);
        }
    }

    /// Its size in pixels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// The driver's name for it.
    #[must_use]
    pub const fn framebuffer(&self) -> glow::Framebuffer {
        self.framebuffer.raw()
    }
}

/// Reads the bound framebuffer back, rows from top to bottom. Waits for the GPU; allocates.
///
/// # Errors
/// When the driver reports an error, for instance because the context is lost.
pub fn read_pixels(gl: &Gl, size: Size) -> Result<Pixels> {
    let row = size.width as usize * 4;
    let mut bottom_up = vec![0; row * size.height as usize];
    gl.attempt(|| read_rows(gl, size, &mut bottom_up))?;
    let mut rgba = Vec::with_capacity(bottom_up.len());
    if row > 0 {
        bottom_up.rchunks_exact(row).for_each(|line| rgba.extend_from_slice(line));
    }
    Ok(Pixels { size, rgba })
}

fn read_rows(gl: &Gl, size: Size, bottom_up: &mut [u8]) -> Result<()> {
    // SAFETY: the buffer holds exactly width * height * 4 bytes, and rows of RGBA are 4-byte aligned.
    unsafe {
        gl.raw().pixel_store_i32(glow::PACK_ALIGNMENT, 4);
        gl.raw().read_pixels(
            0,
            0,
            size.width as i32,
            size.height as i32,
            glow::RGBA,
            glow::UNSIGNED_BYTE,
            glow::PixelPackData::Slice(Some(bottom_up)),
        );
    }
    gl.error_flag().map_or(Ok(()), |code| {
        Err(Error::Gl { operation: "reading the picture back", detail: code.to_owned() })
    })
}
