use bytemuck::{Pod, Zeroable};
use glam::{Vec3, Vec4};

use super::MAX_INSTANCES;
use super::orbit::{Camera, Orbit};
use super::samples::Samples;
use crate::error::Result;
use crate::gl::stream::FRAMES_IN_FLIGHT;
use crate::gl::{
    CreateContext, Frame, Mesh, Primitive, Program, Renderer, StreamError, StreamRing, StreamTarget, Uniform,
};
use crate::runtime::{InputEvent, Logic, Tick};
use crate::sim::Noise;
use crate::{shader_file, vertex_layout};

/// One instance as the GPU reads it: 20 bytes.
#[derive(Copy, Clone, Debug, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Instance {
    position: [f32; 3],
    radius: f32,
    colour: [u8; 4],
}

vertex_layout!(Instance, from 1 { position, radius, colour });

#[derive(Copy, Clone, Pod, Zeroable)]
#[repr(C)]
struct Corner {
    corner: [f32; 2],
}

vertex_layout!(Corner { corner });

/// Many small balls, each on an ellipse of its own around the middle.
#[derive(Clone, Debug)]
pub struct Swarm {
    position: Vec<Vec3>,
    velocity: Vec<Vec3>,
    /// Square of the angular velocity of each.
    stiffness: Vec<f32>,
    look: Vec<(f32, [u8; 4])>,
    orbit: Orbit,
}

/// What is drawn of a [`Swarm`].
#[derive(Clone, Debug, Default)]
pub struct SwarmView {
    instances: Vec<Instance>,
    camera: Camera,
}

/// Radius of the ball that the swarm fills.
const EXTENT: f32 = 10.0;

impl Swarm {
    /// A swarm of `n` instances (at most [`MAX_INSTANCES`]), always the same for the same `n`.
    #[must_use]
    pub fn new(n: usize) -> Self {
        let n = n.min(MAX_INSTANCES);
        let mut random = Noise::new(0x5ca9_0075);
        let mut swarm = Self {
            position: Vec::with_capacity(n),
            velocity: Vec::with_capacity(n),
            stiffness: Vec::with_capacity(n),
            look: Vec::with_capacity(n),
            orbit: Orbit::around(&ball(EXTENT)),
        };
        // The more there are, the smaller they get, so that they fill about the same share of the picture.
        let size = 6.0 / (n.max(1) as f32).sqrt().max(8.0);
        for _ in 0..n {
            let direction = any_direction(&mut random);
            let distance = EXTENT * (0.15 + 0.8 * unit(&mut random).sqrt());
            // Outer ones are slower, as planets are.
            let speed = 2.4 * (EXTENT / (distance + 3.0)).sqrt() * (0.8 + 0.4 * unit(&mut random));
            let sideways = direction.cross(any_direction(&mut random)).normalize_or(Vec3::X);
            let stiffness = (speed / distance).powi(2);
            swarm.position.push(direction * distance);
            swarm.velocity.push(sideways * speed * (0.6 + 0.4 * unit(&mut random)));
            swarm.stiffness.push(stiffness);
            let warm = 1.0 - distance / EXTENT;
            let colour =
                Vec4::new(0.25 + 0.75 * warm, 0.45 + 0.35 * unit(&mut random), 1.0 - 0.7 * warm, 1.0) * 255.0;
            swarm.look.push((size * (0.6 + 0.8 * unit(&mut random)), colour.to_array().map(|c| c as u8)));
        }
        swarm
    }
}

/// Points all over a ball around the origin.
fn ball(radius: f32) -> Vec<Vec3> {
    let steps = || [-1.0, 0.0, 1.0].into_iter();
    let all = steps().flat_map(|x| steps().flat_map(move |y| steps().map(move |z| Vec3::new(x, y, z))));
    all.filter_map(Vec3::try_normalize).map(|direction| direction * radius).collect()
}

impl Logic for Swarm {
    type Snapshot = SwarmView;

    fn input(&mut self, event: &InputEvent) {
        self.orbit.input(event);
    }

    fn update(&mut self, tick: &Tick) {
        let dt = tick.dt.as_secs_f32();
        // Velocity first, then position: this order keeps the ellipses closed for any number of steps.
        for ((p, v), k) in self.position.iter_mut().zip(&mut self.velocity).zip(&self.stiffness) {
            *v -= *p * (*k * dt);
            *p += *v * dt;
        }
    }

    fn extract(&self, out: &mut SwarmView) {
        out.camera = self.orbit.camera();
        out.instances.clear();
        out.instances.extend(self.position.iter().zip(&self.look).map(|(p, &(radius, colour))| Instance {
            position: p.to_array(),
            radius,
            colour,
        }));
    }
}

#[derive(Debug)]
pub(super) struct SwarmRenderer {
    program: Program,
    mesh: Mesh,
    instances: StreamRing,
    /// Instances that there is room for.
    most: usize,
    /// That streaming failed was said.
    failed: bool,
    view_projection: Uniform<glam::Mat4>,
    right: Uniform<Vec3>,
    up: Uniform<Vec3>,
    soft: Uniform<i32>,
    samples: Samples,
    wanted: Option<u32>,
}

impl SwarmRenderer {
    /// For up to `n` instances.
    pub(super) fn new(cx: &CreateContext<'_>, n: usize, samples: Option<u32>) -> Result<Self> {
        let gl = cx.gl;
        let program = Program::builder("swarm", shader_file!("swarm.vert"), shader_file!("swarm.frag"))
            .vertices::<Corner>()
            .vertices::<Instance>()
            .build(gl)?;
        let corners = [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]].map(|corner| Corner { corner });
        let mut mesh = Mesh::new(gl, Primitive::TriangleStrip, &corners)?;
        let bytes = n.clamp(1, MAX_INSTANCES) * size_of::<Instance>();
        let instances = StreamRing::auto(gl, StreamTarget::Vertex, bytes, FRAMES_IN_FLIGHT)?;
        mesh.attach_stream::<Instance>(&instances);
        Ok(Self {
            view_projection: program.uniform("u_view_projection")?,
            right: program.uniform("u_right")?,
            up: program.uniform("u_up")?,
            soft: program.uniform("u_soft")?,
            samples: Samples::new(cx, samples)?,
            wanted: samples,
            program,
            mesh,
            instances,
            most: n,
            failed: false,
        })
    }
}

impl SwarmRenderer {
    fn draw(
        &mut self,
        instances: &[Instance],
        frame: &mut Frame<'_>,
    ) -> std::result::Result<(), StreamError> {
        self.instances.begin_frame()?;
        let range = self.instances.write(instances)?;
        self.instances.finish_writes();
        frame.draw_streamed::<Instance>(&self.program, &self.mesh, &self.instances, range);
        self.instances.fence();
        Ok(())
    }
}

impl Renderer<SwarmView> for SwarmRenderer {
    fn render(&mut self, view: &SwarmView, frame: &mut Frame<'_>) {
        frame.pass("swarm");
        self.samples.begin(frame);
        let several = self.samples.several();
        frame.clear_with_depth([0.012, 0.014, 0.03, 1.0]);
        frame.set_depth_test(true);
        let camera = &view.camera;
        self.program.set(&self.view_projection, camera.view_projection(frame.size().aspect()));
        self.program.set(&self.right, camera.view.row(0).truncate());
        self.program.set(&self.up, camera.view.row(1).truncate());
        self.program.set(&self.soft, i32::from(several));
        frame.set_alpha_to_samples(several);
        if let Err(e) = self.draw(&view.instances, frame)
            && !std::mem::replace(&mut self.failed, true)
        {
            log::error!("the swarm is not drawn: {e}");
        }
        frame.set_alpha_to_samples(false);
        frame.set_depth_test(false);
        self.samples.finish(frame);
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        *self = Self::new(cx, self.most, self.wanted)?;
        Ok(())
    }
}

/// Uniform, from 0 to below 1.
fn unit(noise: &mut Noise) -> f32 {
    (noise.bits() >> 40) as f32 / (1_u64 << 24) as f32
}

fn any_direction(noise: &mut Noise) -> Vec3 {
    let z = 2.0 * unit(noise) - 1.0;
    let (sin, cos) = (std::f32::consts::TAU * unit(noise)).sin_cos();
    let r = (1.0 - z * z).max(0.0).sqrt();
    Vec3::new(r * cos, z, r * sin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn swarm_stays_within_its_extent_for_minutes() {
        let mut swarm = Swarm::new(500);
        for step in 1..=20_000 {
            swarm.update(&Tick::fixed(step, Duration::from_millis(16)));
        }
        let far = swarm.position.iter().map(|p| p.length()).fold(0.0, f32::max);
        assert!(far < 1.5 * EXTENT, "{far}");
    }

    #[test]
    fn extract_reuses_the_snapshots_storage() {
        let swarm = Swarm::new(1_000);
        let mut out = SwarmView::default();
        swarm.extract(&mut out);
        let storage = out.instances.as_ptr();
        swarm.extract(&mut out);
        assert_eq!((out.instances.len(), out.instances.as_ptr()), (1_000, storage));
    }

    #[test]
    fn the_number_of_instances_is_bounded() {
        assert_eq!(Swarm::new(0).position.len(), 0);
        assert_eq!(Swarm::new(MAX_INSTANCES + 1).position.len(), MAX_INSTANCES);
    }
}
