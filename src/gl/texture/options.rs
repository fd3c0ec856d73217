use glow::HasContext as _;

use super::format::full_levels;
use crate::gl::Gl;
use crate::runtime::Size;

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

/// Highest anisotropy that is asked for: beyond it the difference is not seen and software rasterisers crawl.
const ANISOTROPY: f32 = 8.0;

pub(super) const fn level_count(size: Size, mipmaps: bool) -> u32 {
    if mipmaps { full_levels(size) } else { 1 }
}

/// Sets how the bound texture is read.
pub(super) fn set_parameters(gl: &Gl, target: u32, options: &TextureOptions, levels: u32) {
    let minify = match (options.minify, options.mipmaps && levels > 1) {
        (Filter::Nearest, false) => glow::NEAREST,
        (Filter::Linear, false) => glow::LINEAR,
        (Filter::Nearest, true) => glow::NEAREST_MIPMAP_NEAREST,
        (Filter::Linear, true) => glow::LINEAR_MIPMAP_LINEAR,
    };
    let magnify = if options.magnify == Filter::Nearest { glow::NEAREST } else { glow::LINEAR };
    let parameter = |name, value: u32| {
        // SAFETY: sets state of the texture that is bound.
        unsafe { gl.raw().tex_parameter_i32(target, name, value as i32) }
    };
    parameter(glow::TEXTURE_WRAP_S, options.wrap.0 as u32);
    parameter(glow::TEXTURE_WRAP_T, options.wrap.1 as u32);
    parameter(glow::TEXTURE_MIN_FILTER, minify);
    parameter(glow::TEXTURE_MAG_FILTER, magnify);
    // Without the levels that are not there the texture would be incomplete, and black.
    parameter(glow::TEXTURE_MAX_LEVEL, levels.max(1) - 1);
    let caps = gl.caps();
    if options.mipmaps && caps.max_anisotropy > 1.0 && !caps.software {
        let anisotropy = caps.max_anisotropy.min(ANISOTROPY);
        // SAFETY: as above; the driver has the extension.
        unsafe { gl.raw().tex_parameter_f32(target, glow::TEXTURE_MAX_ANISOTROPY_EXT, anisotropy) }
    }
}
