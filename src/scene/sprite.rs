use glam::{Vec2, Vec3, Vec3A};

use super::{Aabb, LayerId};

/// A rectangle with a picture on it, 32 bytes, as the GPU reads it.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "gl", derive(bytemuck::Pod, bytemuck::Zeroable))]
#[repr(C)]
pub struct Sprite {
    /// Its top left corner, in the units of the pass (pixels from the top left, in a pass of pixels).
    pub position: [f32; 2],
    /// Width and height, in the same units.
    pub size: [f32; 2],
    /// The part of the texture that is shown: left, top, right, bottom, 65,535 being the whole.
    pub uv: [u16; 4],
    /// Red, green, blue and alpha, by which the texture is multiplied.
    pub colour: [u8; 4],
    pub(super) texture: u16,
    /// Clockwise about the middle, 65,536 being a whole turn.
    pub turn: u16,
}

impl Sprite {
    /// The whole of a texture, upright and in its own colours.
    #[inline]
    #[must_use]
    pub const fn new(texture: LayerId, position: Vec2, size: Vec2) -> Self {
        Self {
            position: [position.x, position.y],
            size: [size.x, size.y],
            uv: [0, 0, u16::MAX, u16::MAX],
            colour: [u8::MAX; 4],
            texture: texture.0,
            turn: 0,
        }
    }

    /// The same with another colour.
    #[inline]
    #[must_use]
    pub const fn with_colour(mut self, colour: [u8; 4]) -> Self {
        self.colour = colour;
        self
    }

    /// The same with another part of its texture: left, top, right, bottom, from 0 to 1.
    #[must_use]
    pub fn with_part(mut self, part: [f32; 4]) -> Self {
        self.uv = part.map(|x| (x.clamp(0.0, 1.0) * f32::from(u16::MAX)).round() as u16);
        self
    }

    /// The same, turned clockwise about its middle by so many radians.
    #[must_use]
    pub fn with_rotation(mut self, radians: f32) -> Self {
        let turns = (radians / std::f32::consts::TAU).rem_euclid(1.0);
        self.turn = (turns * 65_536.0) as u32 as u16;
        self
    }

    /// A box around it, in the units of its pass: its own sides where it is upright, and those of the circle that it turns
    /// in where it is not.
    #[inline]
    pub(super) fn bounds(&self) -> Aabb {
        let half = 0.5 * Vec2::from(self.size);
        let centre = Vec2::from(self.position) + half;
        let half = if self.turn == 0 { half.abs() } else { Vec2::splat(half.length()) };
        Aabb { centre: Vec3A::from(Vec3::from((centre, 0.0))), half: Vec3A::from(Vec3::from((half, 0.0))) }
    }

    /// The texture.
    #[inline]
    #[must_use]
    pub const fn texture(&self) -> LayerId {
        LayerId(self.texture)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_turns_are_cut_to_what_can_be_said() {
        let sprite = Sprite::new(LayerId::default(), Vec2::ZERO, Vec2::ONE);
        assert_eq!(sprite.with_part([-1.0, 0.5, 2.0, f32::NAN]).uv, [0, 32_768, 65_535, 0]);
        for (radians, turn) in
            [(0.0, 0), (std::f32::consts::PI, 32_768), (-std::f32::consts::FRAC_PI_2, 49_152)]
        {
            assert_eq!(sprite.with_rotation(radians).turn, turn, "{radians}");
        }
        assert_eq!(sprite.with_rotation(f32::INFINITY).turn, 0);
        assert_eq!(size_of::<Sprite>(), 32);
    }
}
