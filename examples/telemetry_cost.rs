//! The same frames with and without telemetry, to be counted by callgrind or strace, or timed by the CPU that they take:
//!
//! ```text
//! cargo build --release --no-default-features --features headless,scenes,telemetry --example telemetry_cost
//! GALLIUM_NOOP=1 GALLIUM_THREAD=0 valgrind --tool=callgrind target/release/examples/telemetry_cost bars 2000 off
//! ```
//!
//! The last word: `off` (no telemetry), `shared` (a table for other processes, which nobody reads) or `read` (the same, read
//! 40 times a second). Prints the CPU time per frame of the whole process.
#![allow(clippy::print_stdout, reason = "an example that prints")]
#![allow(clippy::disallowed_methods, reason = "a reader is a thread of its own")]

#[path = "support/cost.rs"]
mod cost;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use scanout::Config;
use scanout::display::sleep;
use scanout::scenes::Scene;
use scanout::telemetry::{State, shared};
use scanout::time::{Clock as _, MonotonicClock};

/// Follows the table of that name to its end; returns how many frames it read and how many it missed.
fn follow(name: &str) -> (u64, u64) {
    let mut attached = loop {
        match shared::attach(name) {
            Ok(attached) => break attached,
            Err(_) => sleep::until(MonotonicClock.now() + Duration::from_millis(5)),
        }
    };
    let mut read = 0;
    while attached.reader.state() != State::Ended && attached.alive() {
        read += attached.reader.poll(|_| {});
        sleep::until(MonotonicClock.now() + Duration::from_millis(25));
    }
    read += attached.reader.rest(|_| {});
    (read, attached.reader.overwritten())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, scene, frames, mode] = &arguments[..] else {
        println!("telemetry_cost SCENE FRAMES off|shared|read");
        return ExitCode::from(2);
    };
    let (Ok(scene), Ok(frames)) = (Scene::parse(scene), frames.parse()) else {
        println!("no such scene, or no number");
        return ExitCode::from(2);
    };
    let name = format!("cost-{}", std::process::id());
    let reading = (mode == "read").then(|| {
        let name = name.clone();
        thread::spawn(move || follow(&name))
    });
    let config = Config { telemetry: (mode != "off").then_some(name), ..cost::config(frames) };
    let ended = cost::measure(&scene, config);
    if let Some(Ok((read, missed))) = reading.map(thread::JoinHandle::join) {
        println!("read {read} frames, missed {missed}");
    }
    ended
}
