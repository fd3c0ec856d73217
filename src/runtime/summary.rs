use std::time::Duration;

use super::counted::ModeFrames;
use super::input::Size;
#[cfg(doc)]
use super::options::RunOptions;
use crate::display::priority::Priority;
use crate::error::{Error, Result};
use crate::pacing::{DeltaTime, Origin, PacerState, Pacing, Throttle};
use crate::stats::{FRAME_LOG_SCHEMA, FrameLog, FrameRow, Recorder, SelfReport};
use crate::timeline::Timeline;

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
    /// How what changes each frame goes to the GPU and why so, in a line; `None` where nothing does.
    pub streaming: Option<String>,
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
    /// Time by which the world was slowed down because a frame would have needed more steps of one length than it may take
    /// ([`Logic::fixed_step`](super::Logic::fixed_step)); since the start, warm-up and stalls included.
    pub steps_dropped: Duration,
    /// What animation steps were made of.
    pub delta: DeltaTime,
    /// What a [filter](crate::pacing::ReferenceFilter) of the times between steps has done since the start.
    pub filtered: Filtered,
}

/// What a filter of the times between steps has done.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Filtered {
    /// Times that it discarded because they were negative.
    pub discarded: u64,
    /// Times that a median stood in for.
    pub by_median: u64,
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
