//! Axis-aligned boxes: what a camera is fitted to.

use glam::{Mat4, Vec3};

use crate::scene::Aabb;

/// A box along the axes; `min` is at most `max` in each.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Bounds {
    /// The corner with the least coordinates.
    pub min: Vec3,
    /// The corner with the greatest coordinates.
    pub max: Vec3,
}

impl Bounds {
    /// The least box around `points`; `None` without points.
    pub fn of_points(points: impl IntoIterator<Item = Vec3>) -> Option<Self> {
        let mut points = points.into_iter();
        let first = points.next()?;
        let start = Self { min: first, max: first };
        Some(points.fold(start, |b, p| Self { min: b.min.min(p), max: b.max.max(p) }))
    }

    /// The least box around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// The box around this one's corners, moved by `matrix` (affine). Never smaller than what lies inside.
    #[must_use]
    pub fn transformed(self, matrix: &Mat4) -> Self {
        // Arvo, "Transforming Axis-Aligned Bounding Boxes", Graphics Gems, 1990.
        let mut min = matrix.w_axis.truncate();
        let mut max = min;
        for (axis, (low, high)) in [matrix.x_axis, matrix.y_axis, matrix.z_axis].into_iter().zip([
            (self.min.x, self.max.x),
            (self.min.y, self.max.y),
            (self.min.z, self.max.z),
        ]) {
            let (a, b) = (axis.truncate() * low, axis.truncate() * high);
            min += a.min(b);
            max += a.max(b);
        }
        Self { min, max }
    }

    /// The same as the frustum test takes it.
    pub(in crate::scenes) fn aabb(self) -> Aabb {
        let half = self.max * 0.5 - self.min * 0.5;
        Aabb { centre: self.center().into(), half: half.into() }
    }

    /// The eight corners.
    #[must_use]
    pub fn corners(self) -> [Vec3; 8] {
        let pick = |bit: usize, i: usize, low, high| if i & bit == 0 { low } else { high };
        std::array::from_fn(|i| {
            Vec3::new(
                pick(1, i, self.min.x, self.max.x),
                pick(2, i, self.min.y, self.max.y),
                pick(4, i, self.min.z, self.max.z),
            )
        })
    }

    /// The middle.
    #[must_use]
    pub fn center(self) -> Vec3 {
        self.min * 0.5 + self.max * 0.5
    }

    /// Radius of the sphere around the box.
    #[must_use]
    pub fn radius(self) -> f32 {
        (self.max * 0.5 - self.min * 0.5).length()
    }

    /// Whether all coordinates are finite and at most `extent` from zero.
    pub(super) fn within(self, extent: f32) -> bool {
        // `<=` is false for what is not a number.
        [self.min, self.max].iter().all(|corner| corner.to_array().iter().all(|v| v.abs() <= extent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transformed_holds_every_corner() {
        let bounds = Bounds { min: Vec3::new(-1.0, 2.0, -3.0), max: Vec3::new(4.0, 5.0, 6.0) };
        let matrix = Mat4::from_rotation_y(0.7)
            * Mat4::from_rotation_x(2.1)
            * Mat4::from_scale(Vec3::new(-2.0, 1.0, 0.0))
            + Mat4::from_translation(Vec3::new(7.0, 8.0, 9.0))
            - Mat4::IDENTITY;
        let corners = (0..8).map(|i| {
            let pick = |bit: i32, low, high| if i & bit == 0 { low } else { high };
            matrix.transform_point3(Vec3::new(pick(1, -1.0, 4.0), pick(2, 2.0, 5.0), pick(4, -3.0, 6.0)))
        });
        let expected = Bounds::of_points(corners).unwrap();
        let got = bounds.transformed(&matrix);
        assert!((got.min - expected.min).length() < 1.0e-4 && (got.max - expected.max).length() < 1.0e-4);
    }

    #[test]
    fn within_not_a_number_is_outside() {
        let at = |v| Bounds { min: Vec3::ZERO, max: Vec3::splat(v) };
        assert!(at(1.0).within(1.0));
        for v in [1.1, f32::INFINITY, f32::NAN, -2.0] {
            assert!(!at(v).within(1.0), "{v}");
        }
    }
}
