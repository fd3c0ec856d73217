//! The smallest program: a triangle that turns. `cargo run --release --example triangle`
#![allow(clippy::print_stdout, reason = "an example may print")]

use scanout::gl::{Frame, Mesh, Primitive, Program, Renderer, Uniform};
use scanout::{Config, Logic, Tick, shader_file};

struct World(f32); // lives on the logic thread

impl Logic for World {
    type Snapshot = f32;
    fn update(&mut self, tick: &Tick) {
        self.0 += tick.dt.as_secs_f32();
    }
    fn extract(&self, angle: &mut f32) {
        *angle = self.0;
    }
}

struct Triangle(Uniform<f32>, Mesh, Program); // lives on the render thread

impl Renderer<f32> for Triangle {
    fn render(&mut self, angle: &f32, frame: &mut Frame<'_>) {
        frame.clear([0.1, 0.1, 0.12, 1.0]);
        self.2.set(&self.0, *angle);
        frame.draw(&self.2, &self.1);
    }
}

fn main() -> scanout::Result<()> {
    // With a folder as argument the shaders come from there, also when they change: `-- shaders`
    let config = Config { shader_folder: std::env::args_os().nth(1).map(Into::into), ..Config::default() };
    let summary = scanout::run(config, World(0.0), |cx| {
        let program =
            Program::new(cx.gl, "triangle", &shader_file!("triangle.vert"), &shader_file!("triangle.frag"))?;
        Ok(Triangle(program.uniform("angle")?, Mesh::generated(cx.gl, Primitive::Triangles, 3)?, program))
    })?;
    println!("{} frames in {:.1?}", summary.frames, summary.elapsed);
    Ok(())
}
