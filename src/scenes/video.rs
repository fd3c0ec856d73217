use std::f64::consts::TAU;

use glam::Vec2;

use crate::error::Result;
use crate::gl::stream::FRAMES_IN_FLIGHT;
use crate::gl::{
    CreateContext, Frame, Gl, Mesh, Primitive, Program, Renderer, StreamError, StreamRing, StreamTarget,
    Texture, TextureOptions, Uniform, Wrap,
};
use crate::runtime::{Logic, Size, Tick};
use crate::shader_file;

/// The size of the picture: full HD, 8.3 MB each frame.
pub const VIDEO: Size = Size::new(1920, 1080);

/// A picture of 1920x1080 pixels of which every one changes from frame to frame, made by the CPU and streamed to the GPU
/// as decoded video would be.
#[derive(Clone, Debug, Default)]
pub struct Video {
    seconds: f64,
}

impl Logic for Video {
    /// Seconds since the start.
    type Snapshot = f64;

    fn update(&mut self, tick: &Tick) {
        self.seconds = tick.elapsed.as_secs_f64();
    }

    fn extract(&self, seconds: &mut f64) {
        *seconds = self.seconds;
    }
}

type Pixel = [u8; 4];

const WIDTH: usize = VIDEO.width as usize;
/// Steps of brightness.
const SHADES: usize = 64;
/// How far the pattern moves in a second, in pixels: more than the folds ever move against it.
const SPEED: f64 = 480.0;

/// Rows to copy from: for each brightness, one period of the colours twice over, so that a row may begin anywhere in it.
/// Copying them is as near as a picture of the CPU comes to costing nothing but its transport.
struct Rows(Vec<Pixel>);

impl Rows {
    fn new() -> Self {
        let pixel = |shade: usize, x: usize| -> Pixel {
            let bright = 0.25 + 0.75 * shade as f64 / (SHADES - 1) as f64;
            let channel = |phase: f64| {
                let wave = 0.5 + 0.5 * (TAU * (x as f64 / WIDTH as f64 + phase)).cos();
                (255.0 * bright * (0.1 + 0.9 * wave)) as u8
            };
            [channel(0.0), channel(0.38), channel(0.7), 255]
        };
        let row = |shade| (0..2 * WIDTH).map(move |x| pixel(shade, x % WIDTH));
        Self((0..SHADES).flat_map(row).collect())
    }

    /// Paints the picture of one moment: folds of silk, drawn along by the colours.
    fn paint(&self, seconds: f64, picture: &mut [Pixel]) {
        for (y, row) in picture.chunks_exact_mut(WIDTH).enumerate() {
            let down = y as f64 / f64::from(VIDEO.height);
            let fold =
                (TAU * (2.0 * down + 0.11 * seconds)).sin() + (TAU * (5.0 * down - 0.17 * seconds)).sin();
            let start = (SPEED * seconds + 180.0 * fold).rem_euclid(WIDTH as f64) as usize % WIDTH;
            let shade = ((fold + 2.0) / 4.0 * SHADES as f64) as usize;
            let from = shade.min(SHADES - 1) * 2 * WIDTH + start;
            row.copy_from_slice(&self.0[from..from + WIDTH]);
        }
    }
}

pub(super) struct VideoRenderer {
    program: Program,
    extent: Uniform<Vec2>,
    mesh: Mesh,
    texture: Texture,
    pixels: StreamRing,
    rows: Rows,
    /// That streaming failed was said.
    failed: bool,
}

impl VideoRenderer {
    pub(super) fn new(gl: &Gl) -> Result<Self> {
        let program = Program::new(gl, "video", &shader_file!("video.vert"), &shader_file!("video.frag"))?;
        program.set(&program.uniform("u_picture")?, 0);
        // The bytes are shown as they are.
        let mut options = TextureOptions { srgb: false, mipmaps: false, ..TextureOptions::default() };
        options.wrap = (Wrap::Clamp, Wrap::Clamp);
        let bytes = WIDTH * VIDEO.height as usize * size_of::<Pixel>();
        Ok(Self {
            extent: program.uniform("u_extent")?,
            program,
            mesh: Mesh::generated(gl, Primitive::TriangleStrip, 4)?,
            texture: Texture::empty(gl, "video", VIDEO, &options)?,
            pixels: StreamRing::auto(gl, StreamTarget::PixelUnpack, bytes, FRAMES_IN_FLIGHT)?,
            rows: Rows::new(),
            failed: false,
        })
    }

    /// Paints into memory that the GPU reads, without a copy between.
    fn stream(&mut self, seconds: f64) -> std::result::Result<(), StreamError> {
        crate::profile::scope!("stream the picture");
        self.pixels.begin_frame()?;
        let (range, picture) = self.pixels.alloc::<Pixel>(WIDTH * VIDEO.height as usize)?;
        self.rows.paint(seconds, picture);
        self.pixels.finish_writes();
        self.texture.write_streamed(&self.pixels, range)?;
        self.pixels.fence();
        Ok(())
    }
}

impl Renderer<f64> for VideoRenderer {
    fn render(&mut self, seconds: &f64, frame: &mut Frame<'_>) {
        if let Err(e) = self.stream(*seconds)
            && !std::mem::replace(&mut self.failed, true)
        {
            log::error!("the picture stands still: {e}");
        }
        frame.clear([0.0, 0.0, 0.0, 1.0]);
        // As large as it fits in its shape, with bars above and below or beside it.
        let shape = frame.size().aspect() / VIDEO.aspect();
        let extent = if shape > 1.0 { Vec2::new(1.0 / shape, 1.0) } else { Vec2::new(1.0, shape) };
        self.program.set(&self.extent, extent);
        self.texture.bind(0);
        frame.draw(&self.program, &self.mesh);
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        *self = Self::new(cx.gl)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_moves_from_frame_to_frame() {
        let rows = Rows::new();
        let blank = || vec![[0; 4]; WIDTH * VIDEO.height as usize];
        let (mut before, mut after) = (blank(), blank());
        for frame in [0, 1, 100, 100_000] {
            let at = f64::from(frame) / 60.0;
            rows.paint(at, &mut before);
            rows.paint(at + 1.0 / 60.0, &mut after);
            assert!(before.iter().all(|p| p[3] == 255));
            let same = before.chunks(WIDTH).zip(after.chunks(WIDTH)).filter(|(a, b)| a == b).count();
            assert_eq!(same, 0, "rows stood still in frame {frame}");
        }
    }
}
