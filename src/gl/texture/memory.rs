use glow::HasContext as _;

use super::data::TextureData;
use super::error::TextureError;
use super::format::level_size;
use crate::gl::Gl;
use crate::runtime::Size;

/// Takes memory for all levels of the bound texture, and moves no texels. No buffer is bound for unpacking pixels.
pub(super) fn take(gl: &Gl, data: &TextureData) -> Result<(), TextureError> {
    let (format, size, internal) = (data.format(), data.size(), data.format().internal(data.srgb()));
    if gl.caps().texture_storage {
        let (levels, width, height) = (data.levels() as i32, size.width as i32, size.height as i32);
        // SAFETY: the texture is bound and has no memory yet; sizes and levels were checked.
        unsafe { gl.raw().tex_storage_2d(glow::TEXTURE_2D, levels, internal, width, height) }
        return Ok(());
    }
    if format.is_compressed() {
        // A driver that compresses by itself may refuse: the texture is reported as failed then.
        gl.attempt(|| take_levels(gl, data))
    } else {
        take_levels(gl, data)
    }
}

/// The same where each level is taken by itself.
fn take_levels(gl: &Gl, data: &TextureData) -> Result<(), TextureError> {
    let (format, size, internal) = (data.format(), data.size(), data.format().internal(data.srgb()));
    for level in 0..data.levels() {
        let Size { width, height } = level_size(size, level);
        // A driver that compresses by itself takes memory for a compressed format without texels as well (OpenGL 3.3, section
        // 3.8.1): those with the texels would come all in one frame.
        // SAFETY: the texture is bound; without texels only memory is taken.
        unsafe {
            gl.raw().tex_image_2d(
                glow::TEXTURE_2D,
                level as i32,
                internal as i32,
                width as i32,
                height as i32,
                0,
                glow::RGBA,
                glow::UNSIGNED_BYTE,
                glow::PixelUnpackData::Slice(None),
            );
        }
    }
    if !format.is_compressed() {
        return Ok(());
    }
    let of = glow::TEXTURE_INTERNAL_FORMAT;
    // SAFETY: asks about the texture that is bound.
    let got = unsafe { gl.raw().get_tex_level_parameter_i32(glow::TEXTURE_2D, 0, of) };
    if got as u32 != internal || gl.error_flag().is_some() {
        return Err(TextureError::Driver(format!("the driver has no memory for {format:?} texels alone")));
    }
    Ok(())
}
