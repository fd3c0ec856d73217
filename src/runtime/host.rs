use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::counted::ModeFrames;
use super::input::{InputEvent, InputSender, Size};
use super::signal::Waker;
use crate::display::priority::Priority;
use crate::error::{Error, Result};
use crate::pacing::{
    DeltaTime, LayoutChoice, MissBudget, Origin, PacerState, Pacing, Rate, Throttle, VrrRange,
};
use crate::stats::{FRAME_LOG_SCHEMA, FrameLog, FrameRow, Recorder, SelfReport};
use crate::telemetry::Telemetry;
use crate::time::Timestamp;
use crate::timeline::Timeline;

/// How a run is to go.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunOptions {
    /// What decides when frames are made.
    pub pacing: Pacing,
    /// The share of frames that may miss their display time; `None`: the pacing mode's.
    pub miss_budget: Option<MissBudget>,
    /// How logic and drawing lie in time.
    pub layout: LayoutChoice,
    /// Never more frames per second than this, in any mode but [`Pacing::Host`].
    pub cap: Option<Rate>,
    /// The display refreshes when a frame comes, within this range.
    pub vrr: Option<VrrRange>,
    /// What animation steps are made of.
    pub delta: DeltaTime,
    /// Ask the system for real-time priority of this level (1 to 99) for both threads; what came of it is in
    /// [`Summary::priority`].
    pub realtime: Option<u8>,
    /// The drawing area at the start.
    pub size: Size,
    /// Physical pixels per logical pixel at the start.
    pub scale: f32,
    /// The display's nominal refresh rate in Hz, where the host knows it.
    pub refresh_hz: Option<f64>,
    /// Frames at the start that are left out of all figures.
    pub warmup: u64,
    /// End after so many frames, not counting the warm-up.
    pub frame_limit: Option<u64>,
    /// End after so much time.
    pub time_limit: Option<Duration>,
    /// No input can come: end when the scene asks for no more frames.
    pub end_when_idle: bool,
    /// Read back the last frame when the run ends.
    pub capture_last: bool,
    /// Keep what the newest frames took, so many of them: [`Recorder::trace`]. 0: none.
    pub trace_frames: usize,
    /// Keep the stamps of the newest frames, so many of them: [`Summary::frame_log`]. 300 bytes each. 0: none.
    pub record_frames: usize,
    /// Keep a [`Timeline`] of so many events of each thread, the newest ones. An event takes 64 bytes, and to every
    /// eight of them come the stamps of a frame, 300 bytes. 0: none.
    pub timeline_events: usize,
    /// A table that both threads stamp the stages of every frame into, for readers. A table is for one run.
    pub telemetry: Option<Telemetry>,
    /// How long a thread may take to end when asked to, before it is abandoned.
    pub shutdown_timeout: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            pacing: Pacing::default(),
            miss_budget: None,
            layout: LayoutChoice::default(),
            cap: None,
            vrr: None,
            delta: DeltaTime::default(),
            realtime: None,
            size: Size::new(1280, 720),
            scale: 1.0,
            refresh_hz: None,
            warmup: 0,
            frame_limit: None,
            time_limit: None,
            end_when_idle: false,
            capture_last: false,
            trace_frames: 0,
            record_frames: 0,
            timeline_events: 0,
            telemetry: None,
            shutdown_timeout: Duration::from_millis(900),
        }
    }
}

/// What is drawn with and drawn to.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct TargetInfo {
    /// How the surface came about: `x11-glx`, `x11-egl`, `wayland-egl`, `egl-device`, ...
    pub surface: String,
    /// `GL_VENDOR`.
    pub vendor: String,
    /// `GL_RENDERER`.
    pub renderer: String,
    /// `GL_VERSION`.
    pub version: String,
    /// The renderer is a software rasteriser.
    pub software: bool,
    /// The display's nominal refresh rate in Hz; `None` where it is not known.
    pub refresh_hz: Option<f64>,
    /// The display's refresh rate in Hz as measured from what the source said; `None` where that was too little.
    pub measured_hz: Option<f64>,
    /// What tells when frames are displayed: `wp_presentation`, `X11 Present`, ..; empty where nobody has told.
    pub source: String,
    /// Who stands behind those times.
    pub origin: Origin,
}

/// A picture: rows from top to bottom, four bytes (red, green, blue, alpha) per pixel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pixels {
    /// Its size.
    pub size: Size,
    /// `4 * width * height` bytes.
    pub rgba: Vec<u8>,
}

/// What a run came to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Frames drawn, those of the warm-up among them. Those that are kept [apart](crate::stats::FrameRecord::apart) are not:
    /// they are [counted](crate::stats::Counters::apart) for themselves.
    pub frames: u64,
    /// Refreshes that should have shown a new frame and did not; `None` where the refresh rate is not known.
    pub missed: Option<u64>,
    /// From the first plan to the end.
    pub elapsed: Duration,
    /// The part of it in which frames were kept apart.
    pub apart: Duration,
    /// The display's refresh interval, and from frame to frame, as they were at the end.
    pub(super) intervals: (Duration, Duration),
    /// What was drawn with and to.
    pub target: TargetInfo,
    /// The drawing area at the end.
    pub size: Size,
    /// The pacing mode at the end; for the one that the figures belong to see [`measured_pacing`](Self::measured_pacing).
    pub pacing: Pacing,
    /// The modes that frames were drawn in after the warm-up, the first sixteen.
    pub modes: Vec<ModeFrames>,
    /// Whether swap was found to wait for the display.
    pub throttle: Throttle,
    /// What the pacer came to know; what it counts is without the time in which frames were kept apart.
    pub pacer: PacerState,
    /// How the system runs the render thread.
    pub priority: Priority,
    /// All figures.
    pub stats: Recorder,
    /// What happened, where [`RunOptions::timeline_events`] asked for it.
    pub timeline: Option<Timeline>,
    /// The last frame, where it was asked for.
    pub picture: Option<Pixels>,
    /// Contexts that were lost, after each of which the run went on in a new one.
    pub context_resets: u64,
}

impl Summary {
    /// The pacing mode that most of the measured frames were drawn in; the one at the end where there are none.
    #[must_use]
    pub fn measured_pacing(&self) -> Pacing {
        let most = self.modes.iter().rev().max_by_key(|mode| mode.frames);
        most.filter(|mode| mode.frames > 0).map_or(self.pacing, |mode| mode.pacing)
    }

    /// The stamps of the frames that were kept because [`RunOptions::record_frames`] asked for it. Allocates.
    #[must_use]
    pub fn frame_log(&self) -> FrameLog {
        let (frames, pushed_out) = self.stats.records();
        FrameLog {
            schema: FRAME_LOG_SCHEMA.to_owned(),
            refresh_hz: self.target.refresh_hz,
            measured_hz: self.target.measured_hz,
            pacing: self.measured_pacing().to_string(),
            source: self.target.source.clone(),
            warmup: self.stats.warmup(),
            pushed_out,
            frames: frames.iter().map(FrameRow::from).collect(),
        }
    }

    /// What the last frames say of the loop that made them; `None` where they were fewer than
    /// [`SelfCheck::FRAMES`](crate::stats::SelfCheck::FRAMES). Allocates.
    #[must_use]
    pub fn self_check(&self) -> Option<SelfReport> {
        self.stats.self_check().report()
    }

    /// The timeline with what the figures know.
    pub(super) fn told(&self, timeline: Timeline) -> Timeline {
        let (frames, frames_pushed_out) = self.stats.records();
        let (refresh, interval) = self.intervals;
        let target = &self.target;
        Timeline {
            frames,
            frames_pushed_out,
            refresh,
            interval,
            warmup: self.stats.warmup(),
            about: vec![
                ("renderer", target.renderer.clone()),
                ("version", target.version.clone()),
                ("surface", target.surface.clone()),
                ("display times", format!("{} ({})", target.source, target.origin)),
                ("pacing", self.measured_pacing().to_string()),
            ],
            ..timeline
        }
    }
}

/// How a run ended: what it came to, and what ended it early. A run that failed after frames had been drawn has both.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ended {
    /// The figures; `None` when the run failed before there were any, or when the thread that kept them did not end.
    pub summary: Option<Summary>,
    /// What went wrong; `None` when the run ended as it was asked to.
    pub error: Option<Error>,
}

impl Ended {
    /// The end of a run that never began.
    #[must_use]
    pub const fn failed(error: Error) -> Self {
        Self { summary: None, error: Some(error) }
    }

    /// The figures of a run in which nothing went wrong.
    ///
    /// # Errors
    /// Whatever ended the run early; its figures are dropped.
    pub fn into_result(self) -> Result<Summary> {
        match (self.error, self.summary) {
            (None, Some(summary)) => Ok(summary),
            (Some(error), _) => Err(error),
            // Cannot be made here: without figures there is an error.
            (None, None) => Err(Error::DisplayLost { detail: "the run left no figures".into() }),
        }
    }
}

/// How long after a switch to or from [`Pacing::Naive`] the frames belong to no figures: queues and what is learnt settle.
pub const SETTLING: Duration = Duration::from_secs(1);

/// What is to be different from the next frame on. What is left out stays as it is.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Changes {
    /// Another pacing mode.
    pub pacing: Option<Pacing>,
    /// Another layout of logic and drawing.
    pub layout: Option<LayoutChoice>,
    /// Another share of frames that may miss; `Some(None)`: the mode's.
    pub miss_budget: Option<Option<MissBudget>>,
}

/// What the host asked of the render thread since it last looked. Wishes of one kind merge: the last one counts.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Wishes {
    pub(super) size: Option<(Size, f32)>,
    pub(super) visible: Option<bool>,
    pub(super) refresh_hz: Option<f64>,
    pub(super) pacing: Option<Pacing>,
    pub(super) miss_budget: Option<Option<MissBudget>>,
    pub(super) cap: Option<Option<Rate>>,
    pub(super) layout: Option<LayoutChoice>,
    pub(super) host_tick: Option<Option<Timestamp>>,
    pub(super) redraw: bool,
    pub(super) toggle_overlay: bool,
    /// Steps from one pacing mode to the next.
    pub(super) next_pacing: u8,
    /// There is input for the overlay.
    pub(super) overlay_input: bool,
}

impl Wishes {
    /// With what was wanted on the render thread itself.
    pub(super) fn with(mut self, changes: Option<Changes>) -> Self {
        if let Some(changes) = changes {
            self.pacing = self.pacing.or(changes.pacing);
            self.layout = self.layout.or(changes.layout);
            self.miss_budget = self.miss_budget.or(changes.miss_budget);
        }
        self
    }
}

/// Shared by the host and both threads. The lock is taken when the host wishes something, not per frame.
#[derive(Debug, Default)]
pub(super) struct Control {
    stop: AtomicBool,
    dirty: AtomicBool,
    /// There is input for the overlay. It may come with every motion of the pointer, so it takes no lock.
    overlay_input: AtomicBool,
    wishes: Mutex<Wishes>,
}

impl Control {
    pub(super) fn stopping(&self) -> bool {
        // Acquire pairs with `stop`: what was written before asking to stop is seen by who sees the flag.
        self.stop.load(Ordering::Acquire)
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(super) fn wish(&self, f: impl FnOnce(&mut Wishes)) {
        f(&mut self.wishes.lock());
        // Release after the lock: who sees the flag finds the wish.
        self.dirty.store(true, Ordering::Release);
    }

    pub(super) fn take_wishes(&self) -> Option<Wishes> {
        // The flag is cleared before the lock is taken, so that a wish made in between raises it again.
        let wishes =
            self.dirty.swap(false, Ordering::AcqRel).then(|| std::mem::take(&mut *self.wishes.lock()));
        // Acquire: the event was sent before the flag was raised, so whoever sees the flag finds the event.
        if self.overlay_input.swap(false, Ordering::AcqRel) {
            return Some(Wishes { overlay_input: true, ..wishes.unwrap_or_default() });
        }
        wishes
    }
}

/// The host's grip on a run: input in, wishes, stop.
#[derive(Debug)]
pub struct Handle {
    pub(super) control: Arc<Control>,
    pub(super) input: InputSender,
    pub(super) logic: Waker,
    pub(super) render: Waker,
}

impl Handle {
    /// Passes an input event to the logic thread. Never blocks.
    pub fn input(&mut self, event: InputEvent) {
        self.input.send(event);
    }

    /// Tries again to pass on events that found the channel full. Returns whether everything is through.
    pub fn flush_input(&mut self) -> bool {
        self.input.flush()
    }

    /// The drawing area changed.
    pub fn resize(&self, size: Size, scale: f32) {
        self.wish(|w| w.size = Some((size, scale)));
    }

    /// The window became visible or invisible. While invisible nothing is drawn and the world stands still.
    pub fn set_visible(&self, visible: bool) {
        self.wish(|w| w.visible = Some(visible));
    }

    /// The window needs its contents again.
    pub fn redraw(&self) {
        self.wish(|w| w.redraw = true);
    }

    /// The window moved to a display with this nominal refresh rate, in Hz.
    pub fn set_refresh(&self, hz: f64) {
        if hz.is_finite() && hz >= 1.0 {
            self.wish(|w| w.refresh_hz = Some(hz));
        }
    }

    /// Switches the pacing mode.
    pub fn set_pacing(&self, mode: Pacing) {
        self.wish(|w| w.pacing = Some(mode));
    }

    /// Switches to the pacing mode that comes after the one in force: auto, low-latency, smooth, vsync, immediate, and auto
    /// again.
    pub fn next_pacing(&self) {
        self.wish(|w| w.next_pacing = w.next_pacing.wrapping_add(1));
    }

    /// There is input for the overlay: a scene that rests is drawn once more. No lock.
    #[cfg(feature = "window")]
    pub(crate) fn overlay_input(&self) {
        self.control.overlay_input.store(true, Ordering::Release);
        self.render.wake();
    }

    /// Declares the share of frames that may miss their display time; `None`: the mode's.
    pub fn set_miss_budget(&self, budget: Option<MissBudget>) {
        self.wish(|w| w.miss_budget = Some(budget));
    }

    /// Never more frames per second than this, in any mode but [`Pacing::Host`]; `None`: no cap. For a window in the background, say.
    pub fn set_cap(&self, cap: Option<Rate>) {
        self.wish(|w| w.cap = Some(cap));
    }

    /// Pins how logic and drawing lie in time, or lets measured times choose.
    pub fn set_layout(&self, layout: LayoutChoice) {
        self.wish(|w| w.layout = Some(layout));
    }

    /// One frame, please, for this display time where it is known: what drives [`Pacing::Host`], in which no frame is made
    /// without a tick. Ticks that come faster than frames can be made merge.
    pub fn host_tick(&self, target: Option<Timestamp>) {
        self.wish(|w| w.host_tick = Some(target));
    }

    /// Shows or hides the overlay.
    pub fn toggle_overlay(&self) {
        self.wish(|w| w.toggle_overlay = !w.toggle_overlay);
    }

    /// Asks both threads to end. Returns at once.
    pub fn stop(&self) {
        self.control.stop();
        self.logic.wake();
        self.render.wake();
    }

    /// Whether the threads were asked to end, or ended by themselves.
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.control.stopping()
    }

    fn wish(&self, f: impl FnOnce(&mut Wishes)) {
        self.control.wish(f);
        self.render.wake();
    }
}

impl Drop for Handle {
    /// A host that goes away, for whatever reason, takes the threads with it.
    fn drop(&mut self) {
        self.stop();
    }
}
