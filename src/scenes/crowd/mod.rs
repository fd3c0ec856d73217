//! A crowd that walks round in rings: many shapes in many looks, balloons that are seen through, confetti over it.
//!
//! It is recorded on the logic thread, as it moves, and drawn by [`Painter`](crate::gl::Painter): the camera alone says
//! what of it is in the picture.

mod cast;
mod confetti;
mod renderer;
mod shapes;

use std::f32::consts::{PI, TAU};

use glam::{Affine3A, Quat, Vec3};

use super::MAX_INSTANCES;
use super::orbit::{Camera, Orbit};
use crate::runtime::{InputEvent, Logic, Tick};
use crate::scene::{DrawList, MaterialId, MeshId, PassRecorder};
use crate::sim::Noise;
use cast::{BALL, CLEAR, GROUND, OPAQUE, SHAPES, SPOT};
use confetti::Confetti;
pub(super) use renderer::CrowdRenderer;

/// From one ring to the next, and from one walker to the next in a ring.
const SPACING: f32 = 1.25;
/// The innermost ring, round what stands in the middle.
const INNERMOST: f32 = 2.3;
/// What the camera has in view at first: where the crowd is larger, the rest lies beside and behind it.
const VIEWED: f32 = 8.5;
/// Walkers for each balloon.
const PER_BALLOON: usize = 12;
/// A multiple of a whole turn: what is counted on to here goes on from 0, and nobody sees it.
const ROUND: f32 = 64.0 * TAU;

/// Many walkers of different shapes, and what is in the air over them.
#[derive(Clone, Debug)]
pub struct Crowd {
    walkers: Vec<Walker>,
    balloons: Vec<Balloon>,
    confetti: Confetti,
    ground: f32,
    orbit: Orbit,
}

/// What is drawn of a [`Crowd`]: pass 0 is the world, pass 1 is the confetti before it.
#[derive(Clone, Debug, Default)]
pub struct CrowdView {
    list: DrawList,
    camera: Camera,
}

/// Whoever goes round at this distance from the middle.
#[derive(Copy, Clone, Debug)]
struct Round {
    radius: f32,
    angle: f32,
    /// Radians per second.
    speed: f32,
}

#[derive(Copy, Clone, Debug)]
struct Walker {
    round: Round,
    mesh: MeshId,
    material: MaterialId,
    size: f32,
    /// Of its hops: where it is, how fast (radians per second), and how high.
    phase: f32,
    rate: f32,
    height: f32,
}

#[derive(Copy, Clone, Debug)]
struct Balloon {
    round: Round,
    material: MaterialId,
    size: f32,
    height: f32,
    phase: f32,
}

impl Round {
    fn step(&mut self, dt: f32) {
        self.angle = (self.angle + self.speed * dt) % TAU;
    }

    fn place(&self, height: f32) -> Vec3 {
        let (sin, cos) = self.angle.sin_cos();
        Vec3::new(self.radius * cos, height, -self.radius * sin)
    }

    /// Turns what looks along the x axis the way that it goes.
    fn heading(&self) -> f32 {
        self.angle + PI.copysign(self.speed) / 2.0
    }
}

impl Crowd {
    /// A crowd of `n` walkers (at most [`MAX_INSTANCES`]), always the same for the same `n`.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let n = n.min(MAX_INSTANCES);
        let mut random = Noise::new(0xc20d);
        let mut walkers = Vec::with_capacity(n);
        let mut ring = 0_u32;
        while walkers.len() < n {
            let radius = INNERMOST + SPACING * ring as f32;
            let room = (TAU * radius / SPACING) as usize;
            // Every other ring goes the other way round, each as one, so that nobody runs into anybody.
            let pace = (0.5 + 0.4 * random.unit() as f32) * if ring.is_multiple_of(2) { 1.0 } else { -1.0 };
            for place in 0..room.min(n - walkers.len()) {
                let slot = (place as f32 + 0.3 * random.unit() as f32) / room as f32;
                let round = Round { radius, angle: TAU * slot, speed: pace / radius };
                walkers.push(Walker::new(round, &mut random));
            }
            ring += 1;
        }
        let reach = INNERMOST + SPACING * ring as f32;
        let balloons = (0..n / PER_BALLOON).map(|_| Balloon::new(reach, &mut random)).collect();
        let viewed = VIEWED.min(reach);
        // The ground is round, and the crowd is as high as its balloons.
        let rim = (0..16).map(|i| Quat::from_rotation_y(TAU * i as f32 / 16.0) * Vec3::X * viewed);
        let view: Vec<Vec3> = rim.flat_map(|p| [p, p * 0.7 + Vec3::Y * 3.0]).collect();
        Self {
            walkers,
            balloons,
            confetti: Confetti::new(&mut random),
            ground: reach + 1.0,
            orbit: Orbit::around(&view),
        }
    }
}

impl Walker {
    fn new(round: Round, random: &mut Noise) -> Self {
        let mut below = |n: u32| (random.unit() * f64::from(n)) as u32;
        let (shape, look) = (below(SHAPES), below(OPAQUE));
        let mut part = || random.unit() as f32;
        // Some hop, most just walk.
        let height = if part() < 0.25 { 0.35 + 0.35 * part() } else { 0.06 };
        Self {
            round,
            mesh: cast::Name::mesh(shape).id(),
            material: cast::opaque(look),
            size: 0.75 + 0.3 * part(),
            phase: TAU * part(),
            rate: 2.5 + 2.0 * part(),
            height,
        }
    }

    fn record(&self, world: &mut PassRecorder<'_>) {
        let up = self.phase.sin().abs();
        // As it leaves the ground and comes back to it, it leans to one side and then to the other, and gives way.
        let lean = 0.12 * self.phase.sin();
        let give = 0.1 * (1.0 - up) * (self.height / 0.7);
        let turn = Quat::from_rotation_y(self.round.heading()) * Quat::from_rotation_x(lean);
        let size = self.size * Vec3::new(1.0 + 0.5 * give, 1.0 - give, 1.0 + 0.5 * give);
        let at = self.round.place(self.height * up);
        world.draw(self.mesh, self.material, &Affine3A::from_scale_rotation_translation(size, turn, at));
        let spread = self.size * (0.75 - 0.25 * self.height * up);
        shadow(world, at, spread);
    }
}

impl Balloon {
    fn new(reach: f32, random: &mut Noise) -> Self {
        let look = (random.unit() * f64::from(CLEAR)) as u32;
        let mut part = || random.unit() as f32;
        let radius = reach * part().sqrt();
        let round = Round { radius, angle: TAU * part(), speed: 0.25 * (part() - 0.5) / radius.max(1.0) };
        Self {
            round,
            material: cast::clear(look),
            size: 0.7 + 0.5 * part(),
            height: 1.9 + 1.8 * part(),
            phase: TAU * part(),
        }
    }

    fn record(&self, world: &mut PassRecorder<'_>) {
        let at = self.round.place(self.height + 0.25 * self.phase.sin());
        let size = self.size * Vec3::new(1.0, 1.15, 1.0);
        let placed = Affine3A::from_scale_rotation_translation(size, Quat::IDENTITY, at);
        world.draw(BALL.id(), self.material, &placed);
        shadow(world, at, 0.45 * self.size);
    }
}

/// A dark spot on the ground below `at`.
fn shadow(world: &mut PassRecorder<'_>, at: Vec3, spread: f32) {
    let (size, at) = (Vec3::new(spread, 1.0, spread), at.with_y(0.015));
    let placed = Affine3A::from_scale_rotation_translation(size, Quat::IDENTITY, at);
    world.draw(SPOT.id(), cast::shadow(), &placed);
}

/// What the rings go round: a drum with a glass ball on it.
fn record_middle(world: &mut PassRecorder<'_>) {
    let placed =
        |size: Vec3, y: f32| Affine3A::from_scale_rotation_translation(size, Quat::IDENTITY, Vec3::Y * y);
    // Drum, vase and ball among the shapes; the second pattern is stripes, the last one bars.
    world.draw(cast::Name::mesh(3).id(), cast::opaque(53), &placed(Vec3::new(2.6, 0.8, 2.6), 0.0));
    world.draw(cast::Name::mesh(5).id(), cast::opaque(13), &placed(Vec3::splat(1.4), 0.6));
    world.draw(BALL.id(), cast::clear(4), &placed(Vec3::splat(1.7), 2.4));
    shadow(world, Vec3::ZERO, 2.0);
}

impl Logic for Crowd {
    type Snapshot = CrowdView;

    fn input(&mut self, event: &InputEvent) {
        self.orbit.input(event);
    }

    fn update(&mut self, tick: &Tick) {
        let dt = tick.dt.as_secs_f32();
        for walker in &mut self.walkers {
            walker.round.step(dt);
            walker.phase = (walker.phase + walker.rate * dt) % ROUND;
        }
        for balloon in &mut self.balloons {
            balloon.round.step(dt);
            balloon.phase = (balloon.phase + dt) % ROUND;
        }
        self.confetti.step(dt);
    }

    fn extract(&self, out: &mut CrowdView) {
        out.camera = self.orbit.camera();
        out.list.clear();
        let mut world = out.list.pass(0);
        let ground = Affine3A::from_scale(Vec3::new(self.ground, 1.0, self.ground));
        world.draw(GROUND.id(), cast::ground(), &ground);
        record_middle(&mut world);
        self.walkers.iter().for_each(|walker| walker.record(&mut world));
        self.balloons.iter().for_each(|balloon| balloon.record(&mut world));
        drop(world);
        self.confetti.record(&mut out.list.pass(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::{Batches, Frustum, Order, View};
    use std::time::Duration;

    fn view(crowd: &Crowd) -> CrowdView {
        let mut view = CrowdView::default();
        crowd.extract(&mut view);
        view
    }

    #[test]
    fn the_number_of_walkers_is_bounded_and_each_has_a_shadow() {
        for n in [0, 1, 1_000] {
            let crowd = Crowd::new(n);
            assert_eq!(crowd.walkers.len(), n);
            // Ground, middle and its shadow; of all others the thing and its shadow.
            let things = 5 + 2 * (n + n / PER_BALLOON);
            assert_eq!(view(&crowd).list.passes()[0].instances().len(), things, "{n}");
        }
        assert_eq!(Crowd::new(MAX_INSTANCES + 1).walkers.len(), MAX_INSTANCES);
    }

    #[test]
    fn walkers_keep_apart_for_minutes() {
        let mut crowd = Crowd::new(400);
        for step in 1..=20_000 {
            crowd.update(&Tick::fixed(step, Duration::from_millis(16)));
        }
        let places: Vec<Vec3> = crowd.walkers.iter().map(|w| w.round.place(0.0)).collect();
        assert!(places.iter().all(|p| p.is_finite() && p.length() < crowd.ground));
        for (i, a) in places.iter().enumerate() {
            let nearest = places[..i].iter().map(|b| a.distance(*b)).fold(f32::MAX, f32::min);
            assert!(nearest > 0.6 * SPACING, "{i}: {nearest}");
        }
    }

    #[test]
    fn extract_reuses_the_snapshots_storage() {
        let crowd = Crowd::new(500);
        let mut out = view(&crowd);
        let storage =
            |v: &CrowdView| v.list.passes().iter().map(|p| p.instances().as_ptr()).collect::<Vec<_>>();
        let before = storage(&out);
        crowd.extract(&mut out);
        assert_eq!(storage(&out), before);
    }

    /// What the scene is there to show: part of it is out of the picture, some is seen through, and much is merged.
    #[test]
    fn much_of_a_large_crowd_is_beside_the_picture() {
        let view = view(&Crowd::new(5_000));
        let camera = view.camera.view_projection(16.0 / 9.0);
        let seen = View::new(camera, Order::FrontToBack).with_culling(Frustum::new(camera));
        let commands = &view.list.passes()[0];
        let ball = crate::scene::Sphere { centre: glam::Vec3A::ZERO, radius: 1.5 };
        let bounds = [ball; SHAPES as usize + 2];
        let mut batches = Batches::new();
        batches.build(commands, &seen, &bounds);
        assert!(batches.culled() > commands.instances().len() / 4, "{} culled", batches.culled());
        let clear = batches.batches().iter().filter(|b| b.transparent).map(|b| b.count).sum::<u32>();
        assert!(
            clear > 500 && (clear as usize) < batches.visible() * 3 / 4,
            "{clear} of {}",
            batches.visible()
        );
        assert!(batches.batches().len() < batches.visible(), "{} draws", batches.batches().len());
    }
}
