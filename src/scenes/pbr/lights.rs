//! The lights of a frame: those of the model, or the sun of the surroundings.

use glam::{Mat4, Vec3};

use super::sky;
use crate::scenes::model::{LightKind, Model};

/// Lights that a frame has at most; the strongest ones of the file.
pub(super) const MAX_LIGHTS: usize = 8;
/// How bright the surroundings are beside lights of the file's own.
const BESIDE_LIGHTS: f32 = 0.5;

/// A light as the shader has it.
#[derive(Copy, Clone, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(super) struct GpuLight {
    /// Linear red, green, blue; 0 for directional, 1 for a point, 2 for a spot.
    color: [f32; 3],
    kind: f32,
    /// In the world.
    place: [f32; 3],
    /// 1 / range; 0 without one.
    fading: f32,
    /// The way to it; of a spot, against its axis.
    way: [f32; 3],
    /// Of a spot: what the cosine from the axis is multiplied by, and what is added then.
    cone: f32,
    edge: [f32; 4],
}

impl GpuLight {
    /// The way to it, for directional lights.
    pub(super) fn way(&self) -> Vec3 {
        self.way.into()
    }
}

/// Which lights are drawn with, chosen once.
#[derive(Debug)]
pub(super) struct Lights {
    /// Node and light; what casts the shadow is the first, if anything does.
    chosen: Vec<(usize, usize)>,
    shadow: bool,
    /// How bright the surroundings are.
    pub(super) surroundings: f32,
}

impl Lights {
    /// Chooses among the lights of a model. Where there are more than fit, the log says so.
    pub(super) fn new(model: &Model) -> Self {
        let mut all: Vec<(usize, usize)> =
            model.nodes.iter().enumerate().filter_map(|(i, n)| Some((i, n.light?))).collect();
        let strength = |&(_, light): &(usize, usize)| {
            let light = &model.lights[light];
            let most = light.color.iter().copied().fold(0.0, f32::max);
            // A shadow is drawn of the strongest directional one.
            (light.kind == LightKind::Directional, most)
        };
        all.sort_by(|a, b| {
            let (a, b) = (strength(a), strength(b));
            b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        if all.len() > MAX_LIGHTS {
            log::warn!("{} lights; the strongest {MAX_LIGHTS} are drawn with", all.len());
            all.truncate(MAX_LIGHTS);
        }
        let shadow = all.first().is_none_or(|&(_, light)| model.lights[light].kind == LightKind::Directional);
        let surroundings = if all.is_empty() { 1.0 } else { BESIDE_LIGHTS };
        Self { chosen: all, shadow, surroundings }
    }

    /// Whether the first light casts a shadow.
    pub(super) fn casts(&self) -> bool {
        self.shadow
    }

    /// Writes the lights where the nodes have them; returns how many. Allocates nothing.
    pub(super) fn write(&self, model: &Model, world: &[Mat4], out: &mut [GpuLight; MAX_LIGHTS]) -> usize {
        if self.chosen.is_empty() {
            out[0] = GpuLight {
                color: sky::SUN.into(),
                way: sky::TO_SUN.normalize().into(),
                ..GpuLight::default()
            };
            return 1;
        }
        let mut count = 0;
        for &(node, light) in &self.chosen {
            let (Some(matrix), light) = (world.get(node), &model.lights[light]) else { continue };
            // A light shines along -z (KHR_lights_punctual).
            let way = matrix.transform_vector3(Vec3::Z).try_normalize().unwrap_or(Vec3::Y).into();
            let place = matrix.w_axis.truncate().into();
            let color = light.color;
            let fading = |range: Option<f32>| range.map_or(0.0, f32::recip);
            out[count] = match light.kind {
                LightKind::Directional => GpuLight { color, way, ..GpuLight::default() },
                LightKind::Point { range } => {
                    GpuLight { color, kind: 1.0, place, fading: fading(range), way, ..GpuLight::default() }
                }
                LightKind::Spot { range, inner, outer } => {
                    let cone = (inner.cos() - outer.cos()).max(0.001).recip();
                    let edge = [-outer.cos() * cone, 0.0, 0.0, 0.0];
                    GpuLight { color, kind: 2.0, place, fading: fading(range), way, cone, edge }
                }
            };
            count += 1;
        }
        count
    }
}
