//! What `throughput` and `throughput_floor` have in common: what is drawn, where it is at a time, the loop, the clock.

use std::time::Duration;

use glam::camera::rh::{proj, view};
use glam::{Affine3A, Mat3A, Mat4, Quat, Vec2, Vec3, Vec3A, Vec4};
use rustix::time::{ClockId, clock_gettime};
use scanout::sim::Noise;
use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::window::WindowId;

use super::gl_window::GlWindow;

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Mode {
    Quads,
    Mesh,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Job {
    pub mode: Mode,
    pub n: usize,
    pub frames: u32,
    pub warmup: u32,
    /// `key=value` arguments behind these.
    options: Vec<(String, String)>,
}

impl Job {
    pub fn from_arguments() -> Self {
        let usage = "quads|mesh N FRAMES WARMUP [option=value ..]";
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [mode, n, frames, warmup, options @ ..] = arguments.as_slice() else {
            panic!("arguments: {usage}")
        };
        let number =
            |text: &str| -> u32 { text.parse().unwrap_or_else(|_| panic!("`{text}` is no number; {usage}")) };
        Self {
            mode: match mode.as_str() {
                "quads" => Mode::Quads,
                "mesh" => Mode::Mesh,
                other => panic!("`{other}`; {usage}"),
            },
            n: number(n) as usize,
            frames: number(frames).max(1),
            warmup: number(warmup),
            options: options
                .iter()
                .map(|o| o.split_once('=').unwrap_or_else(|| panic!("`{o}`; {usage}")))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().find(|(k, _)| k == key).map(|(_, value)| value.as_str())
    }
}

pub const SIZE: (u32, u32) = (1280, 720);
pub const SPRITE: f32 = 16.0;
pub const TEXTURES: usize = 4;
pub const MATERIALS: usize = 20;

/// The same numbers in both programs, so that they draw the same.
struct Random(Noise);

impl Random {
    /// From -1 to 1.
    fn signed(&mut self) -> f32 {
        (self.0.bits() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }
}

#[derive(Copy, Clone)]
pub struct Quad {
    base: Vec2,
    sway: Vec2,
    pub texture: usize,
}

impl Quad {
    #[inline(always)]
    pub fn position(&self, moment: &Moment) -> Vec2 {
        self.base + self.sway * moment.sway
    }
}

pub fn quads(n: usize) -> Vec<Quad> {
    let mut random = Random(Noise::new(1));
    let middle = Vec2::new((SIZE.0 as f32 - SPRITE) / 2.0, (SIZE.1 as f32 - SPRITE) / 2.0);
    let mut make = || Quad {
        base: middle + (middle - 20.0) * Vec2::new(random.signed(), random.signed()),
        sway: 20.0 * Vec2::new(random.signed(), random.signed()),
        texture: (random.0.bits() >> 32) as usize % TEXTURES,
    };
    (0..n).map(|_| make()).collect()
}

#[derive(Copy, Clone)]
pub struct Cube {
    base: Vec3A,
    sway: Vec3A,
    size: f32,
    pub material: usize,
}

impl Cube {
    #[inline(always)]
    pub fn transform(&self, moment: &Moment) -> Affine3A {
        Affine3A { matrix3: moment.turn * self.size, translation: self.base + self.sway * moment.sway }
    }
}

pub fn cubes(n: usize) -> Vec<Cube> {
    let mut random = Random(Noise::new(2));
    let mut make = || Cube {
        base: Vec3A::new(9.0 * random.signed(), 5.0 * random.signed(), 6.0 * random.signed()),
        sway: Vec3A::new(random.signed(), random.signed(), random.signed()),
        size: 0.06 + 0.03 * random.signed(),
        material: (random.0.bits() >> 32) as usize % MATERIALS,
    };
    (0..n).map(|_| make()).collect()
}

/// What moves everything: computed once per frame.
pub struct Moment {
    sway: f32,
    turn: Mat3A,
}

impl Moment {
    pub fn of(frame: u32) -> Self {
        let t = frame as f32 / 60.0;
        Self {
            sway: t.sin(),
            turn: Mat3A::from_quat(Quat::from_rotation_y(t) * Quat::from_rotation_x(0.7 * t)),
        }
    }
}

pub fn camera() -> Mat4 {
    proj::opengl::perspective(0.8, SIZE.0 as f32 / SIZE.1 as f32, 1.0, 60.0)
        * view::look_at_mat4(Vec3::new(0.0, 0.0, 20.0), Vec3::ZERO, Vec3::Y)
}

/// From pixels, from the top left, to clip space.
#[allow(dead_code, reason = "the library has its own")]
pub fn pixels() -> Mat4 {
    proj::opengl::orthographic(0.0, SIZE.0 as f32, SIZE.1 as f32, 0.0, -1.0, 1.0)
}

/// Towards the light, and how bright the dark side is.
pub fn light() -> Vec4 {
    Vec3::new(0.4, 0.8, 0.45).normalize().extend(0.25)
}

pub fn materials() -> [Vec4; MATERIALS] {
    std::array::from_fn(|i| {
        let hue = i as f32 / MATERIALS as f32 * std::f32::consts::TAU;
        Vec3::new(hue.sin(), (hue + 2.1).sin(), (hue + 4.2).sin()).map(|c| 0.55 + 0.4 * c).extend(1.0)
    })
}

/// Pictures of 16x16 texels, a disc of a colour each.
pub fn textures() -> [Vec<u8>; TEXTURES] {
    let colours = [[255, 90, 60], [80, 220, 90], [70, 120, 255], [250, 210, 70]];
    colours.map(|[r, g, b]| {
        let texel = |i: u32| {
            let from_middle = Vec2::new((i % 16) as f32 - 7.5, (i / 16) as f32 - 7.5).length();
            [r, g, b, if from_middle < 7.5 { 255 } else { 0 }]
        };
        (0..256).flat_map(texel).collect()
    })
}

/// Position and normal of each corner of a cube from -1 to 1, and 36 indices.
pub fn cube() -> (Vec<(Vec3, Vec3)>, Vec<u32>) {
    let (mut corners, mut indices) = (Vec::new(), Vec::new());
    for axis in [Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z] {
        let (side, up) = axis.any_orthonormal_pair();
        let first = corners.len() as u32;
        for (s, u) in [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)] {
            corners.push((axis + side * s + up * u, axis));
        }
        indices.extend([0, 1, 2, 0, 2, 3].map(|i| first + i));
    }
    (corners, indices)
}

/// What is measured.
pub trait Program: Sized {
    const NAME: &'static str;
    fn new(window: &GlWindow, job: &Job) -> Self;
    /// Draws one frame. Returns how long that which is measured by itself took.
    fn draw(&mut self, frame: u32) -> Duration;
    /// More to be printed, as JSON fields, beginning with a comma.
    fn figures(&self) -> String;
}

struct App<P> {
    job: Job,
    program: Option<P>,
    window: Option<GlWindow>,
    frame: u32,
    started: (Duration, Duration),
    own: Duration,
}

pub fn now(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// CPU time of the whole process, and time on the wall.
fn clocks() -> (Duration, Duration) {
    (now(ClockId::ProcessCPUTime), now(ClockId::Monotonic))
}

impl<P: Program> ApplicationHandler for App<P> {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        let window = self.window.get_or_insert_with(|| GlWindow::open(event_loop, P::NAME, false));
        self.program.get_or_insert_with(|| P::new(window, &self.job));
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        if event == WindowEvent::CloseRequested {
            event_loop.exit();
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        use glutin::surface::GlSurface as _;
        let (Some(window), Some(program)) = (&self.window, &mut self.program) else { return };
        if self.frame == self.job.warmup {
            (self.started, self.own) = (clocks(), Duration::ZERO);
        }
        self.own += program.draw(self.frame);
        self.frame += 1;
        if self.frame == self.job.warmup + self.job.frames {
            let (cpu, wall) = clocks();
            self.report(cpu - self.started.0, wall - self.started.1);
            if let Some(path) = self.job.option("picture") {
                write_picture(&window.gl, path);
            }
            event_loop.exit();
        }
        window.surface.swap_buffers(&window.context).expect("the swap");
    }
}

impl<P: Program> App<P> {
    #[allow(clippy::print_stdout, reason = "this program's output")]
    fn report(&self, cpu: Duration, wall: Duration) {
        let per_frame = |time: Duration| time.as_secs_f64() * 1e3 / f64::from(self.job.frames);
        println!(
            "{{\"name\":\"{}\",\"mode\":\"{}\",\"n\":{},\"frames\":{},\"cpu_ms\":{:.4},\"wall_ms\":{:.4},\"lib_ms\":{:.4}{}}}",
            P::NAME,
            if self.job.mode == Mode::Quads { "quads" } else { "mesh" },
            self.job.n,
            self.job.frames,
            per_frame(cpu),
            per_frame(wall),
            per_frame(self.own),
            self.program.as_ref().map_or(String::new(), P::figures),
        );
    }
}

/// What is in the window, as a PPM file.
fn write_picture(gl: &glow::Context, path: &str) {
    use glow::HasContext as _;
    let mut rgb = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
    // SAFETY: the buffer holds exactly the pixels that are asked for, without padding.
    unsafe {
        gl.pixel_store_i32(glow::PACK_ALIGNMENT, 1);
        let into = glow::PixelPackData::Slice(Some(&mut rgb));
        gl.read_pixels(0, 0, SIZE.0 as i32, SIZE.1 as i32, glow::RGB, glow::UNSIGNED_BYTE, into);
    }
    let mut file = format!("P6 {} {} 255\n", SIZE.0, SIZE.1).into_bytes();
    rgb.rchunks_exact(SIZE.0 as usize * 3).for_each(|row| file.extend_from_slice(row));
    std::fs::write(path, file).expect("the picture");
}

/// Runs the program in a window and prints one line.
pub fn run<P: Program>() {
    let job = Job::from_arguments();
    let event_loop = EventLoop::new().expect("a display server");
    event_loop.set_control_flow(ControlFlow::Poll);
    let started = clocks();
    let mut app = App::<P> { job, program: None, window: None, frame: 0, started, own: Duration::ZERO };
    event_loop.run_app(&mut app).expect("the event loop");
}
