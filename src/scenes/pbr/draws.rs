//! What is drawn in which order, and the morph targets that count.

use glam::{Mat4, Vec3, Vec4};

use super::geometry::Geometry;
use super::material::Materials;
use super::variant::{Flags, Variants};
use crate::error::Result;
use crate::gl::Gl;
use crate::scene::{Entry, Frustum, SortKey, Sorter};
use crate::scenes::model::{Bounds, Model};

/// Morph targets of a primitive that move it at a time; the heaviest ones of the mesh's.
pub(super) const TARGETS: usize = 8;

/// One draw call: a primitive at a node.
#[derive(Debug)]
pub(super) struct Draw {
    pub(super) node: usize,
    pub(super) primitive: usize,
    /// Index of the program for the picture, and for the shadow map where it casts a shadow.
    pub(super) program: usize,
    pub(super) caster: Option<usize>,
    /// Where the joints that bend it begin.
    pub(super) joints: Option<usize>,
    /// Of the primitive, in the mesh's space.
    bounds: Bounds,
}

/// All draws of a model.
#[derive(Debug, Default)]
pub(super) struct Draws {
    /// By program and material.
    pub(super) opaque: Vec<Draw>,
    /// In the order of the file.
    pub(super) blended: Vec<Draw>,
    /// Indices into `blended` by their distances, sorted anew each frame in storage of its own.
    pub(super) order: Vec<Entry>,
    sorter: Sorter,
}

impl Draws {
    /// Lists the draws and makes the programs that they need. `always`: flags of every program; `shadow`: a light casts
    /// one.
    pub(super) fn new(
        gl: &Gl,
        model: &Model,
        geometry: &Geometry,
        materials: &Materials,
        variants: &mut Variants,
        always: Flags,
        shadow: bool,
    ) -> Result<Self> {
        let mut this = Self::default();
        for (node, mesh) in model.nodes.iter().enumerate().filter_map(|(i, n)| Some((i, n.mesh?))) {
            let joints = model.joints_of(node).map(|joints| joints.start);
            for (i, p) in model.meshes[mesh].primitives.iter().enumerate() {
                let primitive = geometry.first[mesh] + i;
                let gpu = &geometry.primitives[primitive];
                let mut flags = gpu.flags | materials.list[p.material].flags;
                if joints.is_none() {
                    flags = flags.minus(Flags::SKIN);
                }
                // Where no light falls, the surface's finer points do not matter.
                if flags.has(Flags::UNLIT) || always.has(Flags::PLAIN) {
                    flags = flags.minus(UNSEEN);
                    flags = flags
                        .minus(Flags::EMISSIVE_MAP.when(materials.list[p.material].flags.has(Flags::UNLIT)));
                }
                if !flags.has(Flags::NORMAL_MAP) {
                    flags = flags.minus(Flags::TANGENT.when(p.targets.is_empty()));
                }
                let lit = !flags.has(Flags::UNLIT);
                let program = variants.get(gl, flags | always | Flags::SHADOW.when(shadow && lit))?;
                let casts = shadow && gpu.surface && !flags.has(Flags::BLEND);
                let caster = if casts {
                    let mask = flags.has(Flags::MASK);
                    let map = (Flags::MASK | Flags::BASE_MAP | Flags::UV_TRANSFORM).when(mask);
                    let kept = flags.only(Flags::SKIN | Flags::MORPH | Flags::TANGENT | map);
                    Some(variants.get(gl, kept | Flags::DEPTH_ONLY)?)
                } else {
                    None
                };
                let draw = Draw { node, primitive, program, caster, joints, bounds: p.bounds };
                let list = if flags.has(Flags::BLEND) { &mut this.blended } else { &mut this.opaque };
                list.push(draw);
            }
        }
        this.opaque.sort_by_key(|d| (d.program, geometry.primitives[d.primitive].material, d.node));
        this.order.reserve_exact(this.blended.len());
        // Once with all of them, so that no frame asks for memory.
        this.sorter.sort_by_digits(&mut vec![Entry::default(); this.blended.len()]);
        Ok(this)
    }

    /// Puts the blended draws in order, the farthest first. Allocates nothing.
    pub(super) fn sort(&mut self, world: &[Mat4], joints: &[Mat4], eye: Vec3) {
        self.order.clear();
        self.order.extend((0..).zip(&self.blended).map(|(index, draw)| {
            let matrix = match draw.joints {
                Some(first) => joints.get(first),
                None => world.get(draw.node),
            };
            let centre = draw.bounds.center();
            let at = matrix.map_or(centre, |m| m.transform_point3(centre));
            Entry { key: SortKey::transparent(0, at.distance_squared(eye)), index }
        }));
        self.sorter.sort(&mut self.order);
    }
}

/// What has no effect on surfaces without light, or with a plain one.
const UNSEEN: Flags = Flags::NORMAL_MAP.and(Flags::MR_MAP).and(Flags::OCCLUSION_MAP);

impl Draw {
    /// Whether something of it may be in the picture. Bent and morphed primitives are always drawn: where they are is
    /// known only to the shader.
    pub(super) fn visible(&self, world: &Mat4, view_projection: &Mat4, moves: bool) -> bool {
        // The planes of the picture in the mesh's space, where its box is tightest.
        moves || Frustum::new(*view_projection * *world).sees_box(&self.bounds.aabb())
    }
}

/// The heaviest targets as the shader takes them, and how many there are: target and weight, two of each in a vector.
/// Allocates nothing.
pub(super) fn heaviest(weights: &[f32]) -> ([Vec4; TARGETS / 2], usize) {
    let mut kept = [(0_usize, 0.0_f32); TARGETS];
    let mut count = 0;
    for (target, &weight) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
        if count < TARGETS {
            kept[count] = (target, weight);
            count += 1;
        } else if let Some(least) = kept.iter_mut().min_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
            && least.1.abs() < weight.abs()
        {
            *least = (target, weight);
        }
    }
    let pair = |i: usize| {
        let [(a, x), (b, y)] = [kept[2 * i], kept[2 * i + 1]];
        Vec4::new(a as f32, x, b as f32, y)
    };
    (std::array::from_fn(pair), count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heaviest_targets_are_kept() {
        assert_eq!(heaviest(&[]).1, 0);
        let (packed, count) = heaviest(&[0.0, 0.5, 0.0, -1.0]);
        assert_eq!((packed[0], count), (Vec4::new(1.0, 0.5, 3.0, -1.0), 2));
        let weights: Vec<f32> = (1..=20).map(|i| i as f32 * if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let (packed, count) = heaviest(&weights);
        assert_eq!(count, TARGETS);
        let mut kept: Vec<i32> = packed.iter().flat_map(|v| [v.y as i32, v.w as i32]).map(i32::abs).collect();
        kept.sort_unstable();
        assert_eq!(kept, (13..=20).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_beside_the_picture_is_not_drawn() {
        let camera = glam::camera::rh::proj::opengl::perspective(1.0, 1.0, 0.1, 100.0);
        let draw = Draw {
            node: 0,
            primitive: 0,
            program: 0,
            caster: None,
            joints: None,
            bounds: Bounds { min: Vec3::splat(-1.0), max: Vec3::splat(1.0) },
        };
        let at = |x, y, z| draw.visible(&Mat4::from_translation(Vec3::new(x, y, z)), &camera, false);
        assert!(at(0.0, 0.0, -5.0) && at(3.0, 0.0, -5.0) && at(0.0, 0.0, 0.0));
        assert!(!at(0.0, 0.0, 5.0) && !at(20.0, 0.0, -5.0) && !at(0.0, -20.0, -5.0) && !at(0.0, 0.0, -200.0));
        assert!(draw.visible(&Mat4::from_translation(Vec3::new(20.0, 0.0, -5.0)), &camera, true));
    }
}
