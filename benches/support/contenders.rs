//! The programs that are measured side by side, each showing the same scene.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::ValueEnum;

use crate::common::build_examples;

/// Where they run: names as `scanout photon --server` takes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Server {
    Xvfb,
    SwayNested,
    SwayHeadless,
}

impl Server {
    pub fn name(self) -> &'static str {
        match self {
            Self::Xvfb => "xvfb",
            Self::SwayNested => "sway-nested",
            Self::SwayHeadless => "sway-headless",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Xvfb => "Xvfb (nothing waits for a refresh)",
            Self::SwayNested => "sway nested in Xvfb",
            Self::SwayHeadless => "sway headless",
        }
    }
}

/// What is measured: names as `scanout photon --mode` takes them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Mode {
    Click,
    Animation,
    Drag,
}

impl Mode {
    pub fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::Animation => "animation",
            Self::Drag => "drag",
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Click => "Key press to the first changed pixel",
            Self::Animation => "Intervals of a picture that changes in every frame",
            Self::Drag => "Lag of a mark behind the pointer at 1,000 px/s",
        }
    }

    /// Titles, and where the figures are in what `photon` writes.
    pub fn columns(self) -> [(&'static str, &'static str); 6] {
        match self {
            Self::Click => [
                ("p50", "/first_ms/p50"),
                ("p95", "/first_ms/p95"),
                // A P99 of as few presses as a turn has would be the largest under another name.
                ("max", "/first_ms/max"),
                ("last pixel p50", "/all_ms/p50"),
                ("lost", "/clicks/lost"),
                ("CPUs used", "/cpu/program"),
            ],
            Self::Animation => [
                ("median", "/animation/interval_ms/p50"),
                ("p99", "/animation/interval_ms/p99"),
                ("missed", "/animation/missed"),
                ("duplicated", "/animation/duplicated"),
                ("early", "/animation/early"),
                ("CPUs used", "/cpu/program"),
            ],
            Self::Drag => [
                ("p50", "/drag/lag_ms/p50"),
                ("p95", "/drag/lag_ms/p95"),
                ("p99", "/drag/lag_ms/p99"),
                ("max", "/drag/lag_ms/max"),
                ("jitter", "/drag/jitter_ms"),
                ("CPUs used", "/cpu/program"),
            ],
        }
    }
}

/// A program that takes part.
#[derive(Clone, Debug)]
pub struct Contender {
    pub name: String,
    /// Or why there is none.
    pub program: Result<OsString, String>,
    pub arguments: Vec<String>,
}

fn contender(name: &str, program: &Result<OsString, String>, arguments: &str) -> Contender {
    Contender {
        name: name.into(),
        program: program.clone(),
        arguments: arguments.split_whitespace().map(Into::into).collect(),
    }
}

/// All that can show what `mode` asks for.
pub fn contenders(scanout: &OsStr, server: Server, mode: Mode) -> Vec<Contender> {
    let scanout = Ok(scanout.to_owned());
    let ours = |scene: &str, pacing: &str| {
        let arguments =
            format!("run --quiet --display window --size 1280x720 --scene {scene} --pacing {pacing}");
        contender(&format!("scanout {pacing}"), &scanout, &arguments)
    };
    let example =
        |name: &str| folder_of_examples().map(|folder| Path::new(&folder).join(name).into_os_string());
    // GLFW 3.3 has a library for each window system; the others find out which one they are on.
    let glfw = built(if server == Server::Xvfb { "glfw" } else { "glfw-wayland" });
    let [sdl2, macroquad, eframe] = ["sdl2", "macroquad", "eframe"].map(built);
    match mode {
        Mode::Click => vec![
            // What the method itself costs: a client that answers with one filled rectangle.
            contender("floor", &scanout, "photon --floor-client 1280x720"),
            ours("flash", "immediate"),
            ours("flash", "low-latency"),
            ours("flash", "auto"),
            contender("naive_loop", &example("naive_loop"), ""),
            contender("winit_wait", &example("reference_wait"), ""),
            contender("sdl2_wait", &sdl2, "flash wait"),
            contender("sdl2_swap", &sdl2, "flash swap"),
            contender("glfw_wait", &glfw, "flash wait"),
            contender("glfw_swap", &glfw, "flash swap"),
            contender("macroquad", &macroquad, "flash"),
            contender("eframe", &eframe, "flash"),
        ],
        Mode::Animation => vec![
            ours("flip", "auto"),
            ours("flip", "low-latency"),
            ours("flip", "smooth"),
            contender("naive_loop", &example("naive_loop"), "flip"),
            contender("winit_poll", &example("reference_poll"), ""),
            contender("tick_thread", &example("reference_tick"), ""),
            contender("sdl2_swap", &sdl2, "flip"),
            contender("glfw_swap", &glfw, "flip"),
            contender("macroquad", &macroquad, "flip"),
            contender("eframe", &eframe, "flip"),
        ],
        Mode::Drag => vec![
            ours("drag", "immediate"),
            ours("drag", "low-latency"),
            ours("drag", "auto"),
            contender("naive_loop", &example("reference_drag"), "swap"),
            contender("winit_wait", &example("reference_drag"), "input"),
            contender("sdl2_wait", &sdl2, "drag wait"),
            contender("sdl2_swap", &sdl2, "drag swap"),
            contender("glfw_wait", &glfw, "drag wait"),
            contender("glfw_swap", &glfw, "drag swap"),
            contender("macroquad", &macroquad, "drag"),
            contender("eframe", &eframe, "drag"),
        ],
    }
}

/// Built once per run, in the profile of this program.
fn folder_of_examples() -> Result<OsString, String> {
    static FOLDER: std::sync::OnceLock<Result<OsString, String>> = std::sync::OnceLock::new();
    let names = ["naive_loop", "reference_wait", "reference_poll", "reference_tick", "reference_drag"];
    FOLDER.get_or_init(|| build_examples(&names).map(Into::into)).clone()
}

/// What scripts/others has built.
fn built(name: &str) -> Result<OsString, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/others").join(name);
    if path.is_file() { Ok(path.into()) } else { Err("scripts/others did not build it, and says why".into()) }
}
