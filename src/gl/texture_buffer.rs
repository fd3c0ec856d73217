use glow::HasContext as _;

use super::handle::{Handle, TextureObject};
use super::{Buffer, Gl, StreamRing, Usage};
use crate::error::{Error, Result};

/// A long list of `vec4` that shaders read by index (`samplerBuffer` and `texelFetch`): what a uniform block is too small
/// for.
#[derive(Debug)]
pub struct TextureBuffer {
    texture: Handle<TextureObject>,
    /// None where the values are another's.
    buffer: Option<Buffer<[f32; 4]>>,
}

const OPERATION: &str = "making a buffer texture";

impl TextureBuffer {
    /// A list of these values.
    ///
    /// # Errors
    /// When there are more than the driver can read, or no memory or name is left.
    pub fn new(gl: &Gl, values: &[[f32; 4]], usage: Usage) -> Result<Self> {
        Self::check(gl, values.len())?;
        let buffer = Buffer::texels(gl, values, usage)?;
        Self::of(gl, buffer.raw(), Some(buffer))
    }

    /// What a ring holds, all of its segments, read as such a list, which is written through the ring alone. The ring is to
    /// live as long: what shaders read after it went is not defined.
    ///
    /// # Errors
    /// As for [`new`](Self::new).
    #[cfg_attr(not(feature = "scenes"), allow(dead_code, reason = "models alone have such a list"))]
    pub(crate) fn over(gl: &Gl, ring: &StreamRing) -> Result<Self> {
        Self::check(gl, ring.bytes() / size_of::<[f32; 4]>())?;
        Self::of(gl, ring.buffer(), None)
    }

    fn check(gl: &Gl, texels: usize) -> Result<()> {
        let limit = Self::limit(gl);
        if texels <= limit {
            return Ok(());
        }
        Err(Error::Gl { operation: OPERATION, detail: format!("{texels} texels; {limit} fit") })
    }

    fn of(gl: &Gl, raw: glow::Buffer, buffer: Option<Buffer<[f32; 4]>>) -> Result<Self> {
        let fail = |detail: String| Error::Gl { operation: OPERATION, detail };
        // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
        let texture: Handle<TextureObject> =
            unsafe { Handle::from_raw(gl, gl.raw().create_texture().map_err(fail)?) };
        let this = Self { texture, buffer };
        this.bind(0);
        // SAFETY: texture and buffer are alive, and attaching reads nothing of either.
        unsafe { gl.raw().tex_buffer(glow::TEXTURE_BUFFER, glow::RGBA32F, Some(raw)) };
        Ok(this)
    }

    /// How many values the driver can read from one; 65,536 at least.
    #[must_use]
    pub fn limit(gl: &Gl) -> usize {
        // SAFETY: reads one integer of the current context.
        let limit = unsafe { gl.raw().get_parameter_i32(glow::MAX_TEXTURE_BUFFER_SIZE) };
        usize::try_from(limit).unwrap_or(0)
    }

    /// Replaces the values, as [`Buffer::write`] does. More than it was made with are cut off.
    pub fn write(&mut self, values: &[[f32; 4]]) {
        debug_assert!(self.buffer.is_some(), "the list of a ring is written through the ring");
        if let Some(buffer) = &mut self.buffer {
            buffer.write(&values[..values.len().min(buffer.capacity())]);
        }
    }

    /// The same for lists that grow: takes more memory where it has to. More than the driver can read
    /// ([`limit`](Self::limit)) are the caller's mistake, and shaders do not see them.
    pub(super) fn write_all(&mut self, values: &[[f32; 4]]) {
        debug_assert!(self.buffer.is_some(), "the list of a ring is written through the ring");
        if let Some(buffer) = &mut self.buffer {
            buffer.write(values);
        }
    }

    /// Binds it to a texture unit.
    pub fn bind(&self, unit: u32) {
        let gl = self.texture.gl().raw();
        // SAFETY: the texture is ours and alive.
        unsafe {
            gl.active_texture(glow::TEXTURE0 + unit);
            gl.bind_texture(glow::TEXTURE_BUFFER, Some(self.texture.raw()));
        }
    }
}
