//! Once it is warm, the loop allocates nothing: not on the logic thread, not on the render thread (with real OpenGL
//! calls), not where input is passed on. Counted by an allocator of its own, so this is a program of its own.
//!
//! What the driver allocates for itself goes through C's `malloc` and is not counted: it is not ours to keep.
//!
//! Locks have no such counter: `parking_lot` offers none, and a lock without contention makes no system call that
//! could be watched. That no lock is taken per frame is therefore not claimed here; the code says so where it locks.
#![allow(clippy::print_stdout, reason = "how much was watched, for who asks with --nocapture")]
#![allow(unsafe_code, reason = "a global allocator is unsafe by nature")]
#![allow(clippy::disallowed_methods, reason = "the host is a thread that sends input at its own pace")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use glam::Vec2;
use scanout::gl::{CreateContext, DebugLevel, Frame, Gl, Renderer};
use scanout::pacing::Pacing;
use scanout::runtime::{ButtonCode, InputEvent, InputKind, KeyCode};
use scanout::scenes::{Look, Quality, Scene, Visitor};
use scanout::time::{Clock as _, MonotonicClock};
use scanout::{Config, Demand, Logic, Size, Tick, headless};

mod model_support;

// --- counting ---

/// Whose allocations are counted. A thread that says nothing is not watched.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Role {
    Nobody,
    Logic,
    Render,
    Sender,
}

const ROLES: [Role; 3] = [Role::Logic, Role::Render, Role::Sender];

thread_local! {
    // Constant and without a destructor: reading it allocates nothing, at any time in a thread's life.
    static ROLE: Cell<Role> = const { Cell::new(Role::Nobody) };
    /// The run that this thread starts is shown to others.
    static SHARED: Cell<bool> = const { Cell::new(false) };
}

/// The window in which allocations are counted.
static OPEN: AtomicBool = AtomicBool::new(false);
/// It was open and is closed again.
static OVER: AtomicBool = AtomicBool::new(false);
static COUNTS: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
/// Where the first one came from.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

struct Counting;

impl Counting {
    fn count(size: usize) {
        if !OPEN.load(Ordering::Relaxed) {
            return;
        }
        let role = ROLE.get();
        if role == Role::Nobody {
            return;
        }
        // Describing the place allocates as well, which is nobody's.
        ROLE.set(Role::Nobody);
        if COUNTS[role as usize].fetch_add(1, Ordering::Relaxed) == 0 {
            let place = format!("{role:?}: {size} bytes\n{}", std::backtrace::Backtrace::force_capture());
            if let Ok(mut first) = FIRST.lock() {
                first.get_or_insert(place);
            }
        }
        ROLE.set(role);
    }
}

// SAFETY: everything is passed on to the system's allocator; counting touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One window at a time: the counters are the process's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

// --- a scene, watched ---

/// Frames before the window opens: every buffer has its size, every snapshot slot was used.
const WARMUP: u64 = 120;
/// Least number of frames in the window.
const WINDOW: u64 = 400;
/// Least number of input events in the window, so that fast scenes have some too.
const EVENTS: u64 = 100;

/// What goes wrong on purpose, to see that it is noticed.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Fault {
    None,
    InLogic,
    InRender,
    InSender,
}

struct Watched<T> {
    inner: T,
    fault: Fault,
    steps: Arc<AtomicU64>,
    inputs: Arc<AtomicU64>,
}

fn waste() {
    std::hint::black_box(Box::new(7_u64));
}

impl<L: Logic> Logic for Watched<L> {
    type Snapshot = L::Snapshot;

    fn input(&mut self, event: &InputEvent) {
        if OPEN.load(Ordering::Relaxed) {
            self.inputs.fetch_add(1, Ordering::Relaxed);
        }
        self.inner.input(event);
    }

    fn update(&mut self, tick: &Tick) {
        ROLE.set(Role::Logic);
        if OPEN.load(Ordering::Relaxed) {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
        if self.fault == Fault::InLogic {
            waste();
        }
        self.inner.update(tick);
    }

    fn extract(&self, out: &mut L::Snapshot) {
        self.inner.extract(out);
    }

    fn demand(&self) -> Demand {
        self.inner.demand()
    }
}

struct WatchedRenderer<R> {
    inner: R,
    fault: Fault,
    inputs: Arc<AtomicU64>,
    /// Frames in the window.
    drawn: Arc<AtomicU64>,
}

impl<S, R: Renderer<S>> Renderer<S> for WatchedRenderer<R> {
    fn render(&mut self, snapshot: &S, frame: &mut Frame<'_>) {
        ROLE.set(Role::Render);
        if frame.id().0 == WARMUP {
            OPEN.store(true, Ordering::SeqCst);
        } else if OPEN.load(Ordering::SeqCst) {
            let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
            if drawn >= WINDOW && self.inputs.load(Ordering::SeqCst) >= EVENTS {
                OPEN.store(false, Ordering::SeqCst);
                OVER.store(true, Ordering::SeqCst);
            }
        }
        if self.fault == Fault::InRender {
            waste();
        }
        self.inner.render(snapshot, frame);
    }

    fn resize(&mut self, gl: &Gl, size: Size) {
        self.inner.resize(gl, size);
    }
}

/// What was seen in one window.
#[derive(Debug)]
struct Seen {
    allocations: [usize; 3],
    first: Option<String>,
    frames: u64,
    steps: u64,
    inputs: u64,
    sent: u64,
}

struct Watch {
    pacing: Pacing,
    debug: DebugLevel,
    fault: Fault,
    /// Events of a timeline; 0: none.
    events: usize,
    /// Shaders come from a folder that is watched.
    shaders: Option<PathBuf>,
}

impl Visitor for Watch {
    type Output = Seen;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Seen
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let (steps, inputs, drawn) = <(Arc<AtomicU64>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let fault = self.fault;
        let logic = Watched { inner: logic, fault, steps: Arc::clone(&steps), inputs: Arc::clone(&inputs) };
        let (seen_inputs, frames) = (Arc::clone(&inputs), Arc::clone(&drawn));
        let make = move |cx: &CreateContext<'_>| {
            Ok(WatchedRenderer { inner: make_renderer(cx)?, fault, inputs: seen_inputs, drawn: frames })
        };
        let config = Config {
            size: Size::new(64, 36),
            pacing: self.pacing,
            debug: self.debug,
            // Fewer than are drawn: the oldest make room.
            record_frames: 100,
            timeline_events: self.events,
            telemetry: SHARED.get().then(shared_name),
            shader_folder: self.shaders,
            simulated_refresh_hz: 240.0,
            time_limit: Some(Duration::from_secs(120)),
            shutdown_timeout: Duration::from_secs(20),
            ..Config::default()
        };
        let mut runtime =
            headless::start(&config, logic, make, None, || {}).unwrap_or_else(|e| panic!("{e}"));
        let sent = play(&mut runtime, fault);
        runtime.finish().unwrap_or_else(|e| panic!("{e}"));
        assert!(OVER.load(Ordering::SeqCst), "the window was never closed");
        Seen {
            allocations: ROLES.map(|role| COUNTS[role as usize].load(Ordering::SeqCst)),
            first: FIRST.lock().expect("nobody panics with it").take(),
            frames: drawn.load(Ordering::SeqCst),
            steps: steps.load(Ordering::SeqCst),
            inputs: inputs.load(Ordering::SeqCst),
            sent,
        }
    }
}

/// The host: it moves the pointer, presses and scrolls, about 1,000 times a second, until the window is closed. Returns how
/// many events it sent while the window was open.
fn play(runtime: &mut scanout::runtime::Runtime, fault: Fault) -> u64 {
    let mut sent = 0;
    let give_up = Instant::now() + Duration::from_secs(150);
    ROLE.set(Role::Sender);
    for n in 0_u32.. {
        let handle = runtime.handle();
        if handle.stopping() || OVER.load(Ordering::SeqCst) || Instant::now() > give_up {
            break;
        }
        let position = Vec2::new((n % 64) as f32, (n % 36) as f32);
        let kind = match n % 16 {
            0 => InputKind::Key { code: KeyCode::Space, pressed: n % 32 == 0, repeat: false },
            4 => InputKind::Button { button: ButtonCode::Primary, pressed: n % 32 < 16 },
            8 => InputKind::Scroll { lines: Vec2::new(0.0, if n % 32 < 16 { 0.5 } else { -0.5 }) },
            12 => InputKind::Focus { gained: true },
            _ => InputKind::PointerMoved { position },
        };
        handle.input(InputEvent::new(MonotonicClock.now(), kind));
        sent += u64::from(OPEN.load(Ordering::Relaxed));
        if n % 64 == 0 {
            // What a window system asks for now and then.
            handle.redraw();
        }
        if fault == Fault::InSender {
            waste();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    ROLE.set(Role::Nobody);
    sent
}

fn one_at_a_time() -> MutexGuard<'static, ()> {
    let guard = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    OPEN.store(false, Ordering::SeqCst);
    OVER.store(false, Ordering::SeqCst);
    COUNTS.iter().for_each(|count| count.store(0, Ordering::SeqCst));
    FIRST.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    guard
}

fn watch(scene: &Scene, look: Look, watch: Watch) -> Seen {
    let _guard = one_at_a_time();
    scene.open_with(look, watch).unwrap_or_else(|e| panic!("{e}"))
}

fn assert_quiet(scene: &Scene, pacing: Pacing, debug: DebugLevel) {
    assert_quiet_with(
        scene,
        Look::default(),
        Watch { pacing, debug, fault: Fault::None, events: 0, shaders: None },
    );
}

fn assert_quiet_with(scene: &Scene, look: Look, what: Watch) {
    let pacing = what.pacing;
    let seen = watch(scene, look, what);
    // A quiet window in which nothing happened would prove nothing.
    assert!(seen.frames >= WINDOW && seen.steps >= WINDOW / 4, "{seen:?}");
    assert!(seen.sent >= EVENTS / 2 && seen.inputs >= EVENTS, "{seen:?}");
    println!("{scene:?}, {pacing}: {} frames, {} steps, {} events", seen.frames, seen.steps, seen.inputs);
    let place = seen.first.as_deref().unwrap_or("");
    assert_eq!(
        seen.allocations, [0; 3],
        "allocations by {ROLES:?} in {} frames, the first by {place}",
        seen.frames
    );
}

#[test]
fn swarm_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Swarm(10_000), Pacing::Immediate, DebugLevel::Off);
}

/// Two megabytes of instances in each frame, through the ring.
#[test]
fn a_swarm_of_a_hundred_thousand_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Swarm(100_000), Pacing::Immediate, DebugLevel::Off);
}

/// Recorded on the one thread, culled, sorted, merged and streamed on the other.
#[test]
fn crowd_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Crowd(2_000), Pacing::Immediate, DebugLevel::Off);
}

#[test]
fn crowd_and_swarm_with_samples_allocate_nothing_per_frame() {
    let look = Look { samples: Some(4), ..Look::default() };
    for scene in [Scene::Crowd(300), Scene::Swarm(300)] {
        let (pacing, debug) = (Pacing::Immediate, DebugLevel::Off);
        assert_quiet_with(
            &scene,
            look,
            Watch { pacing, debug, fault: Fault::None, events: 0, shaders: None },
        );
    }
}

#[test]
fn model_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Model(None), Pacing::Immediate, DebugLevel::Off);
}

/// Skinned, morphed, with shadows, samples and blended surfaces, each in its own way through the render thread.
#[test]
fn moving_models_allocate_nothing_per_frame_at_any_quality() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("figure.gltf");
    std::fs::write(&path, model_support::showcase::figure().gltf()).expect("a file");
    let scene = Scene::Model(Some(path));
    for (quality, samples) in [(Quality::High, 4), (Quality::Off, 1)] {
        let look = Look { quality: Some(quality), samples: Some(samples) };
        let (pacing, debug) = (Pacing::Immediate, DebugLevel::Off);
        assert_quiet_with(
            &scene,
            look,
            Watch { pacing, debug, fault: Fault::None, events: 0, shaders: None },
        );
    }
}

#[test]
fn flash_animated_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Flash { animate: true }, Pacing::Immediate, DebugLevel::Off);
}

#[test]
fn drag_at_a_fixed_rate_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Drag, Pacing::fixed(500.0).expect("a rate"), DebugLevel::Off);
}

#[test]
fn video_allocates_nothing_per_frame() {
    assert_quiet(&Scene::Video, Pacing::Immediate, DebugLevel::Off);
}

#[test]
fn bars_in_step_with_the_display_allocate_nothing_per_frame() {
    assert_quiet(&Scene::Bars, Pacing::Vsync, DebugLevel::Off);
}

/// A timeline with room for everything, and one whose rings overflow in the window.
#[test]
fn recording_a_timeline_allocates_nothing_per_frame() {
    for (scene, events) in
        [(Scene::Swarm(10_000), 1_000_000), (Scene::Model(None), 1_000), (Scene::Bars, 1_000)]
    {
        let (pacing, debug) = (Pacing::Immediate, DebugLevel::Off);
        assert_quiet_with(
            &scene,
            Look::default(),
            Watch { pacing, debug, fault: Fault::None, events, shaders: None },
        );
    }
}

fn shared_name() -> String {
    format!("alloc-{}", std::process::id())
}

/// Follows the run to its end; returns how many frames were read.
fn follow() -> u64 {
    let give_up = Instant::now() + Duration::from_secs(150);
    let mut attached = loop {
        match scanout::telemetry::shared::attach(&shared_name()) {
            Ok(attached) => break attached,
            Err(e) if Instant::now() > give_up => panic!("{e}"),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let mut read = 0;
    while attached.reader.state() != scanout::telemetry::State::Ended {
        read += attached.reader.poll(|_| {});
        std::thread::sleep(Duration::from_millis(5));
    }
    read
}

/// Stamping into a table that another reads: both layouts, so that both threads stamp.
#[test]
fn telemetry_allocates_nothing_per_frame() {
    for (scene, pacing) in [(Scene::Bars, Pacing::Vsync), (Scene::Swarm(1_000), Pacing::Immediate)] {
        let reader = std::thread::spawn(follow);
        SHARED.set(true);
        assert_quiet(&scene, pacing, DebugLevel::Off);
        SHARED.set(false);
        let read = reader.join().expect("the reader");
        assert!(read >= WINDOW, "{read} frames were read");
    }
}

/// Debugging costs time and no memory, as long as there is nothing to report.
#[test]
fn debug_hooks_allocate_nothing_while_there_are_no_errors() {
    assert_quiet(&Scene::Model(None), Pacing::Immediate, DebugLevel::Panic);
}

/// The files are looked at by another thread; the render thread reads one number.
#[test]
fn watched_shaders_allocate_nothing_while_they_do_not_change() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let watch = Watch {
        pacing: Pacing::Immediate,
        debug: DebugLevel::Off,
        fault: Fault::None,
        events: 0,
        shaders: Some(folder),
    };
    assert_quiet_with(&Scene::Swarm(1_000), Look::default(), watch);
}

/// One small box per frame, in each of the three places, is noticed and its place named.
#[test]
fn an_allocation_per_frame_is_noticed_wherever_it_is() {
    for (fault, role, count) in
        [(Fault::InLogic, 0, "steps"), (Fault::InRender, 1, "frames"), (Fault::InSender, 2, "events")]
    {
        let seen = watch(
            &Scene::Bars,
            Look::default(),
            Watch { pacing: Pacing::Immediate, debug: DebugLevel::Off, fault, events: 0, shaders: None },
        );
        let expected = match fault {
            Fault::InLogic => seen.steps,
            Fault::InRender => seen.frames,
            _ => seen.sent,
        };
        let counted = seen.allocations[role] as u64;
        // The window's edges cut through a step or an event.
        assert!(counted.abs_diff(expected) <= 2 && counted > 0, "{fault:?}: {counted} of {expected} {count}");
        let others: usize = seen.allocations.iter().sum::<usize>() - seen.allocations[role];
        assert_eq!(others, 0, "{fault:?}: {seen:?}");
        let place = seen.first.expect("a place");
        assert!(place.starts_with(&format!("{:?}: 8 bytes", ROLES[role])), "{place}");
        assert!(place.contains("waste"), "{place}");
    }
}
