//! What the examples that measure costs have in common: frames of a scene off screen, and the CPU time that they take.

use std::process::ExitCode;

use rustix::time::{ClockId, clock_gettime};

use scanout::gl::{CreateContext, DebugLevel, Renderer};
use scanout::pacing::Pacing;
use scanout::scenes::{Scene, Visitor};
use scanout::{Config, Logic, Size, Summary, headless};

/// So many frames at 1280x720, as fast as they can be made.
pub fn config(frames: u64) -> Config {
    Config {
        size: Size::new(1280, 720),
        pacing: Pacing::Immediate,
        frame_limit: Some(frames),
        debug: DebugLevel::Off,
        ..Config::default()
    }
}

struct Run(Config);

impl Visitor for Run {
    type Output = scanout::Result<Summary>;

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

/// Draws the scene and prints the CPU time per frame of the whole process. What went wrong is printed as well.
pub fn measure(scene: &Scene, config: Config) -> ExitCode {
    let used = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let before = used();
    match scene.open(Run(config)).and_then(|ended| ended) {
        Ok(summary) => {
            println!("{:.2} us of CPU per frame", (used() - before) * 1e6 / summary.frames as f64);
            ExitCode::SUCCESS
        }
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}
