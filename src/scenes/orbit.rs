//! A camera that orbits a point with the mouse.

use glam::camera::rh::{proj, view};
use glam::{Mat4, Vec2, Vec3};

use crate::runtime::{ButtonCode, InputEvent, InputKind};

/// Radians per pixel dragged.
const TURN: f32 = 0.008;
/// Share of the distance per line scrolled.
const ZOOM: f32 = 0.1;
/// Steepest look up or down, in radians: short of the pole, where left and right change places.
const STEEPEST: f32 = 1.5;

/// Where the camera begins, in radians round and above: what lies on the ground shows its shape there.
const YAW: f32 = 0.6;
const PITCH: f32 = 0.42;

/// Where the camera is, around what it looks at.
#[derive(Copy, Clone, Debug)]
pub(super) struct Orbit {
    centre: Vec3,
    /// From the centre to what the camera looks at before it is turned: what is nearer looks larger, so that the middle
    /// of the picture is beside the middle of the model.
    aside: Vec3,
    radius: f32,
    distance: f32,
    reach: Vec2,
    yaw: f32,
    pitch: f32,
    zoom: f32,
    dragging: bool,
    /// Turned or zoomed by the input of this step, and of the one before.
    touched: bool,
    moved: bool,
    pointer: Option<Vec2>,
}

/// A camera as the renderer needs it; the aspect ratio is the renderer's to know.
#[derive(Copy, Clone, Debug, Default)]
pub struct Camera {
    /// Where it is.
    pub eye: Vec3,
    /// From the world to the camera.
    pub view: Mat4,
    /// Nearest and farthest distance that is drawn.
    pub near_far: (f32, f32),
    /// How far to the sides and how far up and down that reaches which is to be in the picture: tangents of the angles
    /// from the middle.
    pub reach: Vec2,
}

/// Half the vertical field of view, in radians, where width and height are as fitted.
const HALF_FOV: f32 = 0.35;
/// The aspect ratio of the picture that sets the camera's distance. In others the field of view follows.
const FITTED_ASPECT: f32 = 16.0 / 9.0;
/// Share of the picture's width or height, whichever is reached first, that is filled.
const FILL: f32 = 0.88;
/// Least distance from the middle of what is looked at, in radii of it: the camera is never inside.
const NEAREST: f32 = 1.1;
/// Halvings of an interval until it is below what a picture shows.
const HALVINGS: u32 = 20;

impl Camera {
    /// From the world to clip space, for a picture of this aspect ratio.
    pub fn view_projection(&self, aspect: f32) -> Mat4 {
        let (near, far) = self.near_far;
        let aspect = aspect.max(0.05);
        let half = (self.reach.y.max(self.reach.x / aspect) / FILL).clamp(1e-3, 1e3).atan();
        proj::opengl::perspective(2.0 * half, aspect, near, far) * self.view
    }
}

impl Orbit {
    /// A camera that has all of these points in the picture and fills it with them, whatever its aspect ratio, as long
    /// as it is not turned.
    pub(super) fn around(points: &[Vec3]) -> Self {
        let mut orbit = Self {
            centre: Vec3::ZERO,
            aside: Vec3::ZERO,
            radius: 0.0,
            distance: 0.0,
            reach: Vec2::ZERO,
            yaw: YAW,
            pitch: PITCH,
            zoom: 1.0,
            dragging: false,
            touched: false,
            moved: false,
            pointer: None,
        };
        let back = orbit.back();
        let right = Vec3::Y.cross(back).normalize();
        let up = back.cross(right);
        // Beside the middle, because the numbers may be large; along the camera's axes.
        let (low, high) = range(points.iter().copied());
        let middle = low * 0.5 + high * 0.5;
        let seen: Vec<Vec3> = points
            .iter()
            .map(|p| *p - middle)
            .map(|p| Vec3::new(p.dot(right), p.dot(up), p.dot(back)))
            .collect();
        let of = |axis: fn(&Vec3) -> f32| move |p: &Vec3| Vec2::new(axis(p), p.z);
        let across: Vec<Vec2> = seen.iter().map(of(|p| p.x)).collect();
        let along: Vec<Vec2> = seen.iter().map(of(|p| p.y)).collect();
        let tan = FILL * HALF_FOV.tan();
        let radius = seen.iter().map(|p| p.length()).fold(1e-6, f32::max);
        let eye = Wedge::around(&across, tan * FITTED_ASPECT)
            .tip
            .max(Wedge::around(&along, tan).tip)
            .max(NEAREST * radius);
        let (across, along) = (Wedge::from(&across, eye), Wedge::from(&along, eye));
        orbit.centre = middle;
        orbit.aside = right * across.middle + up * along.middle;
        orbit.distance = eye;
        orbit.reach = Vec2::new(across.tan, along.tan);
        orbit.radius = radius;
        orbit
    }

    /// Ends the input of a step.
    pub(super) const fn step(&mut self) {
        self.moved = self.touched;
        self.touched = false;
    }

    /// Whether the input of the last step moved the camera.
    pub(super) const fn moved(&self) -> bool {
        self.moved
    }

    /// From the centre towards the camera.
    fn back(&self) -> Vec3 {
        direction(self.yaw, self.pitch)
    }

    pub(super) fn input(&mut self, event: &InputEvent) {
        match event.kind {
            InputKind::Button { button: ButtonCode::Primary, pressed } => self.dragging = pressed,
            InputKind::PointerMoved { position } => {
                if let (true, Some(before)) = (self.dragging, self.pointer) {
                    let moved = position - before;
                    self.touched = true;
                    self.yaw = (self.yaw - moved.x * TURN) % std::f32::consts::TAU;
                    self.pitch = (self.pitch + moved.y * TURN).clamp(-STEEPEST, STEEPEST);
                }
                self.pointer = Some(position);
            }
            InputKind::Scroll { lines } => {
                self.touched = true;
                self.zoom = (self.zoom * (1.0 - lines.y * ZOOM).clamp(0.5, 2.0)).clamp(0.05, 20.0);
            }
            InputKind::Focus { gained: false } => self.dragging = false,
            _ => {}
        }
    }

    pub(super) fn camera(&self) -> Camera {
        let distance = self.distance * self.zoom;
        let back = self.back();
        // Who turns the camera, or comes closer, wants to see the middle of the model.
        let as_fitted = back.dot(direction(YAW, PITCH)).max(0.0).powi(8) * self.zoom.min(1.0);
        let target = self.centre + self.aside * as_fitted;
        let eye = target + distance * back;
        let near = ((distance - self.radius) * 0.5).max(distance * 0.01);
        let far = distance + 3.0 * self.radius;
        let view = view::look_at_mat4(eye, target, Vec3::Y);
        Camera { eye, view, near_far: (near, far), reach: self.reach }
    }
}

/// From the centre towards a camera that is turned and raised so far.
fn direction(yaw: f32, pitch: f32) -> Vec3 {
    let (sin_pitch, cos_pitch) = pitch.sin_cos();
    let (sin_yaw, cos_yaw) = yaw.sin_cos();
    Vec3::new(cos_pitch * sin_yaw, sin_pitch, cos_pitch * cos_yaw)
}

/// The least and the greatest of each coordinate.
fn range(points: impl Iterator<Item = Vec3>) -> (Vec3, Vec3) {
    let none = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    let (low, high) = points.fold(none, |(low, high), p| (low.min(p), high.max(p)));
    if low.is_finite() && high.is_finite() { (low, high) } else { (Vec3::ZERO, Vec3::ZERO) }
}

/// An angle that opens away from the viewer, with points in it: seen from above, or from the side.
#[derive(Copy, Clone, Debug)]
struct Wedge {
    /// Where its axis is.
    middle: f32,
    /// Where its tip is, towards the viewer.
    tip: f32,
    /// Tangent of half its angle.
    tan: f32,
}

impl Wedge {
    /// The foremost wedge of this angle that holds all points (`x` across, `y` towards the viewer).
    fn around(points: &[Vec2], tan: f32) -> Self {
        // A point is inside when it is below both sides: x - middle <= tan * (tip - y), and the same for -x.
        let side = |sign: f32| points.iter().map(|p| sign * p.x + tan * p.y).fold(f32::MIN, f32::max);
        let (a, b) = (side(1.0), side(-1.0));
        Self { middle: (a - b) / 2.0, tip: (a + b) / (2.0 * tan), tan }
    }

    /// The narrowest wedge from this tip, in front of all points, that holds them.
    fn from(points: &[Vec2], tip: f32) -> Self {
        // The tip moves back as the angle closes, so the angle is found by halving.
        let (mut closed, mut open) = (0.0_f32, 100.0_f32);
        for _ in 0..HALVINGS {
            // In proportion: angles of distant points are small.
            let tan = if closed == 0.0 { open / 10.0 } else { (closed * open).sqrt() };
            if Self::around(points, tan).tip <= tip { open = tan } else { closed = tan }
        }
        Self { tip, ..Self::around(points, open) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn corners(min: Vec3, max: Vec3) -> Vec<Vec3> {
        (0..8)
            .map(|i| Vec3::new((i & 1) as f32, (i >> 1 & 1) as f32, (i >> 2) as f32))
            .map(|t| min + (max - min) * t)
            .collect()
    }

    #[test]
    fn points_are_inside_the_picture_in_any_aspect_and_fill_it_evenly() {
        let far = Vec3::new(3e5, -2e5, 1e5);
        let shapes = [
            corners(Vec3::new(-1.0, 2.0, 3.0), Vec3::new(4.0, 2.5, 9.0)),
            corners(Vec3::splat(-1e-4), Vec3::splat(1e-4)),
            corners(Vec3::new(0.0, 0.0, 0.0), Vec3::new(0.0, 1e9, 0.0)),
            corners(far, far + Vec3::splat(100.0)),
            vec![Vec3::ZERO, Vec3::X, Vec3::new(0.2, 3.0, 0.0), Vec3::new(0.0, 0.0, -7.0)],
        ];
        for points in &shapes {
            for aspect in [0.3, 1.0, FITTED_ASPECT, 4.0] {
                let clip = Orbit::around(points).camera().view_projection(aspect);
                let (low, high) = range(points.iter().map(|p| clip.project_point3(*p)));
                // The longer of both fills what is promised, and both are in the middle.
                let fill = ((high - low) / 2.0).truncate().max_element();
                assert!((fill - FILL).abs() < 0.01, "aspect {aspect}, {points:?}: {fill}");
                let middle = ((high + low) / 2.0).truncate().abs().max_element();
                assert!(middle < 0.01, "aspect {aspect}, {points:?}: {middle} beside the middle");
                assert!(
                    low.z > -1.0 && high.z < 1.0,
                    "aspect {aspect}, {points:?}: depth {} {}",
                    low.z,
                    high.z
                );
            }
        }
    }

    #[test]
    fn cameras_around_nothing_much_are_finite() {
        let line = Orbit::around(&[]).back() * 5.0;
        for points in
            [vec![], vec![Vec3::ONE], vec![Vec3::ZERO, line], vec![Vec3::splat(1e15), Vec3::splat(-1e15)]]
        {
            for aspect in [1e-9, 1.0, 1e9] {
                let camera = Orbit::around(&points).camera();
                assert!(camera.view_projection(aspect).is_finite(), "{points:?}: {camera:?}");
            }
        }
    }

    #[test]
    fn dragging_turns_and_losing_focus_ends_it() {
        let mut orbit = Orbit::around(&corners(-Vec3::ONE, Vec3::ONE));
        let send = |orbit: &mut Orbit, kind| orbit.input(&InputEvent::new(Timestamp::ZERO, kind));
        let at = |x| InputKind::PointerMoved { position: Vec2::new(x, 0.0) };
        let before = orbit.camera().eye;
        send(&mut orbit, at(0.0));
        send(&mut orbit, at(50.0));
        assert_eq!(orbit.camera().eye, before, "no button");
        send(&mut orbit, InputKind::Button { button: ButtonCode::Primary, pressed: true });
        send(&mut orbit, at(100.0));
        let turned = orbit.camera().eye;
        assert!(turned.distance(before) > 0.1);
        send(&mut orbit, InputKind::Focus { gained: false });
        send(&mut orbit, at(200.0));
        assert_eq!(orbit.camera().eye, turned);
    }
}
