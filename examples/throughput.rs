//! How much CPU time it takes to draw many things, each recorded by a call of its own in every frame:
//!
//! ```text
//! cargo run --release --example throughput -- quads 20000 300 100
//! cargo run --release --example throughput -- mesh 10000 300 100 order=depth submit=instanced stream=sub-data
//! ```
//!
//! Prints one line of JSON. `cpu_ms` is the CPU time of the whole process per frame, `lib_ms` the time in which the
//! program moves and records its objects and the library sorts, merges and hands them over. `throughput_floor` draws
//! the same by hand. docs/rendering.md says how to measure without the rasteriser.

#![allow(unsafe_code, reason = "OpenGL functions are loaded")]

use std::time::Duration;

use glam::Vec2;
use glow::HasContext as _;
use glutin::display::{GetGlDisplay as _, GlDisplay as _};
use rustix::time::ClockId;
use scanout::Size;
use scanout::gl::{
    DebugLevel, Filter, Gl, Material, Painted, Painter, PainterOptions, PassView, Strategy, Submit,
    TextureArray, TextureOptions, Vertex,
};
use scanout::scene::{DrawList, LayerId, MaterialId, MeshId, Order, Sprite};

#[path = "support/gl_window.rs"]
mod gl_window;
#[path = "support/throughput.rs"]
mod throughput;
use gl_window::GlWindow;
use throughput::{Cube, Job, Mode, Moment, Program, Quad, SIZE, SPRITE};

/// The fields drop in this order: what was made in the context before its functions.
struct Scanout {
    painter: Painter,
    gl: Gl,
    list: DrawList,
    view: PassView,
    cube: MeshId,
    quads: Vec<(Quad, LayerId)>,
    cubes: Vec<(Cube, MaterialId)>,
    painted: Painted,
}

impl Program for Scanout {
    const NAME: &'static str = "scanout";

    fn new(window: &GlWindow, job: &Job) -> Self {
        let display = window.context.display();
        // SAFETY: the display's own loader, for the context that is current on this thread, the only one.
        let gl = unsafe { Gl::load(|name| display.get_proc_address(name), DebugLevel::Off) }.expect("OpenGL");
        let options = PainterOptions {
            submit: job.option("submit").map(|value| match value {
                "multi" => Submit::MultiDraw,
                "base" => Submit::BaseInstance,
                "instanced" => Submit::Instanced,
                "object" => Submit::PerObject,
                other => panic!("submit={other}; there are multi, base, instanced and object"),
            }),
            // With a driver that draws nothing, no way of streaming passes the test that picks one. This one is what
            // the floor does as well.
            stream: job
                .option("stream")
                .map(|value| value.parse().expect("a way of streaming"))
                .or_else(|| gl.stream_strategy().err().map(|_| Strategy::SubData)),
            ..PainterOptions::default()
        };
        let mut painter = Painter::new(&gl, options).expect("a painter");
        let mut sharp = TextureOptions::default();
        (sharp.srgb, sharp.mipmaps) = (false, false);
        (sharp.magnify, sharp.minify) = (Filter::Nearest, Filter::Nearest);
        let mut array =
            TextureArray::new(&gl, "sprites", Size::new(16, 16), throughput::TEXTURES as u32, &sharp)
                .expect("a texture array");
        (0..).zip(throughput::textures()).for_each(|(n, texels)| array.write(n, &texels).expect("a layer"));
        let textures = painter.add_textures(array).expect("names");
        let (corners, indices) = throughput::cube();
        let vertices: Vec<_> = corners
            .iter()
            .map(|(position, normal)| Vertex {
                position: (*position).into(),
                normal: (*normal).into(),
                uv: [0.0; 2],
            })
            .collect();
        let cube = painter.add_mesh(&vertices, &indices).expect("a mesh");
        let materials = throughput::materials()
            .map(|colour| painter.add_material(&Material::coloured(colour)).expect("a material"))
            .to_vec();
        let light = throughput::light();
        painter.set_light(light.truncate(), light.w);
        let view = match (job.mode, job.option("order").unwrap_or("state")) {
            (Mode::Quads, _) => PassView::pixels(Size::new(SIZE.0, SIZE.1)),
            (Mode::Mesh, "depth") => PassView::world(throughput::camera()),
            (Mode::Mesh, "state") => {
                PassView::world(throughput::camera()).with_order(Order::State).with_culling(false)
            }
            (Mode::Mesh, other) => panic!("order={other}; there are state and depth"),
        };
        let (quads, cubes) = match job.mode {
            Mode::Quads => (throughput::quads(job.n), Vec::new()),
            Mode::Mesh => (Vec::new(), throughput::cubes(job.n)),
        };
        let quads = quads.into_iter().map(|quad| (quad, textures[quad.texture])).collect();
        let cubes = cubes.into_iter().map(|cube| (cube, materials[cube.material])).collect();
        let (list, painted) = (DrawList::new(), Painted::default());
        Self { painter, gl, list, view, cube, quads, cubes, painted }
    }

    fn draw(&mut self, frame: u32) -> Duration {
        // SAFETY: clears the window's framebuffer.
        unsafe {
            self.gl.raw().clear_color(0.05, 0.05, 0.08, 1.0);
            self.gl.raw().clear(glow::COLOR_BUFFER_BIT | glow::DEPTH_BUFFER_BIT);
        }
        let began = throughput::now(ClockId::Monotonic);
        let moment = Moment::of(frame);
        self.list.clear();
        let mut pass = self.list.pass(0);
        for (quad, texture) in &self.quads {
            pass.sprite(Sprite::new(*texture, quad.position(&moment), Vec2::splat(SPRITE)));
        }
        for (cube, material) in &self.cubes {
            pass.draw(self.cube, *material, &cube.transform(&moment));
        }
        drop(pass);
        self.painted = self.painter.paint(&self.list, &[self.view]).expect("painted");
        throughput::now(ClockId::Monotonic) - began
    }

    fn figures(&self) -> String {
        let Painted { draw_calls, gl_calls, waits, .. } = self.painted;
        format!(
            ",\"submit\":\"{:?}\",\"stream\":\"{}\",\"draw_calls\":{draw_calls},\"gl_calls\":{gl_calls},\"waits\":{waits}",
            self.painter.submit(),
            self.painter.strategy(),
        )
    }
}

fn main() {
    throughput::run::<Scanout>();
}
