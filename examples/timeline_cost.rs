//! The same frames with and without a timeline, to be counted by callgrind or by the CPU time they take:
//!
//! ```text
//! cargo build --release --no-default-features --features headless,scenes --example timeline_cost
//! GALLIUM_NOOP=1 GALLIUM_THREAD=0 valgrind --tool=callgrind target/release/examples/timeline_cost bars 2000 0 auto
//! ```
//!
//! Prints the CPU time per frame of the whole process.
#![allow(clippy::print_stdout, reason = "an example that prints")]

#[path = "support/cost.rs"]
mod cost;

use std::process::ExitCode;

use scanout::Config;
use scanout::scenes::Scene;

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
    let config = Config { timeline_events: events, gpu_timing, ..cost::config(frames) };
    cost::measure(&scene, config)
}
