//! Extra load off screen: that it is there, that it is told, and that it costs the hot path no allocation.

#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "a global allocator is unsafe by nature")]
#![allow(clippy::disallowed_methods, reason = "limits on real processes are real time")]

#[allow(dead_code, unused_imports, reason = "the program uses the rest")]
#[path = "../src/app/load/mod.rs"]
mod load;
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use scanout::gl::{CreateContext, Frame, GpuTiming, Renderer};
use scanout::scenes::Visitor;
use scanout::{Config, Logic, Pacing, Size, Tick, headless};

use load::{Generators, Levels, WithLoad};
use support::app::{App, Ending, Place};

/// Software rendering while other tests use the CPUs.
const LIMIT: Duration = Duration::from_secs(60);

thread_local! {
    static WATCHED: Cell<bool> = const { Cell::new(false) };
}
static OPEN: AtomicBool = AtomicBool::new(false);
static COUNTED: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: everything is passed on to the system's allocator; counting touches no memory of the caller.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if OPEN.load(Relaxed) && WATCHED.get() {
            COUNTED.fetch_add(1, Relaxed);
        }
        // SAFETY: passed on as it came.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: passed on as it came.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

struct World;

impl Logic for World {
    type Snapshot = ();
    fn update(&mut self, _: &Tick) {
        WATCHED.set(true);
    }
    fn extract(&self, (): &mut ()) {}
}

struct Plain;

impl Renderer<()> for Plain {
    fn render(&mut self, (): &(), frame: &mut Frame<'_>) {
        WATCHED.set(true);
        OPEN.store((60..260).contains(&frame.id().0), Relaxed);
        frame.clear([0.1, 0.2, 0.3, 1.0]);
    }
}

struct Headless;

impl Visitor for Headless {
    type Output = scanout::runtime::Summary;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let config = Config {
            size: Size::new(64, 48),
            pacing: Pacing::Immediate,
            gpu_timing: GpuTiming::On,
            frame_limit: Some(300),
            shutdown_timeout: LIMIT,
            ..Config::default()
        };
        headless::run(&config, logic, make_renderer).expect("a run off screen")
    }
}

#[test]
fn load_that_is_warm_allocates_nothing_per_frame() {
    let levels = Arc::new(Levels::new("busy=1,memory=4,gpu=0.2,spike=0.1/3".parse().expect("a load")));
    let _generators = Generators::start(Arc::clone(&levels)).expect("a thread");
    let summary = WithLoad::new(levels, Headless).visit(World, |_: &CreateContext<'_>| Ok(Plain));
    assert_eq!(summary.frames, 300);
    assert!(summary.stats.gpu_passes().iter().any(|(name, times)| name == "load" && times.count() > 100));
    assert_eq!(COUNTED.load(Relaxed), 0, "allocations on the logic and the render thread");
}

fn run(arguments: &[&str]) -> (App, Ending) {
    let scanout = std::env::var_os("SCANOUT_TEST_BINARY")
        .unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_scanout")));
    let arguments = [
        &["run", "--display", "headless", "--scene", "bars", "--size", "64x48", "--report", "report.json"],
        arguments,
    ]
    .concat();
    let mut app = App::start(scanout, &arguments, &Place::Nowhere);
    let end = app.wait(LIMIT);
    (app, end)
}

#[test]
fn load_that_was_asked_for_is_in_the_frames_and_in_the_report() {
    let load = "busy=1,memory=8,gpu=2,spike=15/5";
    let (app, end) = run(&["--load", load, "--frames", "120", "--gpu-timing", "on"]);
    end.assert_clean();
    let report = app.report("report.json");
    assert_eq!(report["load"]["asked"], load);
    assert_eq!(report["load"]["at_end"], load);
    assert!(report["load"]["threads_cpu_s"].as_f64().is_some_and(|s| s > 0.05), "{}", report["load"]);
    assert!(report["load"]["gpu_timed_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{}", report["load"]);
    let logic = |figure: &str| report["metrics"]["LogicTime"][figure].as_f64().expect("measured");
    assert!(logic("p95") >= 15.0, "one update in five burns 15 ms: {}", logic("p95"));
    let pass = report["gpu_passes"].as_array().and_then(|all| all.iter().find(|pass| pass["name"] == "load"));
    assert!(pass.is_some(), "{}", report["gpu_passes"]);
    assert!(end.stdout.contains(load), "the table names it: {}", end.stdout);
}

#[test]
fn run_without_load_says_nothing_of_one() {
    let (app, end) = run(&["--frames", "20"]);
    end.assert_clean();
    assert!(app.report("report.json").get("load").is_none() && !end.stdout.contains("extra load"));
}

#[test]
fn load_that_cannot_be_is_refused_in_one_line() {
    for load in ["memory=4294967295", "busy=two", "threads=2"] {
        let (_, end) = run(&["--load", load, "--frames", "1"]);
        end.assert_code(&[2]);
        let first = end.stderr.lines().find(|l| l.contains("load")).unwrap_or_default();
        assert!(!first.is_empty(), "{}", end.stderr);
    }
}
