//! The same frames with and without a timeline, to be counted by callgrind or by the CPU time they take:
//!
//! ```text
//! cargo build --release --no-default-features --features headless,scenes --example timeline_cost
//! GALLIUM_NOOP=1 GALLIUM_THREAD=0 valgrind --tool=callgrind target/release/examples/timeline_cost bars 2000 0 auto
//! ```
//!
//! Prints the CPU time per frame of the whole process.
#![allow(clippy::print_stdout, reason = "an example that prints")]

use std::process::ExitCode;

use scanout::gl::{CreateContext, DebugLevel, Renderer};
use scanout::pacing::Pacing;
use scanout::scenes::{Scene, Visitor};
use scanout::{Config, Logic, Size, headless};

struct Run(Config);

impl Visitor for Run {
    type Output = scanout::Result<scanout::Summary>;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        headless::run(&self.0, logic, make_renderer)
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, scene, frames, events, timing] = &arguments[..] else {
        println!("timeline_cost SCENE FRAMES EVENTS(0: no timeline) GPU-TIMING(auto, on, off)");
        return ExitCode::from(2);
    };
    let (Ok(scene), Ok(frames), Ok(events), Ok(gpu_timing)) =
        (Scene::parse(scene), frames.parse(), events.parse(), timing.parse())
    else {
        println!("no such scene, or no numbers");
        return ExitCode::from(2);
    };
    let config = Config {
        size: Size::new(1280, 720),
        pacing: Pacing::Immediate,
        frame_limit: Some(frames),
        timeline_events: events,
        gpu_timing,
        debug: DebugLevel::Off,
        ..Config::default()
    };
    let before = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    match scene.open(Run(config)).and_then(|ended| ended) {
        Ok(summary) => {
            let after = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            let seconds =
                (after.tv_sec - before.tv_sec) as f64 + (after.tv_nsec - before.tv_nsec) as f64 / 1e9;
            println!("{:.1} us of CPU per frame", seconds * 1e6 / summary.frames as f64);
            ExitCode::SUCCESS
        }
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}
