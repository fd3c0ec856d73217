//! The shadow of the main light: what it sees, and how that is fitted to the model.

use glam::{Mat4, Vec3};

use crate::error::Result;
use crate::gl::{DepthTexture, Gl};

/// Texels along a side.
const SIDE: u32 = 2048;
/// How much larger than the model's outline the map is: the outline is a little short of the truth.
const MARGIN: f32 = 1.06;
/// How far depths are moved away from the light, by their slope and by steps of depth: with the offset along the normal
/// enough that no surface shades itself, and so little that shadows begin where things touch.
const SLOPE: f32 = 1.5;
const UNITS: f32 = 2.0;

/// A shadow map.
#[derive(Debug)]
pub(super) struct Shadow {
    map: DepthTexture,
}

/// How the map lies in the world.
#[derive(Copy, Clone, Debug)]
pub(super) struct Fit {
    /// From the world to the clip space of the light.
    pub(super) matrix: Mat4,
    /// Metres in the world that a texel covers.
    pub(super) texel: f32,
}

impl Shadow {
    pub(super) fn new(gl: &Gl) -> Result<Self> {
        Ok(Self { map: DepthTexture::new(gl, SIDE)? })
    }

    /// Texels along a side.
    pub(super) fn side(&self) -> u32 {
        self.map.side()
    }

    /// Draws go to the map from now on.
    pub(super) fn begin(&self) {
        self.map.begin(SLOPE, UNITS);
    }

    pub(super) fn end(&self) {
        self.map.end();
    }

    pub(super) fn bind(&self, unit: u32) {
        self.map.bind(unit);
    }
}

/// The least box along the light's axes around `points`, as a square map of `side` texels. `way` is the way to the light.
pub(super) fn fit(points: &[Vec3], way: Vec3, side: u32) -> Fit {
    let way = way.try_normalize().unwrap_or(Vec3::Y);
    let (right, up) = way.any_orthonormal_pair();
    // Beside the middle, because the numbers may be large.
    let (low, high) = points
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), p| (low.min(*p), high.max(*p)));
    let middle = if low.is_finite() && high.is_finite() { low * 0.5 + high * 0.5 } else { Vec3::ZERO };
    let mut reach = Vec3::splat(1e-6);
    for point in points {
        let p = *point - middle;
        reach = reach.max(Vec3::new(p.dot(right), p.dot(up), p.dot(way)).abs());
    }
    let half = reach.x.max(reach.y) * MARGIN;
    let depth = reach.z * MARGIN + half * 0.02;
    // Rows: across, up, and away from the light, each from -1 to 1.
    let row = |axis: Vec3, scale: f32| (axis * scale).extend(-middle.dot(axis) * scale);
    let [x, y, z] = [row(right, 1.0 / half), row(up, 1.0 / half), row(-way, 1.0 / depth)];
    let matrix = Mat4::from_cols(x, y, z, glam::Vec4::W).transpose();
    Fit { matrix, texel: 2.0 * half / side.max(1) as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_in_the_map_and_what_is_nearer_to_the_light_is_less_deep() {
        let points: Vec<Vec3> = (0..50)
            .map(|i| Vec3::new((i as f32).sin() * 30.0, (i as f32 * 1.7).cos() * 2.0 + 1e4, i as f32))
            .collect();
        for way in [Vec3::Y, Vec3::new(0.5, 0.8, 0.3), Vec3::NEG_Z, Vec3::new(-1.0, 0.01, 0.0)] {
            let fit = fit(&points, way, 1000);
            let mut most = 0.0_f32;
            for p in &points {
                let clip = fit.matrix.project_point3(*p);
                assert!(clip.abs().max_element() <= 1.0, "{way}: {p} at {clip}");
                most = most.max(clip.x.abs()).max(clip.y.abs());
                let nearer = fit.matrix.project_point3(*p + way.normalize());
                assert!(nearer.z < clip.z);
            }
            assert!(most > 0.9, "{way}: filled up to {most}");
            assert!(fit.texel > 0.0 && fit.texel < 0.2, "{}", fit.texel);
        }
        assert!(fit(&[], Vec3::ZERO, 0).matrix.is_finite());
        assert!(fit(&[Vec3::ONE], Vec3::X, 10).matrix.is_finite());
    }
}
