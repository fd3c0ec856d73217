//! Many instances, moved by the logic thread and streamed to the GPU without a copy on the way:
//! `cargo run --release --example swarm -- 50000`

use std::f32::consts::TAU;

use scanout::gl::bytemuck::{Pod, Zeroable};
use scanout::gl::{Buffer, Frame, Mesh, Primitive, Program, Renderer, ShaderSource, Usage};
use scanout::{Config, CreateContext, Logic, Tick};

const VERTEX: &str = "#version 330 core
layout(location = 0) in vec2 position;
layout(location = 1) in vec4 colour;
out vec4 v_colour;
void main() {
    vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) - 0.5;
    gl_Position = vec4(position + corner * 0.012, 0, 1);
    v_colour = colour;
}";
const FRAGMENT: &str = "#version 330 core
in vec4 v_colour; out vec4 colour;
void main() { colour = v_colour; }";

/// What the GPU reads per instance. The layout is worked out by the compiler.
#[derive(Copy, Clone, Pod, Zeroable)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
#[repr(C)]
struct Mote {
    position: [f32; 2],
    colour: [u8; 4],
}
scanout::vertex_layout!(Mote { position, colour });

/// The logic thread's side.
struct World {
    count: usize,
    time: f32,
}

impl Logic for World {
    type Snapshot = Vec<Mote>;

    fn update(&mut self, tick: &Tick) {
        self.time += tick.dt.as_secs_f32();
    }

    fn extract(&self, out: &mut Vec<Mote>) {
        out.clear(); // keeps its storage: after the first frames nothing is allocated
        out.extend((0..self.count).map(|i| {
            let share = i as f32 / self.count as f32;
            let angle = share * TAU * 21.0 + self.time * (1.2 - share);
            let radius = share.sqrt() * (0.85 + 0.1 * (self.time * 0.7 + share * 9.0).sin());
            let position = [radius * angle.cos() * 0.6, radius * angle.sin()];
            Mote { position, colour: [(255.0 * (1.0 - share)) as u8, 170, (255.0 * share) as u8, 255] }
        }));
    }
}

/// The render thread's side.
struct Motes {
    program: Program,
    mesh: Mesh,
    instances: Buffer<Mote>,
}

impl Motes {
    fn new(cx: &CreateContext<'_>) -> scanout::Result<Self> {
        let source = |text| ShaderSource::new("examples/swarm.rs", text);
        let program = Program::new(cx.gl, "motes", &source(VERTEX), &source(FRAGMENT))?;
        let mut mesh = Mesh::generated(cx.gl, Primitive::TriangleStrip, 4)?;
        let instances = Buffer::vertices(cx.gl, &[], Usage::Stream)?;
        mesh.attach_instances(&instances);
        Ok(Self { program, mesh, instances })
    }
}

impl Renderer<Vec<Mote>> for Motes {
    fn render(&mut self, motes: &Vec<Mote>, frame: &mut Frame<'_>) {
        frame.clear([0.02, 0.02, 0.04, 1.0]);
        self.instances.write(motes);
        frame.draw_instanced(&self.program, &self.mesh, motes.len());
    }
}

#[allow(clippy::print_stdout, reason = "this program's output")]
fn main() -> scanout::Result<()> {
    let count = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20_000).min(1_000_000);
    let config = Config { title: format!("{count} motes"), ..Config::default() };
    let summary = scanout::run(config, World { count, time: 0.0 }, Motes::new)?;
    println!("{} frames in {:.1?}", summary.frames, summary.elapsed);
    Ok(())
}
