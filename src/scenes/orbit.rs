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

/// Where the camera is, around what it looks at.
#[derive(Copy, Clone, Debug)]
pub(super) struct Orbit {
    centre: Vec3,
    radius: f32,
    distance: f32,
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
}

/// Half the vertical field of view, in radians.
const HALF_FOV: f32 = 0.35;
/// The aspect ratio of the pictures that everything is fitted into; narrower ones see a wider angle instead.
const FITTED_ASPECT: f32 = 16.0 / 9.0;
/// Room left around what is fitted.
const MARGIN: f32 = 1.06;

impl Camera {
    /// From the world to clip space, for a picture of this aspect ratio.
    pub fn view_projection(&self, aspect: f32) -> Mat4 {
        let (near, far) = self.near_far;
        // The width is what everything must fit into.
        let half = (HALF_FOV.tan() * (FITTED_ASPECT / aspect.max(0.05)).max(1.0)).atan();
        proj::opengl::perspective(2.0 * half, aspect, near, far) * self.view
    }
}

impl Orbit {
    /// A camera that sees the whole of a box.
    pub(super) fn around(min: Vec3, max: Vec3) -> Self {
        let (centre, half) = ((min + max) / 2.0, ((max - min) / 2.0).max(Vec3::splat(1e-6)));
        let mut orbit = Self {
            centre,
            radius: half.length(),
            distance: 0.0,
            yaw: 0.6,
            pitch: 0.42,
            zoom: 1.0,
            dragging: false,
            touched: false,
            moved: false,
            pointer: None,
        };
        let back = orbit.back();
        let right = Vec3::Y.cross(back).normalize();
        let up = back.cross(right);
        let tan = HALF_FOV.tan();
        // Each corner says how far away the camera must be to have it in the picture.
        orbit.distance = (0..8)
            .map(|i| half * Vec3::new(sign(i & 1), sign(i & 2), sign(i & 4)))
            .map(|p| p.dot(back) + MARGIN * (p.dot(right).abs() / FITTED_ASPECT).max(p.dot(up).abs()) / tan)
            .fold(0.0, f32::max);
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
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        Vec3::new(cos_pitch * sin_yaw, sin_pitch, cos_pitch * cos_yaw)
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
        let eye = self.centre + distance * self.back();
        let near = ((distance - self.radius) * 0.5).max(distance * 0.01);
        let far = distance + 3.0 * self.radius;
        Camera { eye, view: view::look_at_mat4(eye, self.centre, Vec3::Y), near_far: (near, far) }
    }
}

const fn sign(bit: u32) -> f32 {
    if bit == 0 { -1.0 } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn the_box_is_inside_the_picture_in_any_aspect_and_fills_it() {
        let (min, max) = (Vec3::new(-1.0, 2.0, 3.0), Vec3::new(4.0, 2.5, 9.0));
        for aspect in [0.3, 1.0, FITTED_ASPECT, 4.0] {
            let clip = Orbit::around(min, max).camera().view_projection(aspect);
            let extent = (0..8)
                .map(|i| Vec3::new(sign(i & 1), sign(i & 2), sign(i & 4)) * 0.5 + 0.5)
                .map(|t| clip.project_point3(min + (max - min) * t).abs().max_element())
                .fold(0.0, f32::max);
            assert!(extent <= 1.0, "aspect {aspect}: {extent}");
            // Other aspect ratios leave room on two sides, or on all when the box is higher than wide.
            assert!(extent > 0.9 || aspect != FITTED_ASPECT, "aspect {aspect}: {extent}");
        }
    }

    #[test]
    fn dragging_turns_and_losing_focus_ends_it() {
        let mut orbit = Orbit::around(-Vec3::ONE, Vec3::ONE);
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
