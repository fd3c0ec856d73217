use glow::HasContext as _;

use super::Gl;
use super::handle::{Handle, TextureObject};
use crate::error::{Error, Result};

/// Light from all around: a cube of floating-point colours with smaller copies that the caller made.
#[derive(Debug)]
pub struct TextureCube {
    texture: Handle<TextureObject>,
    levels: u32,
}

impl TextureCube {
    /// A cube map. `levels[n]` holds the six faces of level n in OpenGL's order (+x, -x, +y, -y, +z, -z), each of
    /// `side >> n` rows of as many linear colours; what lies between levels and across edges is blended. Colours are
    /// kept in 11 bits each (10 for blue), without a sign.
    ///
    /// # Errors
    /// When a level has another size, there is none, or no name is left.
    pub fn new(gl: &Gl, side: u32, levels: &[Vec<[f32; 3]>]) -> Result<Self> {
        let fail = |detail: String| Error::Gl { operation: "making a cube map", detail };
        if levels.is_empty() || side == 0 || side > gl.caps().max_texture_size {
            return Err(fail(format!("{} levels from a side of {side}", levels.len())));
        }
        for (n, level) in levels.iter().enumerate() {
            let side = (side >> n).max(1) as usize;
            if level.len() != 6 * side * side {
                return Err(fail(format!("level {n} has {} texels and not 6x{side}x{side}", level.len())));
            }
        }
        // SAFETY: makes a name in the current context, which goes into a handle that owns it at once.
        let texture: Handle<TextureObject> =
            unsafe { Handle::from_raw(gl, gl.raw().create_texture().map_err(fail)?) };
        let this = Self { texture, levels: levels.len() as u32 };
        this.bind(0);
        let raw = gl.raw();
        // SAFETY: the texture is ours and bound; each slice holds exactly the texels of its face, in rows of 12-byte
        // texels, which any alignment up to four suits.
        unsafe {
            raw.pixel_store_i32(glow::UNPACK_ALIGNMENT, 4);
            for (n, level) in levels.iter().enumerate() {
                let side = (side >> n).max(1);
                let faces = level.chunks_exact((side * side) as usize);
                for (face, texels) in faces.enumerate() {
                    raw.tex_image_2d(
                        glow::TEXTURE_CUBE_MAP_POSITIVE_X + face as u32,
                        n as i32,
                        glow::R11F_G11F_B10F as i32,
                        side as i32,
                        side as i32,
                        0,
                        glow::RGB,
                        glow::FLOAT,
                        glow::PixelUnpackData::Slice(Some(bytemuck::cast_slice(texels))),
                    );
                }
            }
            for (name, value) in [
                (glow::TEXTURE_MIN_FILTER, glow::LINEAR_MIPMAP_LINEAR),
                (glow::TEXTURE_MAG_FILTER, glow::LINEAR),
                (glow::TEXTURE_WRAP_S, glow::CLAMP_TO_EDGE),
                (glow::TEXTURE_WRAP_T, glow::CLAMP_TO_EDGE),
                (glow::TEXTURE_WRAP_R, glow::CLAMP_TO_EDGE),
                (glow::TEXTURE_MAX_LEVEL, levels.len() as u32 - 1),
            ] {
                raw.tex_parameter_i32(glow::TEXTURE_CUBE_MAP, name, value as i32);
            }
            // Of the whole context; without it the edges of small levels are seams.
            raw.enable(glow::TEXTURE_CUBE_MAP_SEAMLESS);
        }
        Ok(this)
    }

    /// How many levels it has.
    #[must_use]
    pub const fn levels(&self) -> u32 {
        self.levels
    }

    /// Binds it to a texture unit.
    pub fn bind(&self, unit: u32) {
        let gl = self.texture.gl().raw();
        // SAFETY: the texture is ours and alive.
        unsafe {
            gl.active_texture(glow::TEXTURE0 + unit);
            gl.bind_texture(glow::TEXTURE_CUBE_MAP, Some(self.texture.raw()));
        }
    }
}
