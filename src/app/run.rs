//! `scanout run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use scanout::gl::{CreateContext, OverlayFactory, Renderer};
use scanout::runtime::{Ended, Pixels, Summary};
use scanout::scenes::{Scene, Visitor};
use scanout::{Config, Error, Logic, headless, window};

use super::apart::{Meter, Metered};
use super::cli::{Display, RunArgs};
use super::load::{Generators, Levels, Limits, WithLoad};
use super::log::TOLD;
use super::report::{ExtraLoad, Report, Rows};
use super::synthetic::{self, Synthetic};
use super::usage::Usage;
use super::{Failure, belongs, hud, interrupt, output, profile, timeline, trace, variable_rate};

/// Frames left out of the figures unless told otherwise: caches and clocks settle within half a second.
const WARMUP: u64 = 30;
/// Frames that a trace has at most: 18 minutes at 60 Hz, 8 MB.
const RECORDED: usize = 65_536;
/// Frames that a log has at most: 35 MB as text.
const LOGGED: usize = 65_536;
/// Events that a timeline has of each thread at most: 8 MiB, and minutes at 60 Hz.
const EVENTS: usize = 131_072;
/// How long threads may take to end off screen, where frames of software rasterisers can take seconds.
const HEADLESS_SHUTDOWN: Duration = Duration::from_secs(10);
/// The same in a window after a signal: long enough for a display that does not answer to be given up first ([`GIVE_UP`]), after
/// which they end with their figures. At every other end the window is to be gone soon.
const ASKED_SHUTDOWN: Duration = Duration::from_secs(8);
/// How long after a signal the program gives up on a display server that does not answer.
const GIVE_UP: Duration = Duration::from_secs(3);
/// When it did not end by then: a display over a network cannot be given up, and a file may be on one.
const LAST_WORDS: &str = "scanout: the run did not end when asked to, and what was not written is lost: a thread waits for a display, or a file, that does not answer";
/// The same where there is no display.
const LAST_WORDS_OFF_SCREEN: &str = "scanout: the run did not end when asked to, and what was not written is lost: a thread is busy, or waits for a file that does not answer";
/// How long the run may then take to end and to write its files: as long as after the death of a display server, and some more.
const WIND_UP: Duration = Duration::from_secs(15);
/// The words of a run that ended in that way.
const GIVEN_UP: &str = "the display does not answer and was given up; the figures so far are kept";
/// Of the display that is simulated off screen, unless told otherwise.
const REFRESH_HZ: f64 = 60.0;
/// How long a run off screen lasts unless told otherwise.
const HEADLESS_RUN: Duration = Duration::from_secs(5);

pub fn run(args: &RunArgs) -> Result<(), Failure> {
    let scene = args.scene().map_err(Failure::Usage)?;
    let place = place(args.display);
    let synthetic = args.synthetic_input.map(|rate| Synthetic::new(&scene, rate, args.size));
    if synthetic.is_some() && place != Place::Headless {
        return Err(Failure::Usage("--synthetic-input is for runs off screen (--display headless)".into()));
    }
    if args.vrr.is_some() && place == Place::Headless {
        return Err(Failure::Usage(variable_rate::OFF_SCREEN.into()));
    }
    belongs::to_place(args, place).map_err(Failure::Usage)?;
    if let Some(folder) = &args.shaders {
        let action = "watch as a folder of shaders";
        let failed = |source| Failure::unusable(&Error::Io { path: folder.clone(), action, source });
        std::fs::read_dir(folder).map_err(failed)?;
    }
    let outputs = Outputs::plan(args, &scene, place)?;
    let _profile = args.profile.as_deref().map(profile::Server::start).transpose()?;
    let mut config = Config {
        title: format!("scanout: {}", name(&scene)),
        size: args.size,
        pacing: args.pacing,
        miss_budget: args.miss_budget.or(args.smoothness),
        layout: args.layout.choice(),
        cap: args.max_fps,
        background_cap: args.background_fps,
        vrr: args.vrr,
        delta: args.delta,
        realtime: args.realtime,
        fullscreen: args.fullscreen,
        warmup: args.warmup.unwrap_or(if scene == (Scene::Flash { animate: false }) { 0 } else { WARMUP }),
        frame_limit: args.frames,
        time_limit: args.seconds,
        capture_last: outputs.picture.is_some(),
        timeline_events: if args.trace.is_some() { EVENTS } else { 0 },
        gpu_timing: args.gpu_timing,
        telemetry: args.telemetry.clone(),
        trace_frames: if outputs.trace.is_some() { RECORDED } else { 0 },
        record_frames: if args.frame_log.is_some() { LOGGED } else { 0 },
        simulated_refresh_hz: args.refresh.unwrap_or(REFRESH_HZ),
        debug: args.gl_debug.unwrap_or_default(),
        shader_folder: args.shaders.clone(),
        program_cache: args.program_cache(),
        lose_context_at: args.lose_context.clone(),
        ..Config::default()
    };
    if place == Place::Headless && config.frame_limit.is_none() && config.time_limit.is_none() {
        config.time_limit = Some(HEADLESS_RUN);
    }
    if place == Place::Headless {
        // No window has to close at once: a slow frame may end, and the report is not lost.
        config.shutdown_timeout = HEADLESS_SHUTDOWN;
    }
    let limits = Limits::now();
    let load = args.load.unwrap_or_default();
    limits.check(&load).map_err(Failure::Usage)?;
    let levels = Arc::new(Levels::new(load));
    let overlay: OverlayFactory = hud::factory(
        args.hud,
        hud::Settings {
            pacing: config.pacing,
            layout: config.layout,
            miss_budget: config.miss_budget,
            levels: Arc::clone(&levels),
            limits,
        },
    );
    // The other scenes have one quality whatever is wished.
    let samples = args.msaa.filter(|_| scene.has_samples());
    let picture = matches!(scene, Scene::Model(_)).then(|| args.look());
    let before = Usage::now();
    let generators = Generators::start(Arc::clone(&levels)).map_err(|source| Error::Io {
        path: "a thread".into(),
        action: "start",
        source,
    })?;
    let meter = Arc::new(Meter::default());
    let runner = Runner { config, place, overlay, synthetic };
    let runner = Metered { meter: Arc::clone(&meter), levels: Arc::clone(&levels), visitor: runner };
    let runner = WithLoad::new(Arc::clone(&levels), runner);
    let Ended { summary, error, .. } =
        scene.open_with(args.look(), runner).map_err(|e| of_scene(&args.scene, e))?;
    drop(generators);
    let after = Usage::now().without(levels.cpu());
    let written = summary.map_or(Ok(()), |summary| {
        let spent = before.until(&after).without(meter.spent(after));
        let cost = spent.cost(summary.stats.metrics().spun());
        if let Some(doubt) = args.vrr.and_then(|range| variable_rate::doubt(range, &summary)) {
            log::warn!("{doubt}");
        }
        if ended_early(args, place, &summary, error.as_ref()) {
            log::info!(
                target: TOLD,
                "the scene asks for no more than {} frame(s) without input, which nobody gives off screen: --synthetic-input gives some, and `flash` has --animate",
                summary.frames
            );
        }
        let scene = name(&scene);
        let look = picture.map(|look| look.resolved(summary.target.software));
        let load = ExtraLoad::new(load, &levels);
        let report =
            Report::new(&summary, &scene, look, cost, error.as_ref()).with_load(load).with_samples(samples);
        let nothing = || Ok(String::new());
        let trace = outputs.trace.as_ref().map_or_else(nothing, |path| trace::write(path, &summary));
        let frames = args.frame_log.as_ref().map_or_else(nothing, |path| write_frames(path, &summary));
        let timeline = args.trace.as_ref().zip(summary.timeline.as_ref());
        let timeline = timeline.map_or_else(nothing, |(path, timeline)| timeline::write(path, timeline));
        let rows = if args.verbose { Rows::All } else { Rows::Main };
        outputs.write(
            &report,
            summary.picture.as_ref(),
            (!args.quiet).then_some(rows),
            [trace, frames, timeline],
        )
    });
    if matches!(error, Some(Error::DisplayLost { .. })) && interrupt::display_given_up() {
        return written.map_err(Failure::from).and(Err(Failure::Failed(GIVEN_UP.into())));
    }
    // What ended the run is the cause of all else that went wrong.
    error.map_or(written, Err).map_err(Failure::from)
}

/// What is wrong with a model is said of the file that was named.
fn of_scene(scene: &Scene, error: Error) -> Failure {
    let failure = Failure::from(error);
    match (scene, failure) {
        (Scene::Model(Some(path)), Failure::Usage(text)) if !text.contains(&*path.to_string_lossy()) => {
            Failure::Usage(format!("{}: {text}", path.display()))
        }
        (_, failure) => failure,
    }
}

/// Writes the stamps of the frames that were kept, and returns a line that says so.
fn write_frames(path: &Path, summary: &Summary) -> Result<String, Error> {
    let log = summary.frame_log();
    let mut text = serde_json::to_vec(&log).expect("plain data");
    text.push(b'\n');
    output::write(path, &text)?;
    Ok(format!("frame log: {} ({} frames)\n", path.display(), log.frames.len()))
}

#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Place {
    Window,
    Headless,
}

/// Where to draw. `auto` goes off screen only where no display server is named in the environment; one that is named
/// and does not answer is an error that the user wants to hear of.
pub fn place(display: Display) -> Place {
    let named = |variable| std::env::var_os(variable).is_some_and(|v| !v.is_empty());
    match display {
        Display::Window => Place::Window,
        Display::Headless => Place::Headless,
        Display::Auto if cfg!(not(all(unix, not(target_os = "macos")))) => Place::Window,
        Display::Auto if named("DISPLAY") || named("WAYLAND_DISPLAY") || named("WAYLAND_SOCKET") => {
            Place::Window
        }
        Display::Auto => {
            // Who expects a window would wait for one.
            let why = "no display (DISPLAY and WAYLAND_DISPLAY are not set)";
            log::info!(target: TOLD, "{why}: drawing off screen");
            Place::Headless
        }
    }
}

/// Off screen a scene that waits for its user ends when it has been drawn.
fn ended_early(args: &RunArgs, place: Place, summary: &Summary, error: Option<&Error>) -> bool {
    let all = args.frames.is_some_and(|frames| summary.frames >= frames);
    let limit = args.seconds.or((args.frames.is_none()).then_some(HEADLESS_RUN)).unwrap_or(Duration::MAX);
    place == Place::Headless && error.is_none() && !all && summary.elapsed < limit && !interrupt::seen()
}

fn name(scene: &Scene) -> String {
    match scene {
        Scene::Model(None) => "model".into(),
        Scene::Model(Some(path)) => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        Scene::Swarm(n) => format!("swarm of {n}"),
        Scene::Crowd(n) => format!("crowd of {n}"),
        Scene::Flash { animate: false } => "flash".into(),
        Scene::Flash { animate: true } => "flash, animated".into(),
        Scene::Flip => "flip".into(),
        Scene::Drag => "drag".into(),
        Scene::Bars => "bars".into(),
        Scene::Video => "video".into(),
        other => format!("{other:?}"),
    }
}

struct Runner {
    config: Config,
    place: Place,
    overlay: OverlayFactory,
    synthetic: Option<Synthetic>,
}

impl Visitor for Runner {
    type Output = Ended;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let (ends, last_words) = match self.place {
            Place::Window => (GIVE_UP, LAST_WORDS),
            Place::Headless => (HEADLESS_SHUTDOWN + GIVE_UP, LAST_WORDS_OFF_SCREEN),
        };
        // A run that ends in order ends the process before.
        interrupt::install_for_figures(ends, WIND_UP, last_words);
        match self.place {
            Place::Window => {
                window::run_until(self.config, logic, make_renderer, Some(self.overlay), |stopper| {
                    interrupt::on_signal(move || stopper.stop_within(ASKED_SHUTDOWN));
                })
            }
            Place::Headless => {
                let overlay = Some(self.overlay);
                if let Some(input) = self.synthetic {
                    return synthetic::run(
                        &self.config,
                        logic,
                        make_renderer,
                        overlay,
                        input,
                        interrupt::seen,
                    );
                }
                headless::run_until(&self.config, logic, make_renderer, overlay, interrupt::seen)
            }
        }
    }
}

/// A file that the run is to leave behind.
struct Output {
    path: PathBuf,
    /// It was named on the command line; else it is one more thing to have, and no failure when it cannot be had.
    asked: bool,
}

impl Output {
    /// Off screen nothing else would be seen of the run: there the files have default names.
    fn plan(asked: Option<&PathBuf>, place: Place, name: &str) -> Result<Option<Self>, Failure> {
        if let Some(path) = asked {
            output::check(path)?;
            return Ok(Some(Self { path: path.clone(), asked: true }));
        }
        if place != Place::Headless {
            return Ok(None);
        }
        let path = Path::new(name).to_owned();
        match output::check(&path) {
            Ok(()) => Ok(Some(Self { path, asked: false })),
            Err(Failure::Usage(why)) => {
                log::warn!("{why}; going on without it");
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }
}

struct Outputs {
    report: Option<Output>,
    picture: Option<Output>,
    trace: Option<PathBuf>,
}

impl Outputs {
    fn plan(args: &RunArgs, scene: &Scene, place: Place) -> Result<Self, Failure> {
        let clash = |what: &str, a: Option<&PathBuf>, b: Option<&PathBuf>| match (a, b) {
            (Some(a), Some(b)) if output::same(a, b) => {
                Err(Failure::Usage(format!("{}: {what} cannot be the same file", a.display())))
            }
            _ => Ok(()),
        };
        let model = if let Scene::Model(path) = scene { path.as_ref() } else { None };
        clash("--report and --screenshot", args.report.as_ref(), args.screenshot.as_ref())?;
        clash("--report and --scene", args.report.as_ref(), model)?;
        clash("--screenshot and --scene", args.screenshot.as_ref(), model)?;
        clash("--record and --report", args.record.as_ref(), args.report.as_ref())?;
        clash("--record and --screenshot", args.record.as_ref(), args.screenshot.as_ref())?;
        clash("--record and --scene", args.record.as_ref(), model)?;
        clash("--trace and --report", args.trace.as_ref(), args.report.as_ref())?;
        clash("--trace and --screenshot", args.trace.as_ref(), args.screenshot.as_ref())?;
        clash("--trace and --record", args.trace.as_ref(), args.record.as_ref())?;
        clash("--trace and --scene", args.trace.as_ref(), model)?;
        clash("--frame-log and --report", args.frame_log.as_ref(), args.report.as_ref())?;
        clash("--frame-log and --screenshot", args.frame_log.as_ref(), args.screenshot.as_ref())?;
        clash("--frame-log and --record", args.frame_log.as_ref(), args.record.as_ref())?;
        clash("--frame-log and --trace", args.frame_log.as_ref(), args.trace.as_ref())?;
        clash("--frame-log and --scene", args.frame_log.as_ref(), model)?;
        args.frame_log.as_deref().map(output::check).transpose()?;
        args.record.as_deref().map(output::check).transpose()?;
        args.trace.as_deref().map(output::check).transpose()?;
        Ok(Self {
            report: Output::plan(args.report.as_ref(), place, "scanout-report.json")?,
            picture: Output::plan(args.screenshot.as_ref(), place, "scanout-last-frame.png")?,
            trace: args.record.clone(),
        })
    }

    /// Writes what can be written: the files first, since the table can be had again from the report. `rows` of the table are
    /// printed, if any; `others` are lines about files that have been written, or why they have not.
    fn write(
        &self,
        report: &Report<'_>,
        picture: Option<&Pixels>,
        rows: Option<Rows>,
        others: [Result<String, Error>; 3],
    ) -> Result<(), Error> {
        let mut text = rows.map_or_else(String::new, |rows| report.to_table(rows));
        let mut first_error = None;
        let mut put = |output: &Output, what: &str, bytes: Result<Vec<u8>, Error>| match bytes
            .and_then(|bytes| output::write(&output.path, &bytes))
        {
            Ok(()) => text.push_str(&format!("{what}: {}\n", output.path.display())),
            Err(e) if output.asked => drop(first_error.get_or_insert(e)),
            Err(e) => log::warn!("{e}"),
        };
        if let Some(output) = &self.report {
            put(output, "report", Ok(report.to_json().into_bytes()));
        }
        match (&self.picture, picture) {
            (Some(output), Some(picture)) => put(output, "last frame", output::png(picture)),
            (Some(_), None) => log::warn!("no picture was saved: nothing had been drawn"),
            (None, _) => {}
        }
        for other in others {
            match other {
                Ok(line) => text.push_str(&line),
                Err(e) => drop(first_error.get_or_insert(e)),
            }
        }
        if rows.is_some()
            && let Err(error) = output::print(&text)
        {
            first_error.get_or_insert(error);
        }
        first_error.map_or(Ok(()), Err)
    }
}
