mod array;
#[cfg(feature = "basis")]
pub(in crate::gl) mod basis;
mod data;
mod error;
mod format;
#[cfg(feature = "textures")]
pub(in crate::gl) mod ktx;
mod memory;
mod mipmap;
mod options;
mod slices;

use glow::HasContext as _;

pub use array::TextureArray;
pub use data::{SharedBytes, TextureData};
pub use error::TextureError;
pub use format::{CompressedFormats, TextureFormat, full_levels, level_size};
pub use options::{Filter, TextureOptions, Wrap};
use options::{level_count, set_parameters};
pub(in crate::gl) use slices::{Slice, Slices};

use super::handle::{Handle, TextureObject};
use super::{Gl, Hook, StreamError, StreamRange, StreamRing, StreamTarget};
use crate::error::{Error, Result};
use crate::runtime::Size;
use crate::timeline;

/// A picture in the GPU's memory.
#[derive(Debug)]
pub struct Texture {
    handle: Handle<TextureObject>,
    name: String,
    size: Size,
    format: TextureFormat,
}

impl Texture {
    /// A texture of `size` from four bytes (red, green, blue, alpha) per texel, rows from top to bottom. The bytes
    /// go straight to the driver, which makes the smaller copies. `name` is what messages call it.
    ///
    /// # Errors
    /// When the size is empty, does not fit the bytes or is beyond the driver's limit, or no name is left.
    pub fn rgba8(gl: &Gl, name: &str, size: Size, texels: &[u8], options: &TextureOptions) -> Result<Self> {
        Self::with_texels(gl, name, size, Some(texels), options)
    }

    /// A texture of four bytes per texel that are undefined until they are
    /// [written](Self::write_streamed).
    ///
    /// # Errors
    /// When the size is empty or beyond the driver's limit, or no name is left.
    pub fn empty(gl: &Gl, name: &str, size: Size, options: &TextureOptions) -> Result<Self> {
        Self::with_texels(gl, name, size, None, options)
    }

    fn with_texels(
        gl: &Gl,
        name: &str,
        size: Size,
        texels: Option<&[u8]>,
        options: &TextureOptions,
    ) -> Result<Self> {
        let fail = |reason| Error::Texture { name: name.to_owned(), reason };
        check_size(gl, size).map_err(fail)?;
        if let Some(texels) = texels
            && texels.len() as u64 != 4 * u64::from(size.width) * u64::from(size.height)
        {
            let wanted = TextureFormat::Rgba8.bytes(size).unwrap_or(usize::MAX);
            return Err(fail(TextureError::Length { level: 0, got: texels.len(), wanted }));
        }
        let texture = Self::make(gl, name, size, TextureFormat::Rgba8).map_err(fail)?;
        set_parameters(gl, glow::TEXTURE_2D, options, level_count(size, options.mipmaps));
        let format = TextureFormat::Rgba8.internal(options.srgb);
        let _upload = texels.map(|texels| timeline::upload("texture", texels.len()));
        // SAFETY: `texels` holds exactly the bytes that size and format ask for, if any; rows of RGBA are 4-byte aligned.
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
                glow::PixelUnpackData::Slice(texels),
            );
            if options.mipmaps {
                gl.raw().generate_mipmap(glow::TEXTURE_2D);
            }
        }
        Ok(texture)
    }

    /// Replaces all texels by what was written to a ring of [pixels](StreamTarget::PixelUnpack) in this frame. Smaller
    /// copies are not made. Five calls; the driver reads the bytes when it likes, until the ring's fence.
    ///
    /// # Errors
    /// When the texture is compressed, or these are not four bytes per texel.
    pub fn write_streamed(
        &mut self,
        ring: &StreamRing,
        range: StreamRange,
    ) -> std::result::Result<(), StreamError> {
        let Size { width, height } = self.size;
        let wanted = TextureFormat::Rgba8.bytes(self.size).unwrap_or(usize::MAX);
        if range.len() != wanted || self.format != TextureFormat::Rgba8 {
            let detail = format!("{} bytes for {width}x{height} {:?} texels", range.len(), self.format);
            return Err(StreamError::Driver { operation: "writing a texture", detail });
        }
        let slice = Slice { level: 0, area: [0, 0, width, height], from: 0, bytes: wanted };
        let gl = self.handle.gl().raw();
        // SAFETY: the buffer is alive and holds the range; unbound, texels from memory are taken from memory again.
        unsafe {
            gl.bind_buffer(StreamTarget::PixelUnpack.binding(), Some(ring.buffer()));
            self.upload(TextureFormat::Rgba8, false, &slice, Source::Buffer(range.offset() as u32));
            gl.bind_buffer(StreamTarget::PixelUnpack.binding(), None);
        }
        Ok(())
    }

    /// A texture from prepared data, which may be compressed and brings its own smaller copies (those that
    /// `options` asks for are not made; whether the colours are sRGB is the data's business). Uploads everything at
    /// once.
    ///
    /// # Errors
    /// When the driver does not take the format or the size, or no name is left.
    pub fn from_data(gl: &Gl, name: &str, data: &TextureData, options: &TextureOptions) -> Result<Self> {
        let fail = |reason| Error::Texture { name: name.to_owned(), reason };
        let texture = Self::reserve(gl, name, data, options).map_err(fail)?;
        let mut slices = Slices::of(data);
        while let Some(slice) = slices.next(usize::MAX) {
            let bytes = &data.level(slice.level)[slice.from..slice.from + slice.bytes];
            texture.upload(data.format(), data.srgb(), &slice, Source::Memory(bytes));
        }
        Ok(texture)
    }

    /// A texture with room for `data`, whose texels are undefined. It is bound to the active unit.
    pub(in crate::gl) fn reserve(
        gl: &Gl,
        name: &str,
        data: &TextureData,
        options: &TextureOptions,
    ) -> std::result::Result<Self, TextureError> {
        let (format, srgb, size) = (data.format(), data.srgb(), data.size());
        if !format.is_supported(srgb, gl.caps()) {
            return Err(TextureError::Unsupported { format, srgb });
        }
        check_size(gl, size)?;
        let texture = Self::make(gl, name, size, format)?;
        set_parameters(gl, glow::TEXTURE_2D, options, data.levels());
        memory::take(gl, data)?;
        Ok(texture)
    }

    /// Writes a slice of it. The bytes lie in memory, or in the buffer that is bound for unpacking pixels.
    pub(in crate::gl) fn upload(&self, format: TextureFormat, srgb: bool, slice: &Slice, from: Source<'_>) {
        let gl = self.handle.gl().raw();
        let _upload = timeline::upload("texture", slice.bytes);
        let (level, [x, y, width, height]) = (slice.level as i32, slice.area.map(|n| n as i32));
        // SAFETY: the texture is ours; the slice lies within its level, and the source holds exactly the slice's bytes (rows
        // of RGBA are 4-byte aligned).
        unsafe {
            gl.bind_texture(glow::TEXTURE_2D, Some(self.handle.raw()));
            gl.pixel_store_i32(glow::UNPACK_ALIGNMENT, 4);
            if format.is_compressed() {
                let source = match from {
                    Source::Memory(bytes) => glow::CompressedPixelUnpackData::Slice(bytes),
                    Source::Buffer(at) => {
                        glow::CompressedPixelUnpackData::BufferRange(at..at + slice.bytes as u32)
                    }
                };
                let internal = format.internal(srgb);
                gl.compressed_tex_sub_image_2d(
                    glow::TEXTURE_2D,
                    level,
                    x,
                    y,
                    width,
                    height,
                    internal,
                    source,
                );
            } else {
                let source = match from {
                    Source::Memory(bytes) => glow::PixelUnpackData::Slice(Some(bytes)),
                    Source::Buffer(at) => glow::PixelUnpackData::BufferOffset(at),
                };
                let (format, kind) = (glow::RGBA, glow::UNSIGNED_BYTE);
                gl.tex_sub_image_2d(glow::TEXTURE_2D, level, x, y, width, height, format, kind, source);
            }
        }
    }

    /// A name, bound to the active unit.
    fn make(
        gl: &Gl,
        name: &str,
        size: Size,
        format: TextureFormat,
    ) -> std::result::Result<Self, TextureError> {
        // SAFETY: makes a name in the current context.
        let raw = unsafe { gl.raw().create_texture() }.map_err(TextureError::Driver)?;
        // SAFETY: the name was just made here, for us alone.
        let handle = unsafe { Handle::from_raw(gl, raw) };
        let texture = Self { handle, name: name.to_owned(), size, format };
        texture.bind_here();
        Ok(texture)
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
        unsafe { gl.raw().bind_texture(glow::TEXTURE_2D, Some(self.handle.raw())) };
        gl.hook(Hook::Bind(&self.name));
    }

    /// How its texels are stored.
    #[must_use]
    pub const fn format(&self) -> TextureFormat {
        self.format
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

/// Where the bytes of a slice are.
#[derive(Copy, Clone, Debug)]
pub(in crate::gl) enum Source<'a> {
    Memory(&'a [u8]),
    /// So many bytes into the bound buffer.
    Buffer(u32),
}

fn check_size(gl: &Gl, size: Size) -> std::result::Result<(), TextureError> {
    let limit = gl.caps().max_texture_size;
    if size.is_empty() || size.width > limit || size.height > limit {
        return Err(TextureError::TooLarge { size, limit });
    }
    Ok(())
}
