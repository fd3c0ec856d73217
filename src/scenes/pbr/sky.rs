//! The surroundings of a model: a sky, a floor and two bright panels as in a studio, computed when they are needed.
//!
//! A smooth surface reflects the cube as it is, a rough one a level of it in which each direction is the mean of what
//! such a surface sees (Karis, "Real Shading in Unreal Engine 4", 2013); matt surfaces get nine numbers.

use glam::Vec3;

/// Texels along an edge of the sharpest level.
pub(super) const SIDE: u32 = 64;
/// From mirror to matt.
pub(super) const LEVELS: u32 = 6;
/// Directions that the mean of a rough texel is taken of.
const SAMPLES: u32 = 48;

/// The way to the sun where the file has no light of its own: from the upper right, before the model.
pub(super) const TO_SUN: Vec3 = Vec3::new(0.508_0, 0.762_0, 0.401_6);
/// Its light, in lux that 1 / pi of a white surface is lit by.
pub(super) const SUN: Vec3 = Vec3::new(2.2, 2.05, 1.8);

/// The light from `direction` (a unit vector, y up).
pub(super) fn radiance(direction: Vec3) -> Vec3 {
    let up = direction.y;
    let zenith = Vec3::new(0.22, 0.26, 0.34);
    let horizon = Vec3::new(0.60, 0.62, 0.64);
    let floor = Vec3::new(0.11, 0.105, 0.10);
    let far_floor = Vec3::new(0.32, 0.30, 0.28);
    let sky = horizon.lerp(zenith, up.max(0.0).sqrt());
    let ground = far_floor.lerp(floor, (-up).max(0.0).sqrt());
    let base = ground.lerp(sky, smooth(-0.04, 0.04, up));
    // The air about the sun; the sun itself is a light.
    let glow = direction.dot(TO_SUN).max(0.0).powi(24) * Vec3::new(1.6, 1.4, 1.1);
    // Two panels with soft edges: what polished metal shows.
    let panels = panel(direction, Vec3::new(-0.78, 0.42, 0.46), 0.42, 0.30) * 2.6
        + panel(direction, Vec3::new(0.55, 0.25, -0.80), 0.60, 0.22) * 1.6;
    base + glow + Vec3::new(1.0, 0.98, 0.94) * panels
}

/// A rectangle in the direction `middle`, so many radians to each side.
fn panel(direction: Vec3, middle: Vec3, width: f32, height: f32) -> f32 {
    let middle = middle.normalize();
    let right = Vec3::Y.cross(middle).normalize();
    let up = middle.cross(right);
    let ahead = direction.dot(middle);
    if ahead <= 0.0 {
        return 0.0;
    }
    let (x, y) = (direction.dot(right) / ahead, direction.dot(up) / ahead);
    smooth(width + 0.06, width - 0.06, x.abs()) * smooth(height + 0.06, height - 0.06, y.abs())
}

fn smooth(from: f32, to: f32, at: f32) -> f32 {
    let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The direction of a place on a face of the cube, in OpenGL's order and orientation.
fn direction(face: usize, x: u32, y: u32, side: u32) -> Vec3 {
    let at = |i: u32| (2.0 * i as f32 + 1.0) / side as f32 - 1.0;
    let (u, v) = (at(x), at(y));
    match face {
        0 => Vec3::new(1.0, -v, -u),
        1 => Vec3::new(-1.0, -v, u),
        2 => Vec3::new(u, 1.0, v),
        3 => Vec3::new(u, -1.0, -v),
        4 => Vec3::new(u, -v, 1.0),
        _ => Vec3::new(-u, -v, -1.0),
    }
}

/// All levels of the cube, each six faces of rows of linear colours. Takes some ten milliseconds with optimisation.
pub(super) fn cube() -> Vec<Vec<[f32; 3]>> {
    (0..LEVELS)
        .map(|level| {
            let side = SIDE >> level;
            let roughness = level as f32 / (LEVELS - 1) as f32;
            let lobe = lobe(roughness);
            let mut texels = Vec::with_capacity((6 * side * side) as usize);
            for face in 0..6 {
                for y in 0..side {
                    for x in 0..side {
                        texels.push(seen(direction(face, x, y, side).normalize(), &lobe).into());
                    }
                }
            }
            texels
        })
        .collect()
}

/// Directions about z that a surface of this roughness reflects z's viewer to, with their weights: GGX microfacets seen
/// head on, spread evenly by Hammersley's points. A mirror has one.
fn lobe(roughness: f32) -> Vec<(Vec3, f32)> {
    if roughness == 0.0 {
        return vec![(Vec3::Z, 1.0)];
    }
    let a2 = roughness.powi(4);
    let one = |i: u32| {
        let (u, v) = ((i as f32 + 0.5) / SAMPLES as f32, (i.reverse_bits() as f32) / 4_294_967_296.0);
        let cos2 = (1.0 - u) / (1.0 + (a2 - 1.0) * u);
        let (cos, sin) = (cos2.sqrt(), (1.0 - cos2).max(0.0).sqrt());
        let (s, c) = (v * std::f32::consts::TAU).sin_cos();
        let facet = Vec3::new(sin * c, sin * s, cos);
        // The viewer mirrored by the facet.
        let out = 2.0 * cos * facet - Vec3::Z;
        (out, out.z)
    };
    (0..SAMPLES).map(one).filter(|(_, weight)| *weight > 0.0).collect()
}

fn seen(direction: Vec3, lobe: &[(Vec3, f32)]) -> Vec3 {
    if let [(_, _)] = lobe {
        return radiance(direction);
    }
    let (right, up) = direction.any_orthonormal_pair();
    let mut sum = Vec3::ZERO;
    let mut weights = 0.0;
    for (out, weight) in lobe {
        sum += radiance(right * out.x + up * out.y + direction * out.z) * *weight;
        weights += weight;
    }
    sum / weights
}

/// What a white matt surface shows, by its normal: the coefficients of nine harmonics in the order that the shader has
/// them, all constants multiplied in. `cube` is the sharpest level.
pub(super) fn irradiance(cube: &[[f32; 3]]) -> [[f32; 4]; 9] {
    let mut sums = [Vec3::ZERO; 9];
    let per_face = (SIDE * SIDE) as usize;
    for (i, light) in cube.iter().enumerate() {
        let (face, at) = (i / per_face, (i % per_face) as u32);
        let towards = direction(face, at % SIDE, at / SIDE, SIDE);
        // The solid angle of a texel shrinks with the cube of its distance.
        let area = (2.0 / SIDE as f32).powi(2) / towards.length().powi(3);
        let light = Vec3::from(*light) * area;
        for (sum, value) in sums.iter_mut().zip(harmonics(towards.normalize())) {
            *sum += light * value;
        }
    }
    // Squares of the harmonics' constants, times what a cosine leaves of each band, divided by pi.
    let [flat, linear, quadratic] = [1.0, 2.0 / 3.0, 0.25];
    let (c1, c2, c3) = (0.488_603_f32.powi(2), 1.092_548_f32.powi(2), 0.315_392_f32.powi(2));
    let c = [
        flat * 0.282_095_f32.powi(2),
        linear * c1,
        linear * c1,
        linear * c1,
        quadratic * c2,
        quadratic * c2,
        quadratic * c3,
        quadratic * c2,
        quadratic * 0.546_274_f32.powi(2),
    ];
    std::array::from_fn(|i| (sums[i] * c[i]).extend(0.0).into())
}

/// The harmonics without their constants.
fn harmonics(n: Vec3) -> [f32; 9] {
    [1.0, n.y, n.z, n.x, n.x * n.y, n.y * n.z, 3.0 * n.z * n.z - 1.0, n.x * n.z, n.x * n.x - n.y * n.y]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean of the light by the cosine, summed up directly, beside the nine numbers.
    #[test]
    fn irradiance_agrees_with_a_direct_sum() {
        let cube: Vec<[f32; 3]> = cube().swap_remove(0);
        let coefficients = irradiance(&cube);
        for normal in [Vec3::Y, Vec3::NEG_Y, Vec3::X, Vec3::new(-0.6, 0.0, 0.8), TO_SUN] {
            let near: Vec3 = harmonics(normal)
                .iter()
                .zip(&coefficients)
                .map(|(h, c)| Vec3::new(c[0], c[1], c[2]) * *h)
                .sum();
            let (mut sum, mut weight) = (Vec3::ZERO, 0.0);
            for face in 0..6 {
                for i in 0..32 * 32 {
                    let towards = direction(face, i % 32, i / 32, 32);
                    let area = towards.length().powi(-3);
                    let cosine = towards.normalize().dot(normal).max(0.0);
                    sum += radiance(towards.normalize()) * area * cosine;
                    weight += area * cosine;
                }
            }
            let exact = sum / weight;
            assert!((near - exact).abs().max_element() < 0.06, "{normal}: {near} and not {exact}");
        }
    }

    #[test]
    fn rougher_levels_are_smoother_and_keep_the_light() {
        let levels = cube();
        let mean = |level: &[[f32; 3]]| level.iter().map(|c| c[1]).sum::<f32>() / level.len() as f32;
        let range = |level: &[[f32; 3]]| {
            let all = || level.iter().map(|c| c[1]);
            all().fold(0.0, f32::max) - all().fold(f32::MAX, f32::min)
        };
        for (a, b) in levels.iter().zip(&levels[1..]) {
            assert_eq!(a.len(), b.len() * 4);
            assert!(range(b) < range(a));
            assert!((mean(a) - mean(b)).abs() < 0.1 * mean(a), "{} {}", mean(a), mean(b));
        }
        assert!(levels.iter().flatten().flatten().all(|v| v.is_finite() && *v >= 0.0));
    }

    #[test]
    fn the_sun_is_a_unit_vector() {
        assert!((TO_SUN.length() - 1.0).abs() < 1e-3);
    }
}
