//! The report of a run: a table for people, JSON for programs.

mod delta;
mod load;
mod pacer;
mod table;

use std::collections::BTreeMap;

use serde::Serialize;

use scanout::pacing::Throttle;
use scanout::runtime::{ModeFrames, TargetInfo};
use scanout::scenes::Quality;
use scanout::stats::{Counters, Distribution, Metric, SelfCheck as Checked, Summary as Figures};
use scanout::{Error, Size, Summary};

use self::delta::Delta;
pub use self::load::ExtraLoad;
use self::pacer::Pacer;
pub use self::pacer::{layout_name, lock_name, miss_share};
pub use self::table::{Rows, or_not};
#[cfg(target_os = "linux")]
pub use self::table::{cell, rates};
use super::self_check::SelfCheck;
use super::usage::Cost;

/// The version of the JSON below; it changes when a field changes its meaning or goes away.
const SCHEMA: &str = "scanout.report/1";

/// Late frames that are named for each cause.
const NAMED: usize = 6;

/// What a run came to, for programs. Times are in milliseconds.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    schema: &'static str,
    scanout: &'static str,
    scene: &'a str,
    /// `off`, `low` or `high`; `null` for scenes that have but one picture.
    quality: Option<&'static str>,
    /// Samples per pixel, as asked for; the driver may have less.
    samples: Option<u32>,
    /// The mode that the figures belong to: that of most of the measured frames.
    pacing: String,
    pacing_at_end: String,
    /// The modes of the frames after the warm-up, in the order in which they came.
    modes: Vec<Mode>,
    size: Size,
    target: &'a TargetInfo,
    /// What ended the run: `as asked` (a limit, the user), `display lost`, or `error`.
    ended: &'static str,
    /// What went wrong, in one line; `null` when nothing did.
    error: Option<String>,
    elapsed_s: f64,
    /// The part of it in which frames were kept apart. What follows is about the rest.
    apart_s: f64,
    /// `null` for fewer than two frames.
    frames_per_second: Option<f64>,
    warmup_frames: u64,
    counters: Counters,
    /// Whether swap waited for the display.
    swap_throttles: &'static str,
    /// Refreshes without a new frame; absent where the refresh rate is not known.
    missed_vsyncs: Option<u64>,
    /// Refreshes that the above are counted among.
    refreshes: Option<u64>,
    /// Frames whose animation was off by more than half a refresh; absent where the refresh rate is not known.
    animation_errors_over_half: Option<u64>,
    /// Frames displayed more than half a refresh after what they aimed at; `null` where none aimed at a time. Frames that were
    /// never displayed are not among them, but in `pacer`.
    deadline_misses: Option<u64>,
    /// Measured frames that aimed at a time.
    deadlines: Option<u64>,
    /// RMS of what vertical blanks were off their nominal interval by, as a share of it; `null` where none were told.
    vsync_jitter: Option<f64>,
    missed_ticks: u64,
    snaps: u64,
    /// Times that the context was lost and the run went on in a new one.
    context_resets: u64,
    /// Time by which a world of fixed steps was slowed down since the start, warm-up included.
    steps_dropped_ms: f64,
    /// What animation steps were made of.
    delta: Delta,
    /// What the pacer came to know and what came of it.
    pacer: Pacer,
    /// How the system ran the render thread.
    priority: String,
    /// What the process used from before the run to after it, without the threads of an extra load and without the time in
    /// which frames were kept apart.
    cost: Cost,
    /// The extra load; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<ExtraLoad>,
    /// What made late frames late, in lines; `null` without --trace.
    late_frames: Option<Vec<String>>,
    /// What the last frames say of the loop that made them, at most 300 of them; `null` where they were fewer than 30.
    self_check: Option<SelfCheck>,
    /// What passes took the GPU, in the order of drawing; empty where the driver has no time stamps. On software rasterisers
    /// see docs/tracing.md.
    gpu_passes: Vec<Pass>,
    /// `null` for what could not be measured. QueueDepth is in frames.
    metrics: BTreeMap<&'static str, Option<Figures>>,
}

/// [`ModeFrames`], for programs.
#[derive(Debug, Serialize)]
struct Mode {
    pacing: String,
    /// Frames that the figures are made of.
    frames: u64,
    /// Frames that were kept apart.
    apart: u64,
}

impl From<&ModeFrames> for Mode {
    fn from(mode: &ModeFrames) -> Self {
        Self { pacing: mode.pacing.to_string(), frames: mode.frames, apart: mode.apart }
    }
}

/// A pass of the frames on the GPU.
#[derive(Debug, Serialize)]
struct Pass {
    name: &'static str,
    #[serde(flatten)]
    times: Figures,
}

impl Pass {
    fn new((name, times): (&'static str, &Distribution)) -> Option<Self> {
        Some(Self { name, times: times.summary()? })
    }
}

impl<'a> Report<'a> {
    /// `look`: quality and samples per pixel, of scenes that have them.
    pub fn new(
        summary: &'a Summary,
        scene: &'a str,
        look: Option<(Quality, u32)>,
        cost: Cost,
        error: Option<&Error>,
    ) -> Self {
        let metrics = summary.stats.metrics();
        let aimed = metrics.deadlines() > 0;
        let known = summary.missed.is_some();
        let seconds = summary.elapsed.saturating_sub(summary.apart).as_secs_f64();
        Self {
            schema: SCHEMA,
            scanout: env!("CARGO_PKG_VERSION"),
            scene,
            quality: look.map(|(quality, _)| quality.name()),
            samples: look.map(|(_, samples)| samples),
            pacing: summary.measured_pacing().to_string(),
            pacing_at_end: summary.pacing.to_string(),
            modes: summary.modes.iter().map(Mode::from).collect(),
            size: summary.size,
            target: &summary.target,
            ended: match error {
                None => "as asked",
                Some(Error::DisplayLost { .. }) => "display lost",
                Some(_) => "error",
            },
            error: error.map(ToString::to_string),
            elapsed_s: summary.elapsed.as_secs_f64(),
            apart_s: summary.apart.as_secs_f64(),
            frames_per_second: (summary.frames > 1 && seconds > 0.0).then(|| summary.frames as f64 / seconds),
            warmup_frames: summary.stats.warmup(),
            counters: summary.stats.counters(),
            swap_throttles: match summary.throttle {
                Throttle::Untested => "not tested",
                Throttle::Driver => "yes",
                Throttle::Timer => "no: timed",
            },
            missed_vsyncs: known.then(|| metrics.missed_vsyncs()),
            refreshes: known.then(|| metrics.refreshes()),
            animation_errors_over_half: known.then(|| metrics.animation_errors_over_half()),
            deadline_misses: aimed.then(|| metrics.deadline_misses()),
            deadlines: aimed.then(|| metrics.deadlines()),
            vsync_jitter: metrics.vsync_jitter(),
            missed_ticks: summary.pacer.missed_ticks,
            snaps: summary.pacer.snaps,
            context_resets: summary.context_resets,
            steps_dropped_ms: summary.steps_dropped.as_secs_f64() * 1e3,
            delta: Delta::new(summary),
            pacer: Pacer::new(&summary.pacer),
            priority: summary.priority.to_string(),
            cost,
            load: None,
            self_check: summary.stats.self_check().report_after(Checked::LEAST).map(SelfCheck::from),
            late_frames: summary.timeline.as_ref().map(|timeline| timeline.explain().lines(NAMED)),
            gpu_passes: summary.stats.gpu_passes().iter().filter_map(Pass::new).collect(),
            metrics: Metric::ALL.iter().map(|m| (m.name(), metrics.summary(*m))).collect(),
        }
    }

    /// With the extra load that the run was under.
    pub fn with_load(mut self, load: Option<ExtraLoad>) -> Self {
        self.load = load;
        self
    }

    /// With the samples per pixel that were asked for, of scenes that have them and no quality.
    pub fn with_samples(mut self, samples: Option<u32>) -> Self {
        self.samples = self.samples.or(samples);
        self
    }

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain data");
        text.push('\n');
        text
    }
}
