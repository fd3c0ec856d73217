use glow::HasContext as _;

use super::super::handle::{Handle, TextureObject};
use super::super::{Filter, TextureOptions};
use super::Gl;
use crate::error::{Error, Result};
use crate::runtime::Size;
use crate::scene::TextureId;

/// Pictures of one size in layers of one texture, so that another picture is no other draw.
#[derive(Debug)]
pub(super) struct TextureArray {
    handle: Handle<TextureObject>,
}

impl TextureArray {
    pub(super) fn new(gl: &Gl, size: Size, layers: &[&[u8]], options: &TextureOptions) -> Result<Self> {
        let fail = |detail: String| Error::Gl { operation: "making a texture array", detail };
        let Size { width, height } = size;
        let limit = gl.caps().max_texture_size;
        if size.is_empty() || width > limit || height > limit {
            return Err(fail(format!("layers of {width}x{height} texels; 1 to {limit} each way fit")));
        }
        let most = gl.caps().max_array_layers.min(TextureId::LAYERS);
        if layers.is_empty() || layers.len() > most as usize {
            return Err(fail(format!("{} layers; 1 to {most} fit", layers.len())));
        }
        let bytes = 4 * u64::from(width) * u64::from(height);
        if let Some((n, layer)) = layers.iter().enumerate().find(|(_, l)| l.len() as u64 != bytes) {
            return Err(fail(format!("layer {n}: {} bytes for {width}x{height} texels", layer.len())));
        }
        // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
        let handle: Handle<TextureObject> =
            unsafe { Handle::from_raw(gl, gl.raw().create_texture().map_err(fail)?) };
        let array = Self { handle };
        array.bind();
        let minify = match (options.minify, options.mipmaps) {
            (Filter::Nearest, false) => glow::NEAREST,
            (Filter::Linear, false) => glow::LINEAR,
            (Filter::Nearest, true) => glow::NEAREST_MIPMAP_NEAREST,
            (Filter::Linear, true) => glow::LINEAR_MIPMAP_LINEAR,
        };
        let magnify = if options.magnify == Filter::Nearest { glow::NEAREST } else { glow::LINEAR };
        let (target, format) =
            (glow::TEXTURE_2D_ARRAY, if options.srgb { glow::SRGB8_ALPHA8 } else { glow::RGBA8 });
        // SAFETY: sets up the texture that is bound; each layer holds exactly the bytes that size and format ask for, and
        // rows of RGBA are 4-byte aligned.
        unsafe {
            let gl = gl.raw();
            for (name, value) in [
                (glow::TEXTURE_WRAP_S, options.wrap.0 as u32),
                (glow::TEXTURE_WRAP_T, options.wrap.1 as u32),
                (glow::TEXTURE_MIN_FILTER, minify),
                (glow::TEXTURE_MAG_FILTER, magnify),
            ] {
                gl.tex_parameter_i32(target, name, value as i32);
            }
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 4);
            gl.tex_image_3d(
                target,
                0,
                format as i32,
                width as i32,
                height as i32,
                layers.len() as i32,
                0,
                glow::RGBA,
                glow::UNSIGNED_BYTE,
                glow::PixelUnpackData::Slice(None),
            );
            for (n, layer) in (0..).zip(layers) {
                gl.tex_sub_image_3d(
                    target,
                    0,
                    0,
                    0,
                    n,
                    width as i32,
                    height as i32,
                    1,
                    glow::RGBA,
                    glow::UNSIGNED_BYTE,
                    glow::PixelUnpackData::Slice(Some(layer)),
                );
            }
            if options.mipmaps {
                gl.generate_mipmap(target);
            }
        }
        Ok(array)
    }

    /// Binds it to the unit that is active.
    pub(super) fn bind(&self) {
        // SAFETY: the texture is ours and alive.
        unsafe { self.handle.gl().raw().bind_texture(glow::TEXTURE_2D_ARRAY, Some(self.handle.raw())) }
    }
}
