mod metric;
#[cfg(test)]
mod tests;
mod values;

use std::time::Duration;

pub use self::metric::{Metric, Unit};
pub use self::values::{Value, frame_values};

pub(super) use self::values::redrawn;
use self::values::{moved, since};
use super::{Distribution, FrameRecord, Stage, Summary, late};
use crate::pacing::{FrameId, VblankSample};
use crate::time::nanos;

/// An interval longer than so many refreshes by less than this share of one is meant to last as many: rates are measured.
const SAME_NUMBER: f64 = 0.05;

/// The distributions of all [`Metric`]s over one run, and what is counted beside them.
#[derive(Clone, Debug)]
pub struct Metrics {
    distributions: Vec<Distribution>,
    refresh: Duration,
    /// Refresh intervals that a frame is meant to last.
    target: i64,
    refreshes: u64,
    missed_vsyncs: u64,
    animation_errors_over_half: u64,
    deadlines: u64,
    deadline_misses: u64,
    drift: i64,
    last_vblank: Option<VblankSample>,
    values: Option<Vec<Vec<Value>>>,
    /// The frame that is being counted.
    frame: FrameId,
}

impl Metrics {
    /// Empty distributions for a display with this refresh interval (zero: unknown).
    #[must_use]
    pub fn new(refresh: Duration) -> Self {
        Self {
            distributions: vec![Distribution::default(); Metric::ALL.len()],
            refresh,
            target: 1,
            refreshes: 0,
            missed_vsyncs: 0,
            animation_errors_over_half: 0,
            deadlines: 0,
            deadline_misses: 0,
            drift: 0,
            last_vblank: None,
            values: None,
            frame: FrameId(0),
        }
    }

    /// From now on keeps each value as well, for [`values`](Self::values). It allocates as they come: for figures of runs
    /// that are over, not for the loop itself.
    pub fn keep_values(&mut self) {
        self.values = Some(vec![Vec::new(); Metric::ALL.len()]);
    }

    /// The kept values of a metric in the order of frames; none unless [`keep_values`](Self::keep_values) asked for them.
    #[must_use]
    pub fn values(&self, metric: Metric) -> &[Value] {
        self.values.as_ref().map_or(&[], |values| &values[metric as usize])
    }

    /// The distribution of one metric.
    #[must_use]
    pub fn get(&self, metric: Metric) -> &Distribution {
        &self.distributions[metric as usize]
    }

    /// One metric in a few figures, in its [unit](Metric::unit); `None` when nothing of it was measured.
    #[must_use]
    pub fn summary(&self, metric: Metric) -> Option<Summary> {
        self.get(metric).summary_in(match metric.unit() {
            Unit::Milliseconds => 1e6,
            Unit::Frames => 1.0,
        })
    }

    /// Refresh intervals that passed between displayed frames.
    #[must_use]
    pub const fn refreshes(&self) -> u64 {
        self.refreshes
    }

    /// Refreshes that should have shown a new frame and did not: the sum of `max(0, k - k_target)`, where `k` is
    /// the number of refresh intervals between two displayed frames.
    #[must_use]
    pub const fn missed_vsyncs(&self) -> u64 {
        self.missed_vsyncs
    }

    /// Frames whose animation error exceeded half a refresh interval.
    #[must_use]
    pub const fn animation_errors_over_half(&self) -> u64 {
        self.animation_errors_over_half
    }

    /// Displayed frames that had a [target](FrameRecord::target), while the refresh interval was known.
    #[must_use]
    pub const fn deadlines(&self) -> u64 {
        self.deadlines
    }

    /// Those of them that were displayed more than half a refresh interval after it.
    #[must_use]
    pub const fn deadline_misses(&self) -> u64 {
        self.deadline_misses
    }

    /// Root of the mean square of what vertical blanks were off their nominal interval by, as a share of that interval;
    /// `None` where no blanks were told or the interval is not known.
    #[must_use]
    pub fn vsync_jitter(&self) -> Option<f64> {
        let rms = self.summary(Metric::VsyncJitter)?.rms;
        let refresh = self.refresh.as_secs_f64() * 1e3;
        (refresh > 0.0).then(|| rms / refresh)
    }

    /// How long the logic thread spun in all; `None` where nobody measured it.
    #[must_use]
    pub fn spun(&self) -> Option<Duration> {
        let summary = self.summary(Metric::SpinTime)?;
        Some(Duration::from_secs_f64((summary.mean * summary.n as f64 / 1e3).max(0.0)))
    }

    /// A display (or its compositor) began a refresh. Samples come in order; with numbers, missing ones are no gap.
    /// About 20 ns; no allocation.
    pub fn vblank(&mut self, sample: VblankSample) {
        let refresh = nanos(self.refresh) as i64;
        if let Some(before) = self.last_vblank.replace(sample)
            && refresh > 0
        {
            let span = sample.at.signed_since(before.at);
            let refreshes = match (before.sequence, sample.sequence) {
                (Some(a), Some(b)) => i64::try_from(b.saturating_sub(a)).unwrap_or(i64::MAX),
                // Without numbers, how many they were has to be guessed.
                _ => (span as f64 / refresh as f64).round() as i64,
            };
            if refreshes == 1 {
                self.record(Metric::VsyncJitter, Some(span - refresh));
            }
        }
    }

    /// A vertical blank came `nanos` nanoseconds before it was predicted (negative: after).
    pub fn phase_error(&mut self, nanos: i64) {
        self.record(Metric::PhaseError, Some(nanos));
    }

    /// What comes next is measured against this refresh interval (zero: unknown) and the interval between frames that
    /// the pacing mode aims at: 30 frames per second on a 60 Hz display miss nothing. Where an interval is no whole number of refreshes, frames
    /// last one more now and then, which is no miss either: at 45 frames per second two refreshes.
    pub fn set_refresh(&mut self, refresh: Duration, frame_interval: Duration) {
        if refresh != self.refresh {
            // Blanks of another display, or of another mode.
            self.last_vblank = None;
        }
        self.refresh = refresh;
        self.target = if refresh.is_zero() {
            1
        } else {
            (frame_interval.as_secs_f64() / refresh.as_secs_f64() - SAME_NUMBER).ceil().max(1.0) as i64
        };
    }

    /// What frames are held against: the refresh interval, where it is known, and how many of them one is meant to last.
    pub(super) fn held_against(&self) -> (Option<Duration>, Option<u32>) {
        let known = !self.refresh.is_zero();
        (known.then_some(self.refresh), u32::try_from(self.target).ok().filter(|_| known))
    }

    /// Counts a displayed frame. `previous` is the frame displayed before it.
    pub fn displayed(&mut self, previous: Option<&FrameRecord>, frame: &FrameRecord) {
        self.frame = frame.id;
        frame_values(previous, frame, |metric, value| self.record(metric, Some(value)));
        if let (Some(target), Some(shown), false) =
            (frame.target, frame.at(Stage::Presented), self.refresh.is_zero())
        {
            self.deadlines += 1;
            self.deadline_misses += u64::from(late::is_late(shown.signed_since(target), self.refresh));
        }
        if let Some(previous) = previous.filter(|_| !frame.after_idle) {
            self.step(previous, frame);
        }
    }

    /// What is counted over a step from frame to frame, and needs the refresh interval or what came before.
    fn step(&mut self, previous: &FrameRecord, frame: &FrameRecord) {
        let moved = moved(previous, frame);
        let passed = since(previous, frame, Stage::InputSampled, Stage::InputSampled);
        if let (Some(passed), false) = (passed, frame.repeated) {
            self.drift = self.drift.saturating_add(moved.saturating_sub(passed));
            self.record(Metric::ClockDrift, Some(self.drift));
        }
        let Some(shown) = since(previous, frame, Stage::Presented, Stage::Presented) else { return };
        let refresh = nanos(self.refresh) as i64;
        if redrawn(frame) || refresh <= 0 {
            return;
        }
        let k = late::refreshes(shown, self.refresh);
        self.refreshes += k.max(0) as u64;
        self.missed_vsyncs += late::missed(k, self.target);
        self.record(Metric::IntervalJitter, Some((shown - k * refresh).abs()));
        self.animation_errors_over_half += u64::from((moved - shown).abs() > refresh / 2);
    }

    fn record(&mut self, metric: Metric, nanos: Option<i64>) {
        if let Some(nanos) = nanos {
            self.distributions[metric as usize].record(nanos);
            if let Some(values) = &mut self.values {
                values[metric as usize].push(Value { frame: self.frame, value: nanos });
            }
        }
    }
}
