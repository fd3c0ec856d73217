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
    yaw: f32,
    pitch: f32,
    zoom: f32,
    dragging: bool,
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

impl Camera {
    /// From the world to clip space, for a picture of this aspect ratio.
    pub fn view_projection(&self, aspect: f32) -> Mat4 {
        let (near, far) = self.near_far;
        // In a picture higher than wide the width is what everything must fit into.
        let half = if aspect < 1.0 { (HALF_FOV.tan() / aspect.max(0.05)).atan() } else { HALF_FOV };
        proj::opengl::perspective(2.0 * half, aspect, near, far) * self.view
    }
}

impl Orbit {
    /// A camera that sees a ball.
    pub(super) fn around(centre: Vec3, radius: f32) -> Self {
        Self { centre, radius: radius.max(1e-6), yaw: 0.6, pitch: 0.42, zoom: 1.0, dragging: false, pointer: None }
    }

    pub(super) fn input(&mut self, event: &InputEvent) {
        match event.kind {
            InputKind::Button { button: ButtonCode::Primary, pressed } => self.dragging = pressed,
            InputKind::PointerMoved { position } => {
                if let (true, Some(before)) = (self.dragging, self.pointer) {
                    let moved = position - before;
                    self.yaw = (self.yaw - moved.x * TURN) % std::f32::consts::TAU;
                    self.pitch = (self.pitch + moved.y * TURN).clamp(-STEEPEST, STEEPEST);
                }
                self.pointer = Some(position);
            }
            InputKind::Scroll { lines } => self.zoom = (self.zoom * (1.0 - lines.y * ZOOM).clamp(0.5, 2.0)).clamp(0.05, 20.0),
            InputKind::Focus { gained: false } => self.dragging = false,
            _ => {}
        }
    }

    pub(super) fn camera(&self) -> Camera {
        let distance = self.radius / HALF_FOV.sin() * self.zoom;
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        let eye = self.centre + distance * Vec3::new(cos_pitch * sin_yaw, sin_pitch, cos_pitch * cos_yaw);
        let near = ((distance - self.radius) * 0.5).max(distance * 0.01);
        let far = distance + 3.0 * self.radius;
        Camera { eye, view: view::look_at_mat4(eye, self.centre, Vec3::Y), near_far: (near, far) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn the_ball_is_inside_the_picture_in_any_aspect() {
        let (centre, radius) = (Vec3::new(3.0, -2.0, 5.0), 2.5);
        for aspect in [0.3, 1.0, 1.78, 4.0] {
            let clip = Orbit::around(centre, radius).camera().view_projection(aspect);
            for axis in [Vec3::X, Vec3::Y, Vec3::Z, -Vec3::X, -Vec3::Y, -Vec3::Z] {
                let p = clip.project_point3(centre + axis * radius);
                assert!(p.abs().max_element() <= 1.0, "aspect {aspect}, {axis}: {p}");
            }
        }
    }

    #[test]
    fn dragging_turns_and_losing_focus_ends_it() {
        let mut orbit = Orbit::around(Vec3::ZERO, 1.0);
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
