use glow::HasContext as _;

use super::Gl;
use super::handle::{FramebufferObject, Handle, TextureObject};
use crate::error::{Error, Result};

/// A square depth buffer that is drawn to and then looked up: a shadow map. A `sampler2DShadow` gives the share of its
/// four nearest texels that are not nearer than the third coordinate; beyond the edge nothing is.
#[derive(Debug)]
pub struct DepthTexture {
    framebuffer: Handle<FramebufferObject>,
    texture: Handle<TextureObject>,
    side: u32,
}

impl DepthTexture {
    /// One of `side` x `side` texels of 24 bits, or as large as the driver has.
    ///
    /// # Errors
    /// When the driver cannot make it.
    pub fn new(gl: &Gl, side: u32) -> Result<Self> {
        let fail = |detail| Error::Gl { operation: "making a depth texture", detail };
        let caps = gl.caps();
        let side = side.min(caps.max_texture_size).min(caps.max_target_size);
        // SAFETY: makes names in the current context; each goes into a handle that owns it at once.
        let (framebuffer, texture): (Handle<FramebufferObject>, Handle<TextureObject>) = unsafe {
            (
                Handle::from_raw(gl, gl.raw().create_framebuffer().map_err(fail)?),
                Handle::from_raw(gl, gl.raw().create_texture().map_err(fail)?),
            )
        };
        let raw = gl.raw();
        // SAFETY: both objects are ours and alive; no texels are handed over.
        let status = unsafe {
            raw.active_texture(glow::TEXTURE0);
            raw.bind_texture(glow::TEXTURE_2D, Some(texture.raw()));
            raw.tex_image_2d(
                glow::TEXTURE_2D,
                0,
                glow::DEPTH_COMPONENT24 as i32,
                side as i32,
                side as i32,
                0,
                glow::DEPTH_COMPONENT,
                glow::UNSIGNED_INT,
                glow::PixelUnpackData::Slice(None),
            );
            for (name, value) in [
                (glow::TEXTURE_MIN_FILTER, glow::LINEAR),
                (glow::TEXTURE_MAG_FILTER, glow::LINEAR),
                (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_BORDER),
                (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_BORDER),
                (glow::TEXTURE_COMPARE_MODE, glow::COMPARE_REF_TO_TEXTURE),
                (glow::TEXTURE_COMPARE_FUNC, glow::LEQUAL),
            ] {
                raw.tex_parameter_i32(glow::TEXTURE_2D, name, value as i32);
            }
            raw.tex_parameter_f32_slice(glow::TEXTURE_2D, glow::TEXTURE_BORDER_COLOR, &[1.0; 4]);
            raw.bind_framebuffer(glow::FRAMEBUFFER, Some(framebuffer.raw()));
            raw.framebuffer_texture_2d(
                glow::FRAMEBUFFER,
                glow::DEPTH_ATTACHMENT,
                glow::TEXTURE_2D,
                Some(texture.raw()),
                0,
            );
            // Nothing but depth is drawn.
            raw.draw_buffers(&[glow::NONE]);
            raw.read_buffer(glow::NONE);
            raw.check_framebuffer_status(glow::FRAMEBUFFER)
        };
        if status != glow::FRAMEBUFFER_COMPLETE {
            return Err(fail(format!("{side}x{side}: framebuffer status {status:#x}")));
        }
        Ok(Self { framebuffer, texture, side })
    }

    /// Texels along a side.
    #[must_use]
    pub const fn side(&self) -> u32 {
        self.side
    }

    /// Draws go here from now on, and what is there is gone. Depths are moved away from the viewer by `slope` times their
    /// own slope and by `units` of the least step of depth.
    pub fn begin(&self, slope: f32, units: f32) {
        let gl = self.framebuffer.gl().raw();
        // SAFETY: the framebuffer is ours and alive; the rest sets state of the current context.
        unsafe {
            gl.bind_framebuffer(glow::FRAMEBUFFER, Some(self.framebuffer.raw()));
            gl.viewport(0, 0, self.side as i32, self.side as i32);
            gl.enable(glow::POLYGON_OFFSET_FILL);
            gl.polygon_offset(slope, units);
            gl.depth_mask(true);
            gl.clear(glow::DEPTH_BUFFER_BIT);
        }
    }

    /// Ends what [`begin`](Self::begin) began; where draws go next is the caller's to say.
    pub fn end(&self) {
        // SAFETY: sets state of the current context.
        unsafe { self.framebuffer.gl().raw().disable(glow::POLYGON_OFFSET_FILL) }
    }

    /// Binds it to a texture unit.
    pub fn bind(&self, unit: u32) {
        let gl = self.texture.gl().raw();
        // SAFETY: the texture is ours and alive.
        unsafe {
            gl.active_texture(glow::TEXTURE0 + unit);
            gl.bind_texture(glow::TEXTURE_2D, Some(self.texture.raw()));
        }
    }
}
