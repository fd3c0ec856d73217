use glam::{Affine3A, Mat4, Vec3, Vec3A, Vec4};

/// A ball around what is drawn.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Sphere {
    /// Its middle.
    pub centre: Vec3A,
    /// Its radius.
    pub radius: f32,
}

/// A box along the axes around what is drawn.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Aabb {
    /// Its middle.
    pub centre: Vec3A,
    /// From the middle to the sides.
    pub half: Vec3A,
}

impl Sphere {
    /// One that is everywhere, for what has no bounds.
    pub const EVERYWHERE: Self = Self { centre: Vec3A::ZERO, radius: f32::INFINITY };

    /// A ball around points: the middle of their box, and the farthest of them. Zero for none.
    #[must_use]
    pub fn around(points: impl Iterator<Item = Vec3> + Clone) -> Self {
        let centre = Aabb::around(points.clone()).centre;
        let radius = points.map(|p| Vec3A::from(p).distance(centre)).fold(0.0, f32::max);
        Self { centre, radius }
    }

    /// A ball that has in it whatever this one had in it before the transform.
    #[inline]
    #[must_use]
    pub fn transformed(&self, transform: &Affine3A) -> Self {
        let axes = transform.matrix3;
        // The longest axis alone bounds no sheared transform; the Frobenius norm bounds all, and a rotation's is sqrt(3)
        // times too long. So: the longest axis where the axes are at right angles, and the norm where they are not.
        let (x, y, z) = (axes.x_axis, axes.y_axis, axes.z_axis);
        let (xx, yy, zz) = (x.length_squared(), y.length_squared(), z.length_squared());
        let longest = xx.max(yy).max(zz);
        let skew = x.dot(y).abs() + y.dot(z).abs() + z.dot(x).abs();
        // By Gershgorin's theorem no eigenvalue of the Gram matrix exceeds its diagonal by more than the rest of a row.
        Self {
            centre: transform.transform_point3a(self.centre),
            radius: self.radius * (longest + skew).sqrt(),
        }
    }
}

impl Aabb {
    /// The box of points. Zero for none.
    #[must_use]
    pub fn around(points: impl Iterator<Item = Vec3>) -> Self {
        let none = (Vec3A::INFINITY, Vec3A::NEG_INFINITY);
        let (low, high) = points.map(Vec3A::from).fold(none, |(low, high), p| (low.min(p), high.max(p)));
        if low.cmple(high).all() {
            Self { centre: (low + high) * 0.5, half: (high - low) * 0.5 }
        } else {
            Self { centre: Vec3A::ZERO, half: Vec3A::ZERO }
        }
    }

    /// A box that has in it whatever this one had in it before the transform.
    #[must_use]
    pub fn transformed(&self, transform: &Affine3A) -> Self {
        let axes = transform.matrix3;
        let half = axes.x_axis.abs() * self.half.x
            + axes.y_axis.abs() * self.half.y
            + axes.z_axis.abs() * self.half.z;
        Self { centre: transform.transform_point3a(self.centre), half }
    }
}

/// Four planes side by side: each lane is one of them.
#[derive(Copy, Clone, Debug, PartialEq)]
struct FourPlanes {
    x: Vec4,
    y: Vec4,
    z: Vec4,
    w: Vec4,
}

impl FourPlanes {
    fn new(planes: [Vec4; 4]) -> Self {
        // The columns of a matrix of the planes are the planes; its rows are what is wanted.
        let lanes = Mat4::from_cols(planes[0], planes[1], planes[2], planes[3]).transpose();
        Self { x: lanes.x_axis, y: lanes.y_axis, z: lanes.z_axis, w: lanes.w_axis }
    }

    #[inline]
    fn distance(&self, p: Vec3A) -> Vec4 {
        self.x * p.x + self.y * p.y + self.z * p.z + self.w
    }

    /// How far a box of these half sides reaches towards each plane.
    #[inline]
    fn reach(&self, half: Vec3A) -> Vec4 {
        self.x.abs() * half.x + self.y.abs() * half.y + self.z.abs() * half.z
    }
}

/// The part of space that a camera sees: six planes, tested four at a time.
///
/// A test says `false` only for what certainly lies outside one plane. Near the corners it lets through some of what
/// is not seen, which costs a draw; it never holds back what is seen.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Frustum {
    sides: FourPlanes,
    /// Near and far, each twice.
    ends: FourPlanes,
}

impl Frustum {
    /// The planes of a matrix from the world to clip space, with OpenGL's depth from -w to w
    /// (Gribb and Hartmann 2001). A plane that the matrix does not have, as the far one of an infinite projection,
    /// holds nothing back.
    #[must_use]
    pub fn new(view_projection: Mat4) -> Self {
        let row = |i| view_projection.row(i);
        let (x, y, z, w) = (row(0), row(1), row(2), row(3));
        let plane = |p: Vec4| {
            let length = p.truncate().length();
            // Without a direction it is no plane: everything is inside.
            if length > 0.0 && length.is_finite() { p / length } else { Vec4::W }
        };
        let (near, far) = (plane(w + z), plane(w - z));
        Self {
            sides: FourPlanes::new([plane(w + x), plane(w - x), plane(w + y), plane(w - y)]),
            ends: FourPlanes::new([near, far, near, far]),
        }
    }

    /// Whether some of a ball may be seen. About twenty instructions, no branch but the last.
    #[inline]
    #[must_use]
    pub fn sees_sphere(&self, sphere: &Sphere) -> bool {
        let outside = Vec4::splat(-sphere.radius);
        let sides = self.sides.distance(sphere.centre).cmplt(outside);
        let ends = self.ends.distance(sphere.centre).cmplt(outside);
        !(sides | ends).any()
    }

    /// Whether some of a box may be seen.
    #[inline]
    #[must_use]
    pub fn sees_box(&self, aabb: &Aabb) -> bool {
        let sides = self.sides.distance(aabb.centre) + self.sides.reach(aabb.half);
        let ends = self.ends.distance(aabb.centre) + self.ends.reach(aabb.half);
        !(sides.cmplt(Vec4::ZERO) | ends.cmplt(Vec4::ZERO)).any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::camera::rh::{proj, view};
    use glam::{EulerRot, Quat};
    use proptest::prelude::*;

    fn camera() -> Mat4 {
        proj::opengl::perspective(1.0, 1.5, 0.1, 100.0)
            * view::look_at_mat4(Vec3::new(3.0, 2.0, 8.0), Vec3::ZERO, Vec3::Y)
    }

    fn visible(clip: Mat4, point: Vec3A) -> bool {
        let c = clip * Vec3::from(point).extend(1.0);
        // A hair inside, since the planes are rounded another way.
        let w = c.w * 0.9999;
        c.x.abs() < w && c.y.abs() < w && c.z.abs() < w
    }

    /// Plane by plane, one coordinate after the other, in double precision.
    fn naive_sphere(clip: Mat4, sphere: &Sphere) -> bool {
        let rows: Vec<_> = (0..4).map(|i| clip.row(i).as_dvec4()).collect();
        let centre = Vec3::from(sphere.centre).as_dvec3().extend(1.0);
        (0..3).flat_map(|i| [rows[3] + rows[i], rows[3] - rows[i]]).all(|plane| {
            plane.dot(centre) / plane.truncate().length() >= -f64::from(sphere.radius) * 1.001 - 1e-3
        })
    }

    prop_compose! {
        fn place()(x in -30.0f32..30.0, y in -30.0f32..30.0, z in -120.0f32..30.0) -> Vec3 { Vec3::new(x, y, z) }
    }

    prop_compose! {
        fn transform()(
            at in place(), turn in prop::array::uniform3(-3.2f32..3.2),
            scale in prop::array::uniform3(-3.0f32..3.0), shear in -2.0f32..2.0,
        ) -> Affine3A {
            let mut t = Affine3A::from_scale_rotation_translation(
                scale.into(), Quat::from_euler(EulerRot::XYZ, turn[0], turn[1], turn[2]), at);
            t.matrix3.y_axis += t.matrix3.x_axis * shear;
            t
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_sphere_with_a_visible_point_is_never_held_back(
            at in place(), radius in 0.0f32..10.0, toward in place(), share in 0.0f32..1.0,
        ) {
            let sphere = Sphere { centre: at.into(), radius };
            let point = sphere.centre + Vec3A::from(toward).normalize_or_zero() * radius * share;
            prop_assert!(!visible(camera(), point) || Frustum::new(camera()).sees_sphere(&sphere));
        }

        #[test]
        fn spheres_are_judged_as_by_the_naive_test(at in place(), radius in 0.0f32..10.0) {
            let sphere = Sphere { centre: at.into(), radius };
            // What the naive one holds back by a margin is held back as well: the test does not just say yes.
            if !naive_sphere(camera(), &sphere) {
                prop_assert!(!Frustum::new(camera()).sees_sphere(&sphere));
            }
        }

        #[test]
        fn a_box_with_a_visible_point_is_never_held_back(
            at in place(), half in prop::array::uniform3(0.0f32..10.0), inside in prop::array::uniform3(-1.0f32..1.0),
        ) {
            let aabb = Aabb { centre: at.into(), half: half.into() };
            let point = aabb.centre + aabb.half * Vec3A::from(inside);
            prop_assert!(!visible(camera(), point) || Frustum::new(camera()).sees_box(&aabb));
        }

        #[test]
        fn bounds_stay_around_what_they_bound(t in transform(), point in prop::array::uniform3(-1.0f32..1.0)) {
            let point = Vec3A::from(point);
            let moved = t.transform_point3a(point);
            let aabb = Aabb { centre: Vec3A::ZERO, half: Vec3A::ONE }.transformed(&t);
            let outside = ((moved - aabb.centre).abs() - aabb.half).max_element();
            prop_assert!(outside < 1e-3, "{outside}");
            let ball = Sphere { centre: Vec3A::ZERO, radius: point.length() }.transformed(&t);
            prop_assert!(moved.distance(ball.centre) <= ball.radius * 1.0001 + 1e-3);
        }
    }

    #[test]
    fn what_lies_behind_beside_or_too_far_is_held_back() {
        let frustum = Frustum::new(proj::opengl::perspective(1.0, 1.0, 1.0, 100.0));
        for (x, y, z, seen) in [
            (0.0, 0.0, -10.0, true),
            (0.0, 0.0, 10.0, false),
            (0.0, 0.0, -105.0, false),
            (0.0, 0.0, -100.5, true),
            (50.0, 0.0, -10.0, false),
            (0.0, -50.0, -10.0, false),
            (0.0, 6.2, -10.0, true),
        ] {
            let centre = Vec3A::new(x, y, z);
            assert_eq!(frustum.sees_sphere(&Sphere { centre, radius: 1.0 }), seen, "{centre}");
            assert_eq!(frustum.sees_box(&Aabb { centre, half: Vec3A::ONE }), seen, "box at {centre}");
        }
    }

    #[test]
    fn bounds_without_numbers_or_ends_are_drawn() {
        let frustum = Frustum::new(proj::vulkan::perspective_infinite(1.0, 1.0, 1.0));
        assert!(frustum.sees_sphere(&Sphere { centre: Vec3A::new(0.0, 0.0, -1e9), radius: 1.0 }));
        assert!(frustum.sees_sphere(&Sphere { centre: Vec3A::NAN, radius: 1.0 }));
        assert!(frustum.sees_sphere(&Sphere::EVERYWHERE.transformed(&Affine3A::IDENTITY)));
        assert!(Frustum::new(Mat4::ZERO).sees_sphere(&Sphere { centre: Vec3A::ONE, radius: 0.0 }));
    }

    #[test]
    fn bounds_of_points_are_those_of_points() {
        let points = [Vec3::ZERO, Vec3::new(2.0, 4.0, -6.0)];
        let aabb = Aabb::around(points.into_iter());
        assert_eq!((aabb.centre, aabb.half), (Vec3A::new(1.0, 2.0, -3.0), Vec3A::new(1.0, 2.0, 3.0)));
        assert_eq!(Sphere::around(points.into_iter()).radius, Vec3A::new(1.0, 2.0, 3.0).length());
        assert_eq!(Sphere::around([].into_iter()).radius, 0.0);
    }
}
