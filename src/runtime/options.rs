use std::time::Duration;

use super::input::Size;
#[cfg(doc)]
use super::summary::Summary;
use crate::pacing::{DeltaTime, LayoutChoice, MissBudget, Pacing, Rate, VrrRange};
#[cfg(doc)]
use crate::stats::Recorder;
use crate::telemetry::Telemetry;
#[cfg(doc)]
use crate::timeline::Timeline;

/// How a run is to go.
///
/// Written as a literal whose other fields come from the default, like [`Config`](crate::Config): then fields that later
/// versions add change nothing.
///
/// ```
/// use scanout::runtime::RunOptions;
///
/// let options = RunOptions { frame_limit: Some(10), ..RunOptions::default() };
/// assert_eq!(options.warmup, 0);
/// ```
#[derive(Clone, Debug)]
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
