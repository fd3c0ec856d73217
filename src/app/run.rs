//! `scanout run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use scanout::gl::{CreateContext, OverlayFactory, Renderer};
use scanout::scenes::{Scene, Visitor};
use scanout::{Config, Error, Logic, Summary, headless, window};

use super::cli::{Display, RunArgs};
use super::report::Report;
use super::{Failure, hud, output, profile};

/// How long a run off screen lasts unless told otherwise.
const HEADLESS_RUN: Duration = Duration::from_secs(5);

pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let scene = args.scene().map_err(Failure::Usage)?;
    let place = place(args.display);
    let outputs = Outputs::plan(args, place);
    outputs.check()?;
    let _profile = args.profile.as_deref().map(profile::Server::start).transpose()?;
    let mut config = Config {
        title: format!("scanout: {}", name(&scene)),
        size: args.size,
        pacing: args.pacing,
        fullscreen: args.fullscreen,
        warmup: args.warmup,
        frame_limit: args.frames,
        time_limit: args.seconds,
        capture_last: outputs.picture.is_some(),
        simulated_refresh_hz: args.refresh,
        debug: args.gl_debug.unwrap_or_default(),
        ..Config::default()
    };
    if place == Place::Headless && config.frame_limit.is_none() && config.time_limit.is_none() {
        config.time_limit = Some(HEADLESS_RUN);
    }
    let overlay: OverlayFactory = hud::factory(args.hud);
    let summary = scene.open(Runner { config, place, overlay })??;
    outputs.write(&summary, &name(&scene), args.quiet)?;
    Ok(())
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
enum Place {
    Window,
    Headless,
}

/// Where to draw. `auto` goes off screen only where no display server is named in the environment; one that is named
/// and does not answer is an error that the user wants to hear of.
fn place(display: Display) -> Place {
    let named = |variable| std::env::var_os(variable).is_some_and(|v| !v.is_empty());
    match display {
        Display::Window => Place::Window,
        Display::Headless => Place::Headless,
        Display::Auto if cfg!(not(all(unix, not(target_os = "macos")))) => Place::Window,
        Display::Auto if named("DISPLAY") || named("WAYLAND_DISPLAY") || named("WAYLAND_SOCKET") => {
            Place::Window
        }
        Display::Auto => {
            log::info!("no display (DISPLAY and WAYLAND_DISPLAY are not set): drawing off screen");
            Place::Headless
        }
    }
}

fn name(scene: &Scene) -> String {
    match scene {
        Scene::Model(None) => "model".into(),
        Scene::Model(Some(path)) => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        Scene::Swarm(n) => format!("swarm of {n}"),
        Scene::Flash { animate: false } => "flash".into(),
        Scene::Flash { animate: true } => "flash, animated".into(),
        Scene::Flip => "flip".into(),
        Scene::Drag => "drag".into(),
        Scene::Bars => "bars".into(),
        other => format!("{other:?}"),
    }
}

struct Runner {
    config: Config,
    place: Place,
    overlay: OverlayFactory,
}

impl Visitor for Runner {
    type Output = scanout::Result<Summary>;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let interrupt = Interrupt::install();
        match self.place {
            Place::Window => {
                window::run_until(self.config, logic, make_renderer, Some(self.overlay), |stopper| {
                    interrupt.on_signal(move || stopper.stop());
                })
            }
            Place::Headless => {
                let overlay = Some(self.overlay);
                headless::run_until(&self.config, logic, make_renderer, overlay, || interrupt.seen())
            }
        }
    }
}

type Action = Box<dyn Fn() + Send>;

/// Ctrl-C and SIGTERM end the run in order, with its report.
#[derive(Clone, Default)]
struct Interrupt {
    seen: Arc<AtomicBool>,
    action: Arc<Mutex<Option<Action>>>,
}

impl Interrupt {
    fn install() -> Self {
        let interrupt = Self::default();
        let handler = interrupt.clone();
        let installed = ctrlc::set_handler(move || {
            handler.seen.store(true, Ordering::Relaxed);
            if let Some(action) = &*handler.action.lock() {
                action();
            }
        });
        if let Err(e) = installed {
            log::warn!("Ctrl-C will end the program without a report: {e}");
        }
        interrupt
    }

    fn seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }

    fn on_signal(&self, action: impl Fn() + Send + 'static) {
        *self.action.lock() = Some(Box::new(action));
        if self.seen()
            && let Some(action) = &*self.action.lock()
        {
            action();
        }
    }
}

/// The files that the run is to leave behind.
struct Outputs {
    report: Option<PathBuf>,
    picture: Option<PathBuf>,
}

impl Outputs {
    /// Off screen nothing else would be seen of the run: there the files have default names.
    fn plan(args: &RunArgs, place: Place) -> Self {
        let or_default = |path: &Option<PathBuf>, name: &str| {
            path.clone().or_else(|| (place == Place::Headless).then(|| Path::new(name).to_owned()))
        };
        Self {
            report: or_default(&args.report, "scanout-report.json"),
            picture: or_default(&args.screenshot, "scanout-last-frame.png"),
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.report.iter().chain(&self.picture).try_for_each(|path| output::check(path))
    }

    #[allow(clippy::print_stdout, reason = "the table is the program's output")]
    fn write(&self, summary: &Summary, scene: &str, quiet: bool) -> Result<(), Error> {
        let report = Report::new(summary, scene);
        if !quiet {
            print!("{}", report.to_table());
        }
        let said = |what: &str, path: &Path| {
            if !quiet {
                println!("{what}: {}", path.display());
            }
        };
        if let Some(path) = &self.report {
            output::write(path, report.to_json().as_bytes())?;
            said("report", path);
        }
        if let Some(path) = &self.picture {
            match &summary.picture {
                Some(picture) => {
                    output::write(path, &output::png(picture)?)?;
                    said("last frame", path);
                }
                None => log::warn!("no picture was saved: nothing had been drawn"),
            }
        }
        Ok(())
    }
}
