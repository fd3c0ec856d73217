//! The loss of a context in the midst of a run, as after a reset of the GPU, and shaders that change in one: off screen,
//! with real contexts that are thrown away.
#![allow(unsafe_code, reason = "the driver's own loader is asked, and lied to")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "every block calls OpenGL in the context that is current here"
)]
#![allow(clippy::disallowed_methods, reason = "limits on real runs are real time")]

use std::ffi::{CStr, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use glam::Vec4;
use scanout::gl::bytemuck::{Pod, Zeroable};
use scanout::gl::glow::HasContext as _;
use scanout::gl::{
    CreateContext, DebugLevel, Frame, Gl, Hook, Mesh, Primitive, Program, Renderer, ShaderSource, Texture,
    TextureOptions, Uniform, read_pixels,
};
use scanout::runtime::{Ended, Runtime};
use scanout::scenes::{Scene, Visitor};
use scanout::{
    Config, Demand, Error, Logic, Pacing, ResetCause, Result, Size, Tick, headless, vertex_layout,
};

struct Still(Demand);

impl Logic for Still {
    type Snapshot = ();
    fn update(&mut self, _: &Tick) {}
    fn extract(&self, (): &mut ()) {}
    fn demand(&self) -> Demand {
        self.0
    }
}

#[derive(Copy, Clone, Pod, Zeroable)]
#[repr(C)]
#[bytemuck(crate = "scanout::gl::bytemuck")]
struct Corner {
    corner: [f32; 2],
}
vertex_layout!(Corner { corner });

const VERTEX: &str = "#version 330 core
layout(location = 0) in vec2 a_corner;
void main() { gl_Position = vec4(a_corner, 0.0, 1.0); }
";
const FRAGMENT: &str = "#version 330 core
uniform sampler2D u_paint;
uniform vec4 u_tint;
out vec4 o;
void main() { o = u_tint * texture(u_paint, vec2(0.5)); }
";

/// Draws with one of each: a program, a mesh, a texture. What it has drawn is told frame by frame.
struct Painter {
    program: Program,
    tint: Uniform<Vec4>,
    mesh: Mesh,
    paint: Texture,
    frames: u64,
    seen: Seen,
    restores: Restores,
    /// Calls the context lost at this frame of its own count.
    lose_at: Option<u64>,
    wrong: bool,
}

type Seen = Arc<Mutex<Vec<[u8; 4]>>>;

/// What it does when the context was lost.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Restores {
    Well,
    Fails,
    /// Makes a mistake in every frame from then on.
    Wrongly,
}

impl Painter {
    fn new(cx: &CreateContext<'_>, seen: &Seen, restores: Restores) -> Result<Self> {
        let program = Program::builder(
            "painter",
            ShaderSource::embedded("painter.vert", VERTEX),
            ShaderSource::embedded("painter.frag", FRAGMENT),
        )
        .vertices::<Corner>()
        .build(cx.gl)?;
        let corners = [[-1.0, -1.0], [3.0, -1.0], [-1.0, 3.0]].map(|corner| Corner { corner });
        let mut options = TextureOptions::default();
        (options.mipmaps, options.srgb) = (false, false);
        let painter = Self {
            tint: program.uniform("u_tint")?,
            mesh: Mesh::new(cx.gl, Primitive::Triangles, &corners)?,
            paint: Texture::rgba8(cx.gl, "paint", Size::new(1, 1), &[255, 128, 0, 255], &options)?,
            program,
            frames: 0,
            seen: Arc::clone(seen),
            restores,
            lose_at: None,
            wrong: false,
        };
        // Set once, and not with every frame.
        painter.program.set(&painter.program.uniform("u_paint")?, 0);
        painter.program.set(&painter.tint, Vec4::ONE);
        Ok(painter)
    }
}

/// What the painter draws.
const ORANGE: [u8; 4] = [255, 128, 0, 255];

impl Renderer<()> for Painter {
    fn render(&mut self, (): &(), frame: &mut Frame<'_>) {
        self.frames += 1;
        frame.clear([0.0; 4]);
        if self.wrong {
            // SAFETY: names no state, which the driver says and leaves it at that.
            unsafe { frame.gl().raw().enable(0xdead) };
        }
        self.paint.bind(0);
        frame.draw(&self.program, &self.mesh);
        let rgba = read_pixels(frame.gl(), Size::new(1, 1)).expect("a pixel").rgba;
        self.seen.lock().expect("nobody panics with it").push([rgba[0], rgba[1], rgba[2], rgba[3]]);
        if self.lose_at == Some(self.frames) {
            frame.gl().simulate_loss(ResetCause::Guilty);
        }
    }

    fn restore(&mut self, cx: &CreateContext<'_>) -> Result<()> {
        if self.restores == Restores::Fails {
            return Err(Error::Config("the paint is used up".into()));
        }
        assert_eq!(cx.size, Size::new(32, 16));
        *self = Self::new(cx, &self.seen, self.restores)?;
        self.wrong = self.restores == Restores::Wrongly;
        Ok(())
    }
}

fn config() -> Config {
    Config {
        size: Size::new(32, 16),
        pacing: Pacing::Immediate,
        debug: DebugLevel::Panic,
        frame_limit: Some(60),
        time_limit: Some(Duration::from_secs(60)),
        shutdown_timeout: Duration::from_secs(20),
        capture_last: true,
        ..Config::default()
    }
}

fn paint(config: &Config, restores: Restores) -> (Ended, Vec<[u8; 4]>) {
    let seen = Seen::default();
    let painted = Arc::clone(&seen);
    let make = move |cx: &CreateContext<'_>| Painter::new(cx, &painted, restores);
    let ended = headless::run_until(config, Still(Demand::EveryFrame), make, None, || false);
    let seen = seen.lock().expect("nobody panics with it").clone();
    (ended, seen)
}

#[test]
fn a_lost_context_is_replaced_and_the_run_goes_on() {
    for pacing in [Pacing::Immediate, Pacing::Vsync, Pacing::Auto] {
        let config = Config { pacing, lose_context_at: vec![1, 20], ..config() };
        let (ended, seen) = paint(&config, Restores::Well);
        let summary = ended.into_result().unwrap_or_else(|e| panic!("{pacing}: {e}"));
        assert_eq!((summary.context_resets, summary.frames), (2, 60), "{pacing}");
        assert!(seen.len() >= 62 && seen.iter().all(|&p| p == ORANGE), "{pacing}: {seen:?}");
        let picture = summary.picture.expect("the last frame");
        assert!(picture.rgba.chunks_exact(4).all(|p| p == ORANGE), "{pacing}");
    }
    let (ended, _) = paint(&config(), Restores::Well);
    assert_eq!(ended.into_result().expect("a run").context_resets, 0);
}

#[test]
fn a_renderer_that_calls_its_context_lost_is_restored() {
    let seen = Seen::default();
    let painted = Arc::clone(&seen);
    let make = move |cx: &CreateContext<'_>| {
        let painter = Painter::new(cx, &painted, Restores::Well)?;
        Ok(Painter { lose_at: Some(7), ..painter })
    };
    let summary = headless::run(&config(), Still(Demand::EveryFrame), make).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(summary.context_resets, 1);
    assert!(seen.lock().expect("nobody panics with it").iter().all(|&p| p == ORANGE));
}

/// The callback for errors belongs to a context: the new one has to have it as well, also when the old one's is freed.
#[test]
fn errors_are_seen_in_the_new_context_too() {
    let (ended, seen) = paint(&Config { lose_context_at: vec![5], ..config() }, Restores::Wrongly);
    let error = ended.error.expect("the mistake stops the run").to_string();
    assert!(error.contains("OpenGL error"), "{error}");
    assert!(seen.len() < 10, "{} frames", seen.len());
}

fn lost(ended: &Ended) -> (ResetCause, String) {
    match &ended.error {
        Some(e @ Error::ContextLost { cause, detail }) => {
            let text = e.to_string();
            assert!(text.starts_with("the OpenGL context was lost (") && !text.contains('\n'), "{text}");
            (*cause, detail.clone())
        }
        other => panic!("{other:?}"),
    }
}

struct Careless;

impl Renderer<()> for Careless {
    fn render(&mut self, (): &(), frame: &mut Frame<'_>) {
        frame.clear([1.0; 4]);
        if frame.id().0 == 5 {
            frame.gl().simulate_loss(ResetCause::Innocent);
        }
    }
}

#[test]
fn a_renderer_that_cannot_be_made_anew_ends_the_run_with_its_figures() {
    let ended = headless::run_until(&config(), Still(Demand::EveryFrame), |_| Ok(Careless), None, || false);
    let (cause, detail) = lost(&ended);
    assert_eq!((cause, detail.as_str()), (ResetCause::Innocent, "this renderer cannot be made anew"));
    let summary = ended.summary.expect("what was drawn before");
    assert_eq!((summary.frames, summary.context_resets), (4, 0));

    let config = Config { lose_context_at: vec![10], ..config() };
    let (ended, _) = paint(&config, Restores::Fails);
    let (cause, detail) = lost(&ended);
    assert_eq!(cause, ResetCause::Unknown);
    assert!(detail.contains("the paint is used up"), "{detail}");
}

#[test]
fn a_context_that_is_lost_again_and_again_ends_the_run() {
    let config = Config { lose_context_at: vec![2, 3, 4, 5, 6], ..config() };
    let (ended, seen) = paint(&config, Restores::Well);
    assert!(lost(&ended).1.contains("4th time"), "{:?}", ended.error);
    assert_eq!(ended.summary.expect("figures").context_resets, 3);
    assert!(seen.iter().all(|&p| p == ORANGE));
}

#[test]
fn a_loss_is_told_only_by_contexts_that_were_made_so() {
    for robust in [true, false] {
        let told = Arc::new(Mutex::new(None));
        let tell = Arc::clone(&told);
        let make = move |cx: &CreateContext<'_>| {
            *tell.lock().expect("nobody panics with it") =
                Some((cx.gl.caps().reset_notification, cx.gl.lost()));
            Ok(Careless)
        };
        let config = Config { survive_resets: robust, frame_limit: Some(2), ..config() };
        headless::run(&config, Still(Demand::EveryFrame), make).unwrap_or_else(|e| panic!("{e}"));
        let (notified, lost) = told.lock().expect("nobody panics with it").take().expect("it was made");
        assert_eq!((notified, lost), (robust, None), "Mesa's drivers have such contexts since long ago");
    }
}

/// What the driver is made to say of a reset.
static STATUS: AtomicU32 = AtomicU32::new(0);
static ASKED: AtomicU32 = AtomicU32::new(0);

extern "system" fn status() -> u32 {
    ASKED.fetch_add(1, Ordering::Relaxed);
    STATUS.load(Ordering::Relaxed)
}

/// Drivers may tell a reset once only: it is kept. What a lost context calls errors stops no program.
#[test]
fn a_reset_that_the_driver_tells_is_kept() {
    let egl =
        unsafe { khronos_egl::DynamicInstance::<khronos_egl::EGL1_5>::load_required() }.expect("libEGL");
    let loader = |name: &CStr| -> *const c_void {
        if name == c"glGetGraphicsResetStatus" {
            return status as *const c_void;
        }
        let found = name.to_str().ok().and_then(|name| egl.get_proc_address(name));
        found.map_or(std::ptr::null(), |f| f as *const c_void)
    };
    headless::with_context(DebugLevel::Off, |_| {
        for (code, cause) in [
            (0x8253, ResetCause::Guilty),
            (0x8254, ResetCause::Innocent),
            (0x8255, ResetCause::Unknown),
            (0x1234, ResetCause::Unknown),
        ] {
            STATUS.store(0, Ordering::Relaxed);
            let gl = unsafe { Gl::load(loader, DebugLevel::Panic) }.expect("the context of this thread");
            assert!(gl.caps().reset_notification, "it was made so");
            assert_eq!(gl.lost(), None);
            STATUS.store(code, Ordering::Relaxed);
            unsafe { gl.raw().enable(0xDEAD) };
            gl.hook(Hook::Draw("what is lost"));
            assert_eq!(gl.lost(), Some(cause));
            STATUS.store(0, Ordering::Relaxed);
            let asked = ASKED.load(Ordering::Relaxed);
            assert_eq!(gl.lost(), Some(cause), "told once");
            assert_eq!(ASKED.load(Ordering::Relaxed), asked, "and not asked again");
            gl.set_debug_level(DebugLevel::Off);
        }
    })
    .unwrap_or_else(|e| panic!("{e}"));
}

// --- the scenes ---

struct Lossy {
    lose_context_at: Vec<u64>,
}

impl Visitor for Lossy {
    type Output = (u64, Vec<u8>);

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> Result<R> + Send + 'static,
    {
        let config = Config { size: Size::new(160, 90), lose_context_at: self.lose_context_at, ..config() };
        let summary = headless::run(&config, logic, make_renderer).unwrap_or_else(|e| panic!("{e}"));
        (summary.context_resets, summary.picture.expect("the last frame").rgba)
    }
}

/// How many pixels are not of the colour in the corner, and the mean of all.
fn looks(rgba: &[u8]) -> (usize, f64) {
    let others = rgba.chunks_exact(4).filter(|p| p[..3] != rgba[..3]).count();
    (others, rgba.iter().map(|&b| f64::from(b)).sum::<f64>() / rgba.len() as f64)
}

/// What moves is not in the same place in both runs, and covers about as much.
#[test]
fn every_scene_survives_a_loss() {
    for name in Scene::NAMES {
        let scene = Scene::parse(name).expect("a scene");
        let draw = |at: &[u64]| scene.open(Lossy { lose_context_at: at.to_vec() }).expect("a scene");
        let (resets, after) = draw(&[1]);
        let (none, plain) = draw(&[]);
        assert_eq!((resets, none), (1, 0), "{name}");
        let ((a, mean_a), (b, mean_b)) = (looks(&after), looks(&plain));
        let near = a.abs_diff(b) <= b / 4 + 200 && (mean_a - mean_b).abs() < 10.0;
        assert!(
            near || *name == "flip" || *name == "bars",
            "{name}: {a} and {b} pixels, {mean_a} and {mean_b}"
        );
    }
}

// --- shaders that change in a run ---

/// A run with shaders from a folder, watched from outside.
struct Watched {
    runtime: Option<Runtime>,
    seen: Seen,
}

impl Watched {
    fn start(folder: &Path, demand: Demand) -> Self {
        let seen = Seen::default();
        let painted = Arc::clone(&seen);
        let make = move |cx: &CreateContext<'_>| Painter::new(cx, &painted, Restores::Well);
        let config = Config { frame_limit: None, shader_folder: Some(folder.to_owned()), ..config() };
        let runtime = headless::start(&config, Still(demand), make, None, || {});
        Self { runtime: Some(runtime.unwrap_or_else(|e| panic!("{e}"))), seen }
    }

    fn frames(&self) -> usize {
        self.seen.lock().expect("nobody panics with it").len()
    }

    /// Waits until the picture has this colour.
    #[track_caller]
    fn becomes(&self, colour: [u8; 4]) {
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if self.seen.lock().expect("nobody panics with it").last() == Some(&colour) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not {colour:?}: {:?}", self.seen.lock().expect("nobody panics with it").last());
    }

    fn finish(mut self) {
        let summary = self.runtime.take().expect("it runs").finish().unwrap_or_else(|e| panic!("{e}"));
        assert!(summary.frames > 0);
    }
}

#[test]
fn a_changed_file_changes_the_picture_of_a_run_and_a_broken_one_does_not() {
    for demand in [Demand::EveryFrame, Demand::OnInput] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("painter.frag");
        let write = |text: &str| std::fs::write(&file, text).expect("a file");
        write(FRAGMENT);
        let run = Watched::start(folder.path(), demand);
        run.becomes(ORANGE);
        write(&FRAGMENT.replace("o = u_tint", "o = u_tint.bgra * vec4(1.0, 0.0, 1.0, 1.0)"));
        run.becomes([255, 0, 0, 255]);
        // A broken one is noticed, too, and the picture stays for as long as it is looked at.
        let before = run.frames();
        write("#version 330 core\nnonsense\n");
        let until = Instant::now() + Duration::from_secs(20);
        while run.frames() == before && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(500));
        run.becomes([255, 0, 0, 255]);
        write(FRAGMENT);
        run.becomes(ORANGE);
        run.finish();
    }
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    let config = Config { shader_folder: Some("/no/such/folder".into()), ..config() };
    let ended = headless::run_until(&config, Still(Demand::EveryFrame), |_| Ok(Careless), None, || false);
    let text = ended.error.expect("an error").to_string();
    assert!(text.starts_with("/no/such/folder: cannot watch"), "{text}");
}

/// Folder, cache and values that were set once: all of it holds in the new context.
#[test]
fn shaders_from_a_folder_and_from_the_cache_survive_a_loss() {
    let (folder, cache) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let green = FRAGMENT.replace("o = u_tint", "o = u_tint.bgra * vec4(0.0, 1.0, 1.0, 1.0)");
    std::fs::write(folder.path().join("painter.frag"), green).expect("a file");
    let config = Config {
        shader_folder: Some(folder.path().to_owned()),
        program_cache: Some(cache.path().to_owned()),
        lose_context_at: vec![10],
        ..config()
    };
    for _ in 0..2 {
        let (ended, seen) = paint(&config, Restores::Well);
        assert_eq!(ended.into_result().unwrap_or_else(|e| panic!("{e}")).context_resets, 1);
        assert!(seen.iter().all(|&p| p == [0, 128, 0, 255]), "{seen:?}");
    }
}
