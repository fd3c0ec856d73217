//! Each cause of late frames, provoked on purpose: the right one is named. On real threads; what is provoked lasts several
//! refreshes, so that what else the machine does counts for less.
#![allow(unsafe_code, reason = "OpenGL without its wrappers")]
#![allow(clippy::print_stdout, reason = "verdicts for who asks with --nocapture")]

mod runtime_support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use glow::HasContext as _;
use runtime_support::{View, options};
use scanout::display::sleep;
use scanout::gl::{
    CreateContext, DebugLevel, Frame, GpuTiming, Mesh, Primitive, Program, Renderer, ShaderSource,
    StreamRing, StreamTarget, Texture, TextureOptions, Uniform, glow,
};
use scanout::pacing::{FrameId, Origin, Pacing, Presentation, VblankSample};
use scanout::runtime::{Backend, Feedback, FrameInfo, Pixels, Runtime, TargetInfo};
use scanout::sim::FixedDisplay;
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use scanout::timeline::explain::{Cause, Explanation};
use scanout::{Config, Logic, Result, Size, Summary, Tick, headless};

/// Hz of the display: slow, so that a busy machine still keeps up with what is not provoked.
const HZ: f64 = 40.0;
/// Every so many frames something goes wrong, after a warm-up.
const EVERY: u64 = 12;
const WARMUP: u64 = 40;
const FRAMES: u64 = 140;
/// For so long: almost three refreshes.
const LONG: Duration = Duration::from_millis(70);

fn goes_wrong(n: u64) -> bool {
    n > WARMUP && n.is_multiple_of(EVERY)
}

/// Uses the processor until the time is over.
fn work() {
    let until = MonotonicClock.now() + LONG;
    while MonotonicClock.now() < until {
        std::hint::spin_loop();
    }
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Fault {
    None,
    Logic,
    LogicSleeps,
    Render,
    Swap,
    Fence,
    Display,
}

struct World(Fault, u64);

impl Logic for World {
    type Snapshot = View;

    fn update(&mut self, _: &Tick) {
        self.1 += 1;
        match self.0 {
            Fault::Logic if goes_wrong(self.1) => work(),
            Fault::LogicSleeps if goes_wrong(self.1) => sleep::until(MonotonicClock.now() + LONG),
            _ => {}
        }
    }

    fn extract(&self, _: &mut View) {}
}

/// A display that does not exist, behind a graphics card that does not exist.
struct Card {
    fault: Fault,
    target: TargetInfo,
    display: FixedDisplay,
    /// Frames that are not done, and when they will be.
    open: Vec<(FrameId, Timestamp)>,
    shown: Timestamp,
}

impl Card {
    fn new(fault: Fault) -> Self {
        let target = TargetInfo::default();
        let display = FixedDisplay::new(HZ, MonotonicClock.now());
        Self { fault, target, display, open: Vec::new(), shown: Timestamp::ZERO }
    }
}

impl Backend<View> for Card {
    fn target(&self) -> &TargetInfo {
        &self.target
    }

    fn resize(&mut self, _: Size, _: f32) -> Result<()> {
        Ok(())
    }

    fn draw(&mut self, _: &View, frame: &FrameInfo<'_>) -> Result<()> {
        if self.fault == Fault::Render && goes_wrong(frame.id.0) {
            work();
        }
        Ok(())
    }

    fn swap(&mut self, id: FrameId) -> Result<()> {
        let now = MonotonicClock.now();
        if self.fault == Fault::Swap && goes_wrong(id.0) {
            sleep::until(now + LONG);
        }
        // The fence of the frame before one that goes wrong is seen late.
        let slow = self.fault == Fault::Fence && goes_wrong(id.0 + 1);
        self.open.push((id, MonotonicClock.now() + if slow { LONG } else { Duration::ZERO }));
        Ok(())
    }

    fn poll(&mut self, sink: &mut dyn FnMut(Feedback)) {
        let now = MonotonicClock.now();
        let fault = self.fault;
        let (display, shown) = (&self.display, &mut self.shown);
        self.open.retain(|&(id, done)| {
            if now < done {
                return true;
            }
            sink(Feedback::GpuDone(id, done));
            let late = if fault == Fault::Display && goes_wrong(id.0) { LONG } else { Duration::ZERO };
            let from = (done + late).max(*shown + Duration::from_millis(1));
            let at = display.vblank_after(from);
            *shown = at;
            sink(Feedback::Presented(id, Presentation::At(at, Origin::Simulated)));
            let (sequence, period, origin) = (None, None, Origin::Simulated);
            sink(Feedback::Vblank(VblankSample { at, sequence, period, origin }));
            false
        });
    }

    fn capture(&mut self, _: &View, frame: &FrameInfo<'_>) -> Result<Pixels> {
        Ok(Pixels { size: frame.size, rgba: Vec::new() })
    }
}

fn on_a_card(fault: Fault) -> Explanation {
    let mut options = options(Pacing::Auto);
    options.refresh_hz = Some(HZ);
    options.warmup = WARMUP;
    options.frame_limit = Some(FRAMES);
    options.timeline_events = 100_000;
    let (done, over) = crossbeam_channel::bounded(1);
    let make = move || Ok(Card::new(fault));
    let runtime = Runtime::start(options, World(fault, 0), make, move || {
        let _ = done.try_send(());
    });
    over.recv_timeout(Duration::from_secs(60)).expect("it ends by itself");
    explained(runtime.and_then(Runtime::finish).unwrap_or_else(|e| panic!("{e}")))
}

#[allow(clippy::needless_pass_by_value, reason = "it is over")]
fn explained(summary: Summary) -> Explanation {
    let explanation = summary.timeline.expect("a timeline").explain();
    println!("{explanation}\n");
    explanation
}

/// Runs that are watched for their time do not compete with each other.
static ALONE: Mutex<()> = Mutex::new(());
/// A busy machine may take more of a frame away than was provoked in it, and then it is right to name the scheduler. A run in
/// which it did so with nearly all says nothing about the cause, and is repeated.
const RUNS: usize = 6;

/// Most of what was provoked is found, as by far the most frequent cause.
fn assert_found(run: impl Fn() -> Explanation, cause: Cause) -> Explanation {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let provoked = (FRAMES / EVERY) as usize;
    let mut last = None;
    for _ in 0..RUNS {
        let explanation = run();
        let of = |wanted: Cause| {
            explanation.findings.iter().find(|f| f.cause == wanted).map_or(0, |f| f.frames.len())
        };
        let (found, busy) = (of(cause), of(Cause::Scheduler));
        if found < 2 && busy * 4 >= provoked * 3 {
            last = Some(explanation);
            continue;
        }
        assert!(found * 2 + busy >= provoked && found >= 2, "{cause:?}: {explanation}");
        let others = Cause::ALL.iter().filter(|other| **other != cause && **other != Cause::Scheduler);
        assert!(others.map(|other| of(*other)).all(|n| n * 4 <= found), "{cause:?}: {explanation}");
        return explanation;
    }
    panic!("{cause:?}: the machine is too busy for all of {RUNS} runs: {}", last.expect("a run"));
}

#[test]
fn slow_logic_is_named_whether_it_works_or_waits() {
    assert_found(|| on_a_card(Fault::Logic), Cause::Logic);
    assert_found(|| on_a_card(Fault::LogicSleeps), Cause::Logic);
}

#[test]
fn slow_drawing_is_named() {
    assert_found(|| on_a_card(Fault::Render), Cause::Render);
}

#[test]
fn a_swap_that_blocks_is_named() {
    assert_found(|| on_a_card(Fault::Swap), Cause::Driver);
}

#[test]
fn a_fence_that_comes_late_is_named() {
    let explanation = assert_found(|| on_a_card(Fault::Fence), Cause::Fence);
    assert!(explanation.to_string().contains("may have been busy"), "{explanation}");
}

#[test]
fn a_display_that_shows_late_is_named_as_the_simulated_one_that_it_is() {
    assert_found(|| on_a_card(Fault::Display), Cause::SimulatedDisplay);
}

#[test]
fn where_nothing_is_provoked_no_cause_is_frequent() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let explanation = on_a_card(Fault::None);
    assert!(explanation.late.len() as u64 * 4 < FRAMES, "{explanation}");
    assert!(explanation.judged as u64 >= FRAMES / 2, "{explanation}");
}

// --- with OpenGL ---

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Draws {
    Compile,
    Upload,
    Stream,
    Fragments,
}

const VERTEX: &str = "#version 330 core
void main() {
    vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
";
const FRAGMENT: &str = "#version 330 core
uniform int u_rounds;
out vec4 colour;
void main() {
    float x = gl_FragCoord.x * 0.001;
    for (int i = 0; i < u_rounds; ++i) {
        x = fract(sin(x + float(i)) * 43.7);
    }
    colour = vec4(x);
}
";

struct Drawing {
    draws: Draws,
    program: Program,
    rounds: Uniform<i32>,
    triangle: Mesh,
    texels: Vec<u8>,
    /// Made before the frames: its memory is taken then, and not in one that is to stream and do nothing else.
    ring: Option<StreamRing>,
    /// Turns of the loop that take as long as is wanted.
    heavy: i32,
}

/// A program that no driver has compiled before.
static UNIQUE: AtomicU64 = AtomicU64::new(0);

impl Drawing {
    fn new(cx: &CreateContext<'_>, draws: Draws) -> Result<Self> {
        let source = |text: &'static str| ShaderSource::new("heavy", text);
        let program = Program::new(cx.gl, "heavy", &source(VERTEX), &source(FRAGMENT))?;
        let triangle = Mesh::generated(cx.gl, Primitive::Triangles, 3)?;
        let texels = vec![7; 4 << 22];
        let ring = (draws == Draws::Stream)
            .then(|| StreamRing::auto(cx.gl, StreamTarget::Vertex, texels.len(), 2).expect("a ring"));
        let mut drawing =
            Self { draws, ring, rounds: program.uniform("u_rounds")?, program, triangle, texels, heavy: 1 };
        // How many turns it takes is the machine's: doubled until it takes long, and not because the machine stood meanwhile.
        for _ in 0..24 {
            let took = (0..3).map(|_| drawing.time(cx)).min();
            if took.is_some_and(|took| took > LONG) {
                break;
            }
            drawing.heavy *= 2;
        }
        Ok(drawing)
    }

    fn time(&self, cx: &CreateContext<'_>) -> Duration {
        let start = MonotonicClock.now();
        self.triangle(self.heavy);
        // SAFETY: a command in the current context.
        unsafe { cx.gl.raw().finish() };
        MonotonicClock.now().saturating_since(start)
    }

    fn triangle(&self, rounds: i32) {
        self.program.set(&self.rounds, rounds);
        self.program.use_program();
        self.triangle.draw();
    }

    fn compile(&self, gl: &scanout::gl::Gl) {
        let n = UNIQUE.fetch_add(1, Ordering::Relaxed);
        let body: String = (0..40).map(|i| format!("x = fract(sin(x + {i}.{n}) * 43.7);\n")).collect();
        let text = format!(
            "#version 330 core\nout vec4 colour;\nvoid main() {{ float x = 0.1;\n{body}colour = vec4(x); }}"
        );
        let fragment = ShaderSource::new("unique", text);
        let _ = Program::new(gl, "unique", &ShaderSource::new("heavy", VERTEX), &fragment);
    }
}

impl Renderer<u64> for Drawing {
    fn render(&mut self, _: &u64, frame: &mut Frame<'_>) {
        frame.pass("light");
        frame.clear([0.0; 4]);
        self.triangle(1);
        if !goes_wrong(frame.id().0) {
            return;
        }
        let until = MonotonicClock.now() + LONG;
        match self.draws {
            Draws::Compile => {
                while MonotonicClock.now() < until {
                    self.compile(frame.gl());
                }
            }
            Draws::Upload => {
                let options = TextureOptions::default();
                while MonotonicClock.now() < until {
                    let size = Size::new(2048, 2048);
                    drop(Texture::rgba8(frame.gl(), "big", size, &self.texels, &options));
                }
            }
            Draws::Stream => {
                let ring = self.ring.as_mut().expect("a ring");
                while MonotonicClock.now() < until {
                    ring.begin_frame().and_then(|()| ring.write(&self.texels)).expect("room");
                    ring.fence();
                }
            }
            Draws::Fragments => {
                frame.pass("heavy");
                self.triangle(self.heavy);
            }
        }
    }
}

#[derive(Default)]
struct Steps;

impl Logic for Steps {
    type Snapshot = u64;
    fn update(&mut self, _: &Tick) {}
    fn extract(&self, out: &mut u64) {
        *out += 1;
    }
}

fn drawn(draws: Draws) -> Explanation {
    let config = Config {
        size: Size::new(128, 96),
        simulated_refresh_hz: HZ,
        warmup: WARMUP,
        frame_limit: Some(FRAMES),
        time_limit: None,
        timeline_events: 100_000,
        gpu_timing: GpuTiming::On,
        debug: DebugLevel::Off,
        shutdown_timeout: Duration::from_secs(30),
        ..Config::default()
    };
    let make = move |cx: &CreateContext<'_>| Drawing::new(cx, draws);
    explained(headless::run(&config, Steps, make).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn shaders_compiled_in_a_frame_are_named() {
    assert_found(|| drawn(Draws::Compile), Cause::Compile);
}

#[test]
fn large_uploads_in_a_frame_are_named() {
    assert_found(|| drawn(Draws::Upload), Cause::Upload);
}

#[test]
fn what_is_streamed_in_a_frame_is_named() {
    assert_found(|| drawn(Draws::Stream), Cause::Upload);
}

#[test]
fn a_heavy_fragment_shader_is_named_with_its_pass() {
    let explanation = assert_found(|| drawn(Draws::Fragments), Cause::Gpu);
    let text = explanation.to_string();
    assert!(text.contains("`heavy`") && text.contains("fragment work"), "{text}");
}
