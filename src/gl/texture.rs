use glow::HasContext as _;

use super::handle::{Handle, TextureObject};
use super::{Gl, Hook};
use crate::error::{Error, Result};
use crate::runtime::Size;
use crate::timeline;

/// What lies beyond a texture's edge.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[repr(u32)]
#[non_exhaustive]
pub enum Wrap {
    /// The texture again.
    #[default]
    Repeat = glow::REPEAT,
    /// The texture again, mirrored.
    Mirror = glow::MIRRORED_REPEAT,
    /// The colour of the edge.
    Clamp = glow::CLAMP_TO_EDGE,
}

/// How texels are picked.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Filter {
    /// The nearest one.
    Nearest,
    /// A blend of the nearest ones.
    #[default]
    Linear,
}

/// How a texture is stored and read.
#[derive(Copy, Clone, Debug)]
#[non_exhaustive]
pub struct TextureOptions {
    /// The bytes are sRGB-encoded colours, to be read as linear light.
    pub srgb: bool,
    /// Smaller copies for distant surfaces.
    pub mipmaps: bool,
    /// Horizontally and vertically.
    pub wrap: (Wrap, Wrap),
    /// When enlarged.
    pub magnify: Filter,
    /// When shrunk.
    pub minify: Filter,
}

impl Default for TextureOptions {
    fn default() -> Self {
        Self {
            srgb: true,
            mipmaps: true,
            wrap: (Wrap::Repeat, Wrap::Repeat),
            magnify: Filter::Linear,
            minify: Filter::Linear,
        }
    }
}

/// A picture in the GPU's memory.
#[derive(Debug)]
pub struct Texture {
    handle: Handle<TextureObject>,
    name: String,
    size: Size,
}

/// Highest anisotropy that is asked for: beyond it the difference is not seen and software rasterisers crawl.
const ANISOTROPY: f32 = 8.0;

impl Texture {
    /// A texture of `size` from four bytes (red, green, blue, alpha) per texel, rows from top to bottom. The bytes
    /// go straight to the driver. `name` is what messages call it.
    ///
    /// # Errors
    /// When the size is empty, does not fit the bytes or is beyond the driver's limit, or no name is left.
    pub fn rgba8(gl: &Gl, name: &str, size: Size, texels: &[u8], options: &TextureOptions) -> Result<Self> {
        let fail = |detail: String| Error::Gl { operation: "making a texture", detail };
        let limit = gl.caps().max_texture_size;
        if size.is_empty() || size.width > limit || size.height > limit {
            return Err(fail(format!(
                "`{name}` has {}x{} texels; 1 to {limit} fit",
                size.width, size.height
            )));
        }
        if texels.len() as u64 != 4 * u64::from(size.width) * u64::from(size.height) {
            let Size { width, height } = size;
            return Err(fail(format!("`{name}`: {} bytes for {width}x{height} texels", texels.len())));
        }
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_texture() }.map_err(fail)?;
        // SAFETY: the name was just made here, for us alone.
        let handle = unsafe { Handle::from_raw(gl, raw) };
        let texture = Self { handle, name: name.to_owned(), size };
        texture.bind(0);
        let format = if options.srgb { glow::SRGB8_ALPHA8 } else { glow::RGBA8 };
        let minify = match (options.minify, options.mipmaps) {
            (Filter::Nearest, false) => glow::NEAREST,
            (Filter::Linear, false) => glow::LINEAR,
            (Filter::Nearest, true) => glow::NEAREST_MIPMAP_NEAREST,
            (Filter::Linear, true) => glow::LINEAR_MIPMAP_LINEAR,
        };
        let magnify = if options.magnify == Filter::Nearest { glow::NEAREST } else { glow::LINEAR };
        let parameter = |name, value: u32| {
            // SAFETY: sets state of the texture that is bound.
            unsafe { gl.raw().tex_parameter_i32(glow::TEXTURE_2D, name, value as i32) }
        };
        parameter(glow::TEXTURE_WRAP_S, options.wrap.0 as u32);
        parameter(glow::TEXTURE_WRAP_T, options.wrap.1 as u32);
        parameter(glow::TEXTURE_MIN_FILTER, minify);
        parameter(glow::TEXTURE_MAG_FILTER, magnify);
        let _upload = timeline::upload("texture", texels.len());
        // SAFETY: `texels` holds exactly the bytes that size and format ask for; rows of RGBA are 4-byte aligned.
        unsafe {
            gl.raw().pixel_store_i32(glow::UNPACK_ALIGNMENT, 4);
            gl.raw().tex_image_2d(
                glow::TEXTURE_2D,
                0,
                format as i32,
                size.width as i32,
                size.height as i32,
                0,
                glow::RGBA,
                glow::UNSIGNED_BYTE,
                glow::PixelUnpackData::Slice(Some(texels)),
            );
            if options.mipmaps {
                gl.raw().generate_mipmap(glow::TEXTURE_2D);
            }
            let caps = gl.caps();
            if options.mipmaps && caps.max_anisotropy > 1.0 && !caps.software {
                gl.raw().tex_parameter_f32(
                    glow::TEXTURE_2D,
                    glow::TEXTURE_MAX_ANISOTROPY_EXT,
                    caps.max_anisotropy.min(ANISOTROPY),
                );
            }
        }
        Ok(texture)
    }

    /// Binds it to a texture unit.
    pub fn bind(&self, unit: u32) {
        let gl = self.handle.gl();
        // SAFETY: the texture is ours and alive.
        unsafe {
            gl.raw().active_texture(glow::TEXTURE0 + unit);
            gl.raw().bind_texture(glow::TEXTURE_2D, Some(self.handle.raw()));
        }
        gl.hook(Hook::Bind(&self.name));
    }

    /// Its size in texels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Frees it now.
    pub fn delete(self) {
        self.handle.delete();
    }
}
