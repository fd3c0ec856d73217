//! The programs: one for each combination of properties that the model really has.

use std::ops::{BitOr, BitOrAssign};

use glam::{IVec3, Mat3, Mat4, Vec4};

use super::super::model::{Influence, Vertex};
use super::geometry::Tangent;
use super::sky;
use crate::error::Result;
use crate::gl::{Gl, Program, ShaderSource, Uniform};
use crate::shader_file;

/// Properties that a program is made for.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flags(u32);

macro_rules! flags {
    ($($name:ident = $bit:literal;)+) => {
        impl Flags {
            $(pub(super) const $name: Self = Self(1 << $bit);)+
            /// With the names that the shaders know them by.
            const ALL: &'static [(Self, &'static str)] = &[$((Self::$name, stringify!($name))),+];
        }
    };
}

flags! {
    PLAIN = 0;
    UNLIT = 1;
    MASK = 2;
    BLEND = 3;
    BASE_MAP = 4;
    MR_MAP = 5;
    NORMAL_MAP = 6;
    OCCLUSION_MAP = 7;
    EMISSIVE_MAP = 8;
    UV_TRANSFORM = 9;
    TANGENT = 10;
    SKIN = 11;
    MORPH = 12;
    SHADOW = 13;
    DEPTH_ONLY = 14;
    ENCODE = 15;
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Flags {
    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These, where `condition` holds.
    pub(super) const fn when(self, condition: bool) -> Self {
        if condition { self } else { Self(0) }
    }

    /// Those that are in either, for constants.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not those.
    pub(super) const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those that are in both.
    pub(super) const fn only(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The shader with a line for each of them after its first one; the numbers of its own lines stay.
    fn define(self, source: ShaderSource) -> ShaderSource {
        let named = Self::ALL.iter().filter(|(flag, _)| self.has(*flag));
        named.fold(source.define("LEVELS", sky::LEVELS), |source, (_, name)| source.define(*name, 1))
    }
}

/// Where each block is bound.
pub(super) const FRAME_BLOCK: u32 = 0;
pub(super) const MATERIAL_BLOCK: u32 = 1;

/// Which texture unit has what.
pub(super) mod unit {
    /// The first of five: base colour, metal and roughness, normal, occlusion, emission.
    pub(in super::super) const MAPS: u32 = 0;
    pub(in super::super) const ENVIRONMENT: u32 = 5;
    pub(in super::super) const SHADOW: u32 = 6;
    pub(in super::super) const JOINTS: u32 = 7;
    pub(in super::super) const DELTAS: u32 = 8;
}

/// A program with what is set for each draw.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) flags: Flags,
    pub(super) program: Program,
    pub(super) world: Uniform<Mat4>,
    pub(super) normal: Uniform<Mat3>,
    pub(super) first_joint: Uniform<i32>,
    pub(super) morph: Uniform<IVec3>,
    pub(super) morph_weights: Uniform<[Vec4; 4]>,
}

/// All programs of a model, each made once.
#[derive(Debug, Default)]
pub(super) struct Variants(pub(super) Vec<Variant>);

impl Variants {
    /// The index of the program for `flags`, which is made if it is not there yet.
    pub(super) fn get(&mut self, gl: &Gl, flags: Flags) -> Result<usize> {
        if let Some(known) = self.0.iter().position(|v| v.flags == flags) {
            return Ok(known);
        }
        let vertex = flags.define(shader_file!("pbr.vert"));
        let fragment = flags.define(shader_file!("pbr.frag"));
        let name = if flags.has(Flags::DEPTH_ONLY) { "shadow" } else { "model" };
        let program = Program::builder(name, vertex, fragment)
            .vertices::<Vertex>()
            .vertices::<Tangent>()
            .vertices::<Influence>()
            .build(gl)?;
        program.bind_block("Frame", FRAME_BLOCK);
        program.bind_block("Material", MATERIAL_BLOCK);
        let maps = ["u_base_map", "u_mr_map", "u_normal_map", "u_occlusion_map", "u_emissive_map"];
        let units = maps.into_iter().zip(unit::MAPS..).chain([
            ("u_environment", unit::ENVIRONMENT),
            ("u_shadow_map", unit::SHADOW),
            ("u_joints", unit::JOINTS),
            ("u_deltas", unit::DELTAS),
        ]);
        for (sampler, unit) in units {
            program.set(&program.uniform(sampler)?, unit as i32);
        }
        self.0.push(Variant {
            flags,
            world: program.uniform("u_world")?,
            normal: program.uniform("u_normal")?,
            first_joint: program.uniform("u_first_joint")?,
            morph: program.uniform("u_morph")?,
            morph_weights: program.uniform("u_morph_weights")?,
            program,
        });
        Ok(self.0.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_told_apart() {
        let both = Flags::SKIN | Flags::MORPH.when(true) | Flags::BLEND.when(false);
        assert!(both.has(Flags::SKIN) && both.has(Flags::MORPH) && !both.has(Flags::BLEND));
        assert_eq!(both.only(Flags::SKIN | Flags::MASK), Flags::SKIN);
    }
}
