use glow::HasContext as _;

use super::check_size;
use super::options::{TextureOptions, level_count, set_parameters};
use crate::error::{Error, Result};
use crate::gl::handle::{Handle, TextureObject};
use crate::gl::texture::error::TextureError;
use crate::gl::texture::format::{TextureFormat, level_size};
use crate::gl::{Gl, Hook};
use crate::runtime::Size;
use crate::timeline;

/// Pictures of one size that are bound together (`sampler2DArray`): draws with different ones need no other binding.
#[derive(Debug)]
pub struct TextureArray {
    handle: Handle<TextureObject>,
    name: String,
    size: Size,
    layers: u32,
    mipmaps: bool,
}

impl TextureArray {
    /// An array of `layers` pictures of `size`, four bytes per texel, whose texels are undefined until they are written.
    /// `name` is what messages call it.
    ///
    /// # Errors
    /// When the size or the number of layers is zero or beyond the driver's limit, or no name is left.
    pub fn new(gl: &Gl, name: &str, size: Size, layers: u32, options: &TextureOptions) -> Result<Self> {
        let fail = |reason| Error::Texture { name: name.to_owned(), reason };
        check_size(gl, size).map_err(fail)?;
        let most = gl.caps().max_array_layers;
        if layers == 0 || layers > most {
            return Err(fail(TextureError::Layers { layers, most }));
        }
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_texture() }.map_err(|e| fail(TextureError::Driver(e)))?;
        // SAFETY: the name was just made here, for us alone.
        let handle = unsafe { Handle::from_raw(gl, raw) };
        let array = Self { handle, name: name.to_owned(), size, layers, mipmaps: options.mipmaps };
        array.bind_here();
        let levels = level_count(size, options.mipmaps);
        set_parameters(gl, glow::TEXTURE_2D_ARRAY, options, levels);
        for level in 0..levels {
            let size = level_size(size, level);
            // SAFETY: the texture is bound; without data only memory is taken.
            unsafe {
                gl.raw().tex_image_3d(
                    glow::TEXTURE_2D_ARRAY,
                    level as i32,
                    TextureFormat::Rgba8.internal(options.srgb) as i32,
                    size.width as i32,
                    size.height as i32,
                    layers as i32,
                    0,
                    glow::RGBA,
                    glow::UNSIGNED_BYTE,
                    glow::PixelUnpackData::Slice(None),
                );
            }
        }
        Ok(array)
    }

    /// Writes one picture, rows from top to bottom. Smaller copies are not made: see
    /// [`generate_mipmaps`](Self::generate_mipmaps).
    ///
    /// # Errors
    /// When there is no such layer, or the bytes are not four per texel.
    pub fn write(&mut self, layer: u32, texels: &[u8]) -> Result<()> {
        let fail = |reason| Error::Texture { name: self.name.clone(), reason };
        if layer >= self.layers {
            return Err(fail(TextureError::Layers { layers: layer.saturating_add(1), most: self.layers }));
        }
        let (got, wanted) = (texels.len(), TextureFormat::Rgba8.bytes(self.size).unwrap_or(usize::MAX));
        if got != wanted {
            return Err(fail(TextureError::Length { level: 0, got, wanted }));
        }
        let _upload = timeline::upload("texture layer", texels.len());
        self.bind_here();
        let gl = self.handle.gl().raw();
        // SAFETY: the layer exists and `texels` holds exactly its bytes; rows of RGBA are 4-byte aligned.
        unsafe {
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 4);
            gl.tex_sub_image_3d(
                glow::TEXTURE_2D_ARRAY,
                0,
                0,
                0,
                layer as i32,
                self.size.width as i32,
                self.size.height as i32,
                1,
                glow::RGBA,
                glow::UNSIGNED_BYTE,
                glow::PixelUnpackData::Slice(Some(texels)),
            );
        }
        Ok(())
    }

    /// Makes the smaller copies of all layers, if there are to be any.
    pub fn generate_mipmaps(&mut self) {
        if self.mipmaps {
            self.bind_here();
            // SAFETY: the texture is bound and its first level complete.
            unsafe { self.handle.gl().raw().generate_mipmap(glow::TEXTURE_2D_ARRAY) }
        }
    }

    /// Binds it to a texture unit.
    pub fn bind(&self, unit: u32) {
        // SAFETY: state of the current context.
        unsafe { self.handle.gl().raw().active_texture(glow::TEXTURE0 + unit) };
        self.bind_here();
    }

    /// Binds it to the active unit.
    fn bind_here(&self) {
        let gl = self.handle.gl();
        // SAFETY: the texture is ours and alive.
        unsafe { gl.raw().bind_texture(glow::TEXTURE_2D_ARRAY, Some(self.handle.raw())) };
        gl.hook(Hook::Bind(&self.name));
    }

    /// The size of each picture in texels.
    #[must_use]
    pub const fn size(&self) -> Size {
        self.size
    }

    /// How many pictures there are.
    #[must_use]
    pub const fn layers(&self) -> u32 {
        self.layers
    }

    /// Frees it now.
    pub fn delete(self) {
        self.handle.delete();
    }
}
