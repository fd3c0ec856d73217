//! One run of the loop, in three modes one after the other: what swap does when it is asked to wait, what it does when it is
//! asked not to, and what the loop makes of the display by itself. The lines are read off its frames.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;

use scanout::gl::{CreateContext, Gl, Overlay, OverlayFactory, Renderer};
use scanout::pacing::{Pacing, Throttle};
use scanout::runtime::{Ended, FrameInfo};
use scanout::scenes::{Scene, Visitor};
use scanout::stats::{Declared, FrameRecord, SelfCheck, SelfReport, Stage};
use scanout::time::{Clock as _, MonotonicClock, Timestamp};
use scanout::window::Stopper;
use scanout::{Config, Error, Logic, Size, Summary, headless, window};

use super::DoctorArgs;
use crate::app::cli::Display;
use crate::app::run::{Place, place};
use crate::app::{interrupt, output};

/// A window that is in nobody's way.
const SIZE: Size = Size::new(320, 240);
/// Stamps of so many frames are kept: an unpaced phase makes a thousand and more per second.
const KEPT: usize = 8_192;
/// Events that a frame makes of a timeline, by which the library sizes what it keeps.
const EVENTS_PER_FRAME: usize = 8;
/// The first frames of a phase belong to the mode before.
const SETTLES: Duration = Duration::from_millis(60);
/// How long a run may take beyond its phases before it is given up: opening a window takes most of it.
const PATIENCE: Duration = Duration::from_secs(4);
const SHUTDOWN: Duration = Duration::from_secs(2);

/// What was asked for in a part of the run.
#[derive(Copy, Clone, Debug, Eq, PartialEq)]
pub enum Phase {
    /// Swap interval 1.
    Waiting,
    /// Swap interval 0, as fast as it goes.
    Unpaced,
    /// As the loop runs by itself.
    Paced,
}

impl Phase {
    const ALL: [Self; 3] = [Self::Waiting, Self::Unpaced, Self::Paced];

    const fn mode(self) -> Pacing {
        match self {
            Self::Waiting => Pacing::Vsync,
            Self::Unpaced => Pacing::Immediate,
            Self::Paced => Pacing::Auto,
        }
    }

    const fn span(self, quick: bool) -> Duration {
        Duration::from_millis(match (self, quick) {
            (Self::Waiting, true) => 600,
            (Self::Waiting, false) => 1_500,
            (Self::Unpaced, true) => 300,
            (Self::Unpaced, false) => 800,
            (Self::Paced, true) => 1_100,
            (Self::Paced, false) => 3_500,
        })
    }
}

/// What the run came to.
pub struct Measured {
    pub summary: Summary,
    pub off_screen: bool,
    /// What ended it before it was done.
    pub cut_short: Option<Error>,
    marks: Vec<Mark>,
    frames: Vec<FrameRecord>,
}

/// A part of the run as it happened.
#[derive(Copy, Clone, Debug)]
struct Mark {
    phase: Phase,
    from: Timestamp,
    to: Timestamp,
    /// What the pacer knew of swap by its end.
    throttle: Throttle,
    declared: Declared,
}

impl Measured {
    /// The frames of one part.
    pub fn frames(&self, phase: Phase) -> Vec<FrameRecord> {
        let Some(mark) = self.marks.iter().find(|mark| mark.phase == phase) else { return Vec::new() };
        let settled = if phase == Phase::Waiting { mark.from } else { mark.from + SETTLES };
        let within =
            |f: &&FrameRecord| f.at(Stage::SwapBegin).is_some_and(|at| at >= settled && at < mark.to);
        self.frames.iter().filter(within).copied().collect()
    }

    /// What the pacer knew of swap at the end of one part.
    pub fn throttle(&self, phase: Phase) -> Throttle {
        self.marks.iter().find(|mark| mark.phase == phase).map_or(Throttle::Untested, |mark| mark.throttle)
    }

    /// What the frames of one part say of the loop; `None` where they are too few.
    pub fn self_check(&self, phase: Phase) -> Option<SelfReport> {
        let mark = self.marks.iter().find(|mark| mark.phase == phase)?;
        let mut check = SelfCheck::new();
        check.declare(mark.declared);
        self.frames(phase).iter().for_each(|frame| check.frame(frame));
        check.report_after(0)
    }

    /// The display's refresh interval, measured or nominal.
    pub fn refresh(&self) -> Option<Duration> {
        let nominal = self.summary.target.refresh_hz.map(|hz| Duration::from_secs_f64(1.0 / hz));
        self.summary.pacer.refresh.or(nominal)
    }
}

/// What came of looking, where it was looked, and why not in a window.
pub struct Found {
    pub outcome: Result<Measured, Error>,
    pub place: &'static str,
    pub fell_back: Option<Error>,
}

/// Runs all parts.
pub fn measure(args: &DoctorArgs) -> Result<Found, Error> {
    let first = place(args.display);
    announce(args, first);
    let answered = first == Place::Window && opens_on_x11() && x_server_answers();
    let outcome = match run(args, first)? {
        // However far it had come: with the server went what was to be looked at.
        Err(error) if answered && !x_server_answers() => Err(match error {
            Error::DisplayLost { .. } => error,
            other => Error::DisplayLost { detail: format!("the X server has gone: {other}") },
        }),
        outcome => outcome,
    };
    let name = |place| if place == Place::Window { "window" } else { "headless" };
    match outcome {
        Ok(measured) => Ok(Found { outcome: Ok(measured), place: name(first), fell_back: None }),
        // What is left of a window on a server that has gone may crash inside the driver: nothing is begun beside it.
        Err(error)
            if args.display == Display::Auto
                && first == Place::Window
                && !matches!(error, Error::DisplayLost { .. })
                && !interrupt::seen() =>
        {
            let outcome = run(args, Place::Headless)?;
            let place = if outcome.is_ok() { "headless" } else { "none" };
            Ok(Found { outcome, place, fell_back: Some(error) })
        }
        Err(error) => Ok(Found { outcome: Err(error), place: "none", fell_back: None }),
    }
}

/// Whether the window opens on an X server. A Wayland compositor that dies is told by its library.
fn opens_on_x11() -> bool {
    #[cfg(target_os = "linux")]
    return window::opens_on_x11();
    #[cfg(not(target_os = "linux"))]
    false
}

/// Whether the X server takes connections.
fn x_server_answers() -> bool {
    #[cfg(target_os = "linux")]
    return std::env::var("DISPLAY").is_ok_and(|display| scanout::observe::X11::connect(&display).is_ok());
    #[cfg(not(target_os = "linux"))]
    false
}

/// Who runs it is to know why a window opens.
fn announce(args: &DoctorArgs, place: Place) {
    if !args.quiet && place == Place::Window {
        let seconds = total(args.quick).as_secs_f64();
        output::complain(&format!(
            "scanout doctor opens a small window for {seconds:.0} seconds; please leave it in view"
        ));
    }
}

fn run(args: &DoctorArgs, place: Place) -> Result<Result<Measured, Error>, Error> {
    let config = Config {
        title: "scanout doctor: measuring, closes by itself".into(),
        size: SIZE,
        pacing: Phase::ALL[0].mode(),
        window_keys: false,
        timeline_events: KEPT * EVENTS_PER_FRAME,
        shutdown_timeout: SHUTDOWN,
        swap_may_block: true,
        ..Config::default()
    };
    let marks = Arc::new(Mutex::new(Vec::new()));
    let runner = Runner { config, place, quick: args.quick, marks: Arc::clone(&marks) };
    let Ended { summary, error, .. } = match Scene::Bars.open(runner)? {
        Ok(ended) => ended,
        Err(error) => return Ok(Err(error)),
    };
    Ok(match (summary, error) {
        (None, Some(error)) => Err(error),
        (None, None) => Err(Error::Window { source: "the run left no figures".into() }),
        (Some(summary), error) => {
            let (frames, _) = summary.stats.records();
            let marks = std::mem::take(&mut *marks.lock());
            match error {
                Some(error) if frames.is_empty() => Err(error),
                cut_short => {
                    Ok(Measured { summary, off_screen: place == Place::Headless, cut_short, marks, frames })
                }
            }
        }
    })
}

struct Runner {
    config: Config,
    place: Place,
    quick: bool,
    marks: Arc<Mutex<Vec<Mark>>>,
}

/// What the watcher wants of whoever owns the loop.
#[derive(Copy, Clone, Debug, PartialEq)]
enum Wish {
    Pacing(Pacing),
    Stop,
}

impl Visitor for Runner {
    type Output = scanout::Result<Ended>;

    fn visit<L, R, F>(self, logic: L, make_renderer: F) -> Self::Output
    where
        L: Logic + 'static,
        L::Snapshot: 'static,
        R: Renderer<L::Snapshot> + 'static,
        F: FnOnce(&CreateContext<'_>) -> scanout::Result<R> + Send + 'static,
    {
        let limit = total(self.quick) + PATIENCE;
        let (wish, wishes) = channel();
        let ended = wish.clone();
        if self.place == Place::Window {
            let stopper: Arc<OnceLock<Stopper>> = Arc::default();
            let given = Arc::clone(&stopper);
            let overlay = watcher(self.quick, self.marks, move |wish| {
                given.get().into_iter().for_each(|stopper| wish.ask(stopper));
            });
            let ended = window::run_until(self.config, logic, make_renderer, Some(overlay), |to_be_given| {
                let _ = stopper.set(to_be_given.clone());
                let asked = to_be_given.clone();
                interrupt::on_signal(move || asked.stop());
                watch_over(limit, wishes, to_be_given);
            });
            // The watch ends with it.
            drop(wish);
            return Ok(ended);
        }
        let overlay = watcher(self.quick, self.marks, move |given| {
            let _ = wish.send(given);
        });
        let asked = ended.clone();
        interrupt::on_signal(move || {
            let _ = asked.send(Wish::Stop);
        });
        let on_end = move || {
            let _ = ended.send(Wish::Stop);
        };
        let mut runtime = headless::start(&self.config, logic, make_renderer, Some(overlay), on_end)?;
        let until = MonotonicClock.now() + limit;
        while let Ok(Wish::Pacing(mode)) = wishes.recv_timeout(until.saturating_since(MonotonicClock.now())) {
            runtime.handle().set_pacing(mode);
        }
        Ok(runtime.end())
    }
}

impl Wish {
    fn ask(self, stopper: &Stopper) {
        match self {
            Self::Pacing(mode) => stopper.set_pacing(mode),
            Self::Stop => stopper.stop(),
        }
    }
}

fn total(quick: bool) -> Duration {
    Phase::ALL.iter().map(|phase| phase.span(quick)).sum()
}

/// Ends a run that makes no frames: a hidden window on Wayland is not drawn, and a swap that waits for it does not return.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing of it is left when the run is over, and nobody waits for it"
)]
fn watch_over(limit: Duration, wishes: Receiver<Wish>, stopper: Stopper) {
    std::thread::spawn(move || {
        if wishes.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
            stopper.stop();
        }
    });
}

/// Draws nothing: it counts the time in frames that come, and asks for the next mode.
fn watcher(quick: bool, marks: Arc<Mutex<Vec<Mark>>>, ask: impl Fn(Wish) + Send + 'static) -> OverlayFactory {
    Box::new(move |_| {
        Ok(Box::new(Watcher { quick, marks, ask, phases: Phase::ALL.iter(), now: None }) as Box<dyn Overlay>)
    })
}

struct Watcher<A> {
    quick: bool,
    marks: Arc<Mutex<Vec<Mark>>>,
    ask: A,
    phases: std::slice::Iter<'static, Phase>,
    /// The part that runs, and since when.
    now: Option<(Phase, Timestamp)>,
}

impl<A: Fn(Wish)> Overlay for Watcher<A> {
    fn draw(&mut self, _: &Gl, frame: &FrameInfo<'_>) {
        let now = MonotonicClock.now();
        if let Some((phase, from)) = self.now {
            if now < from + phase.span(self.quick) {
                return;
            }
            let declared = *frame.stats.self_check().declared();
            let throttle = frame.pacer.throttle();
            self.marks.lock().push(Mark { phase, from, to: now, throttle, declared });
        }
        let first = self.now.is_none();
        self.now = self.phases.next().map(|phase| (*phase, now));
        match self.now {
            // The run begins in the first one's mode.
            Some(_) if first => {}
            Some((phase, _)) => (self.ask)(Wish::Pacing(phase.mode())),
            None => (self.ask)(Wish::Stop),
        }
    }

    fn toggle(&mut self) {}

    fn visible(&self) -> bool {
        true
    }
}
